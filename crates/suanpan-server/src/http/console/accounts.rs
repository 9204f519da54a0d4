//! The accounts at WeChat and their mini programs: what they speak, their keys, and when WeChat was last heard of.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_wechat::v3::Certificate;

use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{BANG, CHECK, badge, fact, or_dash, span, time};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::account::{Account, App};
use crate::config::ApiVersion;
use crate::keys::{self, Problem};
use crate::world::World;

/// When something last went well, in unix microseconds, and WeChat's certificates as they were fetched.
struct Signs {
    paid: Option<i64>,
    heard: Option<i64>,
    fetched: Vec<Certificate>,
}

/// `GET /console/accounts`
pub(super) async fn accounts(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let accounts = world.accounts();
    let merchants: Vec<_> = accounts.iter().map(|account| account.mchid.clone()).collect();
    let now = world.clock.now_seconds();
    let signs = world.store.look((merchants, now), |tx, (merchants, now)| {
        Box::pin(async move {
            let mut signs = Vec::with_capacity(merchants.len());
            for mchid in merchants {
                let (paid, heard) = tx.last_signs(mchid).await?;
                let fetched = tx.certificates(mchid, *now).await?;
                let fetched = fetched.iter().filter_map(|one| Certificate::from_pem(&one.pem).ok());
                signs.push(Signs { paid, heard, fetched: fetched.collect() });
            }
            Ok(signs)
        })
    });
    let signs = signs.await?;
    let problems = [keys::problems(&world), keys::warnings(&world)].concat();
    let body = html! {
        div.page-head { h1 { (visit.say(words::ACCOUNTS)) } }
        p.hint { (visit.say(WHERE_CHANGED)) }
        @for (account, signs) in accounts.iter().zip(&signs) {
            (one(&world, &visit, account, signs, &problems))
        }
    };
    Ok(page(&visit, Frame::Inside, visit.say(words::ACCOUNTS), &body).into_response())
}

fn one(
    world: &World,
    visit: &Visit,
    account: &Account,
    signs: &Signs,
    problems: &[Problem],
) -> Markup {
    let mine: Vec<_> = problems.iter().filter(|one| one.mchid == account.mchid).collect();
    let heading = format!("h-{}", account.mchid);
    html! {
        section.panel data-testid="account" aria-labelledby=(heading) {
            h2 id=(heading) {
                (account.name) " "
                @if mine.is_empty() { (badge("good", CHECK, visit.say(WELL))) }
                @else { (badge("bad", BANG, visit.say(TROUBLED))) }
            }
            @for problem in mine {
                p.alarm { code { (problem.code) } " " (problem.detail) }
                p.hint { (problem.remedy) }
            }
            dl.facts.two {
                (fact(visit, words::MCHID, &html! { span.mono { (account.mchid) } }))
                (fact(visit, API, &html! { (api(account.api)) }))
                (fact(visit, KEY_MODE, &html! { (visit.say(key_mode(account))) }))
                (fact(visit, LAST_PAID, &moment(world, visit, signs.paid)))
                (fact(visit, NOTIFY_URL, &html! { span.mono.url { (world.notify_url(&account.mchid)) } }))
                (fact(visit, LAST_HEARD, &moment(world, visit, signs.heard)))
            }
            (certificates(world, visit, account, &signs.fetched))
            (apps(visit, &account.apps))
        }
    }
}

/// A time, and how long ago it was.
fn moment(world: &World, visit: &Visit, at: Option<i64>) -> Markup {
    or_dash(at.map(|at| {
        let ago = world.now().saturating_sub(at);
        html! { (time(at)) span.sub { (span(visit, ago)) " " (visit.say(AGO)) } }
    }))
}

const fn api(api: ApiVersion) -> &'static str {
    match api {
        ApiVersion::V2 => "APIv2",
        ApiVersion::V3 => "APIv3",
    }
}

/// By what WeChat's messages are verified.
fn key_mode(account: &Account) -> Say {
    let Some(keys) = account.keys() else { return BY_API_KEY };
    let (mut public, mut platform) = (false, false);
    for serial in keys.ring().serials() {
        if serial.is_public_key() { public = true } else { platform = true }
    }
    match (public, platform) {
        (true, true) => BY_BOTH,
        (true, false) => BY_PUBLIC_KEY,
        (false, true) => BY_CERTIFICATES,
        (false, false) => BY_NOTHING_YET,
    }
}

