//! What may be added, and what is refused (I7, ruling 6).

use std::ops::Range;

use bytes::Bytes;
use tidegate::chain::MessageTraits;
use tidegate::filter::{EditError, EditErrorKind};
use tidegate::{Capability, View, limits};

use crate::kit::*;

fn bytes(n: usize) -> Bytes {
    Bytes::from(vec![b'+'; n])
}

/// The refusal of an edit, which must give the bytes back.
fn refusal(result: Result<(), EditError>, returned_bytes: usize) -> EditErrorKind {
    let error = result.expect_err("the edit is refused");
    let kind = error.kind();
    assert_eq!(error.into_bytes().len(), returned_bytes, "the bytes come back");
    kind
}

fn push<H: Dir>(view: &mut View<'_, H>, n: usize) {
    view.push(bytes(n)).expect("room for an edit");
}

/// One call may add the filter's own high mark, in one edit or several; the next byte is `Full`,
/// and the filter is called again when there is room.
fn one_call_may_add_the_high_mark<H: Dir>() {
    let a = script("A").high(10).data_with(|view| {
        push(view, 4);
        push(view, 6);
        assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
        assert_eq!(view.body().len(), 11, "a refused edit changes nothing");
        PASS
    });
    let a = a.resume_with(|view| {
        push(view, 1);
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("x");
    run.expect(r#"A.H(0) A.D("x",0) A.resume("",0)"#, r#"H(0) D("x+++++++++++")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// A filter that was refused and then let its end go is not recalled: it has nothing to say.
fn no_recall_after_the_end<H: Dir>() {
    let a = script("A").high(1).data_with(|view| {
        push(view, 1);
        assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
        PASS
    });
    let mut run = Run::<H>::new([a, script("B").data(HOLD)]);
    run.head(false).data_end("x").expect(r#"A.H(0) B.H(0) A.D("x",1) B.D("x+",1)"#, "H(0)");
    run.resume("B").expect(r#"B.resume("x+",1)"#, r#"D("x+") end"#);
    run.finish("complete");
}

/// More than the high mark by itself will never fit: `TooLarge`, and no recall.
fn more_than_the_high_mark_is_too_large<H: Dir>() {
    let a = script("A").high(10).data_with(|view| {
        let kind = refusal(view.push(bytes(11)), 11);
        assert_eq!(kind, EditErrorKind::TooLarge { high_bytes: 10 });
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("x").expect(r#"A.H(0) A.D("x",0)"#, r#"H(0) D("x")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// Growth is what counts: what is taken in the same call makes room, a replacement of the same
/// length needs none.
fn taking_makes_room<H: Dir>() {
    let a = script("A").high(4).data_with(|view| {
        push(view, 4);
        assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
        view.replace(0..6, bytes(6)).expect("no growth");
        drop(view.take_first(6).expect("a granted edit"));
        push(view, 4);
        push(view, 2);
        assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
        PASS
    });
    let mut run = Run::<H>::new([a.wants(tidegate::Interest::DATA)]);
    run.head(false).data("123456");
    run.expect(r#"A.D("123456",0) A.resume("",0)"#, r#"H(0) D("++++++++++")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// While something after the filter is over, nothing may be added; the recall comes when it is no
/// longer. The refused filter needs no handle for that.
fn full_while_a_later_station_is_over_and_recalled_after<H: Dir>() {
    let a = script("A")
        .no_handle()
        .trailers_with(|view| {
            assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
            HOLD
        })
        .resume_with(|view| {
            push(view, 1);
            PASS
        });
    let b = script("B").high(4).data(HOLD);
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("12345");
    run.expect(r#"A.H(0) B.H(0) A.D("12345",0) B.D("12345",0)"#, "H(0)");
    run.trailers("x", "1").expect("A.T(x: 1)", "");
    run.resume("B").expect(
        r#"B.resume("12345",0) A.resume("",1) B.D("+",0) B.T(x: 1)"#,
        r#"D("12345+") T(x: 1)"#,
    );
    run.finish("complete");
}

/// The same with a slow sink: the output queue is the last station.
fn full_while_the_sink_is_slow<H: Dir>() {
    let a = script("A")
        .no_handle()
        .trailers_with(|view| {
            assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
            HOLD
        })
        .resume_with(|view| {
            push(view, 1);
            PASS
        });
    let mut run = Stage::<H>::new([a]).output_high(4).run();
    run.hold_sink().head(false).data("12345").wants(false).trailers("x", "1");
    run.calls(r#"A.H(0) A.D("12345",0) A.T(x: 1)"#);
    run.take_one().calls("");
    run.open_sink();
    run.expect(r#"A.resume("",1)"#, r#"H(0) D("12345+") T(x: 1)"#);
    run.finish("complete");
}

/// What the filter has added and its station still has counts, however many calls ago it was; what
/// it merely holds does not. Bytes that leave count as added first.
fn full_of_what_it_added_before<H: Dir>() {
    let a = script("A")
        .high(4)
        .data_with(|view| {
            push(view, 3);
            HOLD
        })
        .resume_with(|view| {
            push(view, 1);
            assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
            Verdict::pass_first(1)
        })
        .resume_with(|view| {
            push(view, 1);
            PASS
        });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("123456789").expect(r#"A.H(0) A.D("123456789",0)"#, "H(0)").holds(12);
    // One byte leaves, and one fits again: so the recall follows at once.
    run.resume("A").expect(
        r#"A.resume("123456789+++",0) A.resume("23456789++++",0)"#,
        r#"D("123456789+++++")"#,
    );
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// Bytes a filter took and keeps are charged to it: keeping what it took is no growth, keeping more
/// is; giving back starts with lowering the number.
fn kept_bytes_are_charged<H: Dir>() {
    let a = script("A")
        .high(4)
        .data_with(|view| {
            drop(view.take().expect("a granted edit"));
            view.set_kept_bytes(5).expect("it was taken");
            view.set_kept_bytes(9).expect("and the high mark more");
            view.set_kept_bytes(5).expect("less");
            HOLD
        })
        .resume_with(|view| {
            assert_eq!(refusal(view.push(bytes(5)), 5), EditErrorKind::TooLarge { high_bytes: 4 });
            view.set_kept_bytes(0).expect("less");
            push(view, 5);
            push(view, 4);
            assert_eq!(refusal(view.set_kept_bytes(1), 0), EditErrorKind::Full);
            PASS
        });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("12345").expect(r#"A.H(0) A.D("12345",0)"#, "H(0)");
    run.holds(5).wants(false);
    run.resume("A").expect(r#"A.resume("",0) A.resume("",0)"#, r#"D("+++++++++")"#);
    run.holds(0).wants(true);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// Every station has an account of its own: what one lets go is not another's.
fn two_stations_have_two_accounts<H: Dir>() {
    let a = script("A").high(4).data(PASS).data_with(|view| {
        push(view, 3);
        HOLD
    });
    let a = a.data_with(|view| {
        push(view, 4);
        PASS
    });
    let b = script("B").high(4).data_with(|view| {
        push(view, 3);
        HOLD
    });
    let b = b.data(PASS).data_with(|view| {
        push(view, 4);
        PASS
    });
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("x").expect(r#"A.H(0) B.H(0) A.D("x",0) B.D("x",0)"#, "H(0)");
    run.data("y").expect(r#"A.D("y",0)"#, "").holds(8);
    run.resume("B").expect(r#"B.resume("x+++",0)"#, r#"D("x+++")"#);
    run.resume("A").expect(r#"A.resume("y+++",0) B.D("y+++",0)"#, r#"D("y+++")"#);
    run.data("z").expect(r#"A.D("z",0) B.D("z++++",0)"#, r#"D("z++++++++")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// A station that is not the first is charged, refused and recalled as the first is.
fn a_later_station_is_charged_and_recalled<H: Dir>() {
    let b = script("B").high(4).data_with(|view| {
        drop(view.take().expect("a granted edit"));
        view.set_kept_bytes(5).expect("it was taken");
        PASS
    });
    let b = b.resume_with(|view| {
        view.set_kept_bytes(0).expect("less");
        push(view, 9);
        assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::Full);
        PASS
    });
    let mut run = Run::<H>::new([script("A"), b]);
    run.head(false).data("12345").expect(r#"A.H(0) B.H(0) A.D("12345",0) B.D("12345",0)"#, "H(0)");
    run.holds(5).wants(false);
    run.resume("B").expect(r#"B.resume("",0) B.resume("",0)"#, r#"D("+++++++++")"#);
    run.holds(0).wants(true);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// What a filter keeps when its output has ended is its own affair: it is no longer charged.
fn kept_bytes_are_not_charged_after_the_end<H: Dir>() {
    let a = script("A").high(4).data_with(|view| {
        drop(view.take().expect("a granted edit"));
        view.set_kept_bytes(5).expect("it was taken");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B").data(HOLD)]);
    run.head(false).data_end("12345");
    run.expect(r#"A.H(0) B.H(0) A.D("12345",1) B.D("",1)"#, "H(0)").holds(0);
    run.resume("B").expect(r#"B.resume("",1)"#, "end");
    run.finish("complete");
}

/// What a filter may say it keeps has a limit of its own, beside its high mark.
fn kept_bytes_have_a_limit<H: Dir>() {
    let a = script("A").high(4).data_with(|view| {
        let most = limits::MAX_KEPT_BYTES;
        let too_large = |high_bytes| EditErrorKind::TooLarge { high_bytes };
        assert_eq!(refusal(view.set_kept_bytes(most), 0), too_large(4));
        assert_eq!(refusal(view.set_kept_bytes(most + 1), 0), too_large(most));
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, r#"H(0) D("1")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// I2: what is new is told from what was shown before.
fn a_view_says_what_is_new<H: Dir>() {
    let a = script("A").data_with(|view| {
        assert_eq!((view.new_at(), view.new_bytes()), (0, 2));
        HOLD
    });
    let a = a.data_with(|view| {
        assert_eq!((view.new_at(), view.new_bytes()), (2, 3));
        view.prepend(bytes(4)).expect("room");
        assert_eq!((view.new_at(), view.new_bytes()), (6, 3));
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("12").expect(r#"A.H(0) A.D("12",0)"#, "H(0)");
    run.data("345").expect(r#"A.D("345",0)"#, r#"D("++++12345")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// What the sink gets of `123456` with `n` bytes in the place of `range`.
fn edited(range: Range<usize>, n: usize) -> String {
    let mut body = "123456".to_owned();
    body.replace_range(range, &"+".repeat(n));
    if body.is_empty() { "H(0) end".to_owned() } else { format!("H(0) D({body:?}) end") }
}

/// Three old bytes and three new ones, any range of them replaced: what was put behind the border
/// is new, what was put before it or in its place is old.
fn the_border_of_what_is_new_moves_with_edits<H: Dir>() {
    for (start, end) in (0..=6).flat_map(|start| (start..=6).map(move |end| (start, end))) {
        for n in 0..4 {
            let old_before = start.min(3);
            let old_behind = 3_usize.saturating_sub(end);
            let put_in_as_old = if start <= 3 { n } else { 0 };
            let new_at = old_before + put_in_as_old + old_behind;
            let a = script("A").data(HOLD).data_with(move |view| {
                view.replace(start..end, bytes(n)).expect("room");
                assert_eq!(view.new_at(), new_at, "{start}..{end} replaced by {n} bytes");
                PASS
            });
            let mut run = Run::<H>::new([a]);
            run.head(false).data("123").data_end("456");
            run.expect(r#"A.H(0) A.D("123",0) A.D("456",1)"#, &edited(start..end, n));
            run.finish("complete");
        }
    }
}

/// The same for bytes that are removed.
fn the_border_of_what_is_new_moves_with_removals<H: Dir>() {
    for (start, end) in (0..=6).flat_map(|start| (start..=6).map(move |end| (start, end))) {
        let a = script("A").data(HOLD).data_with(move |view| {
            drop(view.remove(start..end).expect("a granted edit"));
            assert_eq!(view.new_at(), start.min(3) + 3_usize.saturating_sub(end.max(start)));
            PASS
        });
        let mut run = Run::<H>::new([a]);
        run.head(false).data("123").data_end("456");
        run.expect(r#"A.H(0) A.D("123",0) A.D("456",1)"#, &edited(start..end, 0));
        run.finish("complete");
    }
}

/// What the filter before has added in the same wave is no growth of the one behind.
fn growth_is_that_of_the_filter_that_made_it<H: Dir>() {
    let a = script("A").high(4).data(PASS).data_with(|view| {
        push(view, 4);
        PASS
    });
    let b = script("B").high(4).data(PASS).data(HOLD).resume_with(|view| {
        push(view, 4);
        PASS
    });
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("1").expect(r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0)"#, r#"H(0) D("1")"#);
    run.data("2").expect(r#"A.D("2",0) B.D("2++++",0)"#, "");
    run.resume("B").expect(r#"B.resume("2++++",0)"#, r#"D("2++++++++")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// Every edit needs *edit bytes* or *change length*, declared and granted.
fn edits_need_the_capability<H: Dir>() {
    let a = script("A").without_needs().data_with(|view| {
        let undeclared = EditErrorKind::Undeclared(Capability::EditBytes);
        assert_eq!(refusal(view.push(bytes(1)), 1), undeclared);
        assert_eq!(refusal(view.prepend(bytes(1)), 1), undeclared);
        assert_eq!(refusal(view.insert(1, bytes(1)), 1), undeclared);
        assert_eq!(refusal(view.replace(0..1, bytes(1)), 1), undeclared);
        assert_eq!(refusal(view.remove(0..1).map(drop), 0), undeclared);
        assert_eq!(refusal(view.take().map(drop), 0), undeclared);
        assert_eq!(refusal(view.take_first(1).map(drop), 0), undeclared);
        assert_eq!(refusal(view.set_kept_bytes(0), 0), undeclared);
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("12").expect(r#"A.H(0) A.D("12",0)"#, r#"H(0) D("12")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

/// A message that has no body by definition gets none.
fn no_body_where_there_can_be_none<H: Dir>() {
    let a = script("A").head_with(|view| {
        assert_eq!(refusal(view.push(bytes(1)), 1), EditErrorKind::NoBody);
        PASS
    });
    let traits = MessageTraits::new().bodiless();
    let mut run = Stage::<H>::new([a]).traits(traits).run();
    run.head(true).expect("A.H(1)", "H(1)");
    run.finish("complete");
}

both!(
    one_call_may_add_the_high_mark,
    no_recall_after_the_end,
    more_than_the_high_mark_is_too_large,
    taking_makes_room,
    full_while_a_later_station_is_over_and_recalled_after,
    full_while_the_sink_is_slow,
    full_of_what_it_added_before,
    kept_bytes_are_charged,
    kept_bytes_have_a_limit,
    a_view_says_what_is_new,
    the_border_of_what_is_new_moves_with_edits,
    the_border_of_what_is_new_moves_with_removals,
    growth_is_that_of_the_filter_that_made_it,
    two_stations_have_two_accounts,
    a_later_station_is_charged_and_recalled,
    kept_bytes_are_not_charged_after_the_end,
    edits_need_the_capability,
    no_body_where_there_can_be_none,
);
