//! Every processor of these tests that is made with the crate.

use std::time::Duration;

use http::StatusCode;
use tidegate::exchange::{ExchangePlan, ExchangePlanBuilder};
use tidegate::ext_proc::mode::{
    BodyMode, DirectionMode, FilterConfig, ProcessingMode, Promise, RouteConfig, RouteOverrides,
    SendMode,
};
use tidegate::ext_proc::server::ExternalProcessor;
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};

use super::super::harness::configuration::Configuration;
use super::actor::{Act, Actor, Place};
use super::serve::Served;

/// How long an answer may take where nothing else is asked for: longer than any of these tests
/// waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// The bytes behind which things happen `mid` body.
const MID: Place = Place::After(120_000);
const FIRST: Place = Place::After(0);

/// All of them.
pub(crate) fn served() -> Vec<Served> {
    let mut all = Vec::new();
    for mode in BodyMode::ALL {
        looks(mode, &mut all);
        edits(mode, &mut all);
        stops(mode, &mut all);
    }
    special(&mut all);
    all
}

/// A processor under construction.
struct Entry {
    name: String,
    config: FilterConfig,
    settings: SessionSettings,
    plan: ExchangePlanBuilder,
}

/// Both directions in `mode`.
fn both(name: impl Into<String>, mode: DirectionMode, request: Act, response: Act) -> Entry {
    entry(name, ProcessingMode::both(mode), request, response)
}

fn entry(name: impl Into<String>, mode: ProcessingMode, request: Act, response: Act) -> Entry {
    let mut config = FilterConfig::new(mode);
    config.message_timeout = Some(PATIENCE);
    let plan = ExchangePlan::builder()
        .request("actor", move || Actor::new(request))
        .response("actor", move || Actor::new(response));
    Entry { name: name.into(), config, settings: SessionSettings::new(mode), plan }
}

impl Entry {
    fn settings(mut self, change: impl FnOnce(SessionSettings) -> SessionSettings) -> Self {
        self.settings = change(self.settings);
        self
    }

    fn config(mut self, change: impl FnOnce(&mut FilterConfig)) -> Self {
        change(&mut self.config);
        self
    }

    fn build(self) -> Served {
        self.build_with(|configuration| configuration)
    }

    fn build_with(self, change: impl FnOnce(Configuration) -> Configuration) -> Served {
        let Self { name, config, settings, plan } = self;
        config.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        let configuration = change(Configuration::of_entry(&*name, config.to_yaml(&name)));
        let plan = SessionPlan::new(plan.build().expect("a plan"), settings);
        let plan = plan.unwrap_or_else(|error| panic!("{name}: {error}"));
        Served::new(name, configuration, ExternalProcessor::new(plan))
    }
}

fn looks(mode: BodyMode, all: &mut Vec<Served>) {
    let act = if mode == BodyMode::None { Act::LookAtHeads } else { Act::Look };
    let direction = DirectionMode::new(mode);
    let look = |name: &str| {
        both(name, direction, act, act).settings(|settings| settings.max_whole_bytes(80 << 20))
    };
    all.push(look(&format!("look_{mode}")).build());
    let large = look(&format!("look_{mode}_large")).build_with(Configuration::large);
    all.push(large.untapped());
    let quiet = look(&format!("look_quiet_{mode}")).build();
    all.push(quiet.untapped());
    all.push(both(format!("edit_head_{mode}"), direction, Act::EditHead, Act::EditHead).build());
    all.push(both(format!("edit_hop_{mode}"), direction, Act::EditHop, Act::EditHop).build());
    let trailers = Act::EditTrailers;
    all.push(both(format!("trailers_{mode}"), direction, trailers, trailers).build());
}

/// What changes bodies, in the modes that can do it.
fn edits(mode: BodyMode, all: &mut Vec<Served>) {
    let direction = DirectionMode::new(mode);
    let pair = |name: &str, act| both(format!("{name}_{mode}"), direction, act, act);
    if mode == BodyMode::None {
        return;
    }
    all.push(pair("flip", Act::Flip).build());
    if mode == BodyMode::BufferedPartial {
        all.push(pair("peek", Act::Peek).build());
        return;
    }
    all.push(pair("double", Act::Double).build());
    all.push(pair("replace", Act::Replace).build());
    all.push(pair("clear", Act::Clear).build());
    all.push(both(format!("add_body_q_{mode}"), direction, Act::AddBody, Act::Look).build());
    all.push(both(format!("add_body_p_{mode}"), direction, Act::Look, Act::AddBody).build());
    let skip_heads = direction.with_headers(SendMode::Skip);
    let skipping = both(format!("skip_heads_{mode}"), skip_heads, Act::Flip, Act::Flip);
    all.push(
        skipping.config(|config| config.request_attributes = vec!["request.path".into()]).build(),
    );
    if mode == BodyMode::Streamed {
        let promise = Promise::NoTrailers;
        let gather = pair("gather", Act::Gather).settings(|it| it.promise(promise, promise));
        let timeout = Some(Duration::from_millis(300));
        all.push(gather.config(|config| config.message_timeout = timeout).build());
        return;
    }
    all.push(pair("gather", Act::Gather).build());
    all.push(pair("measure", Act::Measure).build());
}

