//! What WeChat says to questions that change nothing: tokens, and a number that no order has.

use suanpan_client::{Client, Error, Outcome};
use suanpan_wechat::platform::{Asked, IsTradeManaged, StableToken};
use suanpan_wechat::{AccessToken, AppId, AppSecret, Refusal};

use super::accounts::{Examined, ExaminedApp};
use super::checks::{APP_APPID, APP_SECRET, NET_REACH, SHIPPING_MANAGED, WECHAT_APP_SECRET};
use super::finding::Chart;
use super::net::Reached;
use super::said::{Say, say};
use crate::explain;
use crate::shipment::ShippingPolicy;

/// Asks about each app.
pub(super) async fn apps(
    client: &Client,
    accounts: &[Examined<'_>],
    reached: Reached,
    chart: &mut Chart,
) {
    for app in accounts.iter().flat_map(|account| &account.apps) {
        let (Some(appid), Some(secret)) = (&app.appid, &app.secret) else {
            let lacks = [(&APP_APPID, app.appid.is_none()), (&APP_SECRET, app.secret.is_none())];
            let by: Vec<_> =
                lacks.into_iter().filter_map(|(check, lacks)| lacks.then_some(check)).collect();
            chart.blocked(&WECHAT_APP_SECRET, app.given, &by);
            chart.blocked(&SHIPPING_MANAGED, app.given, &by);
            continue;
        };
        if !reached.platform {
            chart.blocked(&WECHAT_APP_SECRET, app.given, &[&NET_REACH]);
            chart.blocked(&SHIPPING_MANAGED, app.given, &[&NET_REACH]);
            continue;
        }
        match token(client, appid, secret, chart).await {
            Some(token) => managed(client, app, appid, &token, chart).await,
            None => chart.blocked(&SHIPPING_MANAGED, app.given, &[&WECHAT_APP_SECRET]),
        }
    }
}

/// The token that is valid now: in this mode nothing is renewed before its time.
async fn token(
    client: &Client,
    appid: &AppId,
    secret: &AppSecret,
    chart: &mut Chart,
) -> Option<AccessToken> {
    let call = StableToken { app_id: appid, secret, force_refresh: false };
    let outcome = client.call(&call).await;
    let subject = appid.as_str();
    match outcome {
        Outcome::Done(done) => {
            chart.ok(&WECHAT_APP_SECRET, subject, say!("微信认", "WeChat takes it"));
            Some(done.answer.access_token)
        }
        Outcome::Rejected(no) => {
            refused(&WECHAT_APP_SECRET, subject, &no.error, chart);
            None
        }
        Outcome::Unknown(doubt) => {
            unknown(&WECHAT_APP_SECRET, subject, &doubt.error, chart);
            None
        }
    }
}

/// Whether WeChat holds the app's money until it hears of shipments.
async fn managed(
    client: &Client,
    app: &ExaminedApp<'_>,
    appid: &AppId,
    token: &AccessToken,
    chart: &mut Chart,
) {
    let subject = app.given;
    let asked = client.call(&Asked { question: &IsTradeManaged::of(appid), token }).await;
    let is_managed = match asked {
        Outcome::Done(done) => done.answer.is_trade_managed,
        Outcome::Rejected(no) => {
            let why = crate::chain(&no.error);
            return chart.skip(
                &SHIPPING_MANAGED,
                subject,
                say!("微信不说：{why}", "WeChat does not say: {why}"),
            );
        }
        Outcome::Unknown(doubt) => return unknown(&SHIPPING_MANAGED, subject, &doubt.error, chart),
    };
    match (is_managed, app.shipping) {
        (true, ShippingPolicy::None) => {
            let found = say!(
                "微信要求上传发货信息，这里写的是 shipping = \"none\"：钱会一直冻结",
                "WeChat wants to hear of shipments, and here is shipping = \"none\": the money stays frozen"
            );
            let fix = say!(
                "虚拟商品写 shipping = \"virtual\"，自取写 \"self_pickup\"，快递写 \"express\" 并由商户系统调接口",
                "write shipping = \"virtual\" for virtual goods, \"self_pickup\", or \"express\" where your system tells"
            );
            chart.warn(&SHIPPING_MANAGED, subject, (found, fix));
        }
        (true, _) => chart.ok(
            &SHIPPING_MANAGED,
            subject,
            say!("微信要求，这里会传", "WeChat wants it, and is told"),
        ),
        (false, _) => {
            chart.ok(&SHIPPING_MANAGED, subject, say!("微信不要求", "WeChat does not want it"))
        }
    }
}

/// WeChat said no. What its code means is in the table of `suanpan explain`.
pub(super) fn refused(
    check: &'static super::Check,
    subject: &str,
    error: &Error,
    chart: &mut Chart,
) {
    match error.refusal() {
        Some(refusal) => chart.problem_of(check, subject, of_refusal(refusal), &refusal.code),
        None => {
            let (found, fix) = (Say::same(crate::chain(error)), Say::same(error.remedy()));
            chart.problem_of(check, subject, (found, fix), error.code());
        }
    }
}

/// What a code of WeChat's means, and what to do.
pub(super) fn of_refusal(refusal: &Refusal) -> (Say, Say) {
    let Refusal { code, message, .. } = refusal;
    let Some(entry) = explain::by_code(code) else {
        let found = say!("微信答 {code}：{message}", "WeChat answers {code}: {message}");
        let fix = say!("查 suanpan explain {code}", "see suanpan explain {code}");
        return (found, fix);
    };
    let (zh, en) = (&entry.zh, &entry.en);
    let (zh_means, en_means) = (&zh.meaning, &en.meaning);
    let found = say!(
        "微信答 {code}（{message}）：{zh_means}",
        "WeChat answers {code} ({message}): {en_means}"
    );
    (found, Say { zh: zh.fix.clone(), en: en.fix.clone() })
}

/// Nobody can tell: the network, or a machine of WeChat's that has trouble of its own.
pub(super) fn unknown(
    check: &'static super::Check,
    subject: &str,
    error: &Error,
    chart: &mut Chart,
) {
    let why = crate::chain(error);
    let found = say!("没有问出来：{why}", "nothing was learned: {why}");
    let fix = say!("过一会儿再跑一次", "run it again a little later");
    chart.warn(check, subject, (found, fix));
}
