//! Scenarios 1 to 11: basics.

use bytes::Bytes;

use crate::kit::*;

/// 1, E: everything passes; each filter is complete once.
fn scenario_01_all_pass<H: Dir>() {
    let mut run = Run::<H>::new([script("A"), script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("1").expect(r#"A.D("1",0) B.D("1",0)"#, r#"D("1")"#);
    run.data_end("2").expect(r#"A.D("2",1) B.D("2",1)"#, r#"D("2") end"#);
    run.finish("complete");
}

/// 2, E: a message that is only a head makes no data call.
fn scenario_02_head_only<H: Dir>() {
    let mut run = Run::<H>::new([script("A"), script("B")]);
    run.head(true).expect("A.H(1) B.H(1)", "H(1)");
    run.finish("complete");
}

/// 3, E: a data verdict that passes lets the held head go first.
fn scenario_03_data_releases_the_held_head<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(HOLD), script("B"), script("R")]);
    run.head(false).expect("A.H(0)", "");
    run.data("1").expect(r#"A.D("1",0) B.H(0) R.H(0) B.D("1",0) R.D("1",0)"#, r#"H(0) D("1")"#);
    run.data_end("2").expect(r#"A.D("2",1) B.D("2",1) R.D("2",1)"#, r#"D("2") end"#);
    run.finish("complete");
}

/// 4, E: a held head and a held body go on in one resume, the body in one call.
fn scenario_04_head_and_body_held_to_the_end<H: Dir>() {
    let a = script("A").head(HOLD).data(BUF).data(BUF);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, "");
    run.data_end("2").expect(r#"A.D("2",1)"#, "");
    run.resume("A").expect(r#"A.resume("12",1) B.H(0) B.D("12",1)"#, r#"H(0) D("12") end"#);
    run.finish("complete");
}

/// 5, E: a held head that is the whole message.
fn scenario_05_held_head_only<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(HOLD), script("B")]);
    run.head(true).expect("A.H(1)", "");
    run.resume("A").expect(r#"A.resume("",1) B.H(1)"#, "H(1)");
    run.finish("complete");
}

/// 6, D (ruling 3): the end of an empty message stands directly behind the head when both go on,
/// so it is shown with it. Envoy: `B.H(0), B.D("",1)`.
fn scenario_06_empty_end_behind_a_held_head<H: Dir>() {
    let a = script("A").head(HOLD).data_with(take_then(HOLD));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.data_end("").expect(r#"A.D("",1)"#, "");
    run.resume("A").expect(r#"A.resume("",1) B.H(1)"#, "H(1)");
    run.finish("complete");
}

/// 7, E: the end alone is held and goes on alone.
fn scenario_07_empty_end_held<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data_with(take_then(HOLD)), script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data_end("").expect(r#"A.D("",1)"#, "");
    run.resume("A").expect(r#"A.resume("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 8, E: the second data call passes everything before it.
fn scenario_08_second_data_call_passes_all<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(HOLD).data(BUF), script("B")]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, "");
    run.data("2").expect(r#"A.D("2",0) B.H(0) B.D("12",0)"#, r#"H(0) D("12")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 9, E: two whole-body holders in a row; each gets all once, and no byte is copied.
fn scenario_09_two_holders_hand_over_without_copying<H: Dir>() {
    let first = Bytes::from(vec![b'x'; 600]);
    let second = Bytes::from(vec![b'y'; 512]);
    let given = [first.as_ptr(), second.as_ptr()];
    let whole = script("A").data(BUF).data(BUF);
    let mut run = Run::<H>::new([whole, script("B").data(BUF)]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.frame(first, false).expect(r#"A.D("{x*600}",0)"#, "");
    run.frame(second, true).expect(r#"A.D("{y*512}",1)"#, "");
    run.resume("A").expect(r#"A.resume("{x*600}{y*512}",1) B.D("{x*600}{y*512}",1)"#, "");
    run.hold_sink().resume("B").calls(r#"B.resume("{x*600}{y*512}",1)"#);
    run.take_one().take_one();
    let taken: Vec<*const u8> = run.take_pieces().iter().map(|piece| piece.as_ptr()).collect();
    assert_eq!(taken, given, "the segments that came in went out");
    run.open_sink().sink("end");
    assert_eq!(run.stats().packed_bytes, 0);
    run.finish("complete");
}

/// 10, E: what a holder drains is gone, the rest goes on.
fn scenario_10_drain_a_byte_of_what_is_held<H: Dir>() {
    let a = script("A").data(BUF).resume_with(|view| {
        let first = view.take_first(1).expect("a granted edit");
        assert_eq!(first, b"1");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("123").expect(r#"A.D("123",0)"#, "");
    run.resume("A").expect(r#"A.resume("123",0) B.D("23",0)"#, r#"D("23")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 11, R: an empty frame that is no end is dropped at the door (ruling 17), and nothing that comes
/// of it looks like an end. Envoy: `B.D("",0)`.
fn scenario_11_empty_frame_is_elided<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data(BUF), script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("").expect("", "");
    run.resume("A").expect(r#"A.resume("",0)"#, "");
    run.data("1").expect(r#"A.D("1",0)"#, "");
    run.data("").expect("", "");
    run.resume("A").expect(r#"A.resume("1",0) B.D("1",0)"#, r#"D("1")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

both!(
    scenario_01_all_pass,
    scenario_02_head_only,
    scenario_03_data_releases_the_held_head,
    scenario_04_head_and_body_held_to_the_end,
    scenario_05_held_head_only,
    scenario_06_empty_end_behind_a_held_head,
    scenario_07_empty_end_held,
    scenario_08_second_data_call_passes_all,
    scenario_09_two_holders_hand_over_without_copying,
    scenario_10_drain_a_byte_of_what_is_held,
    scenario_11_empty_frame_is_elided,
);
