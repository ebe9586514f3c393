//! What a message is answered with, mode by mode.

use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode, Promise};
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};

use crate::filters::{EverySecond, GiveBody, KeepAll, Mark, Pass, RenameTrailer, pair};
use crate::messages::{
    Mutation, ProcessingResponse, ResponsePart, request_body, request_headers, request_trailers,
    response_body, response_headers,
};
use crate::support::{Talk, body_of, both, common, streamed};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

fn plain(mode: BodyMode) -> Talk {
    Talk::new(pair(|| Pass), both(mode))
}

#[test]
fn scenario_1_heads_are_answered_and_then_the_stream_is_released() {
    let plan = pair(|| crate::filters::Deny);
    drop(plan);
    let mut talk = Talk::new(
        tidegate::exchange::ExchangePlan::builder().build().expect("a plan"),
        both(BodyMode::None),
    );
    let replies = talk.send(request_headers(&HEAD, true));
    assert_eq!(replies.len(), 1);
    assert_eq!(common(&replies[0]), Default::default(), "nothing has changed");
    let replies = talk.send(response_headers(&[(":status", "200")], true));
    assert_eq!(replies.len(), 1);
    assert!(talk.status().expect("all is answered").is_ok());
    assert!(matches!(talk.session.end(), Some(SessionEnd::Complete)));
}

#[test]
fn streamed_unedited_is_an_empty_answer_for_each_message() {
    let mut talk = plain(BodyMode::Streamed);
    assert_eq!(talk.send(request_headers(&HEAD, false)).len(), 1);
    for (bytes, ends) in [(&b"hello"[..], false), (b"", false), (b"world", false), (b"", true)] {
        let replies = talk.send(request_body(bytes, ends));
        assert_eq!(replies.len(), 1, "{bytes:?}");
        assert_eq!(body_of(&replies[0]), None);
    }
    assert!(talk.status().is_none(), "the response has not come");
}

