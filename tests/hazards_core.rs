//! The hazards of a body buffer that all filters share, by name, in both directions.
//!
//! Each is a script that goes wrong on Envoy's filter manager; the test asserts what is expected
//! instead. The filters stand between two that see and pass everything (`<` and `>`), so that what
//! a hazard would do to bystanders shows too; `>` is also the terminal filter R of the scripts.

mod kit;

use bytes::Bytes;

use kit::*;

const fn first(bytes: usize) -> Verdict {
    Verdict::pass_first(bytes)
}

/// The filters between two bystanders.
fn among<H: Dir, const N: usize>(filters: [Script<H>; N]) -> Run<H> {
    let mut all = vec![script("<")];
    all.extend(filters);
    all.push(script(">"));
    Run::new(all)
}

/// C holds data 1, A holds data 2, A resumes: B must not see data 1 again, nor C what it has.
fn canonical_hazard_bytes_are_shown_once<H: Dir>() {
    let a = script("A").data(PASS).data(BUF);
    let c = script("C").data(BUF).data(BUF);
    let mut run = among::<H, 3>([a, script("B"), c]);
    run.head(false).expect("<.H(0) A.H(0) B.H(0) C.H(0) >.H(0)", "H(0)");
    run.data("11").expect(r#"<.D("11",0) A.D("11",0) B.D("11",0) C.D("11",0)"#, "");
    run.data("22").expect(r#"<.D("22",0) A.D("22",0)"#, "");
    run.resume("A").expect(r#"A.resume("22",0) B.D("22",0) C.D("22",0)"#, "");
    run.resume("C").expect(r#"C.resume("1122",0) >.D("1122",0)"#, r#"D("1122")"#);
    run.end();
    run.expect(r#"<.D("",1) A.D("",1) B.D("",1) C.D("",1) >.D("",1)"#, "end");
    run.finish("complete");
}

/// B wraps each frame in place, in the canonical script: once.
fn z1b_double_transform_is_applied_once<H: Dir>() {
    let a = script("A").data(PASS).data(BUF);
    let b = script("B").data_always(|view| {
        view.insert(view.new_at(), Bytes::from_static(b"[")).expect("room for an edit");
        view.push(Bytes::from_static(b"]")).expect("room for an edit");
        PASS
    });
    let c = script("C").data(BUF).data(BUF);
    let mut run = among::<H, 3>([a, b, c]);
    run.head(false).expect("<.H(0) A.H(0) B.H(0) C.H(0) >.H(0)", "H(0)");
    run.data("11").expect(r#"<.D("11",0) A.D("11",0) B.D("11",0) C.D("[11]",0)"#, "");
    run.data_end("22").expect(r#"<.D("22",1) A.D("22",1)"#, "");
    run.resume("A").expect(r#"A.resume("22",1) B.D("22",1) C.D("[22]",1)"#, "");
    run.resume("C");
    run.expect(r#"C.resume("[11][22]",1) >.D("[11][22]",1)"#, r#"D("[11][22]") end"#);
    run.finish("complete");
}

/// B's resume must not let what A holds go, nor its end.
fn z2a_resume_of_a_later_data_holder_is_no_bypass<H: Dir>() {
    let a = script("A").data(PASS).data(BUF);
    let mut run = among::<H, 2>([a, script("B").data(BUF)]);
    run.head(false).expect("<.H(0) A.H(0) B.H(0) >.H(0)", "H(0)");
    run.data("11").expect(r#"<.D("11",0) A.D("11",0) B.D("11",0)"#, "");
    run.data_end("22").expect(r#"<.D("22",1) A.D("22",1)"#, "");
    run.resume("B").expect(r#"B.resume("11",0) >.D("11",0)"#, r#"D("11")"#);
    run.resume("A").expect(r#"A.resume("22",1) B.D("22",1) >.D("22",1)"#, r#"D("22") end"#);
    run.finish("complete");
}

/// A inspects the whole body; B stops at the head with `hold`, and its check is done first.
fn inspector_before_a_head_holder<H: Dir>(hold: Verdict) {
    let a = script("A").data(BUF).data(BUF);
    let mut run = among::<H, 3>([a, script("B").head(hold), script("C")]);
    run.head(false).expect("<.H(0) A.H(0) B.H(0)", "");
    run.data("11").data_end("22");
    run.expect(r#"<.D("11",0) A.D("11",0) <.D("22",1) A.D("22",1)"#, "");
    run.resume("B").expect(r#"B.resume("",0) C.H(0) >.H(0)"#, "H(0)");
    run.resume("A").expect(
        r#"A.resume("1122",1) B.D("1122",1) C.D("1122",1) >.D("1122",1)"#,
        r#"D("1122") end"#,
    );
    run.finish("complete");
}

fn z2b_resume_of_a_head_holder_is_no_bypass<H: Dir>() {
    inspector_before_a_head_holder::<H>(HOLD);
}

fn z2c_resume_of_a_quiet_head_holder_is_no_bypass<H: Dir>() {
    inspector_before_a_head_holder::<H>(SAB);
}

/// Bytes added by a filter that never stops are delivered in order: the frame itself, another
/// buffer, body added with a head that passes, body added later.
fn z3_added_bytes_are_not_lost<H: Dir>() {
    let a = script("A")
        .head_with(push_then("hh", PASS))
        .data_with(|view| {
            let frame = view.take().expect("a granted edit").to_bytes();
            view.push(frame).expect("what was there has room");
            PASS
        })
        .data_with(push_then("zz", PASS))
        .resume_with(push_then("rr", PASS));
    let mut run = among::<H, 1>([a]);
    run.head(false).expect(r#"<.H(0) A.H(0) >.H(0) >.D("hh",0)"#, r#"H(0) D("hh")"#);
    run.data("11").expect(r#"<.D("11",0) A.D("11",0) >.D("11",0)"#, r#"D("11")"#);
    run.data("22").expect(r#"<.D("22",0) A.D("22",0) >.D("22zz",0)"#, r#"D("22zz")"#);
    run.resume("A").expect(r#"A.resume("",0) >.D("rr",0)"#, r#"D("rr")"#);
    run.end().expect(r#"<.D("",1) A.D("",1) >.D("",1)"#, "end");
    run.finish("complete");
}

/// A adds while B holds: B gets what is new and keeps what it has.
fn z3b_an_add_does_not_steal_what_another_holds<H: Dir>() {
    let a = script("A").data(PASS).data_with(|view| {
        let frame = view.take().expect("a granted edit").to_bytes();
        view.push(frame).expect("what was there has room");
        PASS
    });
    let b = script("B").shows_all().data(BUF).data(BUF);
    let mut run = among::<H, 2>([a, b]);
    run.head(false).data("11");
    run.expect(r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("11",0) A.D("11",0) B.D("11",0)"#, "H(0)");
    run.data("22").expect(r#"<.D("22",0) A.D("22",0) B.D("11"+"22",0)"#, "");
    run.resume("B").expect(r#"B.resume("1122",0) >.D("1122",0)"#, r#"D("1122")"#);
    run.end().expect(r#"<.D("",1) A.D("",1) B.D("",1) >.D("",1)"#, "end");
    run.finish("complete");
}

/// A owes body, the source has ended, B resumes its head: no end goes out before A's last byte.
fn z4_no_premature_end<H: Dir>() {
    let a = script("A")
        .data_with(take_then(HOLD))
        .resume_with(push_then("p1", first(2)))
        .resume_with(push_then("p2", PASS));
    let mut run = among::<H, 2>([a, script("B").head(HOLD)]);
    run.head(false).expect("<.H(0) A.H(0) B.H(0)", "");
    run.data_end("full").expect(r#"<.D("full",1) A.D("full",1)"#, "");
    run.resume("B").expect(r#"B.resume("",0) >.H(0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("p1",0) >.D("p1",0)"#, r#"D("p1")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("p2",1) >.D("p2",1)"#, r#"D("p2") end"#);
    run.finish("complete");
}

/// Trailers follow all body at every filter, once: behind a filter that took the body, and behind
/// one that holds it.
fn z5_trailers_do_not_overtake<H: Dir>() {
    let a =
        script("A").data_with(take_then(HOLD)).trailers(HOLD).resume_with(push_then("body", PASS));
    let mut run = among::<H, 2>([a, script("B").head(HOLD)]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(r#"<.H(0) A.H(0) B.H(0) <.D("11",0) A.D("11",0) <.T(x: 1) A.T(x: 1)"#, "");
    run.resume("B").expect(r#"B.resume("",0) >.H(0)"#, "H(0)");
    run.resume("A").expect(
        r#"A.resume("",1) B.D("body",0) >.D("body",0) B.T(x: 1) >.T(x: 1)"#,
        r#"D("body") T(x: 1)"#,
    );
    run.finish("complete");

    let mut run = among::<H, 2>([script("A").trailers(HOLD), script("B").data(BUF)]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(
        r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("11",0) A.D("11",0) B.D("11",0) <.T(x: 1) A.T(x: 1)"#,
        "H(0)",
    );
    run.resume("A")
        .expect(r#"A.resume("",1) B.T(x: 1) >.D("11",0) >.T(x: 1)"#, r#"D("11") T(x: 1)"#);
    run.finish("complete");
}

/// The resume that lets trailers go delivers no body again.
fn z6_resume_after_an_inject_delivers_nothing_twice<H: Dir>() {
    let a = script("A")
        .data_with(take_then(HOLD))
        .trailers(HOLD)
        .resume_with(push_then("xx", first(2)));
    let b = script("B").data(BUF).trailers(HOLD);
    let mut run = among::<H, 2>([a, b]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(
        r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("11",0) A.D("11",0) <.T(x: 1) A.T(x: 1)"#,
        "H(0)",
    );
    run.resume("A").expect(r#"A.resume("",1) B.D("xx",0)"#, "");
    run.resume("A").expect(r#"A.resume("",1) B.T(x: 1)"#, "");
    run.resume("B").expect(r#"B.resume("xx",1) >.D("xx",0) >.T(x: 1)"#, r#"D("xx") T(x: 1)"#);
    run.finish("complete");
}

/// What is added goes behind what is held already.
fn z7_adds_do_not_overtake<H: Dir>() {
    let a = script("A").data(BUF).resume_with(push_then("XX", HOLD));
    let mut run = among::<H, 1>([a]);
    run.head(false).data("11");
    run.expect(r#"<.H(0) A.H(0) >.H(0) <.D("11",0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0)"#, "");
    run.resume("A").expect(r#"A.resume("11XX",0) >.D("11XX",0)"#, r#"D("11XX")"#);
    run.end().expect(r#"<.D("",1) A.D("",1) >.D("",1)"#, "end");
    run.finish("complete");
}

/// B holds as much as it may under back-pressure; a byte that A holds under a rejecting verdict
/// does not reject the message.
fn z8a_policy_is_the_holders_own<H: Dir>() {
    let a = script("A").high(4).data(PASS).data(BUF);
    let b = script("B").high(4).data(HOLD);
    let mut run = among::<H, 2>([a, b]);
    run.head(false).data("1111");
    run.expect(r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("1111",0) A.D("1111",0) B.D("1111",0)"#, "H(0)");
    run.data("2").expect(r#"<.D("2",0) A.D("2",0)"#, "").wants(true);
    run.resume("A").expect(r#"A.resume("2",0) B.D("2",0) >.D("11112",0)"#, r#"D("11112")"#);
    run.end().expect(r#"<.D("",1) A.D("",1) B.D("",1) >.D("",1)"#, "end");
    run.finish("complete");
}

/// B is over under back-pressure when A, which rejects, is due a frame in flight. A's limit counts
/// for A as soon as A is asked: neither forgotten, nor a message that stays paused for ever.
fn z8b_reject_is_not_forgotten_behind_back_pressure<H: Dir>() {
    let a = script("A").high(4).data(PASS).data(BUF);
    let b = script("B").high(4).data(HOLD);
    let mut run = among::<H, 2>([a, b]);
    // The sink has taken nothing yet, so that a response can still be answered.
    run.hold_sink().head(false).data("11111");
    run.calls(r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("11111",0) A.D("11111",0) B.D("11111",0)"#);
    run.wants(false).data("22222").calls("");
    run.resume("B").calls(r#"B.resume("11111",0) >.D("11111",0) <.D("22222",0) A.D("22222",0)"#);
    let reply = if H::REQUEST { "reply(413,0)" } else { "H[500](1)" };
    run.open_sink().sink(reply);
    run.finish("limit A limit 4");
}

/// Raising the limit of one filter raises nobody else's.
fn z8c_limits_are_the_holders_own<H: Dir>() {
    let a = script("A").high(4).data(BUF);
    let b = script("B").high(4);
    let mut run = among::<H, 2>([a, b]);
    run.set_high("B", 1 << 20);
    run.hold_sink().head(false).data("12345");
    run.calls(r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("12345",0) A.D("12345",0)"#);
    let reply = if H::REQUEST { "reply(413,0)" } else { "H[500](1)" };
    run.open_sink().sink(reply);
    run.finish("limit A limit 4");
}

/// Trailers added by a filter that holds the last bytes wait for them, and go once.
fn z9_added_trailers_do_not_overtake<H: Dir>() {
    let a = script("A").adds_trailers().data(BUF).trailers_with(add_trailer("x-sum", "1", BUF));
    let mut run = among::<H, 2>([a, script("B")]);
    run.head(false).expect("<.H(0) A.H(0) B.H(0) >.H(0)", "H(0)");
    run.data_end("11").expect(r#"<.D("11",1) A.D("11",0) A.T()"#, "");
    run.resume("A").expect(
        r#"A.resume("11",1) B.D("11",0) >.D("11",0) B.T(x-sum: 1) >.T(x-sum: 1)"#,
        r#"D("11") T(x-sum: 1)"#,
    );
    run.finish("complete");
}

/// A quiet hold, then the body taken, then PASS in the trailers callback: A.T once, and B gets what
/// A kept only because A gives it.
fn z10_trailers_once_after_a_quiet_hold<H: Dir>() {
    let a = script("A").head(SAB).data_with(take_then(HOLD)).trailers_with(push_then("kept", PASS));
    let mut run = among::<H, 2>([a, script("B")]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(r#"<.H(0) A.H(0) <.D("11",0) <.T(x: 1)"#, "");
    run.resume("A").expect(
        concat!(
            r#"A.resume("",0) B.H(0) >.H(0) A.D("11",0) A.T(x: 1) "#,
            r#"B.D("kept",0) >.D("kept",0) B.T(x: 1) >.T(x: 1)"#,
        ),
        r#"H(0) D("kept") T(x: 1)"#,
    );
    run.finish("complete");
}

/// Body added later to a message that is only a head, whichever way the head was held.
fn z11_body_added_to_a_held_head_only_message<H: Dir>() {
    for hold in [HOLD, SAB, SAW] {
        let a = script("A").head(hold).resume_with(push_then("body", PASS));
        let mut run = among::<H, 2>([a, script("B")]);
        run.head(true).expect("<.H(1) A.H(1)", "");
        run.resume("A").expect(
            r#"A.resume("",1) B.H(0) >.H(0) B.D("body",1) >.D("body",1)"#,
            r#"H(0) D("body") end"#,
        );
        run.finish("complete");
    }
}

/// A hold keeps what was not taken, wherever the bytes came from: from the source or from another
/// filter's resume.
fn z12_a_hold_means_one_thing<H: Dir>() {
    let b = script("B").shows_all().data(HOLD).data(HOLD);
    let mut run = among::<H, 2>([script("A").data(BUF), b]);
    run.head(false).data("11");
    run.expect(r#"<.H(0) A.H(0) B.H(0) >.H(0) <.D("11",0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) B.D("11",0)"#, "");
    run.data_end("22").expect(r#"<.D("22",1) A.D("22",1) B.D("11"+"22",1)"#, "");
    run.resume("B").expect(r#"B.resume("1122",1) >.D("1122",1)"#, r#"D("1122") end"#);
    run.finish("complete");
}

/// A filter that reads without taking is not handed the same bytes again.
fn z13_a_reader_is_not_fed_twice<H: Dir>() {
    let mut run = among::<H, 1>([script("A").data(BUF).data(BUF)]);
    run.head(false).data("11");
    run.expect(r#"<.H(0) A.H(0) >.H(0) <.D("11",0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) >.D("11",0)"#, r#"D("11")"#);
    run.data_end("22").expect(r#"<.D("22",1) A.D("22",1)"#, "");
    run.resume("A").expect(r#"A.resume("22",1) >.D("22",1)"#, r#"D("22") end"#);
    run.finish("complete");
}

/// Resumes with nothing held call nobody else, however many there are; and the end comes once.
fn z14_no_spurious_frames<H: Dir>() {
    let a = script("A").data(BUF).data_with(take_then(HOLD)).data_with(take_then(HOLD));
    let mut run = among::<H, 1>([a]);
    run.head(false).data("1");
    run.expect(r#"<.H(0) A.H(0) >.H(0) <.D("1",0) A.D("1",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("1",0) >.D("1",0)"#, r#"D("1")"#);
    run.data("2").expect(r#"<.D("2",0) A.D("2",0)"#, "");
    for _ in 0..3 {
        run.resume("A").expect(r#"A.resume("",0)"#, "");
    }
    run.end().expect(r#"<.D("",1) A.D("",1)"#, "");
    run.resume("A").expect(r#"A.resume("",1) >.D("",1)"#, "end");
    run.gone("A").expect("", "");
    run.finish("complete");
}

/// A may change what it holds, whether or not a later filter has been given bytes before; and
/// nobody else can.
fn z15_the_holder_may_edit_what_it_holds<H: Dir>() {
    let a = script("A").data(PASS).data(BUF).resume_with(|view| {
        view.replace(0..1, Bytes::from_static(b"two")).expect("room for an edit");
        PASS
    });
    let c = script("C").data(BUF).data(BUF);
    let mut run = among::<H, 3>([a, script("B"), c]);
    run.head(false).data("11");
    run.expect(
        r#"<.H(0) A.H(0) B.H(0) C.H(0) >.H(0) <.D("11",0) A.D("11",0) B.D("11",0) C.D("11",0)"#,
        "H(0)",
    );
    run.data_end("22").expect(r#"<.D("22",1) A.D("22",1)"#, "");
    run.resume("A").expect(r#"A.resume("22",1) B.D("two2",1) C.D("two2",1)"#, "");
    run.resume("C").expect(r#"C.resume("11two2",1) >.D("11two2",1)"#, r#"D("11two2") end"#);
    run.finish("complete");
}

both!(
    canonical_hazard_bytes_are_shown_once,
    z1b_double_transform_is_applied_once,
    z2a_resume_of_a_later_data_holder_is_no_bypass,
    z2b_resume_of_a_head_holder_is_no_bypass,
    z2c_resume_of_a_quiet_head_holder_is_no_bypass,
    z3_added_bytes_are_not_lost,
    z3b_an_add_does_not_steal_what_another_holds,
    z4_no_premature_end,
    z5_trailers_do_not_overtake,
    z6_resume_after_an_inject_delivers_nothing_twice,
    z7_adds_do_not_overtake,
    z8a_policy_is_the_holders_own,
    z8b_reject_is_not_forgotten_behind_back_pressure,
    z8c_limits_are_the_holders_own,
    z9_added_trailers_do_not_overtake,
    z10_trailers_once_after_a_quiet_hold,
    z11_body_added_to_a_held_head_only_message,
    z12_a_hold_means_one_thing,
    z13_a_reader_is_not_fed_twice,
    z14_no_spurious_frames,
    z15_the_holder_may_edit_what_it_holds,
);
