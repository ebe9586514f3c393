use bytes::Bytes;

use super::super::{Ledger, Owes, Received};
use super::{BufferedPen, DuplexPen, StreamedPen};
use crate::exchange::Direction;
use crate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use crate::ext_proc::wire::{HeaderMutation, Part, Reply, ReplyBody};

const HEADERS: Received = Received::Headers { end_of_stream: false };
const LAST_HEADERS: Received = Received::Headers { end_of_stream: true };
const BODY: Received = Received::Body { end_of_stream: false };
const LAST_BODY: Received = Received::Body { end_of_stream: true };
const TRAILERS: Received = Received::Trailers;

const REQUEST: Direction = Direction::Request;

fn mutation() -> HeaderMutation {
    let mut mutation = HeaderMutation::new();
    mutation.set("a", "b");
    mutation
}

fn text() -> ReplyBody {
    Bytes::from_static(b"x").into()
}

/// A stream of which this has come, and whose head has been answered, if more than a head came.
fn ledger(body: BodyMode, direction: Direction, received: &[Received]) -> Ledger {
    let mut ledger = Ledger::new(ProcessingMode::both(DirectionMode::new(body)));
    for (nth, &each) in received.iter().enumerate() {
        if nth == 1 {
            let Owes::Headers(pen) = ledger.owes(direction) else { panic!("headers are owed") };
            drop(pen.answer(HeaderMutation::new()));
        }
        ledger.receive(direction, each).expect("what Envoy sends");
    }
    ledger
}

/// What `ask` says of the pen of a stream of which this has come.
macro_rules! asked {
    ($owes:ident, $mode:ident, $received:expr, $ask:expr) => {{
        let mut ledger = ledger(BodyMode::$mode, REQUEST, &$received);
        let Owes::$owes(pen) = ledger.owes(REQUEST) else { panic!("another pen") };
        $ask(&pen)
    }};
}

#[test]
fn a_buffered_body_ends_the_message_if_it_says_so_and_not_if_trailers_came() {
    let ends = |pen: &BufferedPen<'_>| pen.ends();
    assert!(asked!(Buffered, Buffered, [HEADERS, LAST_BODY], ends));
    assert!(!asked!(Buffered, Buffered, [HEADERS, BODY], ends));
    assert!(!asked!(Buffered, BufferedPartial, [HEADERS, BODY, TRAILERS], ends));
}

#[test]
fn a_full_duplex_body_has_ended_once_its_last_message_came() {
    let has_ended = |pen: &DuplexPen<'_>| pen.has_ended();
    assert!(!asked!(Duplex, FullDuplexStreamed, [HEADERS, BODY], has_ended));
    assert!(asked!(Duplex, FullDuplexStreamed, [HEADERS, BODY, LAST_BODY], has_ended));
}

#[test]
fn only_the_last_owed_answer_of_streamed_is_at_the_end() {
    // How many are owed, whether it is the end, whether trailers follow it.
    let said =
        |pen: &StreamedPen<'_>| (pen.owed_messages().get(), pen.ends(), pen.is_before_trailers());
    assert_eq!(asked!(Streamed, Streamed, [HEADERS, BODY], said), (1, false, false));
    assert_eq!(asked!(Streamed, Streamed, [HEADERS, BODY, BODY], said), (2, false, false));
    assert_eq!(asked!(Streamed, Streamed, [HEADERS, LAST_BODY], said), (1, true, false));
    assert_eq!(asked!(Streamed, Streamed, [HEADERS, BODY, LAST_BODY], said), (2, false, false));
    assert_eq!(asked!(Streamed, Streamed, [HEADERS, BODY, TRAILERS], said), (1, false, true));
    let three = [HEADERS, BODY, BODY, BODY, TRAILERS];
    assert_eq!(asked!(Streamed, Streamed, three, said), (3, false, false));
}

