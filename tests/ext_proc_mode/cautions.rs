//! What can be used and is to be known, and the edges of what cannot.

use std::time::Duration;

use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    AllowedMode, BodyMode, Caution, ConfigError, DirectionMode, FilterConfig, ProcessingMode,
    RouteCacheAction, RouteConfig, RouteOverrides, SendMode,
};

const HOUR: Duration = Duration::from_secs(3_600);
const BARELY: Duration = Duration::from_nanos(1);

fn changed(mode: ProcessingMode, change: impl Fn(&mut FilterConfig)) -> FilterConfig {
    let mut config = FilterConfig::new(mode);
    change(&mut config);
    config
}

fn cautions(mode: ProcessingMode, change: impl Fn(&mut FilterConfig)) -> Vec<Caution> {
    changed(mode, change).validate().expect("it can be used")
}

/// The fields that have no effect.
fn idle(mode: ProcessingMode, change: impl Fn(&mut FilterConfig)) -> Vec<&'static str> {
    let idle = cautions(mode, change).into_iter().filter_map(|caution| match caution {
        Caution::NoEffect { field, .. } => Some(field),
        _ => None,
    });
    idle.collect()
}

fn streamed() -> ProcessingMode {
    ProcessingMode::both(DirectionMode::streamed())
}

fn duplex() -> ProcessingMode {
    ProcessingMode::both(DirectionMode::full_duplex())
}

#[test]
fn our_defaults_need_no_caution() {
    for body in BodyMode::ALL {
        let mode = ProcessingMode::both(DirectionMode::new(body));
        assert_eq!(cautions(mode, |_| {}), [], "{body}");
    }
}

#[test]
fn each_caution_is_told_where_it_applies_and_not_elsewhere() {
    let none = |_: &mut FilterConfig| {};
    assert_eq!(cautions(ProcessingMode::OFF, none), [Caution::NothingShown]);
    let clear = |config: &mut FilterConfig| config.route_cache_action = RouteCacheAction::Clear;
    assert_eq!(cautions(streamed(), clear), [Caution::Reroutes]);
    let retain = |config: &mut FilterConfig| config.route_cache_action = RouteCacheAction::Retain;
    assert_eq!(cautions(streamed(), retain), []);
    let disable = |config: &mut FilterConfig| config.disable_immediate_response = true;
    assert_eq!(cautions(streamed(), disable), [Caution::LocalRepliesFail]);
    let allow = |config: &mut FilterConfig| config.failure_mode_allow = true;
    assert_eq!(cautions(streamed(), allow), []);
}

/// Nothing that an observer answers is looked at.
#[test]
fn an_observer_is_not_cautioned_about_its_answers() {
    let observed = |config: &mut FilterConfig| {
        config.observability_mode = true;
        config.failure_mode_allow = true;
        config.allow_content_length_header = true;
        config.disable_immediate_response = true;
        config.route_cache_action = RouteCacheAction::Clear;
    };
    assert_eq!(cautions(streamed(), observed), []);
}

/// P12: which modes have anything to keep.
#[test]
fn a_kept_length_is_cautioned_about_where_it_would_be_taken_away() {
    for body in BodyMode::ALL {
        let mode = ProcessingMode::new(DirectionMode::new(body), DirectionMode::heads_only());
        let told = cautions(mode, |config| config.allow_content_length_header = true);
        let expected = match body {
            BodyMode::None | BodyMode::Buffered => vec![],
            _ => vec![Caution::LengthKept { direction: Direction::Request, mode: body }],
        };
        assert_eq!(told, expected, "{body}");
    }
}

/// P21: there is no timer over full duplex, over what is not sent, and over observers.
#[test]
fn timeouts_that_no_timer_reads_are_told() {
    let both = |config: &mut FilterConfig| {
        config.message_timeout = Some(Duration::from_secs(1));
        config.max_message_timeout = Some(Duration::from_millis(500));
    };
    let unread = vec!["message_timeout", "max_message_timeout"];
    for (request, response, expected) in [
        (DirectionMode::full_duplex(), DirectionMode::full_duplex(), &unread[..]),
        (DirectionMode::full_duplex(), DirectionMode::OFF, &unread),
        (DirectionMode::full_duplex(), DirectionMode::heads_only(), &[]),
        (DirectionMode::OFF, DirectionMode::buffered(), &[]),
        (DirectionMode::OFF, trailers_only(), &[]),
    ] {
        let mode = ProcessingMode::new(request, response);
        assert_eq!(idle(mode, both), expected, "{mode:?}");
        let shortens = cautions(mode, both).contains(&Caution::OnlyShortened);
        assert_eq!(shortens, expected.is_empty(), "{mode:?}");
    }
    let observed = |config: &mut FilterConfig| {
        both(config);
        config.observability_mode = true;
    };
    assert_eq!(idle(streamed(), observed), unread);
}

fn trailers_only() -> DirectionMode {
    DirectionMode::heads_only().with_headers(SendMode::Skip)
}

/// Against Envoy's own default, where the configuration has none.
#[test]
fn a_maximum_below_the_timeout_only_shortens() {
    for (millis, shortens) in [(199, true), (200, false), (201, false)] {
        let told = cautions(streamed(), |config| {
            config.max_message_timeout = Some(Duration::from_millis(millis));
        });
        assert_eq!(told.contains(&Caution::OnlyShortened), shortens, "{millis} ms");
    }
}

