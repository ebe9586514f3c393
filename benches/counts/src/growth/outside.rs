//! Around chains: exchanges, tables, pipes, streams of external processing.

use std::hint::black_box;
use std::mem::forget;
use std::task::{Context, Poll, Waker};

use http::Response;
use tidegate::exchange::{RequestSide, ResponseSide};
use tidegate::ext_proc::mode::BodyMode;
use tidegate::pipe::{Next, pipe};
use tidegate::table::{Changes, Entry, Table};
use tidegate::watermark::Marks;
use tidegate::{MessageTraits, Output};

use crate::chain::Source;
use crate::rows::{Talk, body_frame, exchange_plan, first_frame, last_frame, session_plan};

use super::{Growth, Job, growth};

pub(super) const GROWTHS: &[Growth] = &[
    growth("exchanges", "exchange", &[10, 1000, 10_000, 100_000], exchanges),
    growth("pipe_queue", "item", &[10, 1000, 10_000, 100_000], piped),
    growth("table_built", "key", &[10, 1000, 10_000, 100_000], built),
    Growth { units: |_| LOOKUPS, ..growth("table_lookup", "lookup", &KEYS, looked_up) },
    // A hundred changes each: about the square root of the keys is copied, and each epoch that is
    // alive is looked at.
    growth("table_changed", "key", &KEYS, changed),
    growth("table_changed_while_held", "epoch alive", &[10, 100, 900], pinned),
    growth("stream_messages", "message", &[10, 1000, 10_000], messages),
    growth("stream_pieces", "piece", &[10, 100, 1000, 10_000], body_in_pieces),
    growth("stream_fields", "field", &[10, 100, 1000], |count| fields(count, "x-field-")),
    growth("stream_pseudo_fields", "field", &[10, 100, 1000], |count| fields(count, ":field-")),
];

const KEYS: [usize; 4] = [10, 1000, 10_000, 100_000];
const LOOKUPS: usize = 1000;
const CHANGES: usize = 100;

/// So many exchanges are made, and alive at once; a chunk passes each; all go.
fn exchanges(exchanges: usize) -> Job {
    let plan = exchange_plan(1);
    let mut alive: Vec<(RequestSide, ResponseSide)> = Vec::with_capacity(exchanges);
    Box::new(move || {
        let traits = MessageTraits::new();
        for _ in 0..exchanges {
            let (mut up, mut down) = plan.exchange(traits, traits).expect("no needs");
            let (head, ()) = http::Request::new(()).into_parts();
            up.handle_head(head, false).expect("the first head");
            assert!(matches!(up.poll_output(), Some(Output::Head { .. })));
            let (head, ()) = Response::new(()).into_parts();
            down.handle_head(head, false).expect("the first head");
            assert!(matches!(down.poll_output(), Some(Output::Head { .. })));
            alive.push((up, down));
        }
        for (up, down) in &mut alive {
            up.handle_data(Source::Static.next(), false).expect("data is wanted");
            assert!(black_box(up.poll_data()).is_some());
            down.handle_data(Source::Static.next(), false).expect("data is wanted");
            assert!(black_box(down.poll_data()).is_some());
        }
        drop(alive);
    })
}

/// So many items wait in a pipe, and are taken.
fn piped(items: usize) -> Job {
    let (mut sender, mut receiver) = pipe::<_, (), ()>(Marks::from_high(1 << 40));
    Box::new(move || {
        for _ in 0..items {
            sender.try_send(Source::Static.next()).expect("there is room");
        }
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..items {
            assert!(matches!(receiver.poll_next(&mut cx), Poll::Ready(Next::Item(_))));
        }
    })
}

fn key(number: usize) -> String {
    format!("route-{number}")
}

fn table(keys: usize) -> Table<String, usize> {
    let table = Table::new(0);
    let mut changes = Changes::new();
    for number in 0..keys {
        changes.set(key(number), Entry::ready(number));
    }
    table.publish(&changes).expect("the first");
    table
}

/// A table of so many keys is published, and goes.
fn built(keys: usize) -> Job {
    Box::new(move || drop(black_box(table(keys))))
}

/// Lookups in a table of so many keys.
fn looked_up(keys: usize) -> Job {
    let mut reader = table(keys).reader();
    let wanted: Vec<String> = (0..LOOKUPS).map(|turn| key(turn * 7919 % keys)).collect();
    Box::new(move || {
        for key in &wanted {
            let pin = reader.pin(key.as_str()).expect("it is there");
            assert!(black_box(&pin).plan().is_ok());
        }
        // The end of the table is not counted.
        forget(reader);
    })
}

/// Publishes of one change each, to a table of so many keys.
fn changed(keys: usize) -> Job {
    let table = table(keys);
    Box::new(move || {
        for turn in 0..CHANGES {
            let mut changes = Changes::new();
            changes.set(key(turn * 7919 % keys), Entry::ready(turn));
            table.publish(&changes).expect("nobody holds it");
        }
        forget(table);
    })
}

/// Publishes of one change each, while messages hold so many epochs.
fn pinned(epochs: usize) -> Job {
    let table = table(10);
    let (mut reader, mut pins) = (table.reader(), Vec::with_capacity(epochs));
    let publish = move |turn| {
        let mut changes = Changes::new();
        changes.set(key(0), Entry::ready(turn));
        table.publish(&changes).expect("fewer than may be alive");
    };
    for turn in 0..epochs {
        publish(turn);
        pins.push(reader.pin(key(0).as_str()).expect("it is there"));
    }
    Box::new(move || {
        (0..CHANGES).for_each(publish);
        forget((reader, pins));
    })
}

/// So many messages in one stream of external processing.
fn messages(messages: usize) -> Job {
    let mode = BodyMode::FullDuplexStreamed;
    let mut talk = Talk::new(&session_plan(mode));
    assert!(talk.give(first_frame(mode, &[(":method", "PUT"), (":path", "/")])) > 0);
    let read = body_frame();
    Box::new(move || {
        for _ in 0..messages {
            assert!(talk.give(read.clone()) > 0);
        }
    })
}

/// A body in one message, read in pieces of a hundred bytes.
fn body_in_pieces(pieces: usize) -> Job {
    let mode = BodyMode::Buffered;
    let mut talk = Talk::new(&session_plan(mode));
    assert!(talk.give(first_frame(mode, &[(":method", "PUT"), (":path", "/")])) > 0);
    let mut message = last_frame(4, pieces * 100);
    Box::new(move || {
        let mut answered = 0;
        while !message.is_empty() {
            answered += talk.give(message.split_to(message.len().min(100)));
        }
        assert!(answered > 0);
    })
}

/// A stream whose head has so many fields.
fn fields(fields: usize, prefix: &str) -> Job {
    let mode = BodyMode::FullDuplexStreamed;
    let plan = session_plan(mode);
    let names: Vec<String> = (0..fields).map(|number| format!("{prefix}{number}")).collect();
    let pseudo = [(":method", "PUT"), (":path", "/")];
    let plain = names.iter().map(|name| (name.as_str(), "a value"));
    let head = first_frame(mode, &pseudo.into_iter().chain(plain).collect::<Vec<_>>());
    Box::new(move || {
        let mut talk = Talk::new(&plan);
        assert!(talk.give(head) > 0);
    })
}
