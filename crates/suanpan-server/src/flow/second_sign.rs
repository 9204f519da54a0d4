//! Step 4 of 6, second sign: what the mini program hands to `wx.requestPayment`.
//!
//! Nothing is asked here: the merchant's key signs the `prepay_id`, and WeChat's
//! client checks it on the phone. The same `prepay_id` may be signed many times.

use suanpan_wechat::{Moment, PrepayId, RequestPayment};

use crate::Error;
use crate::gateway;
use crate::order::Attempt;
use crate::timeline::{Entry, Step};
use crate::world::World;

/// Signs a `prepay_id`, now and with a new nonce.
///
/// # Errors
/// [`Error::Config`] where the keys that the attempt was placed with are gone.
pub async fn second_sign(
    world: &World,
    attempt: &Attempt,
    prepay_id: &PrepayId,
) -> Result<RequestPayment, Error> {
    let account = world.account(&attempt.mchid)?;
    let moment = Moment { now: world.clock.now_seconds(), nonce: &world.dice.nonce() };
    let signed = gateway::second_sign(&account, attempt, prepay_id, moment)?;

    let text = format!("{} paySign for {}", signed.sign_type, signed.package);
    world.journal(&attempt.order_id, Entry::new(Step::SecondSign, text)).await?;
    Ok(signed)
}