#[test]
fn timeouts_have_edges() {
    let verdict = |timeout, max| {
        let config = changed(streamed(), |config| {
            config.message_timeout = timeout;
            config.max_message_timeout = max;
        });
        config.validate().map(drop)
    };
    let too_long = |field| Err(ConfigError::TooLong { field, timeout: HOUR + BARELY });
    assert_eq!(verdict(Some(HOUR), Some(HOUR)), Ok(()));
    assert_eq!(verdict(Some(HOUR + BARELY), None), too_long("message_timeout"));
    assert_eq!(verdict(None, Some(HOUR + BARELY)), too_long("max_message_timeout"));
    let millisecond = Duration::from_millis(1);
    assert_eq!(verdict(Some(millisecond), None), Ok(()));
    let timeout = millisecond - BARELY;
    assert_eq!(verdict(Some(timeout), None), Err(ConfigError::FiresAtOnce { timeout }));
}

/// P17.
#[test]
fn overrides_that_can_never_take_effect_are_told() {
    let allow = |config: &mut FilterConfig| {
        config.allow_mode_override = true;
        config.stand_alone_override = true;
        config.allowed_override_modes = vec![AllowedMode::new(streamed())];
    };
    assert_eq!(idle(streamed(), allow), [""; 0]);
    assert_eq!(idle(duplex(), allow), ["allow_mode_override"]);
    let without_waiting = |config: &mut FilterConfig| {
        allow(config);
        config.send_body_without_waiting_for_header_response = true;
    };
    assert_eq!(idle(streamed(), without_waiting), ["allow_mode_override"]);
    let observed = |config: &mut FilterConfig| {
        allow(config);
        config.observability_mode = true;
    };
    assert_eq!(idle(streamed(), observed), ["allow_mode_override"]);
    let forbidden = |config: &mut FilterConfig| {
        allow(config);
        config.allow_mode_override = false;
    };
    let unused = ["allowed_override_modes", "stand_alone_override"];
    assert_eq!(idle(streamed(), forbidden), unused);
}

/// One place validates: what is told of a filter is told of a route.
#[test]
fn a_route_is_held_to_what_is_in_force_on_it() {
    let route = |mode, allow| {
        let mut overrides = RouteOverrides::default();
        overrides.processing_mode = mode;
        overrides.failure_mode_allow = allow;
        RouteConfig::Overrides(overrides)
    };
    let config = changed(streamed(), |config| {
        config.allow_mode_override = true;
        config.failure_mode_allow = true;
    });
    let open = |direction| Caution::FailOpenEndsWithBody { direction };
    let told = config.validate_route(&route(Some(duplex()), None)).expect("usable");
    assert_eq!(told[..2], [open(Direction::Request), open(Direction::Response)]);
    assert!(matches!(told[2..], [Caution::NoEffect { field: "allow_mode_override", .. }]));
    let closed = config.validate_route(&route(Some(duplex()), Some(false))).expect("usable");
    assert_eq!(closed, told[2..]);
    assert_eq!(config.validate_route(&route(None, None)), Ok(Vec::new()));
    assert_eq!(config.validate_route(&RouteConfig::Disabled), Ok(Vec::new()));

    let observer = changed(streamed(), |config| config.observability_mode = true);
    let error = observer.validate_route(&route(Some(duplex()), None));
    let expected = ConfigError::NotObserved {
        direction: Direction::Request,
        mode: BodyMode::FullDuplexStreamed,
    };
    assert_eq!(error, Err(expected));
}

#[test]
fn the_mode_on_a_route_is_its_own_or_none_at_all() {
    let config = FilterConfig::new(streamed());
    assert_eq!(config.mode_on(&RouteConfig::Disabled), ProcessingMode::OFF);
    let nothing = RouteConfig::Overrides(RouteOverrides::default());
    assert_eq!(config.mode_on(&nothing), streamed());
}

#[test]
fn attributes_of_either_direction_are_checked() {
    for is_request in [true, false] {
        let config = changed(streamed(), |config| {
            let list = if is_request {
                &mut config.request_attributes
            } else {
                &mut config.response_attributes
            };
            list.push("1 + 1".to_owned());
        });
        let field = if is_request { "request_attributes" } else { "response_attributes" };
        let error = config.validate().expect_err("no name");
        assert_eq!(error, ConfigError::Attribute { field, attribute: "1 + 1".to_owned() });
    }
}

/// Of Envoy's `type.v3.StatusCode`, the errors; it refuses all others, or sends 500 for them.
#[test]
fn a_failure_is_answered_with_an_error_that_envoy_defines() {
    let with = |code: u16| {
        let status = http::StatusCode::from_u16(code).expect("a status");
        let config = changed(streamed(), |config| config.status_on_error = Some(status));
        (config.validate(), status)
    };
    for code in [400, 417, 421, 424, 426, 428, 429, 431, 500, 503, 508, 510, 511] {
        assert_eq!(with(code).0, Ok(Vec::new()), "{code}");
    }
    for code in [200, 399, 418, 420, 425, 427, 430, 432, 499, 509, 512, 599] {
        let (verdict, status) = with(code);
        assert_eq!(verdict, Err(ConfigError::StatusOnError { status }));
    }
}
