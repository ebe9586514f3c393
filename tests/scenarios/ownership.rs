//! Scenarios 49 to 56: who owns what is held.

use bytes::Bytes;

use crate::kit::*;

/// 49, R: C holds data 1, A holds data 2, A resumes: B and C are shown data 2, once. Envoy: B is
/// shown both, and C what it already has.
fn scenario_49_canonical<H: Dir>() {
    let c = script("C").data(BUF).data(BUF);
    let mut run = Run::<H>::new([script("A").data(PASS).data(BUF), script("B"), c]);
    run.head(false).expect("A.H(0) B.H(0) C.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0) B.D("11",0) C.D("11",0)"#, "");
    run.data("22").expect(r#"A.D("22",0)"#, "");
    run.resume("A").expect(r#"A.resume("22",0) B.D("22",0) C.D("22",0)"#, "");
    run.resume("C").expect(r#"C.resume("1122",0)"#, r#"D("1122")"#);
    run.end().expect(r#"A.D("",1) B.D("",1) C.D("",1)"#, "end");
    run.finish("complete");
}

/// 50, R: B's resume sends what B holds, and no end. Envoy: what A holds goes along, with the end.
fn scenario_50_resume_of_a_later_holder<H: Dir>() {
    let a = script("A").data(PASS).data(BUF);
    let mut run = Run::<H>::new([a, script("B").data(BUF), script("R")]);
    run.head(false).expect("A.H(0) B.H(0) R.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0) B.D("11",0)"#, "");
    run.data_end("22").expect(r#"A.D("22",1)"#, "");
    run.resume("B").expect(r#"B.resume("11",0) R.D("11",0)"#, r#"D("11")"#);
    run.resume("A").expect(r#"A.resume("22",1) B.D("22",1) R.D("22",1)"#, r#"D("22") end"#);
    run.finish("complete");
}

/// A keeps the whole body back to inspect it; B answers the head with `b`.
fn inspected_body<H: Dir>(b: Script<H>) {
    let a = script("A").data(BUF).data(BUF);
    let mut run = Run::<H>::new([a, b, script("C")]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.data("11").data_end("22").expect(r#"A.D("11",0) A.D("22",1)"#, "");
    run.resume("B").expect(r#"B.resume("",0) C.H(0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("1122",1) B.D("1122",1) C.D("1122",1)"#, r#"D("1122") end"#);
    run.finish("complete");
}

/// 51, R: the resume of a filter that held the head does not let the body pass the inspector
/// before it. Envoy: it does.
fn scenario_51_head_holder_behind_an_inspector<H: Dir>() {
    inspected_body::<H>(script("B").head(HOLD));
}

/// 52, R: the same where B held quietly.
fn scenario_52_quiet_holder_behind_an_inspector<H: Dir>() {
    inspected_body::<H>(script("B").head(SAB));
}

/// 53, R: a transform in place, in the canonical script: once for each byte.
fn scenario_53_transform_once<H: Dir>() {
    let b = script("B").data_always(|view| {
        view.insert(view.new_at(), Bytes::from_static(b"[")).expect("room for an edit");
        view.push(Bytes::from_static(b"]")).expect("room for an edit");
        PASS
    });
    let c = script("C").data(BUF).data(BUF);
    let mut run = Run::<H>::new([script("A").data(PASS).data(BUF), b, c]);
    run.head(false).expect("A.H(0) B.H(0) C.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0) B.D("11",0) C.D("[11]",0)"#, "");
    run.data_end("22").expect(r#"A.D("22",1)"#, "");
    run.resume("A").expect(r#"A.resume("22",1) B.D("22",1) C.D("[22]",1)"#, "");
    run.resume("C").expect(r#"C.resume("[11][22]",1)"#, r#"D("[11][22]") end"#);
    run.finish("complete");
}

/// 54, R: a hold that takes nothing keeps what is there, wherever it came from. Envoy: the old
/// bytes stay and the new ones vanish.
fn scenario_54_hold_without_taking_keeps<H: Dir>() {
    let b = script("B").shows_all().data(HOLD).data(HOLD);
    let mut run = Run::<H>::new([script("A").data(BUF), b]);
    run.head(false).data("11").expect(r#"A.H(0) B.H(0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) B.D("11",0)"#, "");
    run.data_end("22").expect(r#"A.D("22",1) B.D("11"+"22",1)"#, "");
    run.resume("B").expect(r#"B.resume("1122",1)"#, r#"D("1122") end"#);
    run.finish("complete");
}

/// 55, R: a last filter that only reads is not shown the same bytes again.
fn scenario_55_reader_at_the_end<H: Dir>() {
    let a = script("A").data(BUF).data(BUF);
    let mut run = Run::<H>::new([a, script("X")]);
    run.head(false).data("11").expect(r#"A.H(0) X.H(0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) X.D("11",0)"#, r#"D("11")"#);
    run.data_end("22").expect(r#"A.D("22",1)"#, "");
    run.resume("A").expect(r#"A.resume("22",1) X.D("22",1)"#, r#"D("22") end"#);
    run.finish("complete");
}

/// 56, R: cycles of hold and resume, with and without anything held, make no empty call behind the
/// holder and no end before its time.
fn scenario_56_no_spurious_frames<H: Dir>() {
    let a = script("A").data(BUF).data_with(take_then(BUF)).data(BUF).data(HOLD);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").expect(r#"A.H(0) B.H(0) A.D("1",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("1",0) B.D("1",0)"#, r#"D("1")"#);
    run.resume("A").expect(r#"A.resume("",0)"#, "");
    run.data("2").expect(r#"A.D("2",0)"#, "");
    run.resume("A").expect(r#"A.resume("",0)"#, "");
    run.data("3").expect(r#"A.D("3",0)"#, "");
    run.resume("A").expect(r#"A.resume("3",0) B.D("3",0)"#, r#"D("3")"#);
    run.end().expect(r#"A.D("",1)"#, "");
    run.resume("A").expect(r#"A.resume("",1) B.D("",1)"#, "end");
    run.gone("A").gone("B").expect("", "");
    run.finish("complete");
}

both!(
    scenario_49_canonical,
    scenario_50_resume_of_a_later_holder,
    scenario_51_head_holder_behind_an_inspector,
    scenario_52_quiet_holder_behind_an_inspector,
    scenario_53_transform_once,
    scenario_54_hold_without_taking_keeps,
    scenario_55_reader_at_the_end,
    scenario_56_no_spurious_frames,
);
