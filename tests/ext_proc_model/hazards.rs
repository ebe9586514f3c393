//! Hazards of `docs/hazards.md` that this layer meets.

use std::sync::Arc;

use tidegate::BodyBuf;
use tidegate::Timeout;
use tidegate::exchange::Direction;
use tidegate::ext_proc::automaton::{Breach, Ledger, Owes, Received};
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::wire::{HeaderMutation, Reply};

use crate::case::{Case, Fault, Start};
use crate::filter::{Kind, World};
use crate::judge::judge;
use crate::message::End;
use crate::stage::{Action, Stage, bind};

/// Plays `case`; answers how many steps it took.
fn play(mut case: Case) -> usize {
    let world = Arc::new(World::default());
    let plan = bind(&mut case, &world);
    let mut stage = Stage::new(&case, plan, world);
    let result = stage.run(&case).and_then(|()| judge(&case, &stage));
    if let Err(wrong) = result {
        panic!("{wrong}\n{case:?}\n{}", stage.trace());
    }
    stage.steps
}

/// Random cases whose filters let everything through.
fn cases(count: usize) -> impl Iterator<Item = Case> {
    let calm = (1_000_000..).map(|seed| {
        let mut case = Case::new(seed);
        case.fault = None;
        for direction in [&mut case.request, &mut case.response] {
            direction.filters.retain(|kind| !kind.breaks());
        }
        case
    });
    calm.take(count)
}

/// Scenario 10 and P28: 404, 413 and 503 of the data plane itself.
#[test]
fn h21_a_reply_of_the_data_plane_itself_comes_whatever_the_request_was_told() {
    for mut case in cases(300) {
        case.start = Start::Local;
        play(case);
    }
}

fn request(body: BodyMode, received: &[Received]) -> Ledger {
    let mut ledger = Ledger::new(ProcessingMode::both(DirectionMode::new(body)));
    for each in received {
        ledger.receive(Direction::Request, *each).expect("what Envoy sends");
    }
    ledger
}

fn answer(ledger: &mut Ledger) -> Reply {
    let none = HeaderMutation::new();
    match ledger.owes(Direction::Request) {
        Owes::Headers(pen) => pen.answer(none),
        Owes::Streamed(pen) => pen.unchanged(),
        Owes::Buffered(pen) => pen.unchanged(none),
        Owes::Duplex(pen) => pen.finish(BodyBuf::new()),
        owes => panic!("a pen, not {owes:?}"),
    }
}

#[test]
fn h22_no_answer_is_taken_twice_out_of_order_or_for_another_phase() {
    const HEADERS: Received = Received::Headers { end_of_stream: false };
    const BODY: Received = Received::Body { end_of_stream: false };
    let all = [BodyMode::Streamed, BodyMode::Buffered, BodyMode::FullDuplexStreamed];
    for mode in all {
        let mut server = request(mode, &[HEADERS, BODY]);
        let (head, body) = (answer(&mut server), answer(&mut server));

        let mut checker = request(mode, &[HEADERS, BODY]);
        assert!(checker.reply(&body).is_err(), "{mode}: out of order");
        checker.reply(&head).expect("it is owed");
        let twice = checker.reply(&head).expect_err("twice");
        assert!(matches!(twice.breach, Breach::NotOwed { .. }), "{mode}: {twice}");
        checker.reply(&body).expect("it is owed");
        assert!(checker.reply(&body).is_err(), "{mode}: twice");

        // For another phase: the answers of one mode are not those of another.
        for other in all.into_iter().filter(|other| *other != mode) {
            let mut checker = request(other, &[HEADERS, BODY]);
            checker.reply(&head).expect("heads are answered alike");
            let is_duplex = |mode| mode == BodyMode::FullDuplexStreamed;
            let is_taken = checker.reply(&body).is_ok();
            assert_eq!(is_taken, is_duplex(mode) == is_duplex(other), "{mode} for {other}");
        }
    }
}

#[test]
fn h24_empty_bodies_and_empty_chunks_end_in_every_mode() {
    for mut case in cases(400) {
        for (at, direction) in [&mut case.request, &mut case.response].into_iter().enumerate() {
            direction.message.fields.retain(|(name, _)| name != "content-length");
            if direction.message.end != End::WithHead {
                direction.message.chunks = vec![Vec::new(); case.seed as usize % 3 + at];
            }
        }
        play(case);
    }
}

/// Scenario 92: every point at which a clock runs out or a peer is gone.
#[test]
fn h25_wherever_an_exchange_is_cut_it_does_not_look_complete() {
    for case in cases(14) {
        let steps = play(case.clone());
        for at in 0..steps {
            play(Case { fault: Some(Fault::Gone { at }), ..case.clone() });
            for timeout in [Timeout::Total, Timeout::Hold] {
                play(Case { fault: Some(Fault::Timeout { at, timeout }), ..case.clone() });
            }
        }
    }
}

/// The response is complete before the request is.
#[test]
fn h28_the_end_of_the_response_leaves_no_one_waiting_for_the_request() {
    for mut case in cases(300) {
        case.start = Start::Early;
        case.request.filters.retain(|kind| !matches!(kind, Kind::CutAt(0) | Kind::AskCutAt(0)));
        play(case);
    }
}

/// Scenario 93: a filter waits, the client sends on, and the stream is not read.
#[test]
fn h07_a_stream_whose_filters_wait_is_not_read() {
    const BODY_BYTES: usize = 400_000;
    let mut case = cases(1).next().expect("a case").in_mode();
    case.settings.queue_high_bytes = 1_000;
    case.settings.cut_bytes = 4_096;
    case.request.mode = DirectionMode::full_duplex();
    case.request.filters = vec![Kind::LaterHead];
    case.response.filters.clear();
    case.request.message.end = End::Alone;
    case.request.message.chunks = vec![vec![b'e'; 1_000]; BODY_BYTES / 1_000];
    let world = Arc::new(World::default());
    let plan = bind(&mut case, &world);
    let mut stage = Stage::new(&case, plan, world);
    let is_request = true;
    let actions = [
        Action::Source { is_request },
        Action::Advance { is_request },
        Action::Up(4_096),
        Action::Give,
        Action::Poll,
        Action::Down(usize::MAX),
    ];
    while actions.iter().any(|each| stage.act(*each).expect("what a server may do")) {}
    // What the filter's mark lets in (64 KiB), and what may wait before it.
    let held_bytes = stage.session.held_bytes();
    assert!(!stage.session.wants_input(), "{held_bytes} bytes held");
    assert!((60_000..90_000).contains(&held_bytes), "{held_bytes} bytes held");
    while stage.act(Action::Resume).expect("a filter that waits") {}
    stage.run_on(&case).expect("it goes on");
    judge(&case, &stage).expect("complete");
}
