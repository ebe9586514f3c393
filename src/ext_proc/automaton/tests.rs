use bytes::Bytes;
use http::StatusCode;

use super::{Breach, Debt, Lane, Ledger, MessagePart, Owes, Received};
use crate::buf::BodyBuf;
use crate::exchange::Direction;
use crate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode, SendMode};
use crate::ext_proc::wire::{BodyChange, HeaderMutation, Part, Reply, ReplyBody};

const HEADERS: Received = Received::Headers { end_of_stream: false };
const LAST_HEADERS: Received = Received::Headers { end_of_stream: true };
const BODY: Received = Received::Body { end_of_stream: false };
const LAST_BODY: Received = Received::Body { end_of_stream: true };
const TRAILERS: Received = Received::Trailers;
const ALL_RECEIVED: [Received; 5] = [HEADERS, LAST_HEADERS, BODY, LAST_BODY, TRAILERS];

const DIRECTION: Direction = Direction::Request;

fn text(text: &'static str) -> ReplyBody {
    BodyBuf::from(Bytes::from_static(text.as_bytes())).into()
}

fn mutation() -> HeaderMutation {
    let mut mutation = HeaderMutation::new();
    mutation.set("a", "b");
    mutation
}

fn headers(direction: Direction, replace: Option<ReplyBody>) -> Reply {
    let mutation = HeaderMutation::new();
    Reply::of(Part::Headers { direction, mutation, replace, clear_route_cache: false })
}

fn body_of(direction: Direction, mutation: HeaderMutation, change: BodyChange) -> Reply {
    Reply::of(Part::Body { direction, mutation, change, clear_route_cache: false })
}

fn body(change: BodyChange) -> Reply {
    body_of(DIRECTION, HeaderMutation::new(), change)
}

fn piece(end_of_stream: bool) -> Reply {
    body(BodyChange::Streamed { body: text("x"), end_of_stream })
}

fn trailers(direction: Direction) -> Reply {
    Reply::of(Part::Trailers { direction, mutation: HeaderMutation::new() })
}

/// Every answer that the automaton tells from the others.
fn answers() -> Vec<Reply> {
    vec![
        headers(DIRECTION, None),
        headers(DIRECTION, Some(text("x"))),
        body(BodyChange::Unchanged),
        body(BodyChange::Clear),
        body(BodyChange::Replace(text("x"))),
        body_of(DIRECTION, mutation(), BodyChange::Unchanged),
        piece(false),
        piece(true),
        trailers(DIRECTION),
    ]
}

/// The answer with this number that a pen of `lane` can write; the last is never a piece.
fn write(lane: &mut Lane, number: usize) -> Option<Reply> {
    let none = HeaderMutation::new();
    match (lane.owes(), number) {
        (Owes::Headers(pen), 0) => Some(pen.answer(none)),
        (Owes::Headers(pen), 1) => Some(pen.ended()?.replace(none, text("x"))),
        (Owes::Buffered(pen), 0) => Some(pen.unchanged(none)),
        (Owes::Buffered(pen), 1) => Some(pen.unchanged(mutation())),
        (Owes::Buffered(pen), 2) => Some(pen.replace(none, text("x"))),
        (Owes::Buffered(pen), 3) => Some(pen.replace(none, BodyBuf::new())),
        (Owes::Streamed(pen), 0) => Some(pen.unchanged()),
        (Owes::Streamed(pen), 1) => Some(pen.clear()),
        (Owes::Streamed(pen), 2) => Some(pen.replace(text("x"))),
        (Owes::Duplex(pen), 0) => pen.send(text("x")),
        (Owes::Duplex(pen), 1) => Some(pen.finish(text("x"))),
        (Owes::DuplexTrailers(pen), 0) => pen.send(text("x")),
        (Owes::DuplexTrailers(pen), 1) => Some(pen.trailers(none)),
        (Owes::Trailers(pen), 0) => Some(pen.answer(none)),
        _ => None,
    }
}