#[test]
fn streamed_edited_is_replaced_and_held_is_cleared_and_owed_later() {
    let mut talk = Talk::new(pair(|| Mark), both(BodyMode::Streamed));
    let head = talk.send(request_headers(&HEAD, false));
    let mutation = common(&head[0]).header_mutation.expect("a change");
    assert_eq!(mutation.set_headers.len(), 1);
    let reply = talk.send(request_body(&b"one"[..], true));
    assert_eq!(body_of(&reply[0]), Some(Mutation::Body(">one".into())));

    let mut talk = Talk::new(pair(EverySecond::default), both(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    let reply = talk.send(request_body(&b"one"[..], false));
    assert_eq!(body_of(&reply[0]), Some(Mutation::ClearBody(true)));
    let reply = talk.send(request_body(&b"two"[..], false));
    assert_eq!(body_of(&reply[0]), Some(Mutation::Body("onetwo".into())));
    let reply = talk.send(request_body(&b"three"[..], true));
    assert_eq!(body_of(&reply[0]), None, "it came out as it came");
}

#[test]
fn scenario_36_what_is_kept_to_the_end_goes_with_the_last_answer() {
    let settings = SessionSettings::new(both(BodyMode::Streamed))
        .promise(Promise::NoTrailers, Promise::NoTrailers);
    let mut talk = Talk::with(pair(|| KeepAll), settings);
    talk.send(request_headers(&HEAD, false));
    for piece in ["a", "b"] {
        let reply = talk.send(request_body(piece, false));
        assert_eq!(body_of(&reply[0]), Some(Mutation::ClearBody(true)));
    }
    let reply = talk.send(request_body(&b""[..], true));
    assert_eq!(body_of(&reply[0]), Some(Mutation::Body("ab".into())));
}

#[test]
fn streamed_without_a_promise_refuses_a_filter_that_keeps_to_the_end() {
    let settings = SessionSettings::new(both(BodyMode::Streamed));
    let error = SessionPlan::new(pair(|| KeepAll), settings).expect_err("no end could carry it");
    let text = error.to_string();
    assert!(text.contains("`it`") && text.contains("keep bytes to the end"), "{text}");
    assert!(text.contains("STREAMED"), "{text}");
}

#[test]
fn buffered_answers_the_head_at_once_and_says_the_length_with_the_body() {
    let mut talk = Talk::new(pair(|| Mark), both(BodyMode::Buffered));
    let head: Vec<_> = HEAD.into_iter().chain([("content-length", "5")]).collect();
    let set = |reply: &ProcessingResponse| -> Vec<_> {
        let mutation = common(reply).header_mutation.expect("a change");
        let fields = mutation.set_headers.into_iter().map(|each| each.header.expect("a field"));
        fields.map(|it| (it.key, String::from_utf8(it.raw_value.to_vec()).expect("text"))).collect()
    };
    let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let reply = talk.send(request_headers(&head, false));
    assert_eq!(set(&reply[0]), [owned("x-marked", "yes")]);
    let reply = talk.send(request_body(&b"hello"[..], true));
    assert_eq!(reply.len(), 1);
    assert_eq!(body_of(&reply[0]), Some(Mutation::Body(">hello".into())));
    assert_eq!(set(&reply[0]), [owned("content-length", "6")], "P12");
}

#[test]
fn buffered_unedited_needs_no_body_in_the_answer() {
    let mut talk = plain(BodyMode::Buffered);
    talk.send(request_headers(&HEAD, false));
    let reply = talk.send(request_body(vec![7; 100_000], true));
    assert_eq!(body_of(&reply[0]), None);
    assert_eq!(talk.session.held_bytes(), 0);
}

#[test]
fn scenario_18_buffered_with_trailers_answers_both() {
    let mut talk = Talk::new(pair(|| RenameTrailer), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    let reply = talk.send(request_body(&b"hello"[..], false));
    assert_eq!(body_of(&reply[0]), None);
    let reply = talk.send(request_trailers(&[("a", "1")]));
    let Some(ResponsePart::RequestTrailers(it)) = &reply[0].response else { panic!("{reply:?}") };
    let mutation = it.header_mutation.clone().expect("a change");
    assert_eq!(mutation.remove_headers, ["a"]);
    assert_eq!(mutation.set_headers.len(), 1);
}

#[test]
fn buffered_shows_the_end_with_the_body_to_who_keeps_and_lets_trailers_pass() {
    let mut talk = Talk::new(pair(|| KeepAll), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    let reply = talk.send(request_body(&b"hello"[..], false));
    assert_eq!(reply.len(), 1);
    assert_eq!(body_of(&reply[0]), None, "all of it came out");
    let reply = talk.send(request_trailers(&[("a", "1")]));
    let Some(ResponsePart::RequestTrailers(it)) = &reply[0].response else { panic!("{reply:?}") };
    assert_eq!(it.header_mutation, None);
}

#[test]
fn scenario_44_full_duplex_gives_back_what_came_and_its_end() {
    let mut talk = plain(BodyMode::FullDuplexStreamed);
    assert_eq!(talk.send(request_headers(&HEAD, false)).len(), 1);
    let mut replies = talk.send(request_body(&b"hello"[..], false));
    replies.extend(talk.send(request_body(&b"world"[..], false)));
    replies.extend(talk.send(request_body(&b""[..], true)));
    assert_eq!(streamed(&replies), (b"helloworld".to_vec(), true));
}

#[test]
fn scenarios_45_and_46_full_duplex_ends_with_trailers_if_they_came() {
    for keeps in [false, true] {
        let plan = if keeps { pair(|| KeepAll) } else { pair(|| RenameTrailer) };
        let mut talk = Talk::new(plan, both(BodyMode::FullDuplexStreamed));
        talk.send(request_headers(&HEAD, false));
        let mut replies = talk.send(request_body(&b"hello"[..], false));
        replies.extend(talk.send(request_trailers(&[("a", "1")])));
        let last = replies.pop().expect("trailers");
        assert_eq!(streamed(&replies), (b"hello".to_vec(), false));
        assert!(matches!(last.response, Some(ResponsePart::RequestTrailers(_))), "{last:?}");
    }
}

#[test]
fn scenario_71_a_get_can_be_given_a_body() {
    for mode in BodyMode::ALL.into_iter().filter(|mode| *mode != BodyMode::None) {
        let mut talk = Talk::new(pair(|| GiveBody), both(mode));
        let reply = talk.send(request_headers(&HEAD, true));
        assert_eq!(reply.len(), 1);
        let common = common(&reply[0]);
        assert_eq!(common.status, 1, "CONTINUE_AND_REPLACE in {mode}");
        let body = common.body_mutation.and_then(|mutation| mutation.mutation);
        assert_eq!(body, Some(Mutation::Body("given".into())));
    }
}

#[test]
fn header_mode_skip_begins_with_a_body() {
    use tidegate::ext_proc::mode::SendMode;
    use tidegate::{Declaration, Filter, Head, Interest};

    struct DataOnly;
    impl<H: Head> Filter<H> for DataOnly {
        fn declare(&self) -> Declaration {
            Declaration::new().interest(Interest::DATA)
        }
    }
    for body in [BodyMode::Streamed, BodyMode::Buffered, BodyMode::FullDuplexStreamed] {
        let mode = DirectionMode::new(body).with_headers(SendMode::Skip);
        let mut talk = Talk::new(pair(|| DataOnly), ProcessingMode::both(mode));
        let replies = talk.send(request_body(&b"hello"[..], true));
        assert_eq!(replies.len(), 1, "{body}");
        let replies = talk.send(response_body(&b"hello"[..], true));
        assert_eq!(replies.len(), 1, "{body}");
        assert!(talk.status().expect("all is answered").is_ok());
    }
}
