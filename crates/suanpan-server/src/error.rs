//! What can go wrong in the backend, who is to blame, and what to do now.
//!
//! No HTTP status here: `http/problem.rs` has the one table that maps a
//! [`Kind`] to one.

mod kind;
mod told;

use std::borrow::Cow;
use std::sync::Arc;

use suanpan_client as client;
use suanpan_ledger::{Impossible, Mismatch, Overdrawn};
use suanpan_wechat as wechat;

use crate::config::{Mistake, Mistakes};
use crate::ids::OrderId;
use crate::people::Refusal;
use crate::repair::refund::RescueError;
use crate::repair::shipping::ShippingError;
use crate::store::StoreError;
use crate::timeline::clock;
pub use kind::Kind;
pub use told::chain;
use told::{login_code, login_remedy, notification_kind, token_remedy};

/// What went wrong. `Display` says what happened, `source` why, [`remedy`](Error::remedy) what to do,
/// [`code`](Error::code) is the name to search for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing or cannot be used.
    #[error("the configuration is wrong at {place}: {why}")]
    Config {
        /// Which setting, and where it was set.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// Settings are missing or cannot be used: all of them.
    #[error("the configuration is wrong at {0}")]
    Settings(Mistakes),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which address.
        address: std::net::SocketAddr,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// A field of a request breaks its rule.
    #[error("`{field}` {problem}")]
    Field {
        /// Its name.
        field: Cow<'static, str>,
        /// What is wrong with it.
        problem: String,
    },
    /// The body of a request is not the JSON that the endpoint takes.
    #[error("the request is not what this endpoint takes: {why}")]
    Body {
        /// What the parser says.
        why: String,
    },
    /// The body of a request is too long.
    #[error("the request is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// No API key, or one that is not known.
    #[error("the API key is missing or not known")]
    Unauthorized,
    /// The console is not open to this browser.
    #[error("the sign-in link is used up or too old")]
    SignIn,
    /// Nothing is there.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// There is no such path.
    #[error("{path} is not an endpoint")]
    NoRoute {
        /// The path.
        path: String,
    },
    /// The path takes other methods.
    #[error("{path} does not take {method}")]
    WrongMethod {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// The merchant has used this reference for another order.
    #[error("the reference is taken by order {id}")]
    ReferenceTaken {
        /// That order.
        id: OrderId,
    },
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The first request with this key is still running.
    #[error("the first request with this Idempotency-Key is still running")]
    KeyRunning,
    /// The order is closed: nobody can pay it.
    #[error("the order is closed")]
    OrderClosed,
    /// The order came to rest long ago, and is in a file now.
    #[error("the order was archived into {file}")]
    OrderArchived {
        /// Which file, without its folder.
        file: String,
    },
    /// The order's time is over.
    #[error("the order has expired")]
    OrderExpired,
    /// The order is paid, so it cannot be closed.
    #[error("the order is paid")]
    OrderPaid,
    /// The order is not paid, so nothing can go back.
    #[error("the order is not paid")]
    OrderNotPaid,
    /// More would go back than was paid.
    #[error("more would go back than was paid")]
    Overdrawn(#[source] Overdrawn),
    /// All of it went back, or is on its way.
    #[error("nothing is left to refund")]
    NothingLeft,
    /// WeChat takes no more refunds of one payment.
    #[error("the payment has 50 refunds already")]
    TooManyRefunds,
    /// The merchant has used this reference for another refund.
    #[error("the reference is taken by refund {id}")]
    RefundReferenceTaken {
        /// That refund.
        id: String,
    },
    /// WeChat is not told of a shipment now.
    #[error(transparent)]
    Shipping(#[from] ShippingError),
    /// A refund cannot go to another account.
    #[error(transparent)]
    Rescue(#[from] RescueError),
    /// WeChat will not close an attempt that it was given a moment ago.
    #[error("WeChat closes no order of APIv2 in its first five minutes: this one from {}", clock(*.until))]
    CloseTooSoon {
        /// From when on it can be closed, in unix microseconds.
        until: i64,
        /// WeChat's words.
        refusal: wechat::Refusal,
    },
    /// The order is for another payer.
    #[error("the order is for another payer")]
    OtherPayer,
    /// Somebody at the console cannot do this.
    #[error(transparent)]
    People(#[from] Refusal),
    /// A form of the console came from elsewhere.
    #[error("the form was not sent by a page of this console")]
    ForeignForm,
    /// The code of `wx.login` was not taken.
    #[error("WeChat did not take the login code")]
    Login {
        /// WeChat's no.
        refusal: wechat::Refusal,
    },
    /// WeChat gives no `access_token`.
    #[error("WeChat gives this app no access_token")]
    Token {
        /// WeChat's no.
        refusal: wechat::Refusal,
    },
    /// WeChat said no.
    #[error("WeChat refused {operation}")]
    Refused {
        /// What we asked.
        operation: &'static str,
        /// Its no.
        refusal: wechat::Refusal,
    },
    /// The question to WeChat cannot be written.
    #[error("{operation} cannot be asked")]
    Unwritable {
        /// What we wanted to ask.
        operation: &'static str,
        /// Why not.
        #[source]
        cause: Arc<client::Error>,
    },
    /// Nobody can tell what WeChat did; it is asked again.
    #[error("WeChat's answer to {operation} is not known yet")]
    Unknown {
        /// What we asked.
        operation: &'static str,
        /// Why it is not known.
        #[source]
        cause: Arc<client::Error>,
    },
    /// A notification cannot be believed or read.
    #[error("the notification is refused")]
    Notification(#[source] wechat::Error),
    /// A notification is neither XML nor JSON, or tells of something else than a payment or a refund.
    #[error("the notification is not one that we take: {why}")]
    ForeignNotification {
        /// What it is.
        why: String,
    },
    /// A genuine notification for a number that is not ours.
    #[error("the notification tells of an order number that we never placed")]
    Unmatched,
    /// A genuine notification of a refund that is not ours.
    #[error("the notification tells of a refund that we never asked for")]
    UnmatchedRefund,
    /// A genuine notification that does not fit the attempt that it names.
    #[error("the message does not fit what it names")]
    Mismatch(#[from] Mismatch),
    /// By our rules this cannot happen.
    #[error("the order cannot go there")]
    Impossible(#[from] Impossible),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// One address asks too often.
    #[error("this address asks too often")]
    TooOften {
        /// After how many seconds it is let in again.
        seconds: u64,
    },
    /// Too much is under way.
    #[error("the server has too much to do")]
    Busy,
    /// The request took too long.
    #[error("the request took too long")]
    TimedOut,
    /// An address must not be called.
    #[error("{url} must not be called: {why}")]
    Address {
        /// The address.
        url: String,
        /// Why not.
        why: String,
    },
    /// The endpoint said that it is gone, so nothing is sent there.
    #[error("the webhook endpoint is disabled: {reason}")]
    EndpointDisabled {
        /// Why.
        reason: String,
    },
    /// A bug of ours.
    #[error("something broke here")]
    Broken,
}

impl Error {
    /// One mistake as it is, several as one error.
    pub(crate) fn of_settings(mut mistakes: Vec<Self>) -> Result<(), Self> {
        if mistakes.len() < 2 {
            return mistakes.pop().map_or(Ok(()), Err);
        }
        let told = mistakes.iter().map(|mistake| {
            if let Self::Config { place, why } = mistake {
                Mistake::of_account(place, why)
            } else {
                Mistake::of_account("", &chain(mistake))
            }
        });
        Err(Self::Settings(Mistakes(told.collect())))
    }

    /// A stable name for alerts and for `suanpan explain`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } | Self::Settings(_) => "SP-CONFIG",
            Self::Listen { .. } => "SP-LISTEN",
            Self::Field { .. } => "SP-REQUEST-FIELD",
            Self::Body { .. } => "SP-REQUEST-BODY",
            Self::TooLarge { .. } => "SP-REQUEST-TOO-LARGE",
            Self::Unauthorized => "SP-UNAUTHORIZED",
            Self::SignIn => "SP-SIGN-IN",
            Self::NotFound { .. } => "SP-NOT-FOUND",
            Self::NoRoute { .. } => "SP-NO-ENDPOINT",
            Self::WrongMethod { .. } => "SP-METHOD",
            Self::ReferenceTaken { .. } => "SP-REFERENCE-TAKEN",
            Self::KeyReused => "SP-IDEMPOTENCY-REUSED",
            Self::KeyRunning => "SP-IDEMPOTENCY-RUNNING",
            Self::OrderClosed => "SP-ORDER-CLOSED",
            Self::OrderArchived { .. } => "SP-ORDER-ARCHIVED",
            Self::OrderExpired => "SP-ORDER-EXPIRED",
            Self::OrderPaid => "SP-ORDER-PAID",
            Self::OrderNotPaid => "SP-ORDER-NOT-PAID",
            Self::Overdrawn(_) => "SP-REFUND-TOO-MUCH",
            Self::NothingLeft => "SP-REFUND-NOTHING-LEFT",
            Self::TooManyRefunds => "SP-REFUND-TOO-MANY",
            Self::RefundReferenceTaken { .. } => "SP-REFUND-REFERENCE-TAKEN",
            Self::Shipping(cause) => cause.code(),
            Self::Rescue(cause) => cause.code(),
            Self::People(cause) => cause.code(),
            Self::CloseTooSoon { .. } => "SP-CLOSE-TOO-SOON",
            Self::OtherPayer => "SP-OTHER-PAYER",
            Self::ForeignForm => "SP-CONSOLE-FORM",
            Self::Login { refusal } => login_code(refusal),
            Self::Token { .. } => "SP-TOKEN-REFUSED",
            Self::Refused { .. } => "SP-WECHAT-REFUSED",
            Self::Unwritable { cause, .. } => cause.code(),
            Self::Unknown { .. } => "SP-WECHAT-UNKNOWN",
            Self::Notification(cause) => cause.code(),
            Self::ForeignNotification { .. } => "SP-NOTIFY-FOREIGN",
            Self::Unmatched | Self::UnmatchedRefund => "SP-NOTIFY-UNMATCHED",
            Self::Mismatch(_) => "SP-NOTIFY-MISMATCH",
            Self::Impossible(cause) => cause.code(),
            Self::Store(cause) => cause.code(),
            Self::TooOften { .. } => "SP-TOO-OFTEN",
            Self::Busy => "SP-BUSY",
            Self::TimedOut => "SP-REQUEST-TIMEOUT",
            Self::Address { .. } => "SP-WEBHOOK-ADDRESS",
            Self::EndpointDisabled { .. } => "SP-WEBHOOK-DISABLED",
            Self::Broken => "SP-BROKEN",
        }
    }

    /// What the reader can do now, in one sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Config { .. } | Self::Settings(_) => {
                "correct the setting; config.default.toml says what each one means"
            }
            Self::Listen { .. } => {
                "stop what listens there, or choose another address with --listen"
            }
            Self::Field { .. } | Self::Body { .. } => {
                "correct the request by the rule that the message names"
            }
            Self::TooLarge { .. } => "send less; server.max_body_bytes sets the limit",
            Self::Unauthorized => "send `Authorization: Bearer sk_…` with a key of this server",
            Self::SignIn => "ask for a new sign-in link: `suanpan dev` prints one at each start",
            Self::NotFound { .. } => {
                "check the id; ids of another server or database are not known here"
            }
            Self::NoRoute { .. } | Self::WrongMethod { .. } => {
                "check method and path against the list of endpoints in the README"
            }
            Self::ReferenceTaken { .. } => "use the order that is there, or another reference",
            Self::KeyReused => {
                "take a new Idempotency-Key for a new request; repeat a request unchanged under its own"
            }
            Self::KeyRunning => "wait a second and repeat the request unchanged",
            Self::OrderClosed | Self::OrderExpired => "create a new order",
            Self::OrderArchived { .. } => {
                "look into that file: it holds the order with all that happened to it"
            }
            Self::OrderPaid => "nothing to pay or close; refund it if the money is to go back",
            Self::OrderNotPaid => {
                "wait for order.paid, or close the order if nobody is to pay it any more"
            }
            Self::Overdrawn(_) => {
                "ask for what is left at most: refunds that are under way count, closed ones do not"
            }
            Self::NothingLeft => "nothing to do: GET /v1/orders/{id} says how much went back",
            Self::TooManyRefunds => "settle the rest with the customer another way",
            Self::RefundReferenceTaken { .. } => {
                "use the refund that is there, or another reference"
            }
            Self::Shipping(cause) => cause.remedy(),
            Self::Rescue(cause) => cause.remedy(),
            Self::People(cause) => cause.remedy(),
            Self::CloseTooSoon { .. } => {
                "let the first payer pay or wait until then: the same request gets in as soon as WeChat closes the first attempt"
            }
            Self::OtherPayer => "pay with the account that the order was made for",
            Self::ForeignForm => "open the console and use the buttons of its own pages",
            Self::Login { refusal } => login_remedy(refusal),
            Self::Token { refusal } => token_remedy(refusal),
            Self::Refused { refusal, .. } if refusal.is_too_often() => {
                "WeChat is asked too often just now: try again in a few seconds; the order keeps its number"
            }
            Self::Refused { .. } => {
                "look up WeChat's code, given in `wechat`; most point at keys, bindings or parameters of the merchant account"
            }
            Self::Unwritable { cause, .. } => cause.remedy(),
            Self::Unknown { .. } => {
                "try again in a few seconds: the order keeps its number, so nobody pays twice"
            }
            Self::Notification(cause) => cause.remedy(),
            Self::ForeignNotification { .. } => {
                "point only WeChat Pay's notifications of payments and refunds at this address"
            }
            Self::Unmatched => {
                "check whether another system places orders with this merchant number and our notify URL"
            }
            Self::UnmatchedRefund => {
                "check whether it was started on the merchant platform or by another system: such refunds are not counted here"
            }
            Self::Mismatch(_) => {
                "compare the order's timeline with the merchant platform; nothing was changed here"
            }
            Self::Impossible(cause) => cause.remedy(),
            Self::Store(cause) => cause.remedy(),
            Self::TooOften { .. } => {
                "wait as long as Retry-After says; [limits] sets how often is too often"
            }
            Self::Busy => "wait a second and repeat the request",
            Self::TimedOut => "repeat the request; an Idempotency-Key makes that safe",
            Self::Address { .. } => {
                "use a public https address; webhooks.allow_private_networks opens private ones for development"
            }
            Self::EndpointDisabled { .. } => {
                "mend the receiver, then POST /v1/webhook-endpoints/{id}/enable"
            }
            Self::Broken => "report it to the project with the request id and the log",
        }
    }

    /// Who is to blame.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Config { .. } | Self::Settings(_) | Self::Listen { .. } => Kind::Setup,
            Self::Field { .. } | Self::Address { .. } => Kind::BadInput,
            Self::Body { .. } | Self::ForeignNotification { .. } => Kind::Malformed,
            Self::Notification(cause) => notification_kind(cause),
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::Unauthorized | Self::SignIn => Kind::Unauthorized,
            Self::OtherPayer | Self::ForeignForm => Kind::Forbidden,
            Self::NotFound { .. }
            | Self::NoRoute { .. }
            | Self::OrderArchived { .. }
            | Self::Unmatched
            | Self::UnmatchedRefund => Kind::NotFound,
            Self::WrongMethod { .. } => Kind::WrongMethod,
            Self::Shipping(cause) => cause.kind(),
            Self::Rescue(cause) => cause.kind(),
            Self::People(cause) => cause.kind(),
            Self::ReferenceTaken { .. }
            | Self::KeyReused
            | Self::KeyRunning
            | Self::OrderClosed
            | Self::OrderExpired
            | Self::OrderPaid
            | Self::OrderNotPaid
            | Self::Overdrawn(_)
            | Self::NothingLeft
            | Self::TooManyRefunds
            | Self::RefundReferenceTaken { .. }
            | Self::CloseTooSoon { .. }
            | Self::EndpointDisabled { .. }
            | Self::Mismatch(_) => Kind::Conflict,
            Self::Login { refusal } if refusal.is_too_often() => Kind::Later,
            // Only these two are the mini program's; the others are our appid or secret.
            Self::Login { refusal } if matches!(refusal.code.as_str(), "40029" | "40163") => {
                Kind::BadInput
            }
            Self::Token { refusal } | Self::Refused { refusal, .. } if refusal.is_too_often() => {
                Kind::Later
            }
            Self::Login { .. } | Self::Token { .. } | Self::Refused { .. } => Kind::Upstream,
            Self::TooOften { .. } => Kind::TooOften,
            Self::Unknown { .. } | Self::Busy | Self::TimedOut => Kind::Later,
            Self::Store(cause) if cause.is_retryable() => Kind::Later,
            Self::Unwritable { .. } | Self::Impossible(_) | Self::Store(_) | Self::Broken => {
                Kind::Ours
            }
        }
    }

    /// WeChat's code and words, where it said no.
    pub fn wechat(&self) -> Option<&wechat::Refusal> {
        if let Self::Login { refusal }
        | Self::Token { refusal }
        | Self::Refused { refusal, .. }
        | Self::CloseTooSoon { refusal, .. } = self
        {
            return Some(refusal);
        }
        if let Self::Unknown { cause, .. } | Self::Unwritable { cause, .. } = self {
            return cause.refusal();
        }
        None
    }

    /// A field that breaks its rule.
    pub(crate) fn field(field: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }
}