/// Every answer that a pen of `lane` can write, each with the lane behind it.
fn written(lane: &Lane) -> Vec<(Reply, Lane)> {
    let answers = (0..4).map(|number| {
        let mut lane = lane.clone();
        Some((write(&mut lane, number)?, lane))
    });
    answers.flatten().collect()
}

fn modes() -> Vec<DirectionMode> {
    let mut modes = Vec::new();
    for body in BodyMode::ALL {
        for headers in [SendMode::Send, SendMode::Skip] {
            for trailers in [SendMode::Send, SendMode::Skip] {
                let mode = DirectionMode::new(body).with_headers(headers);
                modes.extend(mode.with_trailers(trailers));
            }
        }
    }
    modes
}

/// Every lane that messages and answers lead to, in any order, within `steps`.
fn reachable(mode: DirectionMode, steps: usize) -> Vec<Lane> {
    let mut all = vec![Lane::new(DIRECTION, mode)];
    let mut fresh = 0;
    for _ in 0..steps {
        let known = all.len();
        for at in fresh..known {
            let lane = all[at].clone();
            let mut next: Vec<Lane> = written(&lane).into_iter().map(|(_, lane)| lane).collect();
            for received in ALL_RECEIVED {
                let mut lane = lane.clone();
                if lane.receive(received).is_ok() {
                    next.push(lane);
                }
            }
            for lane in next {
                if !all.contains(&lane) {
                    all.push(lane);
                }
            }
        }
        fresh = known;
    }
    all
}

/// A lane to which this has come.
fn lane(body: BodyMode, received: &[Received]) -> Lane {
    let mut lane = Lane::new(DIRECTION, DirectionMode::new(body));
    for each in received {
        lane.receive(*each).expect("what Envoy sends");
    }
    lane
}

fn breach(lane: &mut Lane, reply: &Reply) -> Breach {
    let before = lane.clone();
    let violation = lane.reply(reply).expect_err("an illegal answer");
    assert_eq!(*lane, before, "a refused answer changes nothing");
    violation.breach
}

/// Scenario 95, for one direction: twelve messages are six each way.
#[test]
fn a_checker_takes_what_a_pen_writes_and_nothing_else() {
    for mode in modes() {
        for lane in reachable(mode, 12) {
            let written = written(&lane);
            for (reply, after) in &written {
                let mut checker = lane.clone();
                assert_eq!(checker.reply(reply), Ok(()), "{mode:?} {lane:?} {reply:?}");
                assert_eq!(checker, *after, "{mode:?} {lane:?} {reply:?}");
            }
            for reply in answers() {
                let mut checker = lane.clone();
                if checker.reply(&reply).is_ok() {
                    let can_be_written = written.iter().any(|(_, after)| *after == checker);
                    assert!(can_be_written, "{mode:?} {lane:?} {reply:?}");
                } else {
                    assert_eq!(checker, lane, "{mode:?} {reply:?}");
                }
            }
        }
    }
}

#[test]
fn whatever_is_owed_can_be_paid_and_then_nothing_is() {
    for mode in modes() {
        for mut lane in reachable(mode, 12) {
            for _ in 0..16 {
                // The last that can be written is never a piece, so this comes to an end.
                let Some((_, next)) = written(&lane).pop() else { break };
                lane = next;
            }
            assert!(lane.is_settled(), "{mode:?} {lane:?}");
            assert_eq!(lane.debt(), Debt::Nothing);
            assert!(!lane.has_ended() || lane.is_over(), "{mode:?} {lane:?}");
        }
    }
}

#[test]
fn p02_an_ordinary_answer_is_no_answer_in_full_duplex() {
    for change in [BodyChange::Unchanged, BodyChange::Clear, BodyChange::Replace(text("x"))] {
        let mut lane = lane(BodyMode::FullDuplexStreamed, &[HEADERS, BODY]);
        lane.reply(&headers(DIRECTION, None)).expect("owed");
        let breach = breach(&mut lane, &body(change));
        assert_eq!(breach, Breach::OrdinaryInDuplex);
        let text = breach.to_string();
        assert!(text.contains("Normal_body_mutation_response_is_received"), "{text}");
    }
}

