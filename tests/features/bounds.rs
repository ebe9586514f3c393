//! Memory (I7, section 6): what may be at rest, at the marks and one byte past them.

use bytes::Bytes;
use tidegate::BodyBuf;

use crate::kit::*;

/// At the mark the source is wanted; one byte past it is not. One frame in flight is taken and
/// waits at the entrance, uncounted; the next is refused with its bytes.
fn at_the_mark_and_one_past_it<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(4).data(HOLD).data(HOLD)]);
    run.head(false).data("1234").expect(r#"A.H(0) A.D("1234",0)"#, "H(0)").wants(true).holds(4);
    run.data("5").expect(r#"A.D("5",0)"#, "").wants(false).holds(5);
    run.data("in flight").expect("", "").wants(false).holds(5);
    run.refused("one more").expect("", "").holds(5);
    run.resume("A").expect(r#"A.resume("12345",0) A.D("in flight",0)"#, r#"D("12345in flight")"#);
    run.wants(true).data("x").expect(r#"A.D("x",0)"#, r#"D("x")"#);
    assert_eq!(run.stats().input_bytes, 15, "what was refused was not taken");
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// The end and trailers are always taken, and wait behind the frame at the entrance.
fn end_waits_behind_the_frame_in_flight<H: Dir>() {
    for trailers in [false, true] {
        let mut run = Run::<H>::new([script("A").high(1).data(HOLD)]);
        run.head(false).data("12").data("34").expect(r#"A.H(0) A.D("12",0)"#, "H(0)");
        if trailers {
            run.trailers("x", "1").expect("", "");
            run.resume("A")
                .expect(r#"A.resume("12",0) A.D("34",0) A.T(x: 1)"#, r#"D("1234") T(x: 1)"#);
        } else {
            run.end().expect("", "");
            run.resume("A").expect(r#"A.resume("12",0) A.D("34",1)"#, r#"D("1234") end"#);
        }
        run.finish("complete");
    }
}

/// A frame in flight that is also the last one.
fn last_frame_in_flight<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(1).data(HOLD)]);
    run.head(false).data("12").data_end("34").expect(r#"A.H(0) A.D("12",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("12",0) A.D("34",1)"#, r#"D("1234") end"#);
    run.finish("complete");
}

/// Frames above `max_frame_bytes` go in piece by piece, and stop as soon as something is over.
fn large_frames_are_split_without_copying<H: Dir>() {
    let frame = Bytes::from(vec![b'x'; 4096]);
    let start = frame.as_ptr();
    let mut run = Stage::<H>::new([script("A")]).max_frame(1024).run();
    run.head(false).calls("A.H(0)");
    run.hold_sink().frame(frame, true);
    run.calls(r#"A.D("{x*1024}",0) A.D("{x*1024}",0) A.D("{x*1024}",0) A.D("{x*1024}",1)"#);
    let mut at = start;
    for _ in 0..4 {
        run.take_one();
    }
    for piece in run.take_pieces() {
        assert_eq!((piece.as_ptr(), piece.len()), (at, 1024), "a part of the frame itself");
        at = at.wrapping_add(1024);
    }
    assert_eq!(at, start.wrapping_add(4096));
    assert_eq!(run.stats().packed_bytes, 0);
    run.open_sink().sink("H(0) end");
    run.finish("complete");

    let stage = Stage::<H>::new([script("A").high(4).data_always(|_| HOLD)]).max_frame(3);
    let mut run = stage.run();
    run.head(false).data("123456789");
    run.expect(r#"A.H(0) A.D("123",0) A.D("456",0)"#, "H(0)").holds(6).wants(false);
    run.resume("A").expect(r#"A.resume("123456",0) A.D("789",0)"#, r#"D("123456")"#);
    run.wants(true).end().expect(r#"A.D("",1)"#, "");
    run.resume("A").expect(r#"A.resume("789",1)"#, r#"D("789") end"#);
    run.finish("complete");
}

/// The stated bound is reached, and not passed: a holder full to its mark is given a whole frame,
/// and adds its mark once more.
fn the_stated_bound_is_reached_and_not_passed<H: Dir>() {
    let a = script("A").high(10).data(HOLD).data_with(|view| {
        view.push(Bytes::from_static(b"++++++++++")).expect("the high mark");
        assert!(view.push(Bytes::from_static(b"+")).is_err(), "and no byte more");
        HOLD
    });
    let stage = Stage::<H>::new([a]).max_frame(50).output_high(0);
    let mut run = stage.run();
    run.head(false).data("1234567890").frame(Bytes::from(vec![b'x'; 50]), false);
    run.expect(r#"A.H(0) A.D("1234567890",0) A.D("{x*50}",0)"#, "H(0)");
    run.holds(2 * 10 + 50);
    run.wants(false).data("in flight").holds(70).refused("one more").calls("");
    run.cancel();
    assert_eq!(run.stats().peak_held_bytes, 70);
    run.finish("cancelled");
}

/// Filters that hold all, add all they can whenever they are asked, and let go at random, behind a
/// source that sends whatever is taken and before a sink that takes at random.
fn greedy_filters_stay_within_the_stated_bound<H: Dir>() {
    const FRAME: usize = 50;
    let mut worst = 0;
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let greedy = |name, high: u64, seed: u64| {
            let rng = std::sync::Mutex::new(Rng::new(seed));
            let act = move |view: &mut tidegate::View<'_, H>| {
                while view.push(Bytes::from_static(b"+")).is_ok() {}
                let len = view.body().len();
                let mut rng = rng.lock().expect("one user");
                match rng.below(3) {
                    0 => Verdict::pass_first(rng.below(len + 1)),
                    1 if !view.input_ended() => PASS,
                    _ => HOLD,
                }
            };
            let act = std::sync::Arc::new(act);
            let (data, resume) = (std::sync::Arc::clone(&act), act);
            script(name).high(high).data_always(move |v| data(v)).resume_always(move |v| resume(v))
        };
        let high = [1 + rng.below(100), 1 + rng.below(100), 1 + rng.below(100)].map(|n| n as u64);
        let scripts = ["A", "B", "C"];
        let scripts = (0..3).map(|k| greedy(scripts[k], high[k], seed * 3 + k as u64));
        let stage = Stage::<H>::new(scripts).max_frame(FRAME).output_high(40);
        let mut run = stage.run();
        run.hold_sink().head(false).take_one();
        let bound = 2 * (high.iter().sum::<u64>() + 40) + FRAME as u64;
        for _ in 0..300 {
            match rng.below(5) {
                // Pushes on although it is told not to, as a source does that is slow to stop.
                0 | 1 => drop(run.chain.handle_data(Bytes::from(vec![b'x'; FRAME]), false)),
                2 => drop(run.ask(["A", "B", "C"][rng.below(3)])),
                _ => run.chain.take_output(&mut BodyBuf::new(), rng.below(60)),
            }
            let held = run.chain.held_bytes();
            assert!(held <= bound, "seed {seed}: {held} bytes of {bound}");
        }
        let peak = run.stats().peak_held_bytes;
        assert!(peak <= bound, "seed {seed}: a peak of {peak} bytes of {bound}");
        worst = worst.max(peak * 100 / bound);
        drop(run.abandon());
    }
    assert!(worst > 50, "the bound is put to a test: {worst} % of it");
}

both!(
    at_the_mark_and_one_past_it,
    end_waits_behind_the_frame_in_flight,
    last_frame_in_flight,
    large_frames_are_split_without_copying,
    the_stated_bound_is_reached_and_not_passed,
    greedy_filters_stay_within_the_stated_bound,
);
