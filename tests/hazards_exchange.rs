//! The hazards between callers and callbacks, and between the directions of an exchange, by name.
//!
//! Z17 (replaying a request without knowing whether it is complete) has no test: nothing in
//! tidegate replays, so there is no replay buffer to be wrong about. See `docs/architecture.md`,
//! section 11.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod kit;
#[path = "exchange/stage.rs"]
mod stage;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::StatusCode;
use tidegate::exchange::{EarlyResponse, ExchangePlan, ResponseSide};
use tidegate::filter::EditErrorKind;
use tidegate::{LocalReply, View};

use kit::script::Log;
use kit::*;
use stage::{Stage, sunk};

/// An add that does not fit is an error value. Nothing has changed: the caller's view, the message,
/// and what the caller does next all work.
fn z16_overflow_inside_an_add_is_an_error_value<H: Dir>() {
    let a = script("A").high(8).data_with(|view| {
        let refused = view.push(Bytes::from(vec![b'x'; 9])).expect_err("more than the mark");
        assert_eq!(refused.kind(), EditErrorKind::TooLarge { high_bytes: 8 });
        assert_eq!(render::bytes(view.body()), b"12");
        let refused = view.insert(0, Bytes::from(vec![b'x'; 9])).expect_err("more than the mark");
        assert_eq!(refused.kind(), EditErrorKind::TooLarge { high_bytes: 8 });
        view.push(Bytes::from_static(b"3")).expect("it fits");
        assert_eq!(render::bytes(view.body()), b"123");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("12").wants(true);
    run.expect(r#"A.H(0) B.H(0) A.D("12",0) B.D("123",0)"#, r#"H(0) D("123")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// An add that makes a rejecting holder go over its limit: the reply comes after the call has
/// returned, so that nothing is destroyed under the caller's feet; it is called once more, to be
/// closed.
fn z16_a_limit_acts_after_the_call<H: Dir>() {
    let after: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let (inside, close) = (Arc::clone(&after), Arc::clone(&after));
    let a = script("A")
        .head(HOLD)
        .high(4)
        .data_with(move |view: &mut View<'_, H>| {
            view.push(Bytes::from_static(b"45")).expect("within its own mark");
            assert_eq!(render::bytes(view.body()), b"12345");
            view.head_mut().expect("it is still here").set("x-seen", "1");
            inside.lock().unwrap().push("returned");
            BUF
        })
        .close_with(move |_| close.lock().unwrap().push("closed"));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("123");
    if H::REQUEST {
        run.expect(r#"A.H(0) A.D("123",0)"#, "reply(413,0)");
        run.finish_closing("A", "limit A limit 4");
    } else {
        run.expect(r#"A.H(0) A.D("123",0) B.H[500 local](1)"#, "H[500](1)");
        run.finish("limit A limit 4");
    }
    assert_eq!(*after.lock().unwrap(), ["returned", "closed"]);
}

/// A request callback answers at once, as a router does: it drives the whole response from within
/// its own call. The call shares nothing with it: its view is what it was, its verdict counts, and
/// what the response does to the request happens when the request is polled next.
#[test]
fn z18_a_response_from_within_a_request_callback_shares_no_bits() {
    for early in [EarlyResponse::Forward, EarlyResponse::Stop] {
        let log = Log::default();
        let slot: Arc<Mutex<Option<ResponseSide>>> = Arc::default();
        let (router, inside) = (Arc::clone(&slot), log.clone());
        let b = script("B").data_with(move |view| {
            let mut response = router.lock().unwrap().take().expect("the response side");
            response.handle_head(Dir::plain(), false).unwrap();
            response.handle_data("answer".into(), true).unwrap();
            assert_eq!(sunk(&mut response), "H(0) D(answer) end .");
            inside.lock().calls.push("B.back".to_owned());
            assert_eq!(render::bytes(view.body()), b"12");
            view.push(Bytes::from_static(b"3")).expect("room for an edit");
            PASS
        });
        // A adds in the other direction meanwhile: its growth is not B's.
        let x = script("X").head_with(push_then("", PASS));
        let plan = ExchangePlan::builder()
            .response("X", x.into_factory(&log))
            .request("A", script("A").into_factory(&log))
            .request("B", b.into_factory(&log))
            .request("C", script("C").into_factory(&log))
            .build()
            .unwrap();
        let mut stage = Stage::of(plan, early, log);
        stage.request_head(false).up("H(0)").calls("A.H(0) B.H(0) C.H(0)");
        let stage = with_response_in(stage, &slot);
        stage.finish(early);
    }
}

/// A stage without its response, which a filter has.
struct Routed {
    request: tidegate::exchange::RequestSide,
    told: stage::Told,
    calls: Box<dyn Fn() -> String>,
}

fn with_response_in(stage: Stage, slot: &Arc<Mutex<Option<ResponseSide>>>) -> Routed {
    let log = stage.log();
    let Stage { request, response, told, .. } = stage;
    *slot.lock().unwrap() = Some(response);
    let calls = Box::new(move || std::mem::take(&mut log.lock().calls).join(" "));
    Routed { request, told, calls }
}

impl Routed {
    fn finish(mut self, early: EarlyResponse) {
        self.request.handle_data("12".into(), false).unwrap();
        // The response ran inside the call of B, and B's verdict counts for all of its view.
        assert_eq!(
            (self.calls)(),
            r#"A.D("12",0) B.D("12",0) X.H(0) X.D("answer",1) B.back C.D("123",0)"#
        );
        assert_eq!(self.told.take(), "response complete");
        if early == EarlyResponse::Forward {
            assert_eq!(sunk(&mut self.request), "D(12) D(3)");
            self.request.handle_end().unwrap();
            assert_eq!(sunk(&mut self.request), "end .");
            assert_eq!(self.told.take(), "request complete");
        } else {
            // Only now, and not within the call.
            assert!(self.request.chain().outcome().is_none());
            assert_eq!(sunk(&mut self.request), "reset(answered early) .");
        }
    }
}

/// A request callback replies, and the response filters that see the reply reply as well: neither
/// direction takes the other's reply for its own.
#[test]
fn z18_replies_of_both_directions_are_kept_apart() {
    let a = script("A").head_with(|view| view.reply(LocalReply::new(StatusCode::FORBIDDEN)));
    let x = script("X").head_with(|view| view.reply(LocalReply::new(StatusCode::CONFLICT)));
    let mut stage = Stage::new(EarlyResponse::Forward, [a], [x, script("Y")]);
    stage.request_head(false).up("reset(reset) .").down("H[409](1) .");
    stage.calls("A.H(0) X.H[403 local](1) Y.H[409 local](1)");
    stage.told("request replaced 403 by A, response replaced 409 by X");
}

both!(z16_overflow_inside_an_add_is_an_error_value, z16_a_limit_acts_after_the_call);
