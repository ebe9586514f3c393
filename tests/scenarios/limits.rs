//! Scenarios 57 to 62, 65 and 66: limits and watermarks.

use std::sync::Arc;

use bytes::Bytes;
use tidegate::Marks;

use crate::kit::*;

const fn first(bytes: usize) -> Verdict {
    Verdict::pass_first(bytes)
}

/// 57, D: the limit is for what stays held after the verdict, so 16 bytes that pass are forwarded.
/// Envoy: 413.
fn scenario_57_over_the_limit_and_passed_is_forwarded<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(10).data(BUF), script("B")]);
    run.head(false).data("12345").expect(r#"A.H(0) B.H(0) A.D("12345",0)"#, "H(0)");
    run.data_end("67890abcdef").expect(
        r#"A.D("67890abcdef",1) B.D("1234567890abcdef",1)"#,
        r#"D("1234567890abcdef") end"#,
    );
    run.finish("complete");
}

/// 57, as Envoy's test has it: held on the second call too, so one 413 (500), nothing forwarded,
/// and a resume afterwards does nothing.
fn scenario_57_over_the_limit_and_held_is_rejected_once<H: Dir>() {
    let a = script("A").high(10).head(HOLD).data(BUF).data(BUF);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("12345").expect(r#"A.H(0) A.D("12345",0)"#, "");
    run.data_end("67890abcdef");
    if H::REQUEST {
        run.expect(r#"A.D("67890abcdef",1)"#, "reply(413,0)");
    } else {
        // B has had no head: it sees the reply as the message.
        run.expect(r#"A.D("67890abcdef",1) B.H[500 local](1)"#, "H[500](1)");
    }
    run.gone("A").expect("", "");
    assert_eq!(run.stats().discarded_bytes, 16);
    let started = if H::REQUEST { "A" } else { "A B" };
    run.finish_closing(started, "limit A limit 10");
}

/// 58, E: the limit itself is no overflow, one byte more is; the resume comes at half, not before.
fn scenario_58_at_the_limit_and_one_past_it<H: Dir>() {
    let a = script("A").high(10).data(HOLD).data(HOLD).resume(first(5)).resume(first(1));
    let mut run = Run::<H>::new([a]);
    run.head(false).data("1234567890").wants(true);
    run.data("1").wants(false).holds(11);
    run.expect(r#"A.H(0) A.D("1234567890",0) A.D("1",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("12345678901",0)"#, r#"D("12345")"#);
    run.holds(6).wants(false);
    run.resume("A").expect(r#"A.resume("678901",0)"#, r#"D("6")"#);
    run.holds(5).wants(true);
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 1));
    run.end().expect(r#"A.D("",1)"#, r#"D("78901") end"#);
    run.finish("complete");
}

/// 59, E: raising the limit while paused resumes as soon as what is held is at half of it.
fn scenario_59_raise_the_limit_while_paused<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(4).data(HOLD)]);
    run.head(false).data("12345").expect(r#"A.H(0) A.D("12345",0)"#, "H(0)").wants(false);
    run.set_high("A", 8).wants(false);
    run.set_high("A", 10).wants(true);
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 1));
    run.end().expect(r#"A.D("",1)"#, r#"D("12345") end"#);
    run.finish("complete");
}

/// 60, D (section 4): the holder over its limit also holds the head: the 500 goes on from it as the
/// message. Envoy: past all filters.
fn scenario_60_overflow_with_the_head_held_here<H: Dir>() {
    let a = script("A").high(4).head(HOLD).data(BUF);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.data("12345");
    if H::REQUEST {
        run.expect(r#"A.D("12345",0)"#, "reply(413,0)");
        run.finish_closing("A", "limit A limit 4");
    } else {
        run.expect(r#"A.D("12345",0) B.H[500 local](1)"#, "H[500](1)");
        run.finish("limit A limit 4");
    }
}

/// 60, E: the head is held by a later filter: the 500 goes straight to the sink.
fn scenario_60_overflow_with_the_head_held_later<H: Dir>() {
    let a = script("A").high(4).data(BUF);
    let mut run = Run::<H>::new([a, script("B").head(HOLD), script("C")]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.data("12345");
    let reply = if H::REQUEST { "reply(413,0)" } else { "H[500](1)" };
    run.expect(r#"A.D("12345",0)"#, reply);
    run.finish_closing("A B", "limit A limit 4");
}

/// 60, E: the head has gone out: the response is cut so that nobody takes it for complete. A
/// request is still answered 413, since it is the response's head that counts.
fn scenario_60_overflow_after_the_head_has_gone<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(4).data(BUF)]);
    run.head(false).expect("A.H(0)", "H(0)");
    run.data("12345");
    if H::REQUEST {
        run.expect(r#"A.D("12345",0)"#, "reply(413,0)");
        run.finish("limit A limit 4");
    } else {
        run.expect(r#"A.D("12345",0)"#, "reset(A limit 4)");
        run.finish("failed A limit 4");
    }
}

/// 61, R: B is over by back-pressure, a frame for A is in flight. It waits, then A's own policy
/// applies to A's bytes. Envoy: no 413, and nobody resumes either.
fn scenario_61_policy_of_the_first_holder_applies_to_its_bytes<H: Dir>() {
    let a = script("A").high(4).data(PASS).data(BUF);
    let b = script("B").high(4).data(HOLD);
    let mut run = Run::<H>::new([a, b, script("R").head(HOLD)]);
    run.head(false).expect("A.H(0) B.H(0) R.H(0)", "");
    run.data("11111").expect(r#"A.D("11111",0) B.D("11111",0)"#, "").wants(false);
    run.data("22222").expect("", "").wants(false);
    run.resume("B");
    let reply = if H::REQUEST { "reply(413,0)" } else { "H[500](1)" };
    run.expect(
        r#"B.resume("11111",0) R.D("11111",0) A.D("22222",0)"#,
        // R passed the head with its data, but the sink has not taken it yet.
        reply,
    );
    run.finish("limit A limit 4");
}

/// 62, R: B holds as much as it may, A one byte under a rejecting verdict. Envoy: 413, though
/// neither is over.
fn scenario_62_bytes_of_two_holders_are_not_added_up<H: Dir>() {
    let a = script("A").high(4).data(PASS).data(BUF);
    let b = script("B").high(4).data(HOLD);
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("1111").expect(r#"A.H(0) B.H(0) A.D("1111",0) B.D("1111",0)"#, "H(0)");
    run.data("2").expect(r#"A.D("2",0)"#, "").wants(true);
    run.resume("B").expect(r#"B.resume("1111",0)"#, r#"D("1111")"#);
    run.resume("A").expect(r#"A.resume("2",0) B.D("2",0)"#, r#"D("2")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 65 on a chain: bytes that make A over go on to B and make it over in turn. The chain's level is
/// read after a drive, so there is one pause and one resume. (The edges themselves, source first,
/// are tested where `watermark` is.)
fn scenario_65_hand_over_between_two_holders_is_one_pause<H: Dir>() {
    let a = script("A").high(4).data(HOLD);
    let b = script("B").high(4).data(HOLD);
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("12345").expect(r#"A.H(0) B.H(0) A.D("12345",0)"#, "H(0)").wants(false);
    // The metered release fills B in two pieces: four bytes fit, one more makes it over.
    run.resume("A").expect(r#"A.resume("12345",0) B.D("1234",0) B.D("5",0)"#, r#"D("12345")"#);
    run.wants(true);
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 1));
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 66, E: a message that dies while it is paused is not resumed, and holds on to nothing.
fn scenario_66_destroyed_while_paused<H: Dir>() {
    let owner = Arc::new(());
    struct Owned {
        _counted: Arc<()>,
    }
    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            &[b'x'; 600]
        }
    }
    let mut run = Run::<H>::new([script("A").high(4).data(HOLD), script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.frame(Bytes::from_owner(Owned { _counted: Arc::clone(&owner) }), false);
    run.frame(Bytes::from_owner(Owned { _counted: Arc::clone(&owner) }), false);
    run.expect(r#"A.D("{x*600}",0)"#, "").wants(false);
    assert_eq!(Arc::strong_count(&owner), 3, "one frame is held, one waits");
    run.cancel().expect("", "").wants(false).holds(0);
    assert_eq!(Arc::strong_count(&owner), 1, "nothing of the body is kept");
    run.gone("A").set_high("A", u64::from(u32::MAX)).expect("", "");
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 0));
    assert_eq!(Marks::from_high(4).low(), 2, "the marks this is about");
    run.finish("cancelled");
}

both!(
    scenario_57_over_the_limit_and_passed_is_forwarded,
    scenario_57_over_the_limit_and_held_is_rejected_once,
    scenario_58_at_the_limit_and_one_past_it,
    scenario_59_raise_the_limit_while_paused,
    scenario_60_overflow_with_the_head_held_here,
    scenario_60_overflow_with_the_head_held_later,
    scenario_60_overflow_after_the_head_has_gone,
    scenario_61_policy_of_the_first_holder_applies_to_its_bytes,
    scenario_62_bytes_of_two_holders_are_not_added_up,
    scenario_65_hand_over_between_two_holders_is_one_pause,
    scenario_66_destroyed_while_paused,
);
