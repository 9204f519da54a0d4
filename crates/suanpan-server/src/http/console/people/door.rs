//! How often somebody may knock: by address and by name, whatever he says.
//!
//! Addresses and names are sorted into a fixed number of buckets by a hash that
//! differs in each process, so memory has an end. Each node counts for itself.

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::{Quota, RateLimiter};

use super::super::super::limits::{Limit, Steady, seconds};
use crate::Error;
use crate::outside::Clock;

/// What each address and each name has used up.
#[derive(Debug)]
pub(in super::super) struct Door {
    by_address: Limit,
    by_name: Limit,
    hash: RandomState,
    clock: Steady,
}

impl Door {
    pub(in super::super) fn new(clock: Arc<dyn Clock>) -> Self {
        let clock = Steady(clock);
        let limit = |quota| RateLimiter::hashmap_with_clock(quota, clock.clone());
        let often = NonZeroU32::new(AT_ONCE).unwrap_or(NonZeroU32::MIN);
        let slowly = Quota::with_period(BETWEEN).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
        Self {
            by_address: limit(Quota::per_minute(often)),
            by_name: limit(slowly.allow_burst(often)),
            hash: RandomState::new(),
            clock,
        }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// [`Error::TooOften`].
    pub(in super::super) fn knock(&self, address: &str, name: &str) -> Result<(), Error> {
        self.take(&self.by_address, address)?;
        self.take(&self.by_name, name)
    }

    fn take(&self, limit: &Limit, who: &str) -> Result<(), Error> {
        let bucket = usize::try_from(self.hash.hash_one(who) % BUCKETS).unwrap_or_default();
        let now = self.clock.now();
        limit.check_key(&bucket).map_err(|until| {
            let seconds = seconds(until.wait_time_from(now));
            Error::TooOften { seconds }
        })
    }
}

/// Tries in a row of one address, and in a row for one name.
const AT_ONCE: u32 = 10;
/// After so many for a name, one each minute: from however many addresses, that is 1440 guesses a day.
const BETWEEN: Duration = Duration::from_secs(60);
const BUCKETS: u64 = 1 << 16;
