//! The merchant's own systems, as the configuration names them.

use super::checks::WEBHOOK_FORM;
use super::finding::Chart;
use super::keys::Slot;
use super::patient::Patient;
use super::said::{Say, say};
use crate::config::{Config, EndpointConfig};
use crate::flow::endpoints::{self, EVENTS};
use crate::flow::webhook;
use crate::receivers::Receivers;

/// Looks at each endpoint of the configuration.
pub(super) fn form(patient: &Patient, chart: &mut Chart) {
    let config = &patient.config;
    // What is wrong with the receivers as a whole is found as `serve` finds it.
    let Ok(receivers) = Receivers::new(&config.webhooks) else { return };
    if config.webhooks.endpoints.is_empty() {
        let none = say!(
            "配置文件里没有；用 API 或控制台添加的在库里",
            "none in the configuration; those of the API are in the database"
        );
        chart.skip(&WEBHOOK_FORM, "", none);
    }
    for (position, endpoint) in config.webhooks.endpoints.iter().enumerate() {
        let subject = format!("#{}", position.saturating_add(1));
        match wrong(config, &receivers, endpoint) {
            Some(said) => chart.problem(&WEBHOOK_FORM, subject, said),
            None => chart.ok(&WEBHOOK_FORM, subject, say!("写得对", "written rightly")),
        }
    }
}

fn wrong(config: &Config, receivers: &Receivers, endpoint: &EndpointConfig) -> Option<(Say, Say)> {
    if let Err(error) = receivers.address(&endpoint.url) {
        let found = say!("地址不能用：{error}", "its address cannot be used: {error}");
        let fix = say!(
            "写公网的 https 地址；开发时接本机才打开 allow_private_networks",
            "write a public https address; allow_private_networks is for development"
        );
        return Some((found, fix));
    }
    if endpoint.events.clone().is_some_and(|events| endpoints::known(events).is_err()) {
        let all = EVENTS.join(", ");
        let found = say!(
            "events 里有不认识的事件，或者是空的",
            "events is empty, or names one that is unknown"
        );
        return Some((
            found,
            say!("有这些：{all}；不写就是全部", "there are {all}; left out: all"),
        ));
    }
    let fix = say!(
        "写 whsec_ 加 base64：echo whsec_$(openssl rand -base64 32)，两边一样",
        "write whsec_ and base64: echo whsec_$(openssl rand -base64 32), the same on both sides"
    );
    let (inline, file) = (endpoint.secret.as_ref(), endpoint.secret_file.as_deref());
    match (Slot { name: "secret", inline, file }).text(config) {
        None => Some((say!("没有密钥", "it has no key"), fix)),
        Some(Err(said)) => Some(said),
        Some(Ok(secret)) if webhook::key(&secret).is_none() => {
            let found = say!(
                "密钥应该是 whsec_ 加 24 到 64 字节的 base64",
                "its key should be whsec_ and 24 to 64 bytes in base64"
            );
            Some((found, fix))
        }
        Some(Ok(_)) => None,
    }
}
