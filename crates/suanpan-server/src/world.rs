//! What every step needs: the store, WeChat, the accounts, the clock and the dice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use moka::future::Cache;
use suanpan_client::wechat::{AppId, Call, MchId, Nonce, OpenId};
use suanpan_client::{Builder, Client, Outcome, Outside, Trace, Wire};
use tokio::sync::Notify;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::Error;
use crate::account::{Account, Accounts};
use crate::config::{ApiVersion, Config, ExtraPayment, WechatConfig};
use crate::ids::OrderId;
use crate::keys;
use crate::metrics::{self, Metrics};
use crate::outside::{Clock, Dice, SystemClock, SystemDice};
use crate::people::Rules;
use crate::people::password::Passwords;
use crate::purge;
use crate::receivers::Receivers;
use crate::repair::confirm::Confirms;
use crate::repair::shipping::Managed;
use crate::shipment::ShippingPolicy;
use crate::store::{Database, Store};
use crate::timeline::Entry;
use crate::token::Tokens;

/// The seams: what a test puts in place of the machine.
#[derive(Clone, Debug)]
pub struct Seams {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids, nonces and secrets.
    pub dice: Arc<dyn Dice>,
    /// Sees every message to WeChat, secrets included; masking is its job.
    pub wire: Option<Arc<dyn Wire>>,
}

impl Default for Seams {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), dice: Arc::new(SystemDice), wire: None }
    }
}

/// What every step needs. One per server, shared.
pub struct World {
    pub(crate) store: Store,
    pub(crate) client: Client,
    roster: RwLock<Roster>,
    /// Told when the accounts are others.
    pub(crate) rekeyed: Notify,
    pub(crate) receivers: Receivers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dice: Arc<dyn Dice>,
    /// For clients that are made later.
    wire: Option<Arc<dyn Wire>>,
    pub(crate) metrics: Metrics,
    /// Logins under way, by app and code: the same code is asked for once.
    pub(crate) logins: Cache<String, OpenId>,
    /// What `confirm` asks and has asked.
    pub(crate) confirms: Confirms,
    /// The tokens of the apps.
    pub(crate) tokens: Tokens,
    /// Whose shipping WeChat manages.
    pub(crate) managed: Managed,
    /// How long one node has to fetch a token, in microseconds: longer than a call may take.
    pub(crate) token_lease_micros: i64,
    /// Whether WeChat is a simulator on this machine, and so all money play money.
    pub(crate) pretend: bool,
    /// Scheme, host and port by which WeChat reaches us.
    pub(crate) public_url: String,
    /// How long a `prepay_id` is signed again, in microseconds.
    pub(crate) prepay_micros: i64,
    /// How long notifications are kept, in microseconds.
    pub(crate) kept: purge::Kept,
    /// From which hour of the next day on, in Beijing, each day is compared with WeChat's bills; `None`: not by itself.
    pub(crate) reconcile_hour: Option<u8>,
    /// What becomes of money that is more than what is owed.
    pub(crate) extra_payment: ExtraPayment,
    /// The rules for people.
    pub(crate) people: Rules,
    /// Hashes passwords.
    pub(crate) passwords: Passwords,
    /// The longest request body.
    pub(crate) max_body_bytes: usize,
}

impl World {
    fn new(config: &Config, seams: Seams, store: Store, ready: Ready) -> Self {
        let Ready { client, roster, receivers, people, public_url } = ready;
        Self {
            client,
            roster: RwLock::new(roster),
            rekeyed: Notify::new(),
            receivers,
            metrics: Metrics::new(store.meters()),
            store,
            clock: seams.clock,
            dice: seams.dice,
            wire: seams.wire,
            logins: Cache::new(10_000),
            confirms: Confirms::new(),
            tokens: Tokens::default(),
            managed: Managed::default(),
            token_lease_micros: token_lease_micros(config),
            pretend: is_here(&config.wechat),
            public_url,
            kept: purge::Kept::of(&config.retention),
            max_body_bytes: config.server.max_body_bytes,
            prepay_micros: config.orders.prepay_seconds.saturating_mul(1_000_000),
            reconcile_hour: config.reconciliation.enabled.then_some(config.reconciliation.hour),
            extra_payment: config.orders.extra_payment,
            people,
            passwords: Passwords::default(),
        }
    }

    /// Opens the database for one command, beside the nodes that may run on it: nothing is served, and no due work is done.
    ///
    /// # Errors
    /// [`Error::Config`], and those of the store.
    pub async fn open(config: &Config, seams: Seams) -> Result<Arc<Self>, Error> {
        let listen = format!("http://{}", config.server.listen);
        Self::opened(config, seams, listen).await
    }

    /// `url`: how this machine reaches us, where the configuration does not say how WeChat does.
    pub(crate) async fn opened(
        config: &Config,
        seams: Seams,
        url: String,
    ) -> Result<Arc<Self>, Error> {
        let database = Database::parse(&config.database.url, &config.base)?;
        // First, for the store brings the database up to date.
        let ready = Ready::of(config, &seams, url)?;
        let store = Store::open(&database, seams.clock.now_micros()).await?;
        let world = Arc::new(Self::new(config, seams, store, ready));
        for account in world.accounts().iter() {
            keys::load(&world, account).await?;
        }
        Ok(world)
    }

