//! Overrides: what they say, when they can take effect, and what Envoy makes of them.
//!
//! Envoy's part is a model of what is known of 1.40.0 (section 2.4), on the raw numbers of the
//! messages, so that it shares nothing with what it checks.

use proptest::prelude::*;
use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    AllowedMode, BodyMode, ConfigError, DirectionMode, FilterConfig, ModeOverride, OverrideMoment,
    OverrideRefusal, ProcessingMode, SendMode,
};

use crate::modes::every_direction_mode;

const BODY_FIELDS: [usize; 2] = [2, 3];
const FULL_DUPLEX: i32 = 4;
const REQUEST_HEAD: OverrideMoment = OverrideMoment::WithHeadersAnswer(Direction::Request);
const RESPONSE_HEAD: OverrideMoment = OverrideMoment::WithHeadersAnswer(Direction::Response);

/// Envoy's configuration, as far as it bears on overrides.
#[derive(Debug, Clone)]
struct Envoy {
    configured: [i32; 6],
    allowed: Vec<[i32; 6]>,
    allow_mode_override: bool,
    send_body_without_waiting: bool,
}

impl Envoy {
    /// The mode that a `mode_override` with an answer to a head makes; `None` if it is ignored.
    fn apply(&self, sent: [i32; 6]) -> Option<[i32; 6]> {
        let is_duplex = BODY_FIELDS.iter().any(|&field| self.configured[field] == FULL_DUPLEX);
        if !self.allow_mode_override || self.send_body_without_waiting || is_duplex {
            return None;
        }
        let merged: [i32; 6] = core::array::from_fn(|field| {
            let falls_back = !BODY_FIELDS.contains(&field) && sent[field] == 0;
            if falls_back { self.configured[field] } else { sent[field] }
        });
        let is_listed = |entry: &[i32; 6]| entry[1..] == merged[1..];
        (self.allowed.is_empty() || self.allowed.iter().any(is_listed)).then_some(merged)
    }

    /// The same configuration as a value of ours, if its mode is one that we can write.
    fn ours(&self) -> Option<FilterConfig> {
        let mut config = FilterConfig::new(ProcessingMode::from_numbers(self.configured).ok()?);
        config.allow_mode_override = self.allow_mode_override;
        config.send_body_without_waiting_for_header_response = self.send_body_without_waiting;
        let entries = self.allowed.iter().map(|entry| AllowedMode::from_numbers(*entry));
        config.allowed_override_modes = entries.collect::<Result<_, _>>().ok()?;
        Some(config)
    }
}

fn numbers() -> impl Strategy<Value = [i32; 6]> {
    let send = || 0..=2i32;
    (send(), send(), 0..=4i32, 0..=4i32, send(), send())
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f])
        .prop_filter("a mode", |numbers| ProcessingMode::from_numbers(*numbers).is_ok())
}

fn direction_mode() -> impl Strategy<Value = DirectionMode> {
    proptest::sample::select(every_direction_mode())
}

fn processing_mode() -> impl Strategy<Value = ProcessingMode> {
    (direction_mode(), direction_mode())
        .prop_map(|(request, response)| ProcessingMode::new(request, response))
}

fn envoy() -> impl Strategy<Value = Envoy> {
    let lists = proptest::collection::vec(numbers(), 0..4);
    (numbers(), lists, any::<bool>(), any::<bool>()).prop_map(
        |(configured, allowed, allow_mode_override, send_body_without_waiting)| Envoy {
            configured,
            allowed,
            allow_mode_override,
            send_body_without_waiting,
        },
    )
}

/// What `current` becomes, and the direction that is changed.
fn change(current: ProcessingMode) -> impl Strategy<Value = (ModeOverride, Direction)> {
    let wanted = ModeOverride::new(current);
    prop_oneof![
        direction_mode().prop_map(move |mode| (wanted.request(mode), Direction::Request)),
        direction_mode().prop_map(move |mode| (wanted.response(mode), Direction::Response)),
    ]
}

