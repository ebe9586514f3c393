//! Scenarios 18 to 30: adding body.

use bytes::Bytes;

use crate::kit::*;

/// 18, E: body added to a head-only message inline. A itself is never asked about it.
fn scenario_18_add_body_inline<H: Dir>() {
    let a = script("A").head_with(push_then("x", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(true).expect(r#"A.H(1) B.H(0) B.D("x",1)"#, r#"H(0) D("x") end"#);
    run.finish("complete");
}

/// 19, E: the same, after a hold.
fn scenario_19_add_body_on_resume<H: Dir>() {
    let a = script("A").head(HOLD).resume_with(push_then("x", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(true).expect("A.H(1)", "");
    run.resume("A").expect(r#"A.resume("",1) B.H(0) B.D("x",1)"#, r#"H(0) D("x") end"#);
    run.finish("complete");
}

/// 20, E: a later filter adds while an earlier one's resume is on its way.
fn scenario_20_second_filter_adds_after_the_first_resumed<H: Dir>() {
    let b = script("B").head_with(push_then("x", PASS));
    let mut run = Run::<H>::new([script("A").head(HOLD), b, script("C")]);
    run.head(true).expect("A.H(1)", "");
    run.resume("A").expect(r#"A.resume("",1) B.H(1) C.H(0) C.D("x",1)"#, r#"H(0) D("x") end"#);
    run.finish("complete");
}

/// 21, E: as 20, without the hold.
fn scenario_21_second_filter_adds_inline<H: Dir>() {
    let b = script("B").head_with(push_then("x", PASS));
    let mut run = Run::<H>::new([script("A"), b, script("C")]);
    run.head(true).expect(r#"A.H(1) B.H(1) C.H(0) C.D("x",1)"#, r#"H(0) D("x") end"#);
    run.finish("complete");
}

/// 22, E: what was added while the head was held goes before what came later.
fn scenario_22_added_while_holding_the_head<H: Dir>() {
    let a = script("A").shows_all().head_with(push_then("XX", HOLD));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.data_end("11").expect(r#"A.D("XX"+"11",1) B.H(0) B.D("XX11",1)"#, r#"H(0) D("XX11") end"#);
    run.finish("complete");
}

/// 23, R: body added with the head goes on right behind it. Envoy: never delivered.
fn scenario_23_added_with_a_head_that_passes<H: Dir>() {
    let a = script("A").head_with(push_then("XX", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect(r#"A.H(0) B.H(0) B.D("XX",0)"#, r#"H(0) D("XX")"#);
    run.data_end("11").expect(r#"A.D("11",1) B.D("11",1)"#, r#"D("11") end"#);
    run.finish("complete");
}

/// 24, E: what is held and what is new read as one buffer.
fn scenario_24_held_and_new_read_as_one<H: Dir>() {
    let a = script("A").shows_all().data(BUF).data_with(|view| {
        assert_eq!(*view.body(), b"helloworld");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("hello").expect(r#"A.H(0) B.H(0) A.D("hello",0)"#, "H(0)");
    run.data_end("world")
        .expect(r#"A.D("hello"+"world",1) B.D("helloworld",1)"#, r#"D("helloworld") end"#);
    run.finish("complete");
}

/// 25, R (Envoy since #46842): a frame that was taken and added again passes like any other.
fn scenario_25_the_frame_itself_added_again<H: Dir>() {
    let a = script("A").data_with(|view| {
        let mut frame = view.take().expect("a granted edit");
        while let Some(segment) = frame.pop_front() {
            view.push(segment).expect("what was there has room");
        }
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0) B.D("11",0)"#, r#"D("11")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 26, R: another buffer added and passed: the filter says where, and both go on. Envoy: stranded.
fn scenario_26_another_buffer_added_before_and_behind<H: Dir>() {
    let a = script("A").data_with(push_then("ZZ", PASS)).data_with(|view| {
        view.prepend(Bytes::from_static(b"YY")).expect("room for an edit");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0) B.D("11ZZ",0)"#, r#"D("11ZZ")"#);
    run.data_end("22").expect(r#"A.D("22",1) B.D("YY22",1)"#, r#"D("YY22") end"#);
    run.finish("complete");
}

/// 27, R (I6): added later, by a filter that holds nothing: delivered now. Envoy: stranded.
fn scenario_27_added_later_while_holding_nothing<H: Dir>() {
    let a = script("A").resume_with(push_then("XX", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("11");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) B.D("11",0)"#, r#"H(0) D("11")"#);
    run.resume("A").expect(r#"A.resume("",0) B.D("XX",0)"#, r#"D("XX")"#);
    run.data_end("22").expect(r#"A.D("22",1) B.D("22",1)"#, r#"D("22") end"#);
    run.finish("complete");
}

/// 28, E: body added in the trailers callback goes before the trailers.
fn scenario_28_added_in_the_trailers_callback<H: Dir>() {
    let a = script("A").trailers_with(push_then("t", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.trailers("x", "1").expect(r#"A.T(x: 1) B.D("t",0) B.T(x: 1)"#, r#"D("t") T(x: 1)"#);
    run.finish("complete");
}

/// 29, E: the same while the head is held, and no data ever came.
fn scenario_29_added_in_the_trailers_callback_behind_a_held_head<H: Dir>() {
    let a = script("A").head(HOLD).trailers_with(push_then("t", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.trailers("x", "1")
        .expect(r#"A.T(x: 1) B.H(0) B.D("t",0) B.T(x: 1)"#, r#"H(0) D("t") T(x: 1)"#);
    run.finish("complete");
}

/// 30, E: as 29, but held; the order is the same on resume.
fn scenario_30_added_in_the_trailers_callback_and_held<H: Dir>() {
    let a = script("A").head(HOLD).trailers_with(push_then("t", HOLD));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).trailers("x", "1").expect("A.H(0) A.T(x: 1)", "");
    run.resume("A")
        .expect(r#"A.resume("t",1) B.H(0) B.D("t",0) B.T(x: 1)"#, r#"H(0) D("t") T(x: 1)"#);
    run.finish("complete");
}

both!(
    scenario_18_add_body_inline,
    scenario_19_add_body_on_resume,
    scenario_20_second_filter_adds_after_the_first_resumed,
    scenario_21_second_filter_adds_inline,
    scenario_22_added_while_holding_the_head,
    scenario_23_added_with_a_head_that_passes,
    scenario_24_held_and_new_read_as_one,
    scenario_25_the_frame_itself_added_again,
    scenario_26_another_buffer_added_before_and_behind,
    scenario_27_added_later_while_holding_nothing,
    scenario_28_added_in_the_trailers_callback,
    scenario_29_added_in_the_trailers_callback_behind_a_held_head,
    scenario_30_added_in_the_trailers_callback_and_held,
);
