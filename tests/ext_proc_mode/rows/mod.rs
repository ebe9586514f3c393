//! What Envoy 1.40.0 says of configurations, and what we say: the rows of one table, as data.
//!
//! Envoy's verdicts and messages are verbatim, from `envoy --mode validate`;
//! `tests/envoy_validate.rs` asks a real one again.

mod fields;
mod full_duplex;
mod other_modes;
mod routes;

use tidegate::ext_proc::mode::{
    BodyMode, Caution, DirectionMode, FilterConfig, ModeError, ProcessingMode, RouteConfig,
    SendMode,
};

/// A configuration.
pub(crate) struct Row {
    /// What it is, in words.
    pub(crate) name: &'static str,
    /// Lines of YAML of the filter, below `typed_config`.
    pub(crate) filter: &'static str,
    /// Whether `grpc_service` is one of them.
    pub(crate) has_grpc_service: bool,
    /// Lines of YAML of the route, below its entry of `typed_per_filter_config`.
    pub(crate) route: Option<&'static str>,
    /// What Envoy says of it.
    pub(crate) envoy: Envoy,
    /// What we do.
    pub(crate) ours: Ours,
    /// Why that is not what Envoy says; empty if it is.
    pub(crate) because: &'static str,
}

/// Envoy's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envoy {
    Accepts,
    /// Accepts it, and says this.
    Warns(&'static str),
    /// Says this.
    Rejects(&'static str),
    /// Says this behind a dump of the message.
    RejectsAfterDump(&'static str),
}

/// Our verdict.
pub(crate) enum Ours {
    /// It can be used, and this is to be known of it.
    Takes(Build, &'static [Caution]),
    /// It is refused with an error that contains this.
    Refuses(Build, &'static str),
    /// These numbers are no mode.
    NoMode([i32; 6], ModeError),
    /// No value of ours says it.
    CannotBeSaid,
    /// It is about fields that we do not model.
    NotModelled,
}

/// A configuration of ours, and a route's.
pub(crate) type Build = fn() -> (FilterConfig, Option<RouteConfig>);

/// Every row, in the order of the table.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    full_duplex::ROWS.iter().chain(&other_modes::ROWS).chain(&fields::ROWS).chain(&routes::ROWS)
}

impl Row {
    const fn new(name: &'static str, filter: &'static str, envoy: Envoy, ours: Ours) -> Self {
        let has_grpc_service = true;
        Self { name, filter, has_grpc_service, route: None, envoy, ours, because: "" }
    }

    const fn route(mut self, route: &'static str) -> Self {
        self.route = Some(route);
        self
    }

    const fn without_grpc_service(mut self) -> Self {
        self.has_grpc_service = false;
        self
    }

    const fn because(mut self, because: &'static str) -> Self {
        self.because = because;
        self
    }
}

impl Envoy {
    pub(crate) fn accepts(self) -> bool {
        matches!(self, Self::Accepts | Self::Warns(_))
    }
}

const NONE: BodyMode = BodyMode::None;
const STREAMED: BodyMode = BodyMode::Streamed;
const BUFFERED: BodyMode = BodyMode::Buffered;
const PARTIAL: BodyMode = BodyMode::BufferedPartial;
const DUPLEX: BodyMode = BodyMode::FullDuplexStreamed;

const NOT_STREAMED: Caution = Caution::NoEffect {
    field: "send_body_without_waiting_for_header_response",
    because: "only a STREAMED body can be sent before the head has been answered",
};
const NOT_OBSERVED: &str = "Envoy accepts it and sends an observer no such body";

/// Both directions, trailers sent.
fn modes(request: BodyMode, response: BodyMode) -> FilterConfig {
    FilterConfig::new(ProcessingMode::new(
        DirectionMode::new(request),
        DirectionMode::new(response),
    ))
}

/// Both directions, trailers not sent.
fn without_trailers(body: BodyMode) -> FilterConfig {
    let mode = DirectionMode::new(body).with_trailers(SendMode::Skip);
    FilterConfig::new(ProcessingMode::both(mode.expect("not full duplex")))
}

fn plain(config: FilterConfig) -> (FilterConfig, Option<RouteConfig>) {
    (config, None)
}

fn with(
    mut config: FilterConfig,
    change: fn(&mut FilterConfig),
) -> (FilterConfig, Option<RouteConfig>) {
    change(&mut config);
    (config, None)
}
