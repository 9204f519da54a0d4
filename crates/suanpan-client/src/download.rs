//! Files: too long for memory, so they go where the caller wants them as they come.

use std::time::Duration;

use suanpan_wechat::{Download, Moment, Reply};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::client::{Hosts, is_no, question};
use crate::host::Base;
use crate::outside::Stopwatch;
use crate::{Client, Done, Doubt, Error, Outcome, Rejection, Trace};

/// How long a file may take in all. A day's bill of a million lines has some tens of megabytes, packed.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// The longest file, in bytes.
const LONGEST: u64 = 4 << 30;
/// What says no has a few hundred bytes.
const LONGEST_REFUSAL: usize = 64 << 10;

impl Client {
    /// Downloads a file into `sink`; answers its length in bytes as it came, packed where the question asked for it.
    ///
    /// Where the outcome is not [`Outcome::Done`], what is in `sink` is of no use: throw it away and ask again. To ask
    /// changes nothing at WeChat. A host that cannot be connected to is passed over for the next one.
    pub async fn download<D: Download>(
        &self,
        call: &D,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Outcome<u64> {
        let watch = Stopwatch::start();
        let Hosts { first, spares } = self.hosts(call.host());
        let (mut host, mut spares, mut tries) = (first, spares.iter(), 0_u32);
        loop {
            tries = tries.saturating_add(1);
            let mut status = None;
            let result = self.fetch(call, host, sink, &mut status).await;
            if let (Err(Error::Unreachable { .. }), Some(spare)) = (&result, spares.next()) {
                host = spare;
                continue;
            }
            let trace = Trace {
                operation: call.operation(),
                host: host.as_str().to_owned(),
                status,
                request_id: None,
                tries,
                probed: false,
                elapsed: watch.elapsed(),
            };
            let sent = !matches!(result, Err(Error::Unreachable { .. }));
            return match result {
                Ok(answer) => Outcome::Done(Done { answer, trace }),
                Err(error) if is_no(&error, sent) => Outcome::Rejected(Rejection { error, trace }),
                Err(error) => Outcome::Unknown(Doubt { error, maybe_sent: sent, trace }),
            };
        }
    }

    async fn fetch<D: Download>(
        &self,
        call: &D,
        host: &Base,
        sink: &mut (impl AsyncWrite + Unpin),
        status: &mut Option<u16>,
    ) -> Result<u64, Error> {
        let (now, nonce) = (self.outside().now(), self.outside().nonce());
        let signed = call.request(Moment { now, nonce: &nonce })?;
        let mut question = question(call.operation(), host, signed)?;
        *question.timeout_mut() = Some(PATIENCE);

        let lost = |cause| Error::of_network(host.as_str(), cause);
        let mut answer = self.http().execute(question).await.map_err(lost)?;
        let code = answer.status().as_u16();
        *status = Some(code);
        let headers = std::mem::take(answer.headers_mut());
        let mut chunk = answer.chunk().await.map_err(lost)?;
        if !call.is_file(code, chunk.as_deref().unwrap_or_default()) {
            let mut body = Vec::new();
            while let Some(some) = chunk.filter(|_| body.len() < LONGEST_REFUSAL) {
                body.extend_from_slice(&some);
                chunk = answer.chunk().await.map_err(lost)?;
            }
            return Err(call
                .refused(Reply { status: code, headers: &headers, body: &body })
                .into());
        }
        let mut length = 0_u64;
        while let Some(some) = chunk {
            length = length.saturating_add(u64::try_from(some.len()).unwrap_or(u64::MAX));
            if LONGEST < length {
                let limit = usize::try_from(LONGEST).unwrap_or(usize::MAX);
                return Err(Error::TooLong { host: host.as_str().to_owned(), limit });
            }
            sink.write_all(&some).await.map_err(Error::Sink)?;
            chunk = answer.chunk().await.map_err(lost)?;
        }
        sink.flush().await.map_err(Error::Sink)?;
        tracing::debug!(
            wechat.operation = call.operation(),
            wechat.host = host.as_str(),
            http.status = code,
            length,
            "downloaded from WeChat"
        );
        Ok(length)
    }
}
