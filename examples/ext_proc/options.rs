//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    BodyMode, DirectionMode, FilterConfig, ModeError, ModeField, ProcessingMode, Promise, SendMode,
};
use tidegate::ext_proc::server::Carrier;

use super::filter_spec::{FilterSpec, byte_count};

/// An external processor for Envoy with filter chains. Prints an Envoy bootstrap that fits it, and
/// serves.
#[derive(Debug, Clone, Parser)]
#[command(name = "ext_proc")]
pub(crate) struct Options {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9002")]
    listen: SocketAddr,

    /// Add a filter: log, limit=BYTES, replace=OLD:NEW, sha256, hold=BYTES, delay=MS.
    #[arg(long = "filter", value_name = "NAME[=ARG]")]
    filters: Vec<FilterSpec>,

    /// How bodies are shown, in both directions: NONE, STREAMED, BUFFERED, BUFFERED_PARTIAL or
    /// FULL_DUPLEX_STREAMED.
    #[arg(long, value_name = "MODE", default_value = "FULL_DUPLEX_STREAMED", value_parser = body)]
    mode: BodyMode,

    /// How bodies of responses are shown, if that is not the same.
    #[arg(long, value_name = "MODE", value_parser = body)]
    response_mode: Option<BodyMode>,

    /// Whether trailers are shown: SEND or SKIP.
    #[arg(long, value_name = "MODE", default_value = "SEND", value_parser = send)]
    trailers: SendMode,

    /// Promise that no message ends in trailers: in STREAMED, filters can then keep bytes to the
    /// end.
    #[arg(long)]
    no_trailers: bool,

    /// Let Envoy pass messages by while the server fails.
    #[arg(long)]
    failure_mode_allow: bool,

    /// How long Envoy waits for an answer [default: Envoy's, 200].
    #[arg(long, value_name = "MS")]
    message_timeout_ms: Option<u64>,

    /// What carries HTTP/2: hyper, or direct, which is the crate's own.
    #[arg(long, value_name = "NAME", default_value = "hyper", value_parser = carrier)]
    carrier: Carrier,

    /// Bootstrap: where Envoy listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:10000")]
    envoy_listen: SocketAddr,

    /// Bootstrap: where Envoy sends requests.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    origin: SocketAddr,

    /// Held bytes over which a filter stops its source.
    #[arg(long, value_name = "BYTES", default_value = "64K", value_parser = byte_count)]
    watermark_high_bytes: u64,

    /// Longest time a filter may hold a message; 0 for none.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    hold_timeout_ms: u64,

    /// Longest time for streams under way to end after Ctrl-C or SIGTERM.
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    drain_timeout_ms: u64,
}

impl Options {
    /// Where to listen.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// What carries HTTP/2.
    pub(crate) fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Where Envoy is to listen.
    pub(crate) fn envoy_listen(&self) -> SocketAddr {
        self.envoy_listen
    }

    /// Where Envoy is to send requests.
    pub(crate) fn origin(&self) -> SocketAddr {
        self.origin
    }

    /// The filters, in order.
    pub(crate) fn filters(&self) -> &[FilterSpec] {
        &self.filters
    }

    /// The marks of every filter, as (low, high).
    pub(crate) fn watermarks(&self) -> (u64, u64) {
        (self.watermark_high_bytes / 2, self.watermark_high_bytes)
    }

    /// What is known of the messages.
    pub(crate) fn promise(&self) -> Promise {
        if self.no_trailers { Promise::NoTrailers } else { Promise::Nothing }
    }

    /// Longest time of a hold.
    pub(crate) fn hold_timeout(&self) -> Option<Duration> {
        (self.hold_timeout_ms > 0).then(|| Duration::from_millis(self.hold_timeout_ms))
    }

    /// Longest time between the signal and the end.
    pub(crate) fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }

    /// The configuration of Envoy's filter: the one value that server and bootstrap are made of.
    pub(crate) fn config(&self) -> Result<FilterConfig, ModeError> {
        let request = DirectionMode::new(self.mode);
        let response = DirectionMode::new(self.response_mode.unwrap_or(self.mode));
        let mode = ProcessingMode::new(request, response)
            .with_trailers(Direction::Request, self.trailers)?
            .with_trailers(Direction::Response, self.trailers)?;
        let mut config = FilterConfig::new(mode);
        config.failure_mode_allow = self.failure_mode_allow;
        config.message_timeout = self.message_timeout_ms.map(Duration::from_millis);
        Ok(config)
    }
}

/// A body mode by its name in Envoy's configuration, in any case, also with hyphens.
fn body(name: &str) -> Result<BodyMode, String> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    if upper == "GRPC" {
        return Err(ModeError::Grpc { field: ModeField::RequestBody }.to_string());
    }
    let named = BodyMode::ALL.into_iter().find(|mode| mode.name() == upper);
    named.ok_or_else(|| {
        let names = BodyMode::ALL.map(BodyMode::name).join(", ");
        format!("no mode is called `{name}`: use one of {names}")
    })
}

/// A trailer mode by its name.
fn send(name: &str) -> Result<SendMode, String> {
    let modes = [SendMode::Send, SendMode::Skip];
    let named = modes.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(name));
    named.ok_or_else(|| format!("trailers are SEND or SKIP, not `{name}`"))
}

/// A carrier by its name.
fn carrier(name: &str) -> Result<Carrier, String> {
    match name {
        "hyper" => Ok(Carrier::Hyper),
        "direct" => Ok(Carrier::Direct),
        _ => Err(format!("carriers are hyper and direct, not `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["ext_proc"], args].concat())
    }

    fn config(args: &[&str]) -> Result<FilterConfig, ModeError> {
        parse(args).expect("well-formed").config()
    }

    #[test]
    fn no_arguments_are_full_duplex() {
        let config = config(&[]).expect("a mode");
        let duplex = ProcessingMode::both(DirectionMode::full_duplex());
        assert_eq!(config, FilterConfig::new(duplex));
        assert_eq!(config.validate(), Ok(Vec::new()));
    }

    #[test]
    fn modes_are_named_as_in_envoy() {
        let config = config(&["--mode", "buffered-partial", "--response-mode", "streamed"]);
        let mode = config.expect("a mode").processing_mode;
        assert_eq!(mode.request, DirectionMode::buffered_partial());
        assert_eq!(mode.response, DirectionMode::streamed());
        assert!(parse(&["--mode", "duplex"]).is_err());
        let grpc = parse(&["--mode", "GRPC"]).expect_err("not implemented").to_string();
        assert!(grpc.contains("does not implement it"), "{grpc}");
    }

    #[test]
    fn carriers_have_names() {
        let carrier = |args: &[&str]| parse(args).map(|options| options.carrier());
        assert!(matches!(carrier(&[]), Ok(Carrier::Hyper)));
        assert!(matches!(carrier(&["--carrier", "hyper"]), Ok(Carrier::Hyper)));
        assert!(matches!(carrier(&["--carrier", "direct"]), Ok(Carrier::Direct)));
        assert!(carrier(&["--carrier", "h2"]).is_err());
    }

    /// P1.
    #[test]
    fn full_duplex_without_trailers_is_refused_by_the_name_of_the_field() {
        let error = config(&["--trailers", "skip"]).expect_err("a contradiction").to_string();
        assert!(error.contains("set request_trailer_mode to SEND"), "{error}");
        assert!(config(&["--mode", "STREAMED", "--trailers", "skip"]).is_ok());
    }
}
