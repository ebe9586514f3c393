//! The client of the demo: sends and receives the pattern, reads a part of it slowly, checks all.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Either, Empty};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use sha2::{Digest, Sha256};

use super::{
    super::{
        BoxError,
        alloc::{Role, allocations},
        filters::{CONTENT_DIGEST, digest_field},
    },
    SLOW_RATE, Transfer,
    pattern::{Pattern, SUM, hex},
    progress::Progress,
};

/// What the client sends.
type ClientBody = Either<Pattern, Empty<bytes::Bytes>>;

/// A SHA-256.
pub(crate) type Sum = [u8; 32];

/// A client of one proxy.
pub(crate) struct Client {
    client: legacy::Client<HttpConnector, ClientBody>,
    proxy: SocketAddr,
    http2: bool,
    digests: bool,
}

impl Client {
    /// A client that speaks HTTP/1.1 or HTTP/2 by prior knowledge. `digests`: the proxy adds its
    /// own digest trailer.
    pub(crate) fn new(proxy: SocketAddr, http2: bool, digests: bool) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client =
            legacy::Client::builder(TokioExecutor::new()).http2_only(http2).build(connector);
        Self { client, proxy, http2, digests }
    }

    /// Sends a request, saying that trailers are welcome.
    async fn send(
        &self,
        method: &str,
        path: &str,
        body: ClientBody,
    ) -> Result<Response<Incoming>, BoxError> {
        let uri = format!("http://{}{path}", self.proxy);
        let mut request = Request::builder().method(method).uri(uri).body(body)?;
        let headers = request.headers_mut();
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        if self.http2 {
            *request.version_mut() = Version::HTTP_2;
        } else {
            request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
        if matches!(request.body(), Either::Left(_)) {
            request.headers_mut().insert(header::TRAILER, HeaderValue::from_name(SUM));
        }
        Ok(self.client.request(request).await?)
    }

    /// Receives `bytes` bytes, a part of them slowly. Returns their digest, too.
    pub(crate) async fn download(
        &self,
        bytes: u64,
        slow: u64,
        progress: &Progress,
    ) -> Result<(Transfer, Sum), BoxError> {
        let mut measure = Measure::start("down", bytes);
        let path = format!("/bytes/{bytes}");
        let response = self.send("GET", &path, Either::Right(Empty::new())).await?;
        check_status(&response)?;
        let mut reader = Reader::new(slow);
        let mut trailers = HeaderMap::new();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(data) => {
                    reader.read(&data).await;
                    progress.add(data.len() as u64);
                }
                Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
            }
        }
        let (read, sum) = reader.finish();
        let sent = trailers.get(SUM).and_then(|sum| sum.to_str().ok());
        measure.check(bytes == read, || format!("{read} bytes came, {bytes} were sent"));
        measure.check(sent.is_some(), || "the trailer did not come".to_owned());
        let hexed = hex(&sum);
        measure.check(sent == Some(&hexed), || format!("digest {hexed} came, {sent:?} sent"));
        let added = trailers.get(CONTENT_DIGEST);
        measure.check(!self.digests || added == Some(&digest_field(&sum)), || {
            format!("the digest added by the proxy is {added:?}")
        });
        Ok((measure.stop(), sum))
    }

    /// Sends the same bytes up, a part of which the origin reads slowly.
    pub(crate) async fn upload(
        &self,
        bytes: u64,
        sum: Sum,
        slow: u64,
        progress: &Progress,
    ) -> Result<Transfer, BoxError> {
        let mut measure = Measure::start("up", bytes);
        let shown = progress.clone();
        let body = Pattern::known(bytes, hex(&sum), move |sent| shown.add(sent));
        let path = format!("/sink?slow={slow}");
        let response = self.send("POST", &path, Either::Left(body)).await?;
        check_status(&response)?;
        let said = response.into_body().collect().await?.to_bytes();
        let said = String::from_utf8_lossy(&said);
        let value = |name: &str| {
            said.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| *key == name))
        };
        let read = value("bytes").map(|(_, bytes)| bytes.to_owned()).unwrap_or_default();
        let read_sum = value("sha256").map(|(_, sum)| sum);
        let sent = value(&format!("trailer {SUM}")).map(|(_, sum)| sum);
        let added = value(&format!("trailer {CONTENT_DIGEST}")).map(|(_, sum)| sum);
        measure.check(read == bytes.to_string(), || format!("{read} bytes read of {bytes}"));
        measure.check(sent.is_some(), || "the trailer did not arrive".to_owned());
        measure.check(read_sum == sent, || format!("digest {read_sum:?} arrived, {sent:?} sent"));
        measure.check(!self.digests || added.is_some_and(|it| digest_field(&sum) == it), || {
            format!("the digest added by the proxy is {added:?}")
        });
        Ok(measure.stop())
    }
}

/// An answer of the proxy that is not the origin's 200 ends the demo.
fn check_status(response: &Response<Incoming>) -> Result<(), BoxError> {
    match response.status() {
        StatusCode::OK => Ok(()),
        other => Err(format!("the proxy answered {other}").into()),
    }
}

/// What the proxy's thread has allocated.
fn of_proxy() -> u64 {
    allocations(Role::Proxy) + allocations(Role::Engine)
}

/// Times a transfer and keeps the first thing that was wrong with it.
struct Measure {
    started: Instant,
    allocations: u64,
    transfer: Transfer,
}

impl Measure {
    fn start(name: &'static str, bytes: u64) -> Self {
        let transfer = Transfer { name, bytes, time: Duration::ZERO, allocations: 0, fault: None };
        Self { started: Instant::now(), allocations: of_proxy(), transfer }
    }

    fn check(&mut self, good: bool, fault: impl FnOnce() -> String) {
        if !good && self.transfer.fault.is_none() {
            self.transfer.fault = Some(format!("{}: {}", self.transfer.name, fault()));
        }
    }

    fn stop(mut self) -> Transfer {
        self.transfer.time = self.started.elapsed();
        self.transfer.allocations = of_proxy() - self.allocations;
        self.transfer
    }
}

/// Reads bytes: hashes them all, the first `slow` of them at [`SLOW_RATE`].
#[derive(Debug)]
pub(crate) struct Reader {
    hash: Sha256,
    read: u64,
    slow: u64,
    started: Instant,
}

impl Reader {
    /// A reader at the start of a body.
    pub(crate) fn new(slow: u64) -> Self {
        Self { hash: Sha256::new(), read: 0, slow, started: Instant::now() }
    }

    /// Reads a chunk.
    pub(crate) async fn read(&mut self, data: &[u8]) {
        self.hash.update(data);
        self.read += data.len() as u64;
        if self.read <= self.slow {
            let due = Duration::from_micros(self.read * 1_000_000 / SLOW_RATE);
            tokio::time::sleep_until((self.started + due).into()).await;
        }
    }

    /// How many bytes were read, and their SHA-256.
    pub(crate) fn finish(self) -> (u64, Sum) {
        (self.read, self.hash.finalize().into())
    }
}
