//! Filters whose result must not depend on where the body was cut: three samples of how to write
//! one, and the check that finds out.

use bytes::Bytes;
use http::HeaderValue;
use tidegate::{Capability, Declaration, Filter, Head, View};

use crate::kit::*;

/// Replaces `needle` by `pin`, also where it lies across a cut: holds back what may be its begin.
struct Replacer;

impl<H: Head> Filter<H> for Replacer {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        const NEEDLE: &[u8] = b"needle";
        let mut from = 0;
        while let Some(at) = view.body().find(NEEDLE, from) {
            view.replace(at..at + NEEDLE.len(), Bytes::from_static(b"pin")).expect("it shrinks");
            from = at + 3;
        }
        if view.input_ended() {
            return PASS;
        }
        let all: Vec<u8> = view.body().chunks().flatten().copied().collect();
        // What was put in is done with: only behind it can a needle begin.
        let tail = &all[from..];
        let begun = (1..NEEDLE.len()).rev().find(|n| tail.ends_with(&NEEDLE[..*n]));
        Verdict::pass_first(all.len() - begun.unwrap_or(0))
    }
}

/// Drops lines that begin with `#`: holds back a line until its end has come.
struct Uncomment;

impl<H: Head> Filter<H> for Uncomment {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut from = 0;
        loop {
            let end = match view.body().find(b"\n", from) {
                Some(at) => at + 1,
                None if view.input_ended() => view.body().len(),
                None => return Verdict::pass_first(from),
            };
            if from == end {
                return PASS;
            }
            let mut first = [0];
            view.body().copy_range_to(from..from + 1, &mut first);
            if first == *b"#" {
                drop(view.remove(from..end).expect("a granted edit"));
            } else {
                from = end;
            }
        }
    }
}

/// Sums the bytes up and says so in a trailer; the body passes as it comes.
#[derive(Default)]
struct Sum(u64);

impl<H: Head> Filter<H> for Sum {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::AddTrailers)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.body().chunks().flatten().map(|byte| u64::from(*byte)).sum::<u64>();
        PASS
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        let trailers = view.trailers_mut().expect("trailers to add to");
        trailers.insert("x-sum", HeaderValue::from(self.0));
        PASS
    }
}

fn replacer_gives_the_same_for_any_cut<H: Dir>() {
    for short in [&b"aneedleb"[..], b"needle", b"neneedle", b"needlneed", b"neeneedle", b"x"] {
        assert_any_cut_gives_the_same::<H, _>(Cuts::default(), short, || Replacer);
    }
    let long = b"a needle in a haystack of needles, needl needleneedleneneedle and nee";
    assert_any_cut_gives_the_same::<H, _>(Cuts::default(), long, || Replacer);
}

fn uncomment_gives_the_same_for_any_cut<H: Dir>() {
    for short in [&b"a\n#b\nc"[..], b"#\n\n#", b"#a\n#b\n", b"\n\n\n", b"ab#c\n#d"] {
        assert_any_cut_gives_the_same::<H, _>(Cuts::default(), short, || Uncomment);
    }
    let long = b"key = value\n# a comment\n#\n\nother = # no comment\n#last line, unfinished";
    assert_any_cut_gives_the_same::<H, _>(Cuts::default(), long, || Uncomment);
}

fn sum_gives_the_same_for_any_cut<H: Dir>() {
    assert_any_cut_gives_the_same::<H, _>(Cuts::default(), b"0123456789", Sum::default);
    assert_any_cut_gives_the_same::<H, _>(Cuts::default(), b"0123456789abcdef", Sum::default);
}

/// What the samples do, so that "the same" is not "nothing".
fn samples_do_what_they_say<H: Dir>() {
    let mut run = Stage::<H>::new([])
        .raw("replacer", || Replacer)
        .raw("uncomment", || Uncomment)
        .raw("sum", Sum::default)
        .run();
    run.head(false).data("a nee").data("dle\n#").data("b\n").end();
    let sum: u64 = "a pin\n".bytes().map(u64::from).sum();
    run.sink(&format!(r#"H(0) D("a pin\n") T(x-sum: {sum})"#));
    run.finish("complete");
}

/// The check finds a filter that does depend on the cut.
fn frame_by_frame_transform_is_found<H: Dir>() {
    struct Brackets;
    impl<H: Head> Filter<H> for Brackets {
        fn declare(&self) -> Declaration {
            Declaration::new().require(Capability::ChangeLength)
        }

        fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
            view.prepend(Bytes::from_static(b"[")).expect("room for an edit");
            view.push(Bytes::from_static(b"]")).expect("room for an edit");
            PASS
        }
    }
    let found = std::panic::catch_unwind(|| {
        assert_any_cut_gives_the_same::<H, _>(Cuts::default(), b"0123", || Brackets);
    });
    assert!(found.is_err());
    let found = std::panic::catch_unwind(|| {
        assert_any_cut_gives_the_same::<H, _>(Cuts::default(), b"0123456789abcdef", || Brackets);
    });
    assert!(found.is_err());
}

/// More than a view can have is all of it, however much more.
fn first_of_more_than_there_is<H: Dir>() {
    for bytes in [3, usize::MAX >> 8, (usize::MAX >> 8) + 1, 1 << 60, usize::MAX] {
        let mut run = Run::<H>::new([script("A").data(Verdict::pass_first(bytes))]);
        run.head(false).data("abc").expect(r#"A.H(0) A.D("abc",0)"#, r#"H(0) D("abc")"#);
        run.end().expect(r#"A.D("",1)"#, "end");
        run.finish("complete");
    }
}

both!(
    first_of_more_than_there_is,
    replacer_gives_the_same_for_any_cut,
    uncomment_gives_the_same_for_any_cut,
    sum_gives_the_same_for_any_cut,
    samples_do_what_they_say,
    frame_by_frame_transform_is_found,
);