/// Every pen that can ask for another route writes what it was told, with `mutation`.
fn answers(direction: Direction, asks: bool, mutation: &HeaderMutation) -> Vec<Reply> {
    let copy = || if mutation.is_empty() { HeaderMutation::new() } else { self::mutation() };
    let mut replies = Vec::new();

    let mut head = ledger(BodyMode::None, direction, &[LAST_HEADERS]);
    let Owes::Headers(pen) = head.owes(direction) else { panic!("headers are owed") };
    let pen = if asks { pen.clear_route_cache() } else { pen };
    replies.push(pen.ended().expect("the head is all").replace(copy(), text()));

    let mut body = ledger(BodyMode::Buffered, direction, &[HEADERS, LAST_BODY]);
    let Owes::Buffered(pen) = body.owes(direction) else { panic!("a body is owed") };
    let pen = if asks { pen.clear_route_cache() } else { pen };
    replies.push(pen.unchanged(copy()));

    let off = ProcessingMode::default();
    let mut overridden = ledger(BodyMode::None, direction, &[LAST_HEADERS]);
    let pen = overridden.mode_override(direction, off).expect("the head waits");
    let pen = if asks { pen.clear_route_cache() } else { pen };
    replies.push(pen.answer(copy()));

    let mut replaced = ledger(BodyMode::None, direction, &[LAST_HEADERS]);
    let pen = replaced.mode_override(direction, off).expect("the head waits");
    let pen = if asks { pen.clear_route_cache() } else { pen };
    replies.extend(pen.replace(copy(), text()));
    replies
}

#[test]
fn p33_every_pen_asks_for_another_route_only_if_told_and_where_envoy_listens() {
    for direction in [REQUEST, Direction::Response] {
        for mutation in [mutation(), HeaderMutation::new()] {
            for asks in [true, false] {
                let expected = asks && direction == REQUEST && !mutation.is_empty();
                let replies = answers(direction, asks, &mutation);
                assert_eq!(replies.len(), 4);
                for reply in replies {
                    let (Part::Headers { clear_route_cache, .. }
                    | Part::Body { clear_route_cache, .. }) = reply.part
                    else {
                        panic!("another answer")
                    };
                    assert_eq!(clear_route_cache, expected);
                }
            }
        }
    }
}

#[test]
fn a_body_message_that_begins_twice_is_the_same_message() {
    for body in BodyMode::ALL.into_iter().filter(|&mode| mode != BodyMode::None) {
        let mut once = ledger(body, REQUEST, &[HEADERS]);
        once.begin_body(REQUEST).expect("what Envoy sends");
        let mut twice = once.clone();
        twice.begin_body(REQUEST).expect("the same message");
        assert_eq!(twice, once, "{body}, before the head was answered");
    }
}

#[test]
fn an_answer_of_the_other_direction_changes_nothing_of_a_lane() {
    let lane = ledger(BodyMode::None, REQUEST, &[HEADERS]).lane(REQUEST).clone();
    let mut other = ledger(BodyMode::None, Direction::Response, &[HEADERS]);
    let Owes::Headers(pen) = other.owes(Direction::Response) else { panic!("headers are owed") };
    let mut told = lane.clone();
    told.reply(&pen.answer(HeaderMutation::new())).expect("it is about another lane");
    assert_eq!(told, lane);
}

#[test]
fn an_override_of_its_own_goes_before_the_answer_that_is_owed() {
    let mode = ProcessingMode::default();
    let wanted = mode.with(Direction::Response, DirectionMode::buffered());
    let mut ledger = ledger(BodyMode::None, REQUEST, &[HEADERS, TRAILERS]);
    let Owes::Trailers(pen) = ledger.owes(REQUEST) else { panic!("trailers are owed") };
    drop(pen.answer(HeaderMutation::new()));
    ledger.receive(Direction::Response, HEADERS).expect("what Envoy sends");
    let mut checker = ledger.clone();
    let reply = ledger.mode_override(Direction::Response, wanted).expect("the head waits").alone();
    checker.reply(&reply).expect("what a pen writes");
    assert_eq!(checker, ledger);
    assert_eq!(checker.lane(Direction::Response).mode(), DirectionMode::buffered());
}
