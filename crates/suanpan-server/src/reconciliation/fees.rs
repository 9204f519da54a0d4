//! The fee of a line, from the rate that the bill states beside it.
//!
//! WeChat takes whole fen of each payment, rounded half up. Of a refund it gives the same share back, and the last
//! refund of a payment makes up for what was rounded before: so there a fen or two are no difference.

use suanpan_wechat::Fen;
use suanpan_wechat::bill::Fee;

/// Hundred-thousandths of a yuan in a fen.
const PER_FEN: i64 = 1_000;

/// What should have been taken, where the bill says something else; `None`: it is right, or the bill states no rate.
pub(super) fn wrong(settled: Fen, back: Option<Fen>, fee: Fee, rate: &str) -> Option<Fee> {
    let millionths = millionths(rate)?;
    let (amount, tolerance) = match back {
        None => (settled.get(), PER_FEN.div_euclid(2)),
        Some(back) => (back.get().checked_neg()?, PER_FEN.saturating_mul(2)),
    };
    let exact = amount.checked_mul(millionths)?.checked_div(1_000)?;
    let off = fee.get().checked_sub(exact)?.checked_abs()?;
    let rounded = exact.checked_add(PER_FEN.div_euclid(2))?.div_euclid(PER_FEN);
    (tolerance < off).then(|| Fee::new(rounded.saturating_mul(PER_FEN)))
}

/// `0.60%` as 6000 millionths. `None`: no rate, or in no form that we know.
fn millionths(rate: &str) -> Option<i64> {
    let percent = rate.trim().strip_suffix('%')?;
    let (whole, parts) = percent.split_once('.').unwrap_or((percent, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || 4 < parts.len() || !plain(whole) || !plain(parts) {
        return None;
    }
    format!("{whole}{parts:0<4}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settled: i64, back: Option<i64>, fee: &str, rate: &str, want: Option<&str>) {
        let back = back.and_then(Fen::new);
        let found = wrong(Fen::new(settled).unwrap(), back, Fee::parse(fee).unwrap(), rate);
        assert_eq!(found.map(|fee| fee.to_string()).as_deref(), want, "{settled} {fee} {rate}");
    }

    #[test]
    fn a_fee_is_whole_fen_rounded_half_up() {
        check(990, None, "0.06000", "0.60%", None);
        check(100, None, "0.01000", "0.60%", None);
        check(1, None, "0.00000", "0.60%", None);
        check(250, None, "0.02000", "0.60%", None);
        check(990, None, "0.07000", "0.60%", Some("0.06000"));
        check(990, None, "0.05000", "0.60%", Some("0.06000"));
        check(990, None, "0.12345", "0.60%", Some("0.06000"));
        check(1_000_000, None, "38.00000", "0.38%", None);
        // Not rounded at all is right, too.
        check(990, None, "0.05940", "0.60%", None);
    }

    #[test]
    fn a_refund_gives_its_share_back() {
        check(0, Some(500), "-0.03000", "0.60%", None);
        check(0, Some(500), "-0.04000", "0.60%", None);
        check(0, Some(500), "0.00000", "0.60%", Some("-0.03000"));
    }

    #[test]
    fn without_a_rate_nothing_is_said() {
        for rate in ["", "0", "%", "free", "0.60000%", "-1%"] {
            check(990, None, "9.00000", rate, None);
        }
    }
}