fn other(direction: Direction) -> Direction {
    match direction {
        Direction::Request => Direction::Response,
        Direction::Response => Direction::Request,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// P16: whatever Envoy is configured with, since a route or an override before may have set
    /// what is in force.
    #[test]
    fn changing_one_direction_leaves_the_other_as_it_is(
        (current, (wanted, changed)) in processing_mode()
            .prop_flat_map(|current| (Just(current), change(current))),
        mut envoy in envoy(),
    ) {
        envoy.allow_mode_override = true;
        envoy.allowed.clear();
        if let Some(merged) = envoy.apply(wanted.numbers()) {
            let made = ProcessingMode::from_numbers(merged).expect("a mode");
            let other = other(changed);
            prop_assert_eq!(made.of(other), current.of(other));
            prop_assert_eq!(made, wanted.mode());
        }
    }

    /// P17, P19: what we send, Envoy acts by; what we keep back for what its configuration says, it
    /// would have ignored.
    #[test]
    fn what_is_sent_takes_effect_and_what_is_ignored_is_not_sent(
        mut envoy in envoy(),
        (current, (wanted, _)) in processing_mode()
            .prop_flat_map(|current| (Just(current), change(current))),
        near in proptest::option::of((0..6usize, 0..=2i32)),
    ) {
        if let Some((field, number)) = near {
            // An entry that differs in one field at most.
            let mut entry = wanted.numbers();
            entry[field] = number;
            envoy.allowed.push(entry);
        }
        let Some(config) = envoy.ours() else { return Ok(()) };
        let applied = envoy.apply(wanted.numbers());
        for moment in [REQUEST_HEAD, RESPONSE_HEAD] {
            match config.check_override(current, wanted, moment) {
                Ok(()) => {
                    let merged = applied.expect("Envoy acts by it");
                    prop_assert_eq!(ProcessingMode::from_numbers(merged), Ok(wanted.mode()));
                }
                Err(OverrideRefusal::NotAllowed | OverrideRefusal::SentWithoutWaiting) => {
                    prop_assert_eq!(applied, None);
                }
                // The list is asked last, so that nothing else was in the way.
                Err(OverrideRefusal::NotListed) => prop_assert_eq!(applied, None),
                Err(_) => {}
            }
        }
    }

    /// P19: an entry that says DEFAULT for a compared header or trailer mode matches nothing that
    /// we send, and the configuration is refused for it.
    #[test]
    fn an_entry_that_can_never_match_is_refused(
        entry in numbers(),
        current in processing_mode(),
        request in direction_mode(),
        response in direction_mode(),
    ) {
        let wanted = ModeOverride::new(current).request(request).response(response);
        let envoy = Envoy {
            configured: ProcessingMode::default().numbers(),
            allowed: vec![entry],
            allow_mode_override: true,
            send_body_without_waiting: false,
        };
        let config = envoy.ours().expect("modes");
        match config.validate() {
            Err(ConfigError::NeverMatches { entry: 0, field }) => {
                prop_assert!(!field.is_body());
                prop_assert_eq!(envoy.apply(wanted.numbers()), None);
            }
            valid => {
                prop_assert!(valid.is_ok(), "{:?}", valid);
                // There is an override that it allows.
                let allowed = ProcessingMode::from_numbers(entry).expect("a mode");
                let reach = ModeOverride::new(ProcessingMode::default())
                    .request(allowed.request)
                    .response(allowed.response);
                prop_assert!(envoy.apply(reach.numbers()).is_some());
            }
        }
    }
}

fn overriding(mode: ProcessingMode) -> FilterConfig {
    let mut config = FilterConfig::new(mode);
    config.allow_mode_override = true;
    config
}

#[test]
fn an_override_goes_with_the_answer_to_a_head_or_not_at_all() {
    let current = ProcessingMode::default();
    let config = overriding(current);
    let wanted = ModeOverride::new(current).response(DirectionMode::buffered());
    assert_eq!(config.check_override(current, wanted, REQUEST_HEAD), Ok(()));
    assert_eq!(config.check_override(current, wanted, RESPONSE_HEAD), Ok(()));
    let late = config.check_override(current, wanted, OverrideMoment::Later);
    assert_eq!(late, Err(OverrideRefusal::TooLate));

    let headless =
        current.with(Direction::Response, DirectionMode::heads_only().with_headers(SendMode::Skip));
    let skipped = config.check_override(headless, wanted, RESPONSE_HEAD);
    assert_eq!(skipped, Err(OverrideRefusal::HeadersSkipped { direction: Direction::Response }));
}

#[test]
fn the_request_is_not_changed_at_the_head_of_the_response() {
    let current = ProcessingMode::both(DirectionMode::streamed());
    let wanted = ModeOverride::new(current).request(DirectionMode::heads_only());
    let config = overriding(current);
    assert_eq!(config.check_override(current, wanted, REQUEST_HEAD), Ok(()));
    let under_way = config.check_override(current, wanted, RESPONSE_HEAD);
    assert_eq!(under_way, Err(OverrideRefusal::RequestUnderWay));
}

/// P17: by the configuration, and by a route of which Envoy's check knows nothing.
#[test]
fn nothing_leads_back_from_full_duplex() {
    let duplex = ProcessingMode::default().with(Direction::Response, DirectionMode::full_duplex());
    let wanted = ModeOverride::new(duplex).response(DirectionMode::heads_only());
    let refused = Err(OverrideRefusal::Duplex { direction: Direction::Response });
    assert_eq!(overriding(duplex).check_override(duplex, wanted, REQUEST_HEAD), refused);
    let on_route = overriding(ProcessingMode::default());
    assert_eq!(on_route.check_override(duplex, wanted, REQUEST_HEAD), refused);
}

#[test]
fn an_override_by_itself_needs_a_data_plane_that_is_said_to_know_it() {
    let current = ProcessingMode::default();
    let mut config = overriding(current);
    let to_duplex = ModeOverride::new(current).request(DirectionMode::full_duplex());
    let unknown = config.check_override(current, to_duplex, OverrideMoment::StandAlone);
    assert_eq!(unknown, Err(OverrideRefusal::StandAloneUnknown));
    config.stand_alone_override = true;
    let known = config.check_override(current, to_duplex, OverrideMoment::StandAlone);
    assert_eq!(known, Ok(()));
    for body in BodyMode::ALL.into_iter().filter(|body| *body != BodyMode::FullDuplexStreamed) {
        let wanted = ModeOverride::new(current).request(DirectionMode::new(body));
        let refused = config.check_override(current, wanted, OverrideMoment::StandAlone);
        assert_eq!(refused, Err(OverrideRefusal::StandAloneNotDuplex), "{body}");
    }
}

#[test]
fn an_observer_overrides_nothing() {
    let current = ProcessingMode::default();
    let mut config = overriding(current);
    config.observability_mode = true;
    let wanted = ModeOverride::new(current).request(DirectionMode::streamed());
    let refused = config.check_override(current, wanted, REQUEST_HEAD);
    assert_eq!(refused, Err(OverrideRefusal::Observed));
}

/// One place validates: what an override makes is held to the same rules as what is configured.
#[test]
fn what_an_override_makes_is_validated_as_what_is_configured() {
    let current = ProcessingMode::default();
    let mut config = overriding(current);
    config.status_on_error = Some(http::StatusCode::OK);
    let wanted = ModeOverride::new(current).request(DirectionMode::streamed());
    let error = config.validate().expect_err("200 is no error");
    let refused = config.check_override(current, wanted, REQUEST_HEAD);
    assert_eq!(refused, Err(OverrideRefusal::Invalid(error)));
}

#[test]
fn the_header_mode_of_the_request_is_not_compared() {
    let mode = ProcessingMode::default();
    for (field, is_compared) in [false, true, true, true, true, true].into_iter().enumerate() {
        let mut numbers = mode.numbers();
        numbers[field] = if numbers[field] == 2 { 1 } else { 2 };
        let entry = AllowedMode::from_numbers(numbers).expect("a mode");
        assert_eq!(entry.allows(mode), !is_compared, "field {field}");
    }
}

#[test]
fn the_header_mode_of_the_request_is_not_changed() {
    let current = ProcessingMode::default();
    let wanted = ModeOverride::new(current).request(DirectionMode::OFF);
    assert_eq!(wanted.mode().request.headers(), SendMode::Send);
    assert_eq!(wanted.mode().request.trailers(), SendMode::Skip);
}
