//! The command line.

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use http::Uri;
use tidegate::{Marks, watermark::MarksError};

use super::{
    filter_spec::{FilterSpec, byte_count},
    forward::{Upstream, UpstreamError},
};

/// Where the proxy listens if nothing is said.
const DEFAULT_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);

/// A streaming reverse proxy with filter chains. Without --upstream it runs a demo on loopback.
#[derive(Debug, Clone, Parser)]
#[command(name = "proxy")]
pub(crate) struct Options {
    /// Address to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", requires = "upstream")]
    listen: Option<SocketAddr>,

    /// Where requests go: http://HOST[:PORT], without a path.
    #[arg(long, value_name = "URL")]
    upstream: Option<Uri>,

    /// Speak HTTP/2 to the upstream, by prior knowledge.
    #[arg(long)]
    http2_upstream: bool,

    /// Add a filter: log, limit=BYTES, replace=OLD:NEW, sha256, hold=BYTES, delay=MS.
    #[arg(long = "filter", value_name = "NAME[=ARG]")]
    filters: Vec<FilterSpec>,

    /// Held bytes over which a filter stops its source.
    #[arg(long, value_name = "BYTES", default_value = "64K", value_parser = byte_count)]
    watermark_high_bytes: u64,

    /// Held bytes at which a stopped source goes on [default: half of the high mark].
    #[arg(long, value_name = "BYTES", value_parser = byte_count)]
    watermark_low_bytes: Option<u64>,

    /// Move bodies from task to task: filters and the source's connection in one, the sink's in
    /// another, with a pipe between them that has the marks of a filter.
    #[arg(long)]
    pipe: bool,

    /// Longest time without any progress of a body.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    idle_timeout_ms: u64,

    /// Longest time for a whole exchange; 0 for none.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    total_timeout_ms: u64,

    /// Longest time a filter may hold a message; 0 for none.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    hold_timeout_ms: u64,

    /// Longest time to wait for the upstream to connect, and for its response head.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    upstream_timeout_ms: u64,

    /// Longest time for exchanges under way to end after Ctrl-C.
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    drain_timeout_ms: u64,

    /// Demo: bytes to send in each direction.
    #[arg(long, value_name = "BYTES", default_value = "1G", value_parser = byte_count)]
    demo_bytes: u64,

    /// Demo: bytes of each direction that are read deliberately slowly.
    #[arg(long, value_name = "BYTES", default_value = "16M", value_parser = byte_count)]
    demo_slow_bytes: u64,

    /// Demo: HTTP/2 from the client to the proxy.
    #[arg(long, conflicts_with = "upstream")]
    demo_http2: bool,
}

impl Options {
    /// Whether to run the demo: there is nothing to forward to.
    pub(crate) fn is_demo(&self) -> bool {
        self.upstream.is_none()
    }

    /// Where to listen.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| DEFAULT_LISTEN.into())
    }

    /// These options with another upstream: how the demo and tests point the proxy at an origin.
    pub(crate) fn with_upstream(&self, upstream: Uri) -> Self {
        Self { upstream: Some(upstream), ..self.clone() }
    }

    /// These options with other filters.
    pub(crate) fn with_filters(&self, filters: Vec<FilterSpec>) -> Self {
        Self { filters, ..self.clone() }
    }

    /// These options with bodies that move from task to task, and a demo of at most so many bytes.
    pub(crate) fn with_pipe(&self, most_bytes: u64) -> Self {
        let demo_bytes = self.demo_bytes.min(most_bytes);
        Self { pipe: true, demo_bytes, demo_slow_bytes: self.demo_slow_bytes / 4, ..self.clone() }
    }

    /// Whether bodies move from task to task.
    pub(crate) fn has_pipe(&self) -> bool {
        self.pipe
    }

    /// The marks of the pipes that bodies go through, if they do.
    pub(crate) fn pipe(&self) -> Result<Option<Marks>, MarksError> {
        let (low, high) = self.watermarks();
        self.pipe.then(|| Marks::new(low, high)).transpose()
    }

    /// Where requests go, and how.
    pub(crate) fn upstream(&self) -> Result<Upstream, UpstreamError> {
        let uri = self.upstream.clone().unwrap_or_default();
        let wait = Duration::from_millis(self.upstream_timeout_ms);
        Upstream::new(&uri, self.http2_upstream, wait)
    }

    /// The filters, in order.
    pub(crate) fn filters(&self) -> &[FilterSpec] {
        &self.filters
    }

    /// The marks of every filter, as (low, high): not checked, whoever builds them does.
    pub(crate) fn watermarks(&self) -> (u64, u64) {
        let high = self.watermark_high_bytes;
        (self.watermark_low_bytes.unwrap_or(high / 2), high)
    }

    /// Longest time without progress.
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        timeout(self.idle_timeout_ms)
    }

    /// Longest time of an exchange.
    pub(crate) fn total_timeout(&self) -> Option<Duration> {
        timeout(self.total_timeout_ms)
    }

    /// Longest time of a hold.
    pub(crate) fn hold_timeout(&self) -> Option<Duration> {
        timeout(self.hold_timeout_ms)
    }

    /// Longest time between Ctrl-C and the end.
    pub(crate) fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }

    /// Bytes the demo sends each way.
    pub(crate) fn demo_bytes(&self) -> u64 {
        self.demo_bytes
    }

    /// Bytes of those that are read slowly: at most half, so that a small demo has a fast part too.
    pub(crate) fn demo_slow_bytes(&self) -> u64 {
        self.demo_slow_bytes.min(self.demo_bytes / 2)
    }

    /// Whether the demo's client speaks HTTP/2.
    pub(crate) fn demo_http2(&self) -> bool {
        self.demo_http2
    }

    /// Whether the proxy speaks HTTP/2 to the upstream.
    pub(crate) fn http2_upstream(&self) -> bool {
        self.http2_upstream
    }
}

/// Zero milliseconds means no timeout.
fn timeout(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["proxy"], args].concat())
    }

    #[test]
    fn no_arguments_are_the_demo() {
        let options = parse(&[]).unwrap();
        assert!(options.is_demo());
        assert_eq!(options.demo_bytes(), 1 << 30);
        assert_eq!(options.watermarks(), (32 << 10, 64 << 10));
        assert_eq!(options.total_timeout(), None);
        assert!(parse(&["--listen", "127.0.0.1:1"]).is_err(), "nothing to forward to");
    }

    #[test]
    fn filters_keep_their_order() {
        let options =
            parse(&["--upstream", "http://a:1", "--filter", "log", "--filter", "limit=3"]).unwrap();
        assert!(!options.is_demo());
        assert_eq!(options.filters(), [FilterSpec::Log, FilterSpec::Limit(3)]);
        assert!(parse(&["--filter", "nope"]).is_err());
    }
}
