//! Every processor of these tests that is made with the crate.

use std::time::Duration;

use http::StatusCode;
use tidegate::exchange::{ExchangePlan, ExchangePlanBuilder};
use tidegate::ext_proc::mode::{
    AllowedMode, BodyMode, DirectionMode, FilterConfig, ProcessingMode, Promise, RouteConfig,
    RouteOverrides, SendMode,
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
    /// What the configuration does not say.
    settings: fn(SessionSettings) -> SessionSettings,
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
    Entry { name: name.into(), config, settings: |settings| settings, plan }
}

impl Entry {
    fn settings(self, settings: fn(SessionSettings) -> SessionSettings) -> Self {
        Self { settings, ..self }
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
        let settings = settings(SessionSettings::of(&config));
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
        let promise = |it: SessionSettings| it.promise(Promise::NoTrailers, Promise::NoTrailers);
        let gather = pair("gather", Act::Gather).settings(promise);
        let timeout = Some(Duration::from_secs(1));
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
    let (hold, look) = (Act::HoldModestly, Act::Look);
    all.push(both("hold_modestly_FULL_DUPLEX_STREAMED", duplex, hold, look).build().untapped());
    let promise = |it: SessionSettings| it.promise(Promise::NoTrailers, Promise::Nothing);
    let hold = both("hold_modestly_STREAMED", streamed, hold, look).settings(promise);
    all.push(hold.build().untapped());
    let more = both("more_time", buffered, Act::HoldFor(1500), look).config(|config| {
        config.message_timeout = Some(Duration::from_millis(500));
        config.max_message_timeout = Some(Duration::from_secs(10));
    });
    all.push(more.settings(|it| it.more_time(Duration::from_secs(8))).build());
    for mode in BodyMode::ALL {
        let act = if mode == BodyMode::None { Act::LookAtHeads } else { Act::Look };
        all.push(both(format!("ends_{mode}"), DirectionMode::new(mode), act, act).build());
    }
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
    let kept = both("keep_length_STREAMED", streamed, Act::Flip, Act::Flip);
    all.push(kept.config(|config| config.allow_content_length_header = true).build());
    let odd = both("reply_100", heads, Act::ReplyStatus(100), Act::LookAtHeads);
    all.push(odd.build());
    for (name, is_error) in [("rules", false), ("rules_error", true)] {
        let edit = both(name, heads, Act::EditHead, Act::EditHead).config(|config| {
            config.mutation_rules.disallow_all = true;
            config.mutation_rules.disallow_is_error = is_error;
        });
        all.push(edit.build());
    }
    chains(all);
    overrides(all);
}

/// Two processors, one behind the other.
fn chains(all: &mut Vec<Served>) {
    let modes = [BodyMode::Streamed, BodyMode::Buffered, BodyMode::FullDuplexStreamed];
    for (first, second) in modes.iter().flat_map(|&a| modes.map(|b| (a, b))) {
        let mut config = FilterConfig::new(ProcessingMode::both(DirectionMode::new(second)));
        config.message_timeout = Some(PATIENCE);
        let second = config.to_yaml(&format!("look_{second}"));
        let name = format!("chain_{}", all.len());
        let entry = both(name, DirectionMode::new(first), Act::Flip, Act::Flip);
        all.push(entry.build_with(|it| it.with_second(&second)));
    }
}

/// The processors whose plans ask for another mode than the configured one.
fn overrides(all: &mut Vec<Served>) {
    let heads = DirectionMode::heads_only();
    let allow = |config: &mut FilterConfig| config.allow_mode_override = true;
    for mode in [BodyMode::Streamed, BodyMode::Buffered, BodyMode::FullDuplexStreamed] {
        let choose: fn(SessionSettings) -> SessionSettings = match mode {
            BodyMode::Streamed => |it| it.choose_mode(|_, _| choose(BodyMode::Streamed)),
            BodyMode::Buffered => |it| it.choose_mode(|_, _| choose(BodyMode::Buffered)),
            _ => |it| it.choose_mode(|_, _| choose(BodyMode::FullDuplexStreamed)),
        };
        let entry = both(format!("override_to_{mode}"), heads, Act::Flip, Act::Flip);
        all.push(entry.config(allow).settings(choose).build());
    }
    // Of the request alone; the response stays buffered.
    let response = DirectionMode::buffered();
    let one = ProcessingMode::new(heads, response);
    let one = entry("override_request", one, Act::Flip, Act::Flip).config(allow);
    let request = |it: SessionSettings| {
        it.choose_mode(|_, mode| {
            Some(ProcessingMode { request: DirectionMode::streamed(), ..mode })
        })
    };
    all.push(one.settings(request).build());
    let no_head = |it: SessionSettings| {
        it.choose_mode(|_, mode| {
            let response = mode.response.with_headers(SendMode::Skip);
            Some(ProcessingMode { response, ..mode })
        })
    };
    let skip = both("override_skip_response", heads, Act::LookAtHeads, Act::Nothing);
    all.push(skip.config(allow).settings(no_head).build());
    let refused: fn(SessionSettings) -> SessionSettings =
        |it| it.choose_mode(|_, _| choose(BodyMode::Buffered));
    // Ours are not sent where they would be ignored: the stated mode stays.
    let not = both("override_not_allowed", heads, Act::LookAtHeads, Act::LookAtHeads);
    all.push(not.settings(refused).build());
    let other = both("override_not_listed", heads, Act::LookAtHeads, Act::LookAtHeads);
    let other = other.config(|it| {
        it.allow_mode_override = true;
        let other = ProcessingMode::both(DirectionMode::streamed());
        it.allowed_override_modes = vec![AllowedMode::new(other)];
    });
    all.push(other.settings(refused).build());
    let listed = both("override_listed", heads, Act::Flip, Act::Flip).config(|it| {
        it.allow_mode_override = true;
        let this = ProcessingMode::both(DirectionMode::buffered());
        it.allowed_override_modes = vec![AllowedMode::new(this)];
    });
    all.push(listed.settings(refused).build());
    let duplex = DirectionMode::full_duplex();
    let from = both("override_from_duplex", duplex, Act::Flip, Act::Flip).config(allow);
    all.push(from.settings(refused).build());
    // The head is held for the body: the override cannot wait for the answer to it.
    let alone = both("override_alone", heads, Act::Measure, Act::Measure).config(|it| {
        it.allow_mode_override = true;
        it.stand_alone_override = true;
    });
    let to_duplex: fn(SessionSettings) -> SessionSettings =
        |it| it.choose_mode(|_, _| choose(BodyMode::FullDuplexStreamed));
    all.push(alone.settings(to_duplex).build());
    let add = both("override_add_body", heads, Act::AddBody, Act::Flip).config(allow);
    all.push(add.settings(refused).build());
}

fn choose(mode: BodyMode) -> Option<ProcessingMode> {
    Some(ProcessingMode::both(DirectionMode::new(mode)))
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
    let stated = both("route_FULL_DUPLEX_STREAMED", mode, Act::Look, Act::Look);
    let main = FilterConfig::new(ProcessingMode::both(DirectionMode::heads_only()));
    main.validate_route(&route).expect("a route");
    let name = stated.name.clone();
    let main = Configuration::of_entry(&*name, main.to_yaml(&name));
    stated.build_with(|_| main.with_route_entry(route.to_yaml()))
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
