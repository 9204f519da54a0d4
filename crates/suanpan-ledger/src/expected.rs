//! Whether a payment that WeChat tells of is the one that we asked for.

use suanpan_wechat::{AppId, Fen, MchId, OutTradeNo, Payment, TransactionId};

/// What we asked WeChat for, and so what a payment must say to count.
///
/// A signature proves who speaks, not what about: a message for another order,
/// another app or another amount is signed just as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expected<'a> {
    /// The merchant that is to get the money.
    pub mchid: &'a MchId,
    /// The mini program that the order was placed for; in partner mode an app of the partner.
    pub appid: &'a AppId,
    /// Partner mode: the sub-merchant that is to get the money.
    pub sub_mchid: Option<&'a MchId>,
    /// Partner mode: the sub-merchant's own mini program, where the order was placed for it.
    pub sub_appid: Option<&'a AppId>,
    /// The attempt's number.
    pub out_trade_no: &'a OutTradeNo,
    /// The order's amount.
    pub total: Fen,
    /// `CNY`.
    pub currency: &'a str,
}

/// The first thing in which a payment differs from what we asked for. It says both sides; neither is secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the payment is for another {field}: {told} instead of {expected}")]
pub struct Mismatch {
    /// Which field, in our words: `merchant`, `app`, `sub-merchant`, `app of the sub-merchant`, `order number`, `currency` or `amount`.
    pub field: &'static str,
    /// What WeChat says.
    pub told: String,
    /// What we asked for.
    pub expected: String,
}

impl Expected<'_> {
    /// Compares everything that decides whether the money is ours and enough.
    pub fn compare(&self, payment: &Payment) -> Result<(), Mismatch> {
        same("merchant", payment.mchid.as_str(), self.mchid.as_str())?;
        same("app", payment.appid.as_str(), self.appid.as_str())?;
        let sub_mchid = payment.sub_mchid.as_ref().map_or("none", MchId::as_str);
        same("sub-merchant", sub_mchid, self.sub_mchid.map_or("none", MchId::as_str))?;
        if let Some(sub_appid) = self.sub_appid {
            let told = payment.sub_appid.as_ref().map_or("none", AppId::as_str);
            same("app of the sub-merchant", told, sub_appid.as_str())?;
        }
        same("order number", payment.out_trade_no.as_str(), self.out_trade_no.as_str())?;
        same("currency", &payment.currency, self.currency)?;
        // A payment that does not say how much is not the right amount.
        let told = payment.total.map_or_else(|| "no amount".to_owned(), |total| total.to_string());
        same("amount", &told, &self.total.to_string())
    }
}

/// What a success at WeChat means for an order that may be paid already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// The order's first money.
    First,
    /// The same payment once more, by another message.
    Again,
    /// Another payment for a paid order: the customer paid twice. It is kept and handled, never dropped.
    Extra,
}

/// Tells a repeated message from a second payment: WeChat gives each payment its own transaction.
pub fn weigh(held: Option<&TransactionId>, heard: &TransactionId) -> Weight {
    match held {
        None => Weight::First,
        Some(held) if held == heard => Weight::Again,
        Some(_) => Weight::Extra,
    }
}

fn same(field: &'static str, told: &str, expected: &str) -> Result<(), Mismatch> {
    if told == expected {
        return Ok(());
    }
    Err(Mismatch { field, told: told.to_owned(), expected: expected.to_owned() })
}

#[cfg(test)]
mod tests {
    use suanpan_wechat::TradeState;

    use super::*;

    fn payment() -> Payment {
        Payment {
            appid: AppId::parse("wxd678efh567hg6787").unwrap(),
            mchid: MchId::parse("1900000109").unwrap(),
            sub_mchid: None,
            sub_appid: None,
            out_trade_no: OutTradeNo::parse("20150806125346").unwrap(),
            state: TradeState::Success,
            transaction_id: Some(transaction("4200000001")),
            openid: None,
            total: Fen::new(990),
            currency: "CNY".to_owned(),
            success_time: Some(1_767_225_600),
            bank_type: None,
            attach: None,
        }
    }

    fn transaction(id: &str) -> TransactionId {
        TransactionId::parse(id).unwrap()
    }

    #[track_caller]
    fn check(change: impl Fn(&mut Payment), want: Option<&str>) {
        check_asked(payment(), change, want);
    }

    #[track_caller]
    fn check_asked(asked: Payment, change: impl Fn(&mut Payment), want: Option<&str>) {
        let mut told = asked.clone();
        change(&mut told);
        let expected = Expected {
            mchid: &asked.mchid,
            appid: &asked.appid,
            sub_mchid: asked.sub_mchid.as_ref(),
            sub_appid: asked.sub_appid.as_ref(),
            out_trade_no: &asked.out_trade_no,
            total: asked.total.unwrap(),
            currency: &asked.currency,
        };
        assert_eq!(
            expected.compare(&told).err().map(|mismatch| mismatch.to_string()).as_deref(),
            want
        );
    }

    #[test]
    fn only_the_payment_that_we_asked_for_counts() {
        check(|_| {}, None);
        check(
            |told| told.mchid = MchId::parse("1900000110").unwrap(),
            Some("the payment is for another merchant: 1900000110 instead of 1900000109"),
        );
        check(
            |told| told.appid = AppId::parse("wx0000000000000000").unwrap(),
            Some(
                "the payment is for another app: wx0000000000000000 instead of wxd678efh567hg6787",
            ),
        );
        check(
            |told| told.out_trade_no = OutTradeNo::parse("20150806125347").unwrap(),
            Some(
                "the payment is for another order number: 20150806125347 instead of 20150806125346",
            ),
        );
        check(
            |told| told.currency = "USD".to_owned(),
            Some("the payment is for another currency: USD instead of CNY"),
        );
        check(
            |told| told.total = Fen::new(1),
            Some("the payment is for another amount: 0.01 instead of 9.90"),
        );
        check(
            |told| told.total = None,
            Some("the payment is for another amount: no amount instead of 9.90"),
        );
    }

    #[test]
    fn the_money_of_one_sub_merchant_is_not_the_money_of_another() {
        let other = || MchId::parse("1900000222").unwrap();
        let partner = Payment {
            sub_mchid: MchId::parse("1900000111").ok(),
            sub_appid: AppId::parse("wx1111111111111111").ok(),
            ..payment()
        };
        check_asked(partner.clone(), |_| {}, None);
        check_asked(
            partner.clone(),
            |told| told.sub_mchid = Some(other()),
            Some("the payment is for another sub-merchant: 1900000222 instead of 1900000111"),
        );
        check_asked(
            partner.clone(),
            |told| told.sub_mchid = None,
            Some("the payment is for another sub-merchant: none instead of 1900000111"),
        );
        check_asked(
            partner,
            |told| told.sub_appid = None,
            Some(
                "the payment is for another app of the sub-merchant: none instead of wx1111111111111111",
            ),
        );
        check(
            |told| told.sub_mchid = Some(other()),
            Some("the payment is for another sub-merchant: 1900000222 instead of none"),
        );
    }

    #[test]
    fn a_second_transaction_is_a_second_payment() {
        let first = transaction("4200000001");
        assert_eq!(weigh(None, &first), Weight::First);
        assert_eq!(weigh(Some(&first), &first), Weight::Again);
        assert_eq!(weigh(Some(&first), &transaction("4200000002")), Weight::Extra);
    }
}