/// Replies, failures and panics at each place that the mode shows.
fn stops(mode: BodyMode, all: &mut Vec<Served>) {
    let direction = DirectionMode::new(mode);
    let look = if mode == BodyMode::None { Act::LookAtHeads } else { Act::Look };
    let mut places = vec![("head", Place::Head)];
    if mode != BodyMode::None {
        places.extend([("first", FIRST), ("mid", MID), ("end", Place::End)]);
    }
    for (name, place) in places {
        for (what, act) in [
            ("reply", Act::ReplyAt(place)),
            ("fail", Act::FailAt(place)),
            ("panic", Act::PanicAt(place)),
        ] {
            all.push(both(format!("{what}_q_{name}_{mode}"), direction, act, look).build());
            all.push(both(format!("{what}_p_{name}_{mode}"), direction, look, act).build());
        }
        let open = both(format!("open_q_{name}_{mode}"), direction, Act::FailAt(place), look);
        all.push(open.config(|config| config.failure_mode_allow = true).build());
    }
}

fn special(all: &mut Vec<Served>) {
    let duplex = DirectionMode::full_duplex();
    let (streamed, buffered) = (DirectionMode::streamed(), DirectionMode::buffered());
    let heads = DirectionMode::heads_only();
    for mode in [streamed, buffered] {
        let name = format!("skip_trailers_{}", mode.body());
        let mode = mode.with_trailers(SendMode::Skip).expect("not full duplex");
        all.push(both(name, mode, Act::Flip, Act::Flip).build());
    }
    let large = both("flip_BUFFERED_large", buffered, Act::Flip, Act::Flip);
    all.push(large.build_with(Configuration::large));
    let partial = DirectionMode::buffered_partial();
    let small = both("flip_BUFFERED_PARTIAL_32k", partial, Act::Flip, Act::Flip);
    all.push(small.build_with(|it| it.with_buffer_bytes(32 << 10)));
    let nowait = both("nowait_STREAMED", streamed, Act::Flip, Act::Flip);
    let send = |config: &mut FilterConfig| {
        config.send_body_without_waiting_for_header_response = true;
    };
    all.push(nowait.config(send).build());
    all.push(both("end_q_FULL_DUPLEX_STREAMED", duplex, Act::EndAfter(150), Act::Look).build());
    let hold = both("hold_q_FULL_DUPLEX_STREAMED", duplex, Act::HoldForEver, Act::Look);
    all.push(hold.build_with(|it| it.with_idle_ms(700)));
    let held = Act::ReplyHolding;
    all.push(both("reply_held_p_FULL_DUPLEX_STREAMED", duplex, Act::Look, held).build());
    all.push(both("reply_held_q_FULL_DUPLEX_STREAMED", duplex, held, Act::Look).build());
    for (name, allow) in [("hold_q_BUFFERED", false), ("hold_open_q_BUFFERED", true)] {
        let late = both(name, buffered, Act::HoldForEver, Act::Look).config(|config| {
            config.message_timeout = Some(Duration::from_millis(300));
            config.failure_mode_allow = allow;
        });
        all.push(late.build());
    }
    for (name, allow) in [("no_replies", false), ("no_replies_open", true)] {
        let reply = both(name, buffered, Act::ReplyAt(Place::Head), Act::Look).config(|config| {
            config.disable_immediate_response = true;
            config.failure_mode_allow = allow;
        });
        all.push(reply.build());
    }
    all.push(observer(streamed));
    all.push(route(duplex));
    let attributes = both("attributes", heads, Act::ReadAttributes, Act::ReadAttributes);
    let attributes = attributes.config(|config| {
        config.request_attributes = vec!["request.path".into()];
        config.response_attributes = vec!["response.code".into()];
    });
    all.push(attributes.build());
    let only = DirectionMode::OFF.with_trailers(SendMode::Send).expect("not full duplex");
    let only = ProcessingMode::new(only, DirectionMode::OFF);
    let only = entry("only_trailers", only, Act::EditTrailers, Act::Nothing);
    all.push(only.config(|config| config.request_attributes = vec!["request.path".into()]).build());
    all.push(both("edit_line", heads, Act::EditLine, Act::EditLine).build());
}

fn observer(mode: DirectionMode) -> Served {
    let observe = both("observe_STREAMED", mode, Act::Look, Act::Look);
    let config = |config: &mut FilterConfig| {
        config.observability_mode = true;
        config.deferred_close_timeout = Some(Duration::from_secs(1));
    };
    observe.config(config).build()
}

/// Nothing in the main configuration, everything on the route.
fn route(mode: DirectionMode) -> Served {
    let mut overrides = RouteOverrides::default();
    overrides.processing_mode = Some(ProcessingMode::both(mode));
    let route = RouteConfig::Overrides(overrides);
    let mut entry = both("route_FULL_DUPLEX_STREAMED", mode, Act::Look, Act::Look);
    entry.config.processing_mode = ProcessingMode::both(DirectionMode::heads_only());
    entry.config.validate_route(&route).expect("a route");
    entry.build_with(|it| it.with_route_entry(route.to_yaml()))
}

/// Listeners whose processor nobody serves.
pub(crate) fn dead() -> Vec<Configuration> {
    let config = |change: fn(&mut FilterConfig)| {
        let mut config = FilterConfig::new(ProcessingMode::both(DirectionMode::streamed()));
        change(&mut config);
        config.to_yaml("nobody")
    };
    vec![
        Configuration::of_entry("dead", config(|_| {})),
        Configuration::of_entry("dead_open", config(|it| it.failure_mode_allow = true)),
        Configuration::of_entry(
            "dead_status",
            config(|it| it.status_on_error = Some(StatusCode::SERVICE_UNAVAILABLE)),
        ),
    ]
}
