//! What is said on the command line, and what becomes of many measurements.

/// What stands behind this name on the command line.
pub(crate) fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The number behind this name on the command line.
pub(crate) fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    option(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The one in so many thousandths of the way; of none: 0.
pub(crate) fn quantile(values: &mut [u64], thousandths: usize) -> u64 {
    values.sort_unstable();
    let at = values.len().saturating_mul(thousandths).div_euclid(1000);
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(0)
}
