//! Scenarios 12 to 17: holds that are not to be called for what arrives.

use crate::kit::*;

/// 12, E: nothing is shown until the resume; then all that queued, in one call with its end.
fn scenario_12_quiet_holder_gets_all_after_the_resume<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(SAB), script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.data("1").expect("", "");
    run.data_end("2").expect("", "");
    run.resume("A")
        .expect(r#"A.resume("",0) B.H(0) A.D("12",1) B.D("12",1)"#, r#"H(0) D("12") end"#);
    run.finish("complete");
}

/// 13, E: a filter before the quiet one runs as ever; what it lets go waits with the quiet one.
fn scenario_13_quiet_second_filter<H: Dir>() {
    let mut run = Run::<H>::new([script("A"), script("B").head(SAB)]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.data("1").expect(r#"A.D("1",0)"#, "");
    run.trailers("x", "1").expect("A.T(x: 1)", "");
    run.resume("B").expect(r#"B.resume("",0) B.D("1",0) B.T(x: 1)"#, r#"H(0) D("1") T(x: 1)"#);
    run.finish("complete");
}

/// 14, E: as 12, with trailers (in Envoy a scenario of the response path).
fn scenario_14_quiet_first_filter_with_trailers<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(SAB), script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.data("1").trailers("x", "1").expect("", "");
    run.resume("A").expect(
        r#"A.resume("",0) B.H(0) A.D("1",0) B.D("1",0) A.T(x: 1) B.T(x: 1)"#,
        r#"H(0) D("1") T(x: 1)"#,
    );
    run.finish("complete");
}

/// 15, E but for the frame in flight, which waits at the entrance (ruling 12): one pause above the
/// limit, one resume once it has drained to half.
fn scenario_15_quiet_holder_pauses_once_and_resumes_once<H: Dir>() {
    let a = script("A")
        .high(4)
        .head(SAW)
        .data(Verdict::pass_first(2))
        .resume(PASS)
        .resume(Verdict::pass_first(1));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1234").expect("A.H(0)", "").wants(true);
    run.data("5").expect("", "").wants(false);
    assert_eq!(run.stats().pauses, 1);
    run.data("6").expect("", "").wants(false);
    assert_eq!(run.stats().pauses, 1, "one pause, however much more comes");
    // Three bytes stay, more than half: still paused.
    run.resume("A")
        .expect(r#"A.resume("",0) B.H(0) A.D("12345",0) B.D("12",0)"#, r#"H(0) D("12")"#);
    run.wants(false);
    // Two bytes stay: the source may go on, first of all with what waits at the entrance.
    run.resume("A")
        .expect(r#"A.resume("345",0) B.D("3",0) A.D("6",0) B.D("456",0)"#, r#"D("3456")"#);
    run.wants(true);
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 1));
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// 16, R: body added to a message that is only a head, by a filter that held quietly. Envoy:
/// `B.H(0)`, and then B waits for ever.
fn scenario_16_quiet_holder_of_a_head_only_message_adds_body<H: Dir>() {
    let a = script("A").head(SAB).resume_with(push_then("body", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(true).expect("A.H(1)", "");
    run.resume("A").expect(r#"A.resume("",1) B.H(0) B.D("body",1)"#, r#"H(0) D("body") end"#);
    run.finish("complete");
}

/// 17, R: trailers are shown once, also to a filter that took the body after a quiet hold. Envoy:
/// A.T twice, and the body is lost whatever A wanted.
fn scenario_17_trailers_once_after_a_quiet_hold<H: Dir>() {
    let a = script("A").head(SAB).data_with(take_then(HOLD));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("11").trailers("x", "1").expect("A.H(0)", "");
    run.resume("A")
        .expect(r#"A.resume("",0) B.H(0) A.D("11",0) A.T(x: 1) B.T(x: 1)"#, "H(0) T(x: 1)");
    run.finish("complete");
}

both!(
    scenario_12_quiet_holder_gets_all_after_the_resume,
    scenario_13_quiet_second_filter,
    scenario_14_quiet_first_filter_with_trailers,
    scenario_15_quiet_holder_pauses_once_and_resumes_once,
    scenario_16_quiet_holder_of_a_head_only_message_adds_body,
    scenario_17_trailers_once_after_a_quiet_hold,
);