/// Scenario 49.
#[test]
fn p03_no_body_goes_before_the_answer_to_the_head() {
    for mode in [BodyMode::FullDuplexStreamed, BodyMode::Streamed] {
        let mut lane = lane(mode, &[HEADERS, BODY, LAST_BODY]);
        for reply in [piece(false), piece(true), body(BodyChange::Unchanged)] {
            let breach = breach(&mut lane, &reply);
            let owed = Breach::NotOwed { answer: MessagePart::Body, debt: Debt::Headers };
            assert_eq!(breach, owed);
            assert!(breach.to_string().contains("spurious_message"), "{breach}");
        }
    }
}

/// Scenarios 50 and 51.
#[test]
fn nothing_goes_behind_an_end() {
    let owed = Breach::NotOwed { answer: MessagePart::Body, debt: Debt::Nothing };

    let mut ended = lane(BodyMode::FullDuplexStreamed, &[HEADERS, LAST_BODY]);
    for reply in [headers(DIRECTION, None), piece(true)] {
        ended.reply(&reply).expect("owed");
    }
    assert_eq!(breach(&mut ended, &piece(false)), owed);
    assert_eq!(breach(&mut ended, &piece(true)), owed);

    let mut ended = lane(BodyMode::FullDuplexStreamed, &[HEADERS, BODY, TRAILERS]);
    for reply in [headers(DIRECTION, None), trailers(DIRECTION)] {
        ended.reply(&reply).expect("owed");
    }
    assert_eq!(breach(&mut ended, &piece(false)), owed);
}

/// Scenario 52.
#[test]
fn p06_no_trailers_are_made_up() {
    for mode in BodyMode::ALL {
        let mut lane = lane(mode, &[HEADERS]);
        assert_eq!(breach(&mut lane, &trailers(DIRECTION)), Breach::MadeUpTrailers);
        lane.reply(&headers(DIRECTION, None)).expect("owed");
        assert_eq!(breach(&mut lane, &trailers(DIRECTION)), Breach::MadeUpTrailers);
        if mode != BodyMode::None {
            lane.receive(LAST_BODY).expect("what Envoy sends");
            assert_eq!(breach(&mut lane, &trailers(DIRECTION)), Breach::MadeUpTrailers);
        }
    }
}

#[test]
fn p05_the_end_has_the_form_of_the_end_that_came() {
    let mut lane = lane(BodyMode::FullDuplexStreamed, &[HEADERS, BODY, TRAILERS]);
    lane.reply(&headers(DIRECTION, None)).expect("owed");
    assert_eq!(breach(&mut lane, &piece(true)), Breach::EndBeforeTrailers);
    lane.reply(&piece(false)).expect("a piece");
    assert_eq!(lane.debt(), Debt::End);
    lane.reply(&trailers(DIRECTION)).expect("the end");
    assert!(lane.is_over());
}

/// Scenario 40.
#[test]
fn p09_a_head_that_has_gone_cannot_be_changed_with_the_body() {
    let answer = body_of(DIRECTION, mutation(), BodyChange::Unchanged);
    let mut streamed = lane(BodyMode::Streamed, &[HEADERS, BODY]);
    streamed.reply(&headers(DIRECTION, None)).expect("owed");
    assert_eq!(breach(&mut streamed, &answer), Breach::MutationTooLate);
    for mode in [BodyMode::Buffered, BodyMode::BufferedPartial] {
        let mut buffered = lane(mode, &[HEADERS, LAST_BODY]);
        buffered.reply(&headers(DIRECTION, None)).expect("owed");
        buffered.reply(&answer).expect("the head is held (scenarios 21 and 30)");
    }
}

