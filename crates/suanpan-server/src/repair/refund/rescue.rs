//! The bank would not take the money back: it goes to another account, which a person names.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant, "发起异常退款". What is named goes to
//! WeChat, sealed under its key, and is neither stored nor logged here.

use serde::Deserialize;
use suanpan_client::Outcome;
use suanpan_ledger::RefundState;
use utoipa::ToSchema;

use super::{ask_at_once, find, hear, note, settling};
use crate::error::{Kind, chain};
use crate::gateway::Destination;
use crate::refund::Refund;
use crate::timeline::Step;
use crate::world::World;
use crate::{Error, gateway};

/// 钱改退到哪里，字段和取值都是微信的。/ Where the money goes instead; names and values are WeChat's.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AbnormalRefund)]
pub struct NewDestination {
    /// `USER_BANK_CARD`（付款人的银行卡）或 `MERCHANT_BANK_CARD`（商户的结算卡，再自己转给付款人）/ the payer's card, or the merchant's own
    #[serde(rename = "type")]
    #[schema(pattern = "^(USER_BANK_CARD|MERCHANT_BANK_CARD)$", example = "MERCHANT_BANK_CARD")]
    kind: String,
    /// 开户银行，付款人的卡必填 / the bank of the payer's card
    #[schema(example = "CMB_DEBIT")]
    bank_type: Option<String>,
    /// 卡号，付款人的卡必填 / the number of the payer's card
    #[schema(example = "6225880000000000")]
    bank_account: Option<String>,
    /// 持卡人姓名，付款人的卡必填 / its owner
    #[schema(example = "张三")]
    real_name: Option<String>,
}

/// Why a refund cannot be sent elsewhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RescueError {
    /// Only what the bank would not take can go elsewhere.
    #[error("the refund is {0}, not abnormal")]
    NotAbnormal(RefundState),
    /// APIv2 has no call for it.
    #[error("APIv2 has no call that names another account")]
    ByHand,
}

impl RescueError {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAbnormal(_) => "SP-REFUND-NOT-ABNORMAL",
            Self::ByHand => "SP-REFUND-BY-HAND",
        }
    }

    /// What the reader can do now.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotAbnormal(_) => {
                "nothing to do while it is processing or when it has succeeded; a closed one is asked for as a new refund"
            }
            Self::ByHand => {
                "name the account on the merchant platform (pay.weixin.qq.com, 交易中心 → 退款查询); the result arrives here by itself"
            }
        }
    }

    /// Who is to blame.
    pub const fn kind(self) -> Kind {
        match self {
            Self::NotAbnormal(_) | Self::ByHand => Kind::Conflict,
        }
    }
}

/// Sends the money of an abnormal refund to another account. A doubt is no error: WeChat is asked at once how it stands.
///
/// # Errors
/// [`RescueError`], [`Error::Field`], and [`Error::Refused`] where WeChat will not.
pub async fn rescue(world: &World, id: &str, new: NewDestination) -> Result<Refund, Error> {
    let refund = find(world, id).await?;
    if refund.state != RefundState::Abnormal {
        return Err(RescueError::NotAbnormal(refund.state).into());
    }
    let account = world.account(&refund.mchid)?;
    let to = new.checked()?;
    let outcome = gateway::rescue(world, &account, &refund, &to).await?;
    let operation = outcome.trace().operation;
    match outcome {
        Outcome::Done(done) => {
            let proof = format!("{} goes to another account", refund.out_refund_no);
            let settling = settling(world, Step::Refund, proof, done.trace.request_id);
            hear(world, &refund, &done.answer, &settling).await?;
        }
        Outcome::Unknown(doubt) => {
            let why = chain(&doubt.error);
            note(
                world,
                &refund,
                &format!("whether it goes to another account is not known: {why}"),
            )
            .await?;
            let unit = (refund, world.id(""), world.now());
            let asked = world.store.write(unit, |tx, (refund, cause, now)| {
                Box::pin(async move { ask_at_once(tx, refund, cause, "rescue", *now).await })
            });
            asked.await?;
        }
        Outcome::Rejected(no) => {
            return Err(match no.refusal().cloned() {
                Some(refusal) => Error::Refused { operation, refusal },
                None => Error::Unwritable { operation, cause: no.error.into() },
            });
        }
    }
    find(world, id).await
}

impl NewDestination {
    /// All of the payer's card, or the merchant's own and nothing of the payer's.
    fn checked(self) -> Result<Destination, Error> {
        let Self { kind, bank_type, bank_account, real_name } = self;
        match (kind.as_str(), bank_type, bank_account, real_name) {
            ("MERCHANT_BANK_CARD", None, None, None) => Ok(Destination::Merchant),
            ("MERCHANT_BANK_CARD", ..) => {
                Err(Error::field("type", "MERCHANT_BANK_CARD takes no card of the payer"))
            }
            ("USER_BANK_CARD", Some(bank_type), Some(bank_account), Some(real_name)) => {
                // WeChat's lengths: 16 for the bank; what is sealed must fit an RSA key of 2048 bits.
                short("bank_type", &bank_type, 16)?;
                short("bank_account", &bank_account, SEALED)?;
                short("real_name", &real_name, SEALED)?;
                Ok(Destination::User { bank_type, bank_account, real_name })
            }
            ("USER_BANK_CARD", ..) => Err(Error::field(
                "type",
                "USER_BANK_CARD needs bank_type, bank_account and real_name",
            )),
            _ => Err(Error::field("type", "must be USER_BANK_CARD or MERCHANT_BANK_CARD")),
        }
    }
}

fn short(field: &'static str, text: &str, longest: usize) -> Result<(), Error> {
    if (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::field(
        field,
        format!("must have 1 to {longest} bytes in UTF-8, and no control characters"),
    ))
}

const SEALED: usize = 214;
