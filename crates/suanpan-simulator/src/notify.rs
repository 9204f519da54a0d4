//! Step 5 seen from the other side: WeChat tells the merchant of a payment, or of a refund.
//!
//! A notification goes out at once, and again on WeChat's schedule until the
//! merchant acknowledges it: fifteen times more within about a day
//! (pay.weixin.qq.com/doc/v3/merchant/4012791902). The schedule runs on the
//! simulator's clock; each try has five seconds of the machine's.

mod message;
mod post;

use std::convert::Infallible;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::clock::SECOND;
use crate::credentials::Api;
use crate::faults::{Fault, NOTIFY, Played};
use crate::ledger::{Notification, Order, Record, Try};
use crate::world::World;

use message::{Message, Subject};
pub(crate) use post::Poster;
use post::Reaction;

/// The waits between the tries, in seconds.
const SCHEDULE: [i64; 15] =
    [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// Tells whatever is due, for ever. What is on the way when this is dropped is
/// told again at the next start.
pub(crate) async fn tell(world: Arc<World>, poster: Poster) -> Infallible {
    let mut stirred = world.stirred.subscribe();
    let mut on_the_way = JoinSet::new();
    loop {
        stirred.borrow_and_update();
        let (due, next) = {
            let mut ledger = world.ledger.lock();
            (ledger.take_due(world.clock.now_micros()), ledger.next_due())
        };
        for notification in due {
            on_the_way.spawn(try_once(Arc::clone(&world), poster.clone(), notification));
        }
        tokio::select! {
            _ = stirred.changed() => {}
            () = world.clock.sleep_until(next.unwrap_or_default()), if next.is_some() => {}
            Some(_) = on_the_way.join_next(), if !on_the_way.is_empty() => {}
        }
    }
}

/// Waits until nothing is due and nothing is on the way.
pub(crate) async fn quiet(world: &World) {
    let mut stirred = world.stirred.subscribe();
    loop {
        stirred.borrow_and_update();
        if world.ledger.lock().is_quiet(world.clock.now_micros()) {
            return;
        }
        if stirred.changed().await.is_err() {
            return;
        }
    }
}

/// One try, and what comes of it.
async fn try_once(world: Arc<World>, poster: Poster, notification: Notification) {
    let subject = {
        let ledger = world.ledger.lock();
        let key = (notification.mchid.clone(), notification.out_trade_no.clone());
        let refund = notification.refund.clone().map(|number| (notification.mchid.clone(), number));
        let refund = refund.and_then(|key| ledger.refunds.get(&key).cloned());
        ledger.orders.get(&key).cloned().map(|order| Subject { order, refund })
    };
    let told = match subject {
        Some(subject) => {
            let played = play(&world, &notification, &subject.order);
            told(&world, &poster, notification, &subject, played).await
        }
        // Cannot be: a notification is written with its order.
        None => Notification { due_at: None, ..notification },
    };

    let mut ledger = world.ledger.lock();
    let mut records = vec![];
    if !told.waits_for_another && told.tries.last().is_some_and(|last| last.status.is_some()) {
        let now = world.clock.now_micros();
        let freed = ledger.waiting().into_iter().filter(|waiting| waiting.id != told.id);
        records.extend(freed.map(|waiting| {
            let freed = Notification { due_at: Some(now), waits_for_another: false, ..waiting };
            Record::Notification(Box::new(freed))
        }));
    }
    records.push(Record::Notification(Box::new(told)));
    ledger.came_back();
    // It is in the log where this fails; the next start tells it again.
    let _ = world.commit(&mut ledger, records);
}

fn play(world: &World, notification: &Notification, order: &Order) -> Option<Played> {
    let texts = [
        notification.out_trade_no.as_str(),
        notification.transaction_id.as_str(),
        notification.mchid.as_str(),
        &notification.url,
        order.openid.as_str(),
        order.appid.as_str(),
    ];
    world.faults.lock().play(NOTIFY, |needle| texts.iter().any(|text| text.contains(needle)))
}

/// The notification after this try.
async fn told(
    world: &World,
    poster: &Poster,
    mut notification: Notification,
    subject: &Subject,
    played: Option<Played>,
) -> Notification {
    let now = world.clock.now_micros();
    let fault = played.map(|played| played.fault);
    if let (Some(played), Some(Fault::Late | Fault::Reorder), false) =
        (played, fault, notification.put_off)
    {
        let later = played.seconds().saturating_mul(SECOND);
        notification.due_at = Some(now.saturating_add(later));
        notification.waits_for_another = fault == Some(Fault::Reorder);
        notification.put_off = true;
        return notification;
    }

    notification.waits_for_another = false;
    let strict = world.switches().v2_acknowledgement_is_strict;
    let heard = |reaction: Reaction| reaction.judged(subject.api(), strict);
    let blank = Try {
        at: now,
        fault: fault.map(Fault::name),
        status: None,
        answer: None,
        acknowledged: false,
        note: None,
    };
    match fault {
        Some(Fault::Lose) => {
            notification.tries.push(Try { note: Some("it was not sent".to_owned()), ..blank });
        }
        Some(Fault::Twice) => {
            let messages = [(); 2].map(|()| Message::new(world, subject, &notification, None));
            let [first, second] =
                messages.map(|message| poster.post(world, &notification, message));
            let (first, second) = tokio::join!(first, second);
            for reaction in [first, second] {
                notification.tries.push(heard(reaction).onto(blank.clone()));
            }
        }
        Some(lie @ (Fault::WrongAmount | Fault::OtherMerchant | Fault::Forge)) => {
            let message = Message::new(world, subject, &notification, Some(lie));
            let reaction = poster.post(world, &notification, message).await;
            notification.tries.push(heard(reaction).onto(blank).taken_in());
        }
        _ => {
            let message = Message::new(world, subject, &notification, None);
            let reaction = poster.post(world, &notification, message).await;
            notification.tries.push(heard(reaction).onto(blank));
        }
    }
    move_on(notification, now)
}

/// Done, or due again.
fn move_on(mut notification: Notification, now: i64) -> Notification {
    notification.acknowledged |= notification.tries.iter().any(|each| each.acknowledged);
    let wait = SCHEDULE.get(notification.turn).copied();
    notification.turn = notification.turn.saturating_add(1);
    // From the time it was due: a clock that jumps a day meets all tries of that day.
    let due = notification.due_at.unwrap_or(now);
    let again = wait.filter(|_| !notification.acknowledged);
    notification.due_at = again.map(|wait| due.saturating_add(wait.saturating_mul(SECOND)));
    notification
}

impl Try {
    /// What the merchant said to a lie: never an acknowledgement, but a finding.
    fn taken_in(mut self) -> Self {
        if self.acknowledged {
            self.acknowledged = false;
            let finding = "FINDING: the merchant acknowledged it, and it was not true";
            self.note = Some(finding.to_owned());
        }
        self
    }
}

/// How the merchant's answer counts.
struct Heard {
    status: Option<u16>,
    answer: Option<String>,
    acknowledged: bool,
    note: Option<String>,
}

impl Heard {
    fn onto(self, blank: Try) -> Try {
        let Self { status, answer, acknowledged, note } = self;
        Try { status, answer, acknowledged, note, ..blank }
    }
}

impl Reaction {
    /// APIv3 looks at the status only; APIv2 wants its XML, and nothing around it.
    fn judged(self, api: Api, strict: bool) -> Heard {
        let (status, body) = match self {
            Self::Answered { status, body } => (status, body),
            Self::Failed(why) => {
                return Heard { status: None, answer: None, acknowledged: false, note: Some(why) };
            }
        };
        let refused = match api {
            Api::V3 if (200..300).contains(&status) => None,
            Api::V3 => Some("only 200 and 204 acknowledge it"),
            Api::V2 => post::is_not_v2_success(status, &body, strict),
        };
        let answer = Some(String::from_utf8_lossy(&body).chars().take(1000).collect());
        let note = refused.map(str::to_owned);
        Heard { status: Some(status), answer, acknowledged: refused.is_none(), note }
    }
}