/// Scenarios 31, 37 and 38; R5.
#[test]
fn p30_each_message_is_owed_one_answer_however_empty() {
    let mut lane = lane(BodyMode::Streamed, &[HEADERS, BODY, BODY, LAST_BODY]);
    lane.reply(&headers(DIRECTION, None)).expect("owed");
    for _ in 0..3 {
        assert!(!lane.is_settled());
        lane.reply(&body(BodyChange::Unchanged)).expect("owed");
    }
    assert!(lane.is_over());
    let owed = Breach::NotOwed { answer: MessagePart::Body, debt: Debt::Nothing };
    assert_eq!(breach(&mut lane, &body(BodyChange::Unchanged)), owed);
}

/// Scenario 39.
#[test]
fn streamed_response_is_for_full_duplex() {
    for mode in [BodyMode::Streamed, BodyMode::Buffered, BodyMode::BufferedPartial] {
        let mut lane = lane(mode, &[HEADERS, BODY]);
        lane.reply(&headers(DIRECTION, None)).expect("owed");
        assert_eq!(breach(&mut lane, &piece(true)), Breach::StreamedOutsideDuplex { mode });
    }
}

/// Scenarios 2 and 3.
#[test]
fn p29_nothing_follows_a_head_that_is_the_end() {
    for mode in BodyMode::ALL {
        let mut lane = lane(mode, &[LAST_HEADERS]);
        assert!(!lane.is_over());
        for late in ALL_RECEIVED {
            assert!(lane.receive(late).is_err());
        }
        lane.reply(&headers(DIRECTION, None)).expect("owed");
        assert!(lane.is_over());
    }
}

#[test]
fn p36_only_a_whole_message_is_replaced() {
    let replace = headers(DIRECTION, Some(text("x")));
    for mode in BodyMode::ALL {
        let mut open = lane(mode, &[HEADERS]);
        assert_eq!(breach(&mut open, &replace), Breach::ReplacedBeforeEnd);
        let mut whole = lane(mode, &[LAST_HEADERS]);
        whole.reply(&replace).expect("a GET can be given a body");
        assert!(whole.is_over());
    }
}

/// Scenario 53.
#[test]
fn what_was_under_way_behind_an_early_end_is_owed_nothing() {
    let mut lane = lane(BodyMode::FullDuplexStreamed, &[HEADERS, BODY]);
    lane.reply(&headers(DIRECTION, None)).expect("owed");
    lane.reply(&piece(true)).expect("the message is cut here");
    assert!(lane.is_over());
    for late in [BODY, BODY, TRAILERS] {
        lane.receive(late).expect("under way");
        assert!(lane.is_settled());
    }
    assert!(lane.receive(BODY).is_err(), "the end was the client's own");
}

/// Scenarios 6, 7 and 19.
#[test]
fn what_is_not_shown_is_not_waited_for() {
    let skip = SendMode::Skip;
    let off = DirectionMode::OFF;
    assert!(Lane::new(DIRECTION, off).is_over());

    let trailers_only = DirectionMode::heads_only().with_headers(skip);
    let mut lane = Lane::new(DIRECTION, trailers_only);
    assert!(!lane.is_over());
    lane.receive(TRAILERS).expect("the first message");
    lane.reply(&trailers(DIRECTION)).expect("owed");
    assert!(lane.is_over());

    let buffered = DirectionMode::buffered().with_trailers(skip).expect("a mode");
    let mut lane = Lane::new(DIRECTION, buffered.with_headers(skip));
    lane.receive(BODY).expect("trailers end it, and are not shown");
    lane.reply(&body(BodyChange::Unchanged)).expect("owed");
    assert!(lane.is_over() && !lane.has_ended());

    let streamed = DirectionMode::streamed().with_trailers(skip).expect("a mode");
    let mut lane = Lane::new(DIRECTION, streamed.with_headers(skip));
    lane.receive(BODY).expect("the first message");
    lane.reply(&body(BodyChange::Unchanged)).expect("owed");
    assert!(lane.is_settled() && !lane.is_over(), "whether more comes is not known");
}

