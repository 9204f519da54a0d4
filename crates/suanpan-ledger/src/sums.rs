//! Sums of money that must never go wrong: what went back is at most what came.

use suanpan_wechat::Fen;

/// More would go back than was paid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{asked} is more than the {left} that can still go back")]
pub struct Overdrawn {
    /// What was asked for.
    pub asked: Fen,
    /// What is left of the payment.
    pub left: Fen,
}

/// What may still go back of a payment; nothing, should more have gone back than came.
pub fn refundable(paid: Fen, refunded: Fen) -> Fen {
    paid.checked_sub(refunded).unwrap_or(Fen::ZERO)
}

/// The new sum of what went back, or an error that changes nothing.
pub fn refund(paid: Fen, refunded: Fen, amount: Fen) -> Result<Fen, Overdrawn> {
    let sum = refunded.checked_add(amount).filter(|sum| *sum <= paid);
    sum.ok_or_else(|| Overdrawn { asked: amount, left: refundable(paid, refunded) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fen(fen: i64) -> Fen {
        Fen::new(fen).unwrap()
    }

    #[track_caller]
    fn check(paid: i64, refunded: i64, amount: i64, want: Result<i64, &str>) {
        let sum = refund(fen(paid), fen(refunded), fen(amount));
        let sum = sum.map(Fen::get).map_err(|error| error.to_string());
        assert_eq!(sum, want.map_err(str::to_owned));
    }

    #[test]
    fn no_more_goes_back_than_came() {
        check(990, 0, 990, Ok(990));
        check(990, 500, 490, Ok(990));
        check(990, 500, 491, Err("4.91 is more than the 4.90 that can still go back"));
        check(990, 990, 1, Err("0.01 is more than the 0.00 that can still go back"));
        check(990, 2000, 0, Err("0.00 is more than the 0.00 that can still go back"));
        check(i64::MAX, i64::MAX, 1, Err("0.01 is more than the 0.00 that can still go back"));
    }

    proptest! {
        #[test]
        fn any_row_of_refunds_stays_within_the_payment(
            paid in 1..=i64::MAX,
            amounts in proptest::collection::vec(0..=i64::MAX, 0..20),
        ) {
            let paid = fen(paid);
            let refunded = amounts.into_iter().map(fen).fold(Fen::ZERO, |refunded, amount| {
                refund(paid, refunded, amount).unwrap_or(refunded)
            });
            prop_assert!(refunded <= paid);
            prop_assert_eq!(refundable(paid, refunded).checked_add(refunded), Some(paid));
        }
    }
}
