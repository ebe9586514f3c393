//! Values that cannot be wrong.

use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    AllowedMode, BodyMode, DirectionMode, Disagreement, ModeError, ModeField, ProcessingMode,
    SendMode,
};

const SKIP: SendMode = SendMode::Skip;
const SEND: SendMode = SendMode::Send;
const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Response];

/// Every mode of one direction that can be made.
pub(crate) fn every_direction_mode() -> Vec<DirectionMode> {
    let mut all = Vec::new();
    for body in BodyMode::ALL {
        for headers in [SEND, SKIP] {
            for trailers in [SEND, SKIP] {
                let mode = DirectionMode::new(body).with_headers(headers);
                all.extend(mode.with_trailers(trailers));
            }
        }
    }
    all
}

#[test]
fn full_duplex_is_never_without_its_trailers() {
    // 5 body modes, with and without heads and trailers, less the two that contradict themselves.
    let modes = every_direction_mode();
    assert_eq!(modes.len(), 5 * 4 - 2);
    for mode in modes {
        let duplex = mode.with_body(BodyMode::FullDuplexStreamed);
        assert_eq!(duplex.trailers(), SEND, "from {mode:?}");
        assert_eq!(duplex.headers(), mode.headers(), "from {mode:?}");
        let error = duplex.with_trailers(SKIP).expect_err("a contradiction");
        assert_eq!(error, ModeError::TrailersSkipped { direction: None });
        for field in ["request_trailer_mode", "response_trailer_mode"] {
            assert!(error.to_string().contains(field), "{error}");
        }
    }
}

#[test]
fn every_body_mode_sends_its_trailers_unless_told_otherwise() {
    for body in BodyMode::ALL {
        assert_eq!(DirectionMode::new(body).trailers(), SEND);
        assert_eq!(DirectionMode::new(body).headers(), SEND);
    }
    let named = [
        DirectionMode::heads_only(),
        DirectionMode::streamed(),
        DirectionMode::buffered(),
        DirectionMode::buffered_partial(),
        DirectionMode::full_duplex(),
    ];
    assert_eq!(named, BodyMode::ALL.map(DirectionMode::new));
}

#[test]
fn the_numbers_of_a_mode_mean_the_mode() {
    for request in every_direction_mode() {
        for response in every_direction_mode() {
            let mode = ProcessingMode::new(request, response);
            assert!(!mode.numbers()[..2].contains(&0) && !mode.numbers()[4..].contains(&0));
            assert_eq!(ProcessingMode::from_numbers(mode.numbers()), Ok(mode));
        }
    }
}

/// Section 2.1: heads are sent by default, trailers are not.
#[test]
fn default_means_one_thing_for_heads_and_another_for_trailers() {
    let mode = ProcessingMode::from_numbers([0; 6]).expect("headers only");
    for direction in DIRECTIONS {
        let expected = DirectionMode::heads_only().with_trailers(SKIP).expect("not full duplex");
        assert_eq!(mode.of(direction), expected);
    }
}

#[test]
fn numbers_that_mean_nothing_are_refused_by_the_name_of_their_field() {
    for field in ModeField::ALL {
        let undefined = if field.is_body() { [-1, 6, i32::MAX] } else { [-1, 3, i32::MIN] };
        for number in undefined {
            let mut numbers = [1, 1, 0, 0, 1, 1];
            let at = ModeField::ALL.iter().position(|each| *each == field).expect("one of all");
            numbers[at] = number;
            let error = ProcessingMode::from_numbers(numbers).expect_err("undefined");
            assert_eq!(error, ModeError::Undefined { field, number });
            assert!(error.to_string().starts_with(field.name()), "{error}");
            assert_eq!(AllowedMode::from_numbers(numbers), Err(error));
        }
    }
}

/// P37.
#[test]
fn grpc_is_refused_with_its_reason() {
    for (at, field) in [(2, ModeField::RequestBody), (3, ModeField::ResponseBody)] {
        let mut numbers = [1, 1, 0, 0, 1, 1];
        numbers[at] = 5;
        let error = ProcessingMode::from_numbers(numbers).expect_err("GRPC");
        assert_eq!(error, ModeError::Grpc { field });
        assert!(error.to_string().contains("does not implement it"), "{error}");
    }
}

#[test]
fn what_is_announced_counts_and_the_difference_is_told() {
    let stated = ProcessingMode::both(DirectionMode::streamed());
    let announced = stated.announced(4, 1).expect("trailers are sent");
    assert_eq!(announced.mode().request, DirectionMode::full_duplex());
    assert_eq!(announced.mode().response, DirectionMode::streamed());
    let disagreements: Vec<Disagreement> = announced.disagreements().collect();
    let [disagreement] = disagreements[..] else { panic!("{disagreements:?}") };
    assert_eq!(disagreement.direction, Direction::Request);
    assert_eq!(disagreement.stated, BodyMode::Streamed);
    assert_eq!(disagreement.announced, BodyMode::FullDuplexStreamed);

    let agreed = stated.announced(1, 1).expect("the same");
    assert_eq!((agreed.mode(), agreed.disagreements().count()), (stated, 0));
}

/// P1: the header and trailer modes are not announced. If they are stated to contradict what is,
/// nobody knows where a message ends.
#[test]
fn full_duplex_that_is_announced_where_trailers_are_skipped_is_refused() {
    for direction in DIRECTIONS {
        let skipped = DirectionMode::heads_only().with_trailers(SKIP).expect("not full duplex");
        let stated = ProcessingMode::both(DirectionMode::heads_only()).with(direction, skipped);
        let error = stated.announced(4, 4).expect_err("trailers are skipped");
        assert_eq!(error, ModeError::TrailersSkipped { direction: Some(direction) });
        assert!(stated.announced(2, 2).is_ok());
    }
}

#[test]
fn a_trailer_mode_is_changed_for_one_direction() {
    let mode = ProcessingMode::both(DirectionMode::streamed());
    for direction in DIRECTIONS {
        let changed = mode.with_trailers(direction, SKIP).expect("not full duplex");
        for each in DIRECTIONS {
            let expected = if each == direction { SKIP } else { SEND };
            assert_eq!(changed.of(each).trailers(), expected);
        }
        let duplex = ProcessingMode::both(DirectionMode::full_duplex());
        let error = duplex.with_trailers(direction, SKIP).expect_err("a contradiction");
        assert_eq!(error, ModeError::TrailersSkipped { direction: Some(direction) });
    }
}