#[test]
fn a_head_is_waited_for_also_where_nothing_else_is_shown() {
    let heads = DirectionMode::heads_only().with_trailers(SendMode::Skip).expect("a mode");
    let mut lane = Lane::new(DIRECTION, heads);
    assert!(!lane.is_over());
    lane.receive(HEADERS).expect("the first message");
    lane.reply(&headers(DIRECTION, None)).expect("owed");
    assert!(lane.is_over());
}

#[test]
fn what_envoy_cannot_send_is_a_violation() {
    use BodyMode::{Buffered, BufferedPartial, FullDuplexStreamed, None, Streamed};
    use Breach::{AfterEnd, BodyUnshown, HeadersLate, HeadersMissing, SecondBody};
    let (part, mode) = (MessagePart::Body, Buffered);
    let cases: [(BodyMode, &[Received], Received, Breach); 8] = [
        (None, &[HEADERS], BODY, BodyUnshown),
        (Buffered, &[HEADERS, BODY], BODY, SecondBody { mode }),
        (BufferedPartial, &[HEADERS, BODY], LAST_BODY, SecondBody { mode: BufferedPartial }),
        (Streamed, &[HEADERS, BODY], HEADERS, HeadersLate),
        (Streamed, &[], BODY, HeadersMissing { part }),
        (FullDuplexStreamed, &[], TRAILERS, HeadersMissing { part: MessagePart::Trailers }),
        (FullDuplexStreamed, &[HEADERS, TRAILERS], BODY, AfterEnd { part }),
        (Streamed, &[HEADERS, LAST_BODY], LAST_BODY, AfterEnd { part }),
    ];
    for (mode, before, received, breach) in cases {
        let mut lane = lane(mode, before);
        let violation = lane.receive(received).expect_err("a violation");
        assert_eq!(violation.breach, breach);
        if part == received.part() {
            assert_eq!(lane.begin_body(), Err(violation), "said before the bytes are handed on");
        }
    }
    let skips = DirectionMode::streamed().with_headers(SendMode::Skip);
    let skips = skips.with_trailers(SendMode::Skip).expect("a mode");
    let mut lane = Lane::new(DIRECTION, skips);
    let violation = lane.receive(HEADERS).expect_err("a violation");
    assert_eq!(violation.to_string(), "request: headers came, and the header mode is SKIP");
    let violation = lane.receive(TRAILERS).expect_err("a violation");
    assert_eq!(violation.breach, Breach::TrailersUnshown);
}

/// A stream in the same mode both ways.
fn ledger(body: BodyMode) -> Ledger {
    Ledger::new(ProcessingMode::both(DirectionMode::new(body)))
}

fn immediate() -> Reply {
    let mut other = ledger(BodyMode::None);
    let pen = other.immediate().expect("nothing has gone to the client");
    let (none, body) = (HeaderMutation::new(), BodyBuf::new());
    pen.answer(StatusCode::FORBIDDEN, none, body, None, Bytes::new())
}

/// Scenarios 26, 65 and 66.
#[test]
fn p08_a_client_is_answered_only_until_the_head_of_the_response_goes_to_it() {
    let response = Direction::Response;
    for mode in BodyMode::ALL {
        let holds = matches!(mode, BodyMode::Buffered | BodyMode::BufferedPartial);
        let mut ledger = ledger(mode);
        ledger.receive(Direction::Request, HEADERS).expect("what Envoy sends");
        assert!(ledger.immediate().is_some());
        ledger.receive(response, HEADERS).expect("the origin may be early");
        assert!(ledger.immediate().is_some(), "{mode}: the head is held");
        ledger.reply(&headers(response, None)).expect("owed");
        assert_eq!(ledger.immediate().is_some(), holds, "{mode}: until the answer to the body");
        if holds {
            ledger.receive(response, LAST_BODY).expect("what Envoy sends");
            assert!(ledger.immediate().is_some());
            let answer = body_of(response, mutation(), BodyChange::Clear);
            ledger.reply(&answer).expect("owed");
        }
        assert!(ledger.immediate().is_none(), "{mode}");
        let violation = ledger.reply(&immediate()).expect_err("an illegal answer");
        assert_eq!(violation.breach, Breach::HeadCommitted);
    }
}