fn certificates(
    world: &World,
    visit: &Visit,
    account: &Account,
    fetched: &[Certificate],
) -> Markup {
    let mut all: Vec<_> = account.certificates().collect();
    let new =
        fetched.iter().filter(|one| account.certificates().all(|known| known.serial != one.serial));
    all.extend(new);
    html! {
        @if !all.is_empty() {
            table.cards.list {
                caption { (visit.say(CERTIFICATES)) }
                thead {
                    tr {
                        th scope="col" { (visit.say(SERIAL)) }
                        th scope="col" { (visit.say(VALID_UNTIL)) }
                        th scope="col" { (visit.say(LEFT)) }
                    }
                }
                tbody { @for one in all { (certificate(world, visit, one)) } }
            }
        }
    }
}

fn certificate(world: &World, visit: &Visit, one: &Certificate) -> Markup {
    let until = one.not_after.saturating_mul(1_000_000);
    let days = one.not_after.saturating_sub(world.clock.now_seconds()).div_euclid(86_400);
    html! {
        tr {
            td.wide { span.mono { (one.serial) } span.sub { (one.subject) } }
            td data-name=(visit.say(VALID_UNTIL)) { (time(until)) }
            td data-name=(visit.say(LEFT)) {
                @if days < SOON { (badge("bad", BANG, &format!("{days} {}", visit.say(words::DAYS)))) }
                @else { (days) " " (visit.say(words::DAYS)) }
            }
        }
    }
}

fn apps(visit: &Visit, apps: &[App]) -> Markup {
    html! {
        table.cards.list {
            caption { (visit.say(APPS)) }
            thead {
                tr {
                    th scope="col" { "appid" }
                    th scope="col" { (visit.say(FOR_WHOM)) }
                    th scope="col" { (visit.say(words::SHIPPING)) }
                }
            }
            tbody {
                @for app in apps {
                    tr {
                        td.wide { span.mono { (app.appid) } }
                        td data-name=(visit.say(FOR_WHOM)) {
                            @match &app.partner {
                                Some(ids) => { "sub_mchid " span.mono { (ids.sub_mchid) } },
                                None => (visit.say(ITSELF)),
                            }
                        }
                        td data-name=(visit.say(words::SHIPPING)) { code { (app.shipping.as_str()) } }
                    }
                }
            }
        }
    }
}

/// Days from which on a certificate is a matter for somebody.
const SOON: i64 = 30;

const WHERE_CHANGED: Say = say(
    "账号在配置文件里设置，改后重启；密钥和 AppSecret 不在这里显示。",
    "Accounts are set in the configuration file, and followed at each start. Keys and AppSecrets are not shown here.",
);
const WELL: Say = say("正常", "Well");
const TROUBLED: Say = say("有问题", "In trouble");
const API: Say = say("接口", "API");
const KEY_MODE: Say = say("验签方式", "WeChat is verified by");
const LAST_PAID: Say = say("最近收款", "Last payment");
const NOTIFY_URL: Say = say("通知地址", "Notify URL");
const LAST_HEARD: Say = say("最近收到微信通知", "Last notification from WeChat");
const AGO: Say = say("前", "ago");
const BY_API_KEY: Say = say("APIv2 密钥", "the APIv2 key");
const BY_PUBLIC_KEY: Say = say("微信支付公钥", "the WeChat Pay public key");
const BY_CERTIFICATES: Say = say("平台证书", "platform certificates");
const BY_BOTH: Say =
    say("微信支付公钥和平台证书（切换中）", "the public key and platform certificates (migrating)");
const BY_NOTHING_YET: Say =
    say("还没有：平台证书还没取到", "nothing yet: no certificate was fetched");
const CERTIFICATES: Say =
    say("证书：配置的，和从微信取来的", "Certificates: configured, and fetched from WeChat");
const SERIAL: Say = say("序列号", "Serial number");
const VALID_UNTIL: Say = say("有效期至", "Valid until");
const LEFT: Say = say("还剩", "Left");
const APPS: Say = say("小程序", "Mini programs");
const FOR_WHOM: Say = say("为谁收款", "For whom");
const ITSELF: Say = say("自己", "itself");
