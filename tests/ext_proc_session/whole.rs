//! Whole bodies: what real Envoys send besides the plain sequence.

use http::HeaderValue;
use tidegate::ext_proc::mode::BodyMode;
use tidegate::{Capability, Declaration, Filter, Head, Marks, Verdict, View};

use crate::filters::{KeepAll, Mark, Pass, RenameTrailer, pair};
use crate::messages::{ResponsePart, request_body, request_headers, request_trailers};
use crate::replies::immediate;
use crate::support::{Talk, body_of, both, common};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

/// Keeps head and body to the end.
struct KeepHeadToo;

impl<H: Head> Filter<H> for KeepHeadToo {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new().require(Capability::KeepToEnd);
        declaration.require(Capability::HoldHead).marks(Marks::from_high(1 << 20))
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::HOLD
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
    }
}

/// Holds the head to the end, and changes it then.
struct MarkLate;

impl<H: Head> Filter<H> for MarkLate {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead)
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::HOLD
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(head) = view.head_mut() {
            head.headers_mut().insert("x-marked", HeaderValue::from_static("late"));
        }
        Verdict::PASS
    }
}

/// Envoy 1.40.0 sends no body message where a body is empty and ends in trailers.
#[test]
fn p5_trailers_without_a_body_message_are_answered() {
    for mode in [BodyMode::Buffered, BodyMode::BufferedPartial] {
        let mut talk = Talk::new(pair(|| Pass), both(mode));
        assert_eq!(talk.send(request_headers(&HEAD, false)).len(), 1);
        let reply = talk.send(request_trailers(&[("a", "1")]));
        let Some(ResponsePart::RequestTrailers(it)) = &reply[0].response else {
            panic!("{reply:?}")
        };
        assert_eq!(it.header_mutation, None);
    }
    let mut talk = Talk::new(pair(|| RenameTrailer), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    let reply = talk.send(request_trailers(&[("a", "1")]));
    let Some(ResponsePart::RequestTrailers(it)) = &reply[0].response else { panic!("{reply:?}") };
    assert_eq!(it.header_mutation.clone().expect("a change").remove_headers, ["a"]);
}

#[test]
fn p5_trailers_without_a_body_message_end_what_is_kept() {
    let mut talk = Talk::new(pair(|| KeepAll), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    assert_eq!(talk.send(request_trailers(&[("a", "1")])).len(), 1);
    let mut talk = Talk::new(pair(|| KeepHeadToo), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    assert_eq!(talk.send(request_trailers(&[("a", "1")])).len(), 1);
}

/// What is known when the head is answered goes with that answer.
#[test]
fn a_change_of_the_head_is_not_lost_where_no_body_message_comes() {
    let mut talk = Talk::new(pair(|| Mark), both(BodyMode::Buffered));
    let reply = talk.send(request_headers(&HEAD, false));
    let mutation = common(&reply[0]).header_mutation.expect("a change");
    assert_eq!(mutation.set_headers.len(), 1);
    assert_eq!(talk.send(request_trailers(&[("a", "1")])).len(), 1);
}

/// The answer to the head has gone, and no body message is there to carry the change.
#[test]
fn a_change_of_the_head_for_which_no_answer_is_left_fails_and_is_not_lost() {
    let mut talk = Talk::new(pair(|| MarkLate), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    let replies = talk.send(request_trailers(&[("a", "1")]));
    assert_eq!(immediate(&replies), (500, Vec::new()));
}

/// What a filter kept is let go at once, and is more than the output queue takes at a time: taking
/// it makes room for the rest, and nobody else says so.
#[test]
fn a_kept_body_that_is_larger_than_the_output_mark_is_answered_without_another_wake() {
    let mut talk = Talk::new(pair(|| KeepHeadToo), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    let reply = talk.send(request_body(vec![7; 300_000], true));
    assert_eq!(reply.len(), 1);
    assert_eq!(body_of(&reply[0]), None);
}
