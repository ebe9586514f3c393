//! What waits for filters is bounded, also where it has no bytes.

use http::request;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::SessionSettings;
use tidegate::{Declaration, Filter, Marks, ResumeHandle, Verdict, View};

use crate::messages::{request_body, request_headers};
use crate::support::{Talk, both};

/// Keeps the request, whatever comes, with a handle so that it could go on.
struct Keeps(Option<ResumeHandle>);

const HIGH_BYTES: usize = 4096;

impl Filter<request::Parts> for Keeps {
    fn declare(&self) -> Declaration {
        Declaration::new().marks(Marks::from_high(HIGH_BYTES as u64))
    }

    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.0 = Some(view.resume_handle());
        Verdict::HOLD
    }
}

/// How many messages with `body` are read while the filter holds.
fn read_while_held(body: &'static str) -> usize {
    let plan = ExchangePlan::builder().request("keeps", || Keeps(None)).build().expect("a plan");
    let mode = both(BodyMode::FullDuplexStreamed);
    let mut talk = Talk::with(plan, SessionSettings::new(mode).queue_high_bytes(32 * 1024));
    let head = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];
    talk.send(request_headers(&head, false));
    // More than the filter may hold, so that what follows waits outside.
    for _ in 0..HIGH_BYTES / 1024 + 2 {
        talk.send(request_body(vec![7; 1024], false));
    }
    let mut messages = 0;
    while talk.session.wants_input() {
        talk.send(request_body(body, false));
        messages += 1;
        assert!(messages < 32 * 1024, "it reads without end");
    }
    messages
}

/// Seven bytes on the wire, and a slot of the queue for each.
#[test]
fn empty_messages_are_not_read_without_end() {
    assert!(read_while_held("") > 0);
}

/// Each has a slot for the piece, and one for its end.
#[test]
fn messages_of_one_byte_count_for_more_than_that() {
    assert!(read_while_held("x") < 1024);
}