    /// The merchant accounts as they are now. Each step of a payment goes on with those that it began with.
    pub(crate) fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner).accounts)
    }

    /// The accounts of another configuration, ready to be taken.
    pub(crate) async fn roster_of(&self, config: &Config) -> Result<Roster, Error> {
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let roster = Roster::load(config, &Seams { clock, dice, wire: self.wire.clone() })?;
        roster.can_give_back(config)?;
        for account in roster.accounts.iter() {
            keys::load(self, account).await?;
        }
        Ok(roster)
    }

    /// Takes them in place of those that are in use.
    pub(crate) fn take(&self, roster: Roster) {
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = roster;
        self.rekeyed.notify_one();
    }

    /// The numbers and names of the merchant accounts.
    pub fn merchants(&self) -> Vec<(MchId, String)> {
        let named = |account: &Arc<Account>| (account.mchid.clone(), account.name.clone());
        self.accounts().iter().map(named).collect()
    }

    /// What is true, for whoever embeds the server.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Unix microseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_micros()
    }

    /// The account of an order or attempt that is ours already.
    pub(crate) fn account(&self, mchid: &MchId) -> Result<Arc<Account>, Error> {
        self.accounts().of_merchant(mchid).cloned().ok_or_else(|| Error::Config {
            place: "merchants".to_owned(),
            why: format!("there are orders of merchant {mchid}, and no account of this number"),
        })
    }

    /// Who says what is shipped for orders of this app.
    pub(crate) fn shipping(&self, appid: &AppId) -> ShippingPolicy {
        self.accounts().of_app(appid).map_or(ShippingPolicy::None, |(_, app)| app.shipping)
    }

    /// The client that shows this merchant's certificate.
    pub(crate) fn certified(&self, mchid: &MchId) -> Result<Client, Error> {
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        roster.certified.get(mchid).cloned().ok_or_else(|| Error::Config {
            place: format!("merchants[{mchid}].merchant_certificate"),
            why: "APIv2 gives money back only over a connection that shows it: configure it with merchant_private_key, or merchant_p12".to_owned(),
        })
    }

    /// Asks WeChat, and counts how it went.
    pub(crate) async fn ask<C: Call>(&self, client: &Client, call: &C) -> Outcome<C::Answer> {
        let operation = call.operation();
        let span =
            tracing::info_span!("wechat", operation, outcome = Empty, wechat_request_id = Empty);
        let outcome = client.call(call).instrument(span.clone()).await;
        self.metrics.asked(call.host(), &outcome);
        span.record("outcome", metrics::said(&outcome));
        let Trace { request_id, status, elapsed, .. } = outcome.trace();
        span.record("wechat_request_id", request_id.as_deref());
        let (elapsed_ms, code) = (u64::try_from(elapsed.as_millis()).ok(), outcome.wechat_code());
        // Never the words of a refusal, which can hold an openid.
        tracing::info!(target: "suanpan::wechat", parent: &span, status, elapsed_ms, code, "asked WeChat");
        outcome
    }

    /// Where WeChat is to send the notifications of this merchant.
    pub(crate) fn notify_url(&self, mchid: &MchId) -> String {
        format!("{}/wechat/notify/{mchid}", self.public_url)
    }

    /// Appends a line to an order's journal, in a transaction of its own, and says it in the log.
    pub(crate) async fn journal(&self, order: &OrderId, entry: Entry) -> Result<(), Error> {
        let line = (order.clone(), self.now(), entry.clone());
        let put = self.store.write(line, |tx, (order, at, entry)| {
            Box::pin(async move { tx.journal_put(order, *at, entry).await })
        });
        put.await?;
        entry.log(order);
        Ok(())
    }

    /// A new id with this prefix.
    pub(crate) fn id(&self, prefix: &str) -> String {
        self.dice.id(prefix, self.now())
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// What is made of the configuration alone, and may be refused.
struct Ready {
    client: Client,
    roster: Roster,
    receivers: Receivers,
    people: Rules,
    public_url: String,
}

impl Ready {
    fn of(config: &Config, seams: &Seams, url: String) -> Result<Self, Error> {
        let roster = Roster::load(config, seams)?;
        roster.can_give_back(config)?;
        Ok(Self {
            client: built(client(config, seams)?)?,
            roster,
            receivers: Receivers::new(&config.webhooks)?,
            people: Rules::of(config)?,
            public_url: config.server.public_url.as_deref().map_or(Ok(url), public_url)?,
        })
    }
}

/// What of the configuration a start would refuse, beyond the accounts: without a database, and all at once.
pub(crate) fn refusals(config: &Config, seams: &Seams) -> Vec<Error> {
    [
        client(config, seams).and_then(built).err(),
        Receivers::new(&config.webhooks).err(),
        Rules::of(config).err(),
        config.server.public_url.as_deref().and_then(|given| public_url(given).err()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same of the accounts.
pub(crate) fn refuse_accounts(config: &Config, seams: &Seams) -> Result<(), Error> {
    Roster::load(config, seams)?.can_give_back(config)
}

/// The merchant accounts, with what is made of them: replaced as a whole.
pub(crate) struct Roster {
    pub(crate) accounts: Arc<Accounts>,
    /// The clients that show a merchant's certificate: APIv2 gives money back to nobody else.
    certified: BTreeMap<MchId, Client>,
}

impl Roster {
    fn load(config: &Config, seams: &Seams) -> Result<Self, Error> {
        let accounts = Accounts::load(config)?;
        let mut certified = BTreeMap::new();
        for account in accounts.iter() {
            let Some(identity) = account.identity() else { continue };
            let builder =
                client(config, seams)?.certificate(identity.certificate_pem(), identity.key_pem());
            let builder = builder.map_err(|error| Error::Config {
                place: format!("merchants[{}].merchant_certificate", account.mchid),
                why: crate::error::chain(&error),
            })?;
            certified.insert(account.mchid.clone(), built(builder)?);
        }
        Ok(Self { accounts: Arc::new(accounts), certified })
    }

    /// Money that is to go back by itself must be able to: rather no start than a refund that nobody can ask for.
    fn can_give_back(&self, config: &Config) -> Result<(), Error> {
        if config.orders.extra_payment == ExtraPayment::Hold {
            return Ok(());
        }
        let mut by_v2 = config.merchants.iter().filter(|merchant| merchant.api == ApiVersion::V2);
        let shows = |mchid: &str| self.certified.keys().any(|known| known.as_str() == mchid);
        let bare = by_v2.find(|merchant| !shows(&merchant.mchid));
        bare.map_or(Ok(()), |bare| {
            Err(Error::Config {
                place: format!("merchants[{}].merchant_certificate", bare.mchid),
                why: "orders.extra_payment is \"refund\", and APIv2 gives money back only over a connection that shows it: configure it with merchant_private_key, or merchant_p12".to_owned(),
            })
        })
    }
}

/// Whether all of WeChat is on this machine: then it is a simulator.
pub(crate) fn is_here(wechat: &WechatConfig) -> bool {
    let mut hosts = wechat.merchant_hosts.iter().chain([&wechat.platform_host]);
    hosts.all(|host| {
        let host =
            url::Url::parse(host).ok().and_then(|url| url.host().map(|host| host.to_owned()));
        match host {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    })
}

/// Scheme, host and port, perhaps a path; WeChat takes no query string in a notify URL.
fn public_url(given: &str) -> Result<String, Error> {
    let wrong =
        |why: &str| Error::Config { place: "server.public_url".to_owned(), why: why.to_owned() };
    let url = url::Url::parse(given).map_err(|cause| wrong(&cause.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("write https:// and a host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("WeChat takes no query string in a notify URL"));
    }
    Ok(given.trim_end_matches('/').to_owned())
}

fn token_lease_micros(config: &Config) -> i64 {
    let wechat = &config.wechat;
    let call = wechat.connect_timeout_seconds.saturating_add(wechat.timeout_seconds);
    i64::try_from(call).unwrap_or(i64::MAX).saturating_add(5).saturating_mul(1_000_000)
}

pub(crate) fn built(builder: Builder) -> Result<Client, Error> {
    builder.build().map_err(|error| Error::Config {
        place: "wechat".to_owned(),
        why: crate::error::chain(&error),
    })
}

/// The client that asks WeChat, as the configuration has it.
pub(crate) fn client(config: &Config, seams: &Seams) -> Result<Builder, Error> {
    let seconds = std::time::Duration::from_secs;
    let outside = ClientOutside { clock: Arc::clone(&seams.clock), dice: Arc::clone(&seams.dice) };
    let mut builder = Client::builder()
        .merchant_hosts(&config.wechat.merchant_hosts)
        .platform_host(&config.wechat.platform_host)
        .connect_timeout(seconds(config.wechat.connect_timeout_seconds))
        .timeout(seconds(config.wechat.timeout_seconds))
        .outside(Arc::new(outside));
    if config.wechat.allow_plain_http {
        builder = builder.danger_allow_plain_http();
    }
    if let Some(wire) = &seams.wire {
        builder = builder.wire(Arc::clone(wire));
    }
    for file in &config.wechat.ca_certificates {
        let place = "wechat.ca_certificates";
        let trusted = builder.trust(&config.read(place, file)?);
        builder = trusted.map_err(|error| Error::Config {
            place: place.to_owned(),
            why: format!("{}: {}", file.display(), crate::error::chain(&error)),
        })?;
    }
    Ok(builder)
}

/// The client signs with our clock and our dice.
#[derive(Debug)]
struct ClientOutside {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl Outside for ClientOutside {
    fn now(&self) -> i64 {
        self.clock.now_seconds()
    }

    fn nonce(&self) -> Nonce {
        self.dice.nonce()
    }
}
