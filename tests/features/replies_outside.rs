//! Local replies from outside the chain, and how a large one goes through it.

use bytes::Bytes;
use http::{Response, StatusCode, request, response};
use tidegate::LocalReply;

use crate::kit::*;

fn denied() -> LocalReply {
    LocalReply::text(StatusCode::FORBIDDEN, "no")
}

/// A request chain gives the reply out, whatever state it is in.
#[test]
fn reply_from_outside_replaces_a_request() {
    let mut run = Run::<request::Parts>::new([script("A"), script("B")]);
    run.reply(denied()).expect("", "reply(403,2)");
    run.finish_closing("", "replaced 403");

    let mut run = Run::<request::Parts>::new([script("A"), script("B").head(HOLD)]);
    run.head(false).data("1").expect(r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0)"#, r#"H(0) D("1")"#);
    run.reply(denied()).expect("", "reply(403,2)");
    run.gone("A").expect("", "");
    run.finish("replaced 403");
}

/// No head yet: the whole response chain sees the reply as its message, marked as local.
#[test]
fn reply_from_outside_before_any_response() {
    let mut run = Run::<response::Parts>::new([script("A"), script("B")]);
    run.reply(denied()).expect(
        r#"A.H[403 local](0) B.H[403 local](0) A.D("no",1) B.D("no",1)"#,
        r#"H[403](0) D("no") end"#,
    );
    run.finish("replaced 403");
}

/// The head stands at a filter: handled as from that one.
#[test]
fn reply_from_outside_while_the_head_is_held() {
    let a = script("A").data(HOLD);
    let mut run = Run::<response::Parts>::new([a, script("B").head(HOLD), script("C")]);
    run.head(false).data("1").expect(r#"A.H(0) B.H(0) A.D("1",0)"#, "");
    run.reply(denied()).expect(r#"C.H[403 local](0) C.D("no",1)"#, r#"H[403](0) D("no") end"#);
    run.gone("A").gone("B").expect("", "");
    assert_eq!(run.stats().discarded_bytes, 1);
    run.finish("replaced 403");
}

/// The head is beyond the last filter: straight to the sink; taken: too late.
#[test]
fn reply_from_outside_when_all_filters_had_the_head() {
    let mut run = Run::<response::Parts>::new([script("A")]);
    run.hold_sink().head(false).data("1").calls(r#"A.H(0) A.D("1",0)"#);
    run.reply(denied()).open_sink().expect("", r#"H[403](0) D("no") end"#);
    assert_eq!(run.stats().discarded_bytes, 1);
    run.finish("replaced 403");

    let mut run = Run::<response::Parts>::new([script("A")]);
    run.head(false).expect("A.H(0)", "H(0)");
    run.reply(denied()).expect("", "reset(reply too late)");
    run.finish("failed reply too late");
}

/// On a finished message it does nothing.
#[test]
fn reply_from_outside_after_the_end() {
    let mut run = Run::<response::Parts>::new([script("A")]);
    run.head(true).expect("A.H(1)", "H(1)");
    run.reply(denied()).expect("", "");
    run.finish("complete");
}

/// The body of a reply enters like that of a source: in frames, while nothing is over (ruling 22).
#[test]
fn reply_body_is_metered() {
    let body = Bytes::from(vec![b'x'; 100]);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::FORBIDDEN;
    let stage = Stage::<response::Parts>::new([script("A")]).max_frame(16).output_high(20);
    let mut run = stage.run();
    run.hold_sink().reply(LocalReply::from(response));
    run.calls(r#"A.H[403 local](0) A.D("xxxxxxxxxxxxxxxx",0) A.D("xxxxxxxxxxxxxxxx",0)"#);
    run.holds(32);
    run.open_sink();
    assert_eq!(run.drop_calls(), 5);
    run.sink(r#"H[403](0) D("{x*100}") end"#);
    assert!(run.stats().peak_held_bytes <= 36, "the mark and one frame");
    run.finish("replaced 403");
}

/// A holder among the reply's filters is held to its own limit, and answered as any other.
#[test]
fn reply_over_the_limit_of_a_holder() {
    let a = script::<response::Parts>("A").high(1).head(HOLD).data(BUF);
    let mut run = Run::new([a, script("B")]);
    run.reply(denied()).expect(r#"A.H[403 local](0) A.D("no",1) B.H[500 local](1)"#, "H[500](1)");
    run.finish("limit A limit 1");
}
