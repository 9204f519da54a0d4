//! How often one address may ask what costs a call to WeChat.
//!
//! Of a flood the body is taken in, within its limits, and answered with 429:
//! neither store nor WeChat hears of it. Addresses are sorted into a fixed number
//! of buckets by a hash that differs in each process, so memory has an end, and
//! nobody can choose whom he shares with.
//!
//! Who asks from this machine for himself is not limited. A proxy on it asks for
//! others, and says so in its header: where `server.trusted_proxies` does not name
//! it, all payers count as one address, which is said in the log.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::Clock as Ticks;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::problem::{Problem, Refused};
use crate::Error;
use crate::config::{Config, Network};
use crate::outside::Clock;

/// What each address has used up.
#[derive(Debug)]
pub(super) struct Limits {
    pay: Limit,
    confirm: Limit,
    failed_logins: Limit,
    /// Until when nobody of a bucket may log in, in microseconds of the steady clock.
    barred: Vec<AtomicU64>,
    trusted_proxies: Vec<Network>,
    /// A proxy on this machine that is not among them was told of.
    stranger_told: Once,
    hash: RandomState,
    clock: Steady,
}

pub(super) type Limit =
    RateLimiter<usize, HashMapStateStore<usize>, Steady, NoOpMiddleware<Duration>>;

/// The clock of the server, as it never goes back.
#[derive(Clone, Debug)]
pub(super) struct Steady(pub(super) Arc<dyn Clock>);

impl Ticks for Steady {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.monotonic_micros()).unwrap_or_default())
    }
}

impl Limits {
    pub(super) fn new(config: &Config, clock: Arc<dyn Clock>) -> Self {
        let clock = Steady(clock);
        let limit = |per_minute: NonZeroU32| {
            RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), clock.clone())
        };
        Self {
            pay: limit(config.limits.pay_per_minute),
            confirm: limit(config.limits.confirm_per_minute),
            failed_logins: limit(config.limits.failed_logins_per_minute),
            barred: std::iter::repeat_with(AtomicU64::default).take(1 << 16).collect(),
            trusted_proxies: config.server.trusted_proxies.clone(),
            stranger_told: Once::new(),
            hash: RandomState::new(),
            clock,
        }
    }

    /// Uses one up. The error says how many seconds to wait.
    fn take(&self, limit: &Limit, bucket: usize) -> Result<(), u64> {
        let now = self.clock.now();
        limit.check_key(&bucket).map_err(|until| seconds(until.wait_time_from(now)))
    }

    /// Whether somebody of this bucket may try to log in.
    fn admits(&self, bucket: usize) -> Result<(), u64> {
        let until = self.barred.get(bucket).map_or(0, |until| until.load(Ordering::Relaxed));
        match Duration::from_micros(until).saturating_sub(self.clock.now()) {
            Duration::ZERO => Ok(()),
            left => Err(seconds(left)),
        }
    }

    /// Somebody of this bucket came with a wrong login code.
    fn failed(&self, bucket: usize) {
        let now = self.clock.now();
        let Err(until) = self.failed_logins.check_key(&bucket) else { return };
        let until = now.saturating_add(until.wait_time_from(now)).as_micros();
        if let Some(barred) = self.barred.get(bucket) {
            barred.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// The bucket of whoever asks. `None`: he is on this machine, and asks for himself.
    fn bucket(&self, peer: IpAddr, headers: &HeaderMap) -> Option<usize> {
        let peer = peer.to_canonical();
        if peer.is_loopback() && !headers.contains_key(FORWARDED_FOR) {
            return None;
        }
        if peer.is_loopback() && !trusted(&self.trusted_proxies, peer) {
            self.stranger_told.call_once(|| {
                tracing::warn!(%peer, "a proxy on this machine forwards requests, and server.trusted_proxies does not name it: all payers count as one address, and share its limits");
            });
        }
        let address = caller(peer, headers, &self.trusted_proxies);
        usize::try_from(self.hash.hash_one(network(address)) % BUCKETS).ok()
    }
}

/// Counts `pay`, its wrong codes, and `confirm`, by address.
pub(super) async fn limit(
    State(limits): State<Arc<Limits>>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let bucket = peer.and_then(|peer| limits.bucket(peer.0.ip(), request.headers()));
    let path = request.uri().path();
    let Some(bucket) = bucket else { return Ok(next.run(request).await) };
    let too_often = |seconds| Error::TooOften { seconds };
    if path.ends_with("/confirm") {
        limits.take(&limits.confirm, bucket).map_err(too_often)?;
        return Ok(next.run(request).await);
    }
    if !path.ends_with("/pay") {
        return Ok(next.run(request).await);
    }
    limits.admits(bucket).map_err(too_often)?;
    limits.take(&limits.pay, bucket).map_err(too_often)?;
    let response = next.run(request).await;
    let problem = response.extensions().get::<Problem>();
    if problem.is_some_and(|problem| WRONG_CODE.contains(&problem.code())) {
        limits.failed(bucket);
    }
    Ok(response)
}

/// Who asks: the peer; or, where that is a proxy of ours, whom it names, and so on.
pub(super) fn caller(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let hops = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<_> = hops.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut caller = peer;
    // Each proxy adds whom it sees at the end; what stands before our own proxies' words, anybody may have written.
    for hop in hops.into_iter().rev() {
        if !trusted(proxies, caller) {
            break;
        }
        let Ok(before) = hop.parse::<IpAddr>() else { break };
        caller = before.to_canonical();
    }
    caller
}

fn trusted(proxies: &[Network], address: IpAddr) -> bool {
    proxies.iter().any(|proxy| proxy.contains(address))
}

/// A customer of IPv6 has a whole network, and takes another address of it for each request if he likes.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// Rounded up: who waits so long gets in.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(0 < wait.subsec_nanos())).max(1)
}

const FORWARDED_FOR: &str = "x-forwarded-for";
const BUCKETS: u64 = 1 << 16;
const WRONG_CODE: [&str; 2] = ["SP-LOGIN-CODE-INVALID", "SP-LOGIN-CODE-USED"];

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let proxies: Vec<_> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        caller(peer.parse::<IpAddr>().unwrap().to_canonical(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_header_counts_only_from_a_proxy_of_ours() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &["10.0.0.1"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        // What the caller wrote himself stands before what our proxies saw.
        let two = ["10.0.0.1", "10.0.0.2"];
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1,10.0.0.2"], &two), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "198.51.100.1"], &two), "198.51.100.1");
        // Proxies in a cluster come and go, in a network of theirs.
        let network = ["10.0.0.0/24"];
        assert_eq!(seen("10.0.0.9", &["1.1.1.1, 198.51.100.1"], &network), "198.51.100.1");
        assert_eq!(seen("10.0.1.9", &["198.51.100.1"], &network), "10.0.1.9");
        for nonsense in ["", "tea", "198.51.100.1:80", "unknown"] {
            assert_eq!(seen("10.0.0.1", &[nonsense], &two), "10.0.0.1", "{nonsense:?}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let waits = [0, 1, 999, 1000, 1001].map(|millis| seconds(Duration::from_millis(millis)));
        assert_eq!(waits, [1, 1, 1, 1, 2]);
    }
}
