//! Whether WeChat's machines can be reached at all, before anything is asked of them.

use std::time::Duration;

use futures_util::future::join_all;
use http::header;
use suanpan_wechat::Host;

use crate::host::Base;
use crate::outside::Stopwatch;
use crate::{Client, Error};

/// What became of a knock at one of WeChat's machines.
#[derive(Debug)]
#[non_exhaustive]
pub struct Knock {
    /// Scheme, host and port.
    pub host: String,
    /// What it answered; any status is an answer.
    pub answer: Result<Greeting, Error>,
}

/// How a machine answers whoever asks nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Greeting {
    /// The HTTP status.
    pub status: u16,
    /// Its `Date` as it came: what its clock shows.
    pub date: Option<String>,
    /// From the name's look-up to the answer's head.
    pub elapsed: Duration,
}

impl Client {
    /// Knocks at every machine of the configuration: name, connection, TLS and an answer, by the way that calls go.
    /// Nothing is signed and nothing is asked.
    pub async fn knock(&self) -> Vec<Knock> {
        let merchant = self.hosts(Host::Merchant).all();
        let mut hosts: Vec<&Base> = merchant.chain(self.hosts(Host::Platform).all()).collect();
        hosts.dedup_by_key(|host| host.as_str());
        join_all(hosts.into_iter().map(|host| self.knock_at(host))).await
    }

    async fn knock_at(&self, host: &Base) -> Knock {
        let watch = Stopwatch::start();
        let sent = self.http().get(host.as_str()).send().await;
        let answer = sent.map_err(|cause| Error::of_network(host.as_str(), cause));
        let answer = answer.map(|answer| Greeting {
            status: answer.status().as_u16(),
            date: answer
                .headers()
                .get(header::DATE)
                .and_then(|date| date.to_str().ok())
                .map(str::to_owned),
            elapsed: watch.elapsed(),
        });
        Knock { host: host.as_str().to_owned(), answer }
    }
}
