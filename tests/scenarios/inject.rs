//! Scenarios 32 to 40: Envoy's inject. Here it is a resume that adds bytes and lets them go with
//! `pass_first(len)`, or with PASS where they are the last.

use std::sync::{Arc, Mutex};

use tidegate::BodyBuf;

use crate::kit::*;

const fn first(bytes: usize) -> Verdict {
    Verdict::pass_first(bytes)
}

/// 32, E: the body is taken and given back in other pieces.
fn scenario_32_inject_without_trailers<H: Dir>() {
    let a = script("A")
        .data_with(take_then(HOLD))
        .resume_with(push_then("he", first(2)))
        .resume_with(push_then("llo", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data_end("hello").expect(r#"A.H(0) B.H(0) A.D("hello",1)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("he",0)"#, r#"D("he")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("llo",1)"#, r#"D("llo") end"#);
    run.finish("complete");
}

/// 33, E: the same with trailers, which wait for a verdict of their own.
fn scenario_33_inject_with_trailers<H: Dir>() {
    let a = script("A")
        .data_with(take_then(HOLD))
        .trailers(HOLD)
        .resume_with(push_then("he", first(2)))
        .resume_with(push_then("llo", first(3)));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("hello").expect(r#"A.H(0) B.H(0) A.D("hello",0)"#, "H(0)");
    run.trailers("x", "1").expect("A.T(x: 1)", "");
    run.resume("A").expect(r#"A.resume("",1) B.D("he",0)"#, r#"D("he")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("llo",0)"#, r#"D("llo")"#);
    run.resume("A").expect(r#"A.resume("",1) B.T(x: 1)"#, "T(x: 1)");
    run.finish("complete");
}

/// 34, E: what is injected before the head went takes the head along.
fn scenario_34_inject_takes_the_held_head_along<H: Dir>() {
    let a = script("A").head(HOLD).resume_with(push_then("x", first(1)));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.resume("A").expect(r#"A.resume("",0) B.H(0) B.D("x",0)"#, r#"H(0) D("x")"#);
    run.data_end("y").expect(r#"A.D("y",1) B.D("y",1)"#, r#"D("y") end"#);
    run.finish("complete");
}

/// 35, E; and a resume after the end is `Gone` (D): nothing happens, where Envoy asserts.
fn scenario_35_head_goes_and_the_message_stays_open<H: Dir>() {
    let a = script("A").head(CDE).resume_with(push_then("x", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(true).expect("A.H(1) B.H(0)", "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("x",1)"#, r#"D("x") end"#);
    run.gone("A").expect("", "");
    run.finish("complete");
}

/// 36, R: the resume that lets the trailers go does not deliver the body again. Envoy: B.D twice.
fn scenario_36_resume_for_trailers_delivers_no_body_twice<H: Dir>() {
    let a = script("A")
        .data_with(take_then(HOLD))
        .trailers(HOLD)
        .resume_with(push_then("xx", first(2)));
    let b = script("B").data(BUF).trailers(HOLD);
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) A.T(x: 1)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("xx",0)"#, "");
    run.resume("A").expect(r#"A.resume("",1) B.T(x: 1)"#, "");
    run.resume("B").expect(r#"B.resume("xx",1)"#, r#"D("xx") T(x: 1)"#);
    run.finish("complete");
}

/// 37, R: what was held goes before what was added later. Envoy: XX, 11.
fn scenario_37_inject_goes_behind_what_is_held<H: Dir>() {
    let a = script("A").data(BUF).resume_with(push_then("XX", first(2)));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("11").expect(r#"A.H(0) B.H(0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) B.D("11",0)"#, r#"D("11")"#);
    run.resume("A").expect(r#"A.resume("XX",0) B.D("XX",0)"#, r#"D("XX")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// A takes "full", which is the whole body, and gives back p1 and p2. B holds the head.
fn taker_and_head_holder<H: Dir>(b: Script<H>) -> Run<H> {
    let a = script("A")
        .data_with(take_then(HOLD))
        .resume_with(push_then("p1", first(2)))
        .resume_with(push_then("p2", PASS));
    let mut run = Run::new([a, b]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.data_end("full").expect(r#"A.D("full",1)"#, "");
    run
}

/// 38, R: B's resume sends the head and no end: B's input has shown none. Envoy: `R.D("",1)`.
fn scenario_38_head_released_before_the_injects<H: Dir>() {
    let mut run = taker_and_head_holder::<H>(script("B").head(HOLD));
    run.resume("B").expect(r#"B.resume("",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("p1",0)"#, r#"D("p1")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("p2",1)"#, r#"D("p2") end"#);
    run.finish("complete");
}

/// 39, R: the same with the first inject before B's resume.
fn scenario_39_head_released_between_the_injects<H: Dir>() {
    let mut run = taker_and_head_holder::<H>(script("B").head(HOLD).data(BUF));
    run.resume("A").expect(r#"A.resume("",1) B.D("p1",0)"#, "");
    run.resume("B").expect(r#"B.resume("p1",0)"#, r#"H(0) D("p1")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("p2",1)"#, r#"D("p2") end"#);
    run.finish("complete");
}

/// Takes what comes, and on each resume gives some of it back, in pieces of its own.
fn rechunker<H: Dir>(name: &'static str, step: usize) -> Script<H> {
    let kept = Arc::new(Mutex::new(BodyBuf::new()));
    let (on_data, on_resume) = (Arc::clone(&kept), kept);
    script(name)
        .data_always(move |view| {
            let mut new = view.take().expect("a granted edit");
            on_data.lock().expect("one user").append(&mut new);
            HOLD
        })
        .resume_always(move |view| {
            let mut kept = on_resume.lock().expect("one user");
            for _ in 0..step {
                if let Some(byte) = (!kept.is_empty()).then(|| kept.split_to(1).to_bytes()) {
                    view.push(byte).expect("room for an edit");
                }
            }
            if kept.is_empty() && view.input_ended() { PASS } else { first(view.body().len()) }
        })
}

/// 40, R: two filters that both cut anew, resumed in random order: the sink gets the composition
/// (here: what went in), and one end.
fn scenario_40_two_injectors_in_any_order<H: Dir>() {
    const INPUT: &str = "the quick brown fox jumps over the lazy dog";
    for seed in 0..64 {
        let mut rng = Rng::new(seed);
        let (a, b) = (rechunker("A", 1 + rng.below(7)), rechunker("B", 1 + rng.below(7)));
        let mut run = Run::<H>::new([a, b]);
        run.head(false).expect("A.H(0) B.H(0)", "H(0)");
        let mut rest = INPUT;
        for turn in 0.. {
            assert!(turn < 10_000, "two rechunkers come to an end");
            if run.chain.outcome().is_some() {
                break;
            }
            match rng.below(3) {
                0 if !rest.is_empty() => {
                    let (piece, behind) = rest.split_at(rest.len().min(1 + rng.below(9)));
                    rest = behind;
                    run.frame(piece.as_bytes().into(), rest.is_empty());
                }
                1 => drop(run.ask("A")),
                _ => drop(run.ask("B")),
            }
        }
        assert!(run.drop_calls() > 4, "both were asked");
        run.sink(r#"D("the quick brown fox jumps over the lazy dog") end"#);
        run.finish("complete");
    }
}

both!(
    scenario_32_inject_without_trailers,
    scenario_33_inject_with_trailers,
    scenario_34_inject_takes_the_held_head_along,
    scenario_35_head_goes_and_the_message_stays_open,
    scenario_36_resume_for_trailers_delivers_no_body_twice,
    scenario_37_inject_goes_behind_what_is_held,
    scenario_38_head_released_before_the_injects,
    scenario_39_head_released_between_the_injects,
    scenario_40_two_injectors_in_any_order,
);
