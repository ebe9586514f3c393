//! Scenarios 41 to 48: trailers.

use crate::kit::*;

/// 41, E: everything passes; no data call sees the end where trailers follow.
fn scenario_41_all_pass_with_trailers<H: Dir>() {
    let mut run = Run::<H>::new([script("A"), script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("1").expect(r#"A.D("1",0) B.D("1",0)"#, r#"D("1")"#);
    run.trailers("x", "1").expect("A.T(x: 1) B.T(x: 1)", "T(x: 1)");
    run.finish("complete");
}

/// 42, E: a trailers verdict that passes lets head and body go first.
fn scenario_42_trailers_release_head_and_body<H: Dir>() {
    let a = script("A").head(HOLD).data(BUF);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, "");
    run.trailers("x", "1")
        .expect(r#"A.T(x: 1) B.H(0) B.D("1",0) B.T(x: 1)"#, r#"H(0) D("1") T(x: 1)"#);
    run.finish("complete");
}

/// 43, E: held trailers go once.
fn scenario_43_held_trailers<H: Dir>() {
    let mut run = Run::<H>::new([script("A").trailers(HOLD), script("B")]);
    run.head(false).data("1");
    run.expect(r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0)"#, r#"H(0) D("1")"#);
    run.trailers("x", "1").expect("A.T(x: 1)", "");
    run.resume("A").expect(r#"A.resume("",1) B.T(x: 1)"#, "T(x: 1)");
    run.finish("complete");
}

/// 44, D (ruling 3): a filter that adds trailers where none came is asked for them behind the last
/// bytes; those after it see an end with trailers. Envoy asks in the data callback.
fn scenario_44_trailers_added_behind_the_last_bytes<H: Dir>() {
    let a = script("A").adds_trailers().trailers_with(add_trailer("x-sum", "1", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data_end("11")
        .expect(r#"A.D("11",0) B.D("11",0) A.T() B.T(x-sum: 1)"#, r#"D("11") T(x-sum: 1)"#);
    run.finish("complete");
}

/// 45, D (ruling 3), E in effect: trailers added by B while A's release is on its way.
fn scenario_45_trailers_added_within_a_release<H: Dir>() {
    let b = script("B").adds_trailers().trailers_with(add_trailer("x-sum", "1", PASS));
    let mut run = Run::<H>::new([script("A").head(HOLD), b, script("R")]);
    run.head(false).expect("A.H(0)", "");
    run.data_end("11").expect(
        r#"A.D("11",1) B.H(0) R.H(0) B.D("11",0) R.D("11",0) B.T() R.T(x-sum: 1)"#,
        r#"H(0) D("11") T(x-sum: 1)"#,
    );
    run.finish("complete");
}

/// 46, R: added trailers wait behind the body that the adder holds. Envoy's request path: B.T at
/// once, the body is lost, B.T again.
fn scenario_46_added_trailers_wait_for_the_held_body<H: Dir>() {
    let a = script("A").adds_trailers().data(BUF).trailers_with(add_trailer("x-sum", "1", BUF));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data_end("11").expect(r#"A.D("11",0) A.T()"#, "");
    run.resume("A")
        .expect(r#"A.resume("11",1) B.D("11",0) B.T(x-sum: 1)"#, r#"D("11") T(x-sum: 1)"#);
    run.finish("complete");
}

/// 47, R: B's resume sends what B was shown, the head; trailers stay behind the body that A still
/// owes. Envoy: trailers before the body, and again later.
fn scenario_47_trailers_wait_for_an_earlier_filter<H: Dir>() {
    let a =
        script("A").data_with(take_then(HOLD)).trailers(HOLD).resume_with(push_then("body", PASS));
    let mut run = Run::<H>::new([a, script("B").head(HOLD)]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) A.T(x: 1)"#, "");
    run.resume("B").expect(r#"B.resume("",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("body",0) B.T(x: 1)"#, r#"D("body") T(x: 1)"#);
    run.finish("complete");
}

/// 48, R: the trailers A lets go stop with B, which holds the body. Envoy: B is shown the body
/// again, and the trailers reach the sink before B has passed them.
fn scenario_48_trailers_wait_for_a_later_filter<H: Dir>() {
    let b = script("B").data(BUF).trailers(HOLD);
    let mut run = Run::<H>::new([script("A").trailers(HOLD), b]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) B.D("11",0) A.T(x: 1)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.T(x: 1)"#, "");
    run.resume("B").expect(r#"B.resume("11",1)"#, r#"D("11") T(x: 1)"#);
    run.finish("complete");
}

both!(
    scenario_41_all_pass_with_trailers,
    scenario_42_trailers_release_head_and_body,
    scenario_43_held_trailers,
    scenario_44_trailers_added_behind_the_last_bytes,
    scenario_45_trailers_added_within_a_release,
    scenario_46_added_trailers_wait_for_the_held_body,
    scenario_47_trailers_wait_for_an_earlier_filter,
    scenario_48_trailers_wait_for_a_later_filter,
);
