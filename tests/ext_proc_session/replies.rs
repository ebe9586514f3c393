//! Replies of filters and failures: answered as long as they can be, and told loudly behind that.

use tidegate::exchange::{Direction, ExchangePlan};
use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::{GrpcCode, GrpcStatus};
use tidegate::{Error, ErrorKind, Origin, Outcome};

use crate::filters::{Deny, NoX, Panics, Pass, pair};
use crate::messages::{
    ProcessingResponse, ResponsePart, request_body, request_headers, response_body,
    response_headers,
};
use crate::support::{Talk, both};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

pub(crate) fn immediate(replies: &[ProcessingResponse]) -> (i32, Vec<u8>) {
    let last = replies.last().expect("an answer");
    match &last.response {
        Some(ResponsePart::ImmediateResponse(it)) => {
            (it.status.as_ref().expect("a status").code, it.body.to_vec())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn scenario_64_a_reply_to_the_request_head_is_immediate_in_every_mode() {
    for mode in BodyMode::ALL {
        let mut talk = Talk::new(pair(|| Deny), both(mode));
        let replies = talk.send(request_headers(&HEAD, false));
        assert_eq!(immediate(&replies), (403, b"no\n".to_vec()), "{mode}");
        assert!(talk.status().expect("nothing follows").is_ok());
        assert!(
            matches!(talk.session.end(), Some(SessionEnd::Replied { status }) if *status == 403)
        );
    }
}

#[test]
fn scenario_65_a_reply_to_the_request_body_is_immediate() {
    for mode in [
        BodyMode::Streamed,
        BodyMode::Buffered,
        BodyMode::BufferedPartial,
        BodyMode::FullDuplexStreamed,
    ] {
        let plan = ExchangePlan::builder().request("no-x", || NoX).build().expect("a plan");
        let mut talk = Talk::new(plan, both(mode));
        talk.send(request_headers(&HEAD, false));
        let replies = talk.send(request_body(&b"axb"[..], true));
        assert_eq!(immediate(&replies), (418, b"no x\n".to_vec()), "{mode}");
    }
}

#[test]
fn scenario_26_a_reply_to_a_buffered_response_body_is_clean() {
    let plan = ExchangePlan::builder().response("no-x", || NoX).build().expect("a plan");
    let mut talk = Talk::new(plan, both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, true));
    talk.send(response_headers(&[(":status", "200")], false));
    let replies = talk.send(response_body(&b"axb"[..], true));
    assert_eq!(immediate(&replies), (418, b"no x\n".to_vec()));
}

#[test]
fn scenario_66_a_reply_behind_the_response_head_ends_the_stream_with_an_error() {
    for mode in [BodyMode::Streamed, BodyMode::FullDuplexStreamed] {
        let plan = ExchangePlan::builder().response("no-x", || NoX).build().expect("a plan");
        let mut talk = Talk::new(plan, both(mode));
        talk.send(request_headers(&HEAD, true));
        assert_eq!(talk.send(response_headers(&[(":status", "200")], false)).len(), 1);
        assert!(talk.send(response_body(&b"axb"[..], true)).is_empty());
        assert!(!talk.status().expect("it is over").is_ok(), "P7, P8 in {mode}");
    }
}

#[test]
fn p7_a_panic_is_an_error_to_the_client_and_never_a_good_end() {
    for mode in [BodyMode::Streamed, BodyMode::Buffered, BodyMode::FullDuplexStreamed] {
        let plan = ExchangePlan::builder().request("panics", || Panics).build().expect("a plan");
        let mut talk = Talk::new(plan, both(mode));
        talk.send(request_headers(&HEAD, false));
        let replies = talk.send(request_body(&b"axb"[..], false));
        assert_eq!(immediate(&replies).0, 500, "{mode}");
    }
}

/// Whatever the edge would have said of it: before its first message, and in the midst of one.
#[test]
fn p7_a_session_that_the_edge_ends_is_never_a_good_end() {
    for has_begun in [false, true] {
        let mut talk = Talk::new(pair(|| Pass), both(BodyMode::FullDuplexStreamed));
        if has_begun {
            talk.send(request_headers(&HEAD, false));
        }
        let error = Error::new(ErrorKind::Stalled, Origin::Processor);
        talk.session.abort(error, GrpcStatus::OK);
        let status = talk.status().expect("it is over");
        assert_eq!(status.code, GrpcCode::Internal, "{has_begun}");
        assert!(matches!(talk.session.end(), Some(SessionEnd::Failed(_))), "{has_begun}");
    }
}

#[test]
fn p20_an_end_with_nothing_owed_is_normal_and_with_something_owed_is_not() {
    let mut talk = Talk::new(pair(|| Pass), both(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    talk.send(request_body(&b"one"[..], false));
    talk.session.handle_end();
    assert!(matches!(talk.session.end(), Some(SessionEnd::Released)));

    let mut talk = Talk::new(pair(|| crate::filters::KeepAll), both(BodyMode::FullDuplexStreamed));
    talk.send(request_headers(&HEAD, false));
    talk.send(request_body(&b"one"[..], false));
    talk.session.handle_end();
    assert!(matches!(talk.session.end(), Some(SessionEnd::Abandoned)));
    assert!(!talk.status().expect("over").is_ok());
}

#[test]
fn ends_that_a_mode_does_not_show_are_said_so() {
    use std::sync::{Arc, Mutex};

    let told = Arc::new(Mutex::new(Vec::new()));
    let plan = ExchangePlan::builder().build().expect("a plan");
    let plan = SessionPlan::new(plan, SessionSettings::new(both(BodyMode::None))).expect("fits");
    let observer = {
        let told = Arc::clone(&told);
        Arc::new(move |direction: Direction, outcome: &Outcome, _: &tidegate::chain::Stats| {
            told.lock().expect("no panic").push((direction, format!("{outcome:?}")));
        })
    };
    let plan = plan.on_finish(observer);
    let mut talk =
        Talk::new(ExchangePlan::builder().build().expect("a plan"), both(BodyMode::None));
    talk.session = plan.session();
    talk.send(request_headers(&HEAD, false));
    talk.session.handle_end();
    let told = told.lock().expect("no panic");
    assert_eq!(told[..], [(Direction::Request, "EndUnseen".to_owned())]);
}

#[test]
fn p34_more_time_is_asked_for_once_for_what_a_filter_holds_and_never_in_full_duplex() {
    use core::time::Duration;
    use tidegate::{Capability, Declaration, Filter, Head, Verdict, View};

    /// Holds for ever, with a handle that lives.
    struct Hold(Option<tidegate::ResumeHandle>);
    impl<H: Head> Filter<H> for Hold {
        fn declare(&self) -> Declaration {
            Declaration::new().require(Capability::HoldHead)
        }
        fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
            self.0 = Some(view.resume_handle());
            Verdict::HOLD.quiet()
        }
    }
    for (mode, asks) in [(BodyMode::Buffered, true), (BodyMode::FullDuplexStreamed, false)] {
        let plan = ExchangePlan::builder().request("hold", || Hold(None)).build().expect("a plan");
        let time = Duration::from_millis(1500);
        let mut talk = Talk::with(plan, SessionSettings::new(both(mode)).more_time(time));
        talk.send(request_headers(&HEAD, false));
        let replies = talk.send(request_body(&b"one"[..], true));
        assert_eq!(replies.len(), usize::from(asks), "{mode}");
        if let [reply] = &replies[..] {
            let asked = reply.override_message_timeout.expect("a time");
            assert_eq!((asked.seconds, asked.nanos), (1, 500_000_000));
            assert_eq!(reply.response, None, "nothing else goes with it");
        }
        assert!(talk.replies().is_empty(), "once");
    }
}

#[test]
fn a_half_close_behind_whole_messages_waits_for_the_filters_and_one_that_cuts_does_not() {
    use tidegate::async_filter::{Input, Output, async_filter};
    use tidegate::{Declaration, Error};

    let (sender, receiver) = tokio::sync::watch::channel(false);
    let wait = move |mut input: Input, mut output: Output| {
        let mut receiver = receiver.clone();
        async move {
            while let Some(chunk) = input.next().await? {
                let _ = receiver.wait_for(|go| *go).await;
                output.send(chunk).await?;
            }
            Ok::<(), Error>(())
        }
    };
    let declaration = Declaration::new().require(tidegate::Capability::ChangeLength);
    let plan = ExchangePlan::builder()
        .request("waits", async_filter(declaration, wait))
        .build()
        .expect("a plan");
    let mode = both(BodyMode::FullDuplexStreamed);
    let mut talk = Talk::new(plan.clone(), mode);
    talk.send(request_headers(&HEAD, false));
    assert!(talk.send(request_body(&b"one"[..], true)).is_empty());
    talk.session.handle_half_close();
    assert!(talk.status().is_none(), "the filter is still at it");
    sender.send_replace(true);
    assert_eq!(crate::support::streamed(&talk.replies()), (b"one".to_vec(), true));
    assert!(talk.status().expect("nothing is owed").is_ok());
    assert!(matches!(talk.session.end(), Some(SessionEnd::Released)));

    sender.send_replace(false);
    let mut talk = Talk::new(plan, mode);
    talk.send(request_headers(&HEAD, false));
    talk.send(request_body(&b"one"[..], false));
    talk.session.handle_half_close();
    let status = talk.status().expect("the message is cut");
    assert!(!status.is_ok(), "{:?}", talk.session);
    assert!(matches!(talk.session.end(), Some(SessionEnd::Abandoned)));
}

#[test]
fn a_timeout_is_408_where_the_client_was_awaited_and_else_504() {
    use tidegate::Timeout;

    for (ends, status) in [(false, 408), (true, 504)] {
        let plan = ExchangePlan::builder().build().expect("a plan");
        let mut talk = Talk::new(plan, both(BodyMode::FullDuplexStreamed));
        talk.send(request_headers(&HEAD, false));
        talk.send(request_body(&b"one"[..], ends));
        talk.session.handle_timeout(Timeout::Total);
        assert_eq!(immediate(&talk.replies()).0, status);
    }
}
