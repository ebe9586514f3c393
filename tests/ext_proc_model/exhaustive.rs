//! Scenario 95: every order of small exchanges, one direction at a time.
//!
//! Before each thing that a source sends, the server does nothing, one thing, or everything that it
//! can: all of these, for every mode and shape.

use std::sync::Arc;

use tidegate::ext_proc::mode::{BodyMode, DirectionMode, Promise, SendMode};

use crate::case::{Case, Direction, Settings, Start};
use crate::data_plane::Habits;
use crate::filter::{Kind, World};
use crate::judge::judge;
use crate::message::{End, Fields, Message};
use crate::stage::{Action, Stage, bind};

/// How many chunks a body has at most, behind a head and before an end: 4 make six messages.
/// `TIDEGATE_CHUNKS=4` plays all their orders, which takes minutes.
const CHUNKS: usize = 2;

const SERVER: [Action; 3] = [Action::Give, Action::Poll, Action::Down(usize::MAX)];

/// How much the server does between two things of the source's.
#[derive(Debug, Clone, Copy)]
enum Pace {
    Nothing,
    One,
    All,
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

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn messages(is_request: bool, most: usize) -> Vec<Message> {
    let request = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];
    let head = if is_request { fields(&request) } else { fields(&[(":status", "200")]) };
    let mut messages =
        vec![Message { fields: head.clone(), chunks: Vec::new(), end: End::WithHead }];
    for chunks in 0..=most {
        let ends = [End::WithLastChunk, End::Alone, End::WithTrailers(fields(&[("x-sum", "7")]))];
        for end in ends {
            let chunks = (0..chunks).map(|at| vec![b'd' + at as u8; at + 1]).collect();
            messages.push(Message { fields: head.clone(), chunks, end });
        }
    }
    messages
}

fn case(is_request: bool, mode: DirectionMode, message: Message, kind: Kind) -> Case {
    let promise = match message.trailers() {
        Some(_) => Promise::Nothing,
        None => Promise::NoTrailers,
    };
    let shown = Direction { mode, chosen: mode, message, filters: vec![kind], promise };
    let head = messages(!is_request, 0).remove(0);
    let off = DirectionMode::OFF;
    let unshown = Direction { mode: off, chosen: off, message: head, filters: Vec::new(), promise };
    let (request, response) = if is_request { (shown, unshown) } else { (unshown, shown) };
    let settings = Settings {
        queue_high_bytes: 1 << 16,
        piece_bytes: 62_000,
        marks_bytes: 1 << 16,
        cut_bytes: usize::MAX,
    };
    let habits = Habits { without_waiting: false, limit_bytes: 3, asks_about_empty: false };
    let start = Start::Late;
    Case { seed: 0, request, response, start, habits, settings, fault: None, wish: None }
}

fn play(mut case: Case, is_request: bool, paces: &[Pace]) {
    let world = Arc::new(World::default());
    let plan = bind(&mut case, &world);
    let mut stage = Stage::new(&case, plan, world);
    let mut steps = || {
        for pace in paces {
            match pace {
                Pace::Nothing => {}
                Pace::One => {
                    for action in SERVER {
                        if stage.act(action)? {
                            break;
                        }
                    }
                }
                Pace::All => while any(&mut stage)? {},
            }
            stage.act(Action::Source { is_request })?;
            stage.act(Action::Source { is_request: !is_request })?;
            while stage.act(Action::Advance { is_request })?
                || stage.act(Action::Advance { is_request: !is_request })?
            {}
            stage.act(Action::Up(usize::MAX))?;
        }
        stage.run_on(&case)
    };
    let result = steps().and_then(|()| judge(&case, &stage));
    if let Err(wrong) = result {
        panic!("{wrong}\n{case:?}\n{paces:?}\n{}", stage.trace());
    }
}

fn any(stage: &mut Stage) -> Result<bool, String> {
    for action in SERVER.into_iter().chain([Action::Up(usize::MAX)]) {
        if stage.act(action)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Every word of `len` letters.
fn words(len: usize) -> impl Iterator<Item = Vec<Pace>> {
    const LETTERS: [Pace; 3] = [Pace::Nothing, Pace::One, Pace::All];
    (0..3_usize.pow(len as u32)).map(move |mut number| {
        (0..len)
            .map(|_| {
                let letter = LETTERS[number % 3];
                number /= 3;
                letter
            })
            .collect()
    })
}

fn every_order(is_request: bool) {
    let given = std::env::var("TIDEGATE_CHUNKS").ok();
    let most = given.and_then(|chunks| chunks.parse().ok()).unwrap_or(CHUNKS);
    // One that needs everything meets every order that there is.
    let kinds = [
        (Kind::Wrap, most),
        (Kind::Later, most - 1),
        (Kind::Pass, most - 1),
        (Kind::Double, most - 1),
        (Kind::Count, most - 1),
        (Kind::CutAt(1), most - 1),
        (Kind::Ask, most - 1),
        (Kind::AskWrap, most - 1),
    ];
    for mode in modes() {
        for (kind, most) in kinds {
            for message in messages(is_request, most) {
                let parts = message.parts().len();
                for paces in words(parts) {
                    play(case(is_request, mode, message.clone(), kind), is_request, &paces);
                }
            }
        }
    }
}

#[test]
fn every_order_of_a_small_request_is_answered() {
    every_order(true);
}

#[test]
fn every_order_of_a_small_response_is_answered() {
    every_order(false);
}