#[test]
fn p08_a_head_that_is_not_shown_has_gone_once_anything_of_the_response_comes() {
    let skips = DirectionMode::buffered().with_headers(SendMode::Skip);
    let mut ledger = Ledger::new(ProcessingMode::new(DirectionMode::buffered(), skips));
    assert!(ledger.immediate().is_some());
    ledger.receive(Direction::Response, LAST_BODY).expect("the first message of the response");
    assert!(ledger.immediate().is_none());
}

/// Scenario 68.
#[test]
fn nothing_is_owed_or_written_after_an_immediate_response() {
    let mut ledger = ledger(BodyMode::Streamed);
    for received in [HEADERS, BODY] {
        ledger.receive(Direction::Request, received).expect("what Envoy sends");
    }
    assert_eq!(ledger.to_string(), "request: the answer to the headers; response: nothing");
    assert!(!ledger.is_complete());
    ledger.reply(&immediate()).expect("the head of the response has not come");
    assert!(ledger.is_complete() && ledger.is_over());
    assert!(matches!(ledger.owes(Direction::Request), Owes::Nothing));
    assert!(ledger.immediate().is_none());
    for late in [immediate(), headers(Direction::Request, None)] {
        let violation = ledger.reply(&late).expect_err("an illegal answer");
        assert_eq!(violation.breach, Breach::AfterImmediate);
    }
    for received in ALL_RECEIVED {
        ledger.receive(Direction::Request, received).expect("it was under way");
    }
    assert!(ledger.is_complete());
}

#[test]
fn a_stream_that_is_observed_is_checked_and_owed_nothing() {
    let mode = ProcessingMode::both(DirectionMode::streamed());
    let mut ledger = Ledger::observing(mode);
    for received in [HEADERS, BODY, LAST_BODY] {
        ledger.receive(Direction::Request, received).expect("what Envoy sends");
        assert!(ledger.is_complete());
        assert!(matches!(ledger.owes(Direction::Request), Owes::Nothing));
    }
    assert!(ledger.receive(Direction::Request, LAST_BODY).is_err());
    assert!(ledger.immediate().is_none());
    for reply in [headers(Direction::Request, None), immediate()] {
        let violation = ledger.reply(&reply).expect_err("an illegal answer");
        assert_eq!(violation.breach, Breach::OnlyObserved);
    }
    for received in [LAST_HEADERS, LAST_BODY] {
        let result = ledger.receive(Direction::Response, received);
        assert_eq!(result.is_ok(), received == LAST_HEADERS);
    }
    assert!(ledger.is_over());
}

fn overrides(ledger: &mut Ledger, direction: Direction, mode: ProcessingMode) -> Option<Breach> {
    ledger.mode_override(direction, mode).err().map(|violation| violation.breach)
}

/// Scenarios 73 and 78.
#[test]
fn p16_an_override_names_both_directions_and_counts_from_the_answer_to_the_head() {
    let (request, none) = (Direction::Request, HeaderMutation::new());
    let mode = ProcessingMode::new(DirectionMode::heads_only(), DirectionMode::buffered());
    let mut ledger = Ledger::new(mode);
    let mut checker = ledger.clone();
    for each in [&mut ledger, &mut checker] {
        each.receive(request, HEADERS).expect("what Envoy sends");
    }
    let streamed = mode.with(request, DirectionMode::streamed());
    let pen = ledger.mode_override(request, streamed).expect("the head waits for its answer");
    let reply = pen.answer(none);
    assert_eq!(reply.mode_override, Some([1, 1, 1, 2, 1, 1]));
    checker.reply(&reply).expect("what a pen writes");
    assert_eq!(checker, ledger);
    ledger.receive(request, BODY).expect("shown since");
    assert!(matches!(ledger.owes(request), Owes::Streamed(_)));
    assert_eq!(ledger.lane(Direction::Response).mode(), mode.response);
}

/// Scenario 79: the head stays held, and the body comes in full duplex.
#[test]
fn an_override_of_its_own_leaves_the_head_owed() {
    let request = Direction::Request;
    let mut ledger = ledger(BodyMode::None);
    let mut checker = ledger.clone();
    let duplex = ProcessingMode::default().with(request, DirectionMode::full_duplex());
    ledger.receive(request, HEADERS).expect("what Envoy sends");
    checker.receive(request, HEADERS).expect("what Envoy sends");
    let reply = ledger.mode_override(request, duplex).expect("the head waits").alone();
    checker.reply(&reply).expect("what a pen writes");
    for each in [&mut ledger, &mut checker] {
        each.receive(request, BODY).expect("shown since");
        assert!(matches!(each.owes(request), Owes::Headers(_)));
        each.reply(&headers(request, None)).expect("owed");
        assert!(matches!(each.owes(request), Owes::Duplex(_)));
    }
}

/// Scenario 75.
#[test]
fn p17_an_override_that_would_be_ignored_is_not_written() {
    let (request, response) = (Direction::Request, Direction::Response);
    let mode = ProcessingMode::default();
    let other = mode.with(request, DirectionMode::buffered());
    let mut heads_only = ledger(BodyMode::None);
    assert_eq!(overrides(&mut heads_only, request, other), Some(Breach::OverrideTooLate));
    heads_only.receive(request, HEADERS).expect("what Envoy sends");
    assert_eq!(overrides(&mut heads_only, request, other), None);
    heads_only.reply(&headers(request, None)).expect("owed");
    assert_eq!(overrides(&mut heads_only, request, other), Some(Breach::OverrideTooLate));
    heads_only.receive(response, HEADERS).expect("what Envoy sends");
    assert_eq!(overrides(&mut heads_only, response, other), Some(Breach::OverrideUnderWay));
    let later = mode.with(response, DirectionMode::buffered());
    assert_eq!(overrides(&mut heads_only, response, later), None, "scenario 78");

    let mut duplex = ledger(BodyMode::FullDuplexStreamed);
    duplex.receive(request, HEADERS).expect("what Envoy sends");
    assert_eq!(overrides(&mut duplex, request, other), Some(Breach::OverrideInDuplex));

    let mut before = ledger(BodyMode::None);
    before.receive(request, HEADERS).expect("what Envoy sends");
    let bad = Reply { mode_override: Some([1, 1, 4, 0, 2, 1]), ..headers(request, None) };
    let kept = before.clone();
    let violation = before.reply(&bad).expect_err("an illegal answer");
    assert_eq!(violation.breach, Breach::OverrideInvalid, "P1");
    let out_of_turn = Reply { mode_override: Some(other.numbers()), ..trailers(request) };
    assert!(before.reply(&out_of_turn).is_err());
    assert_eq!(before, kept, "a refused answer changes nothing");
}

#[test]
fn p33_a_route_is_chosen_again_only_where_envoy_listens() {
    let clears = |reply: &Reply| match &reply.part {
        Part::Headers { clear_route_cache, .. } => *clear_route_cache,
        part => panic!("another answer: {part:?}"),
    };
    for (direction, mutation, cleared) in [
        (Direction::Request, mutation(), true),
        (Direction::Request, HeaderMutation::new(), false),
        (Direction::Response, mutation(), false),
    ] {
        let mut ledger = ledger(BodyMode::None);
        ledger.receive(direction, HEADERS).expect("what Envoy sends");
        let Owes::Headers(pen) = ledger.owes(direction) else { panic!("headers are owed") };
        assert_eq!(clears(&pen.clear_route_cache().answer(mutation)), cleared);
    }
}
