//! Filters whose extension fails, and messages that go on without them: only if they are as they
//! came (architecture.md, *fail open*).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use http::HeaderMap;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::filter::FailOpen;
use tidegate::{
    Capability, Declaration, Error, ErrorKind, Filter, Interest, Origin, Outcome, ResumeHandle,
    Verdict, View,
};

use crate::kit::*;

/// In which callback the extension fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Head,
    /// At the second piece of body.
    Data,
    End,
    Trailers,
    Resume,
}

/// What the filter does with what it is shown before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Pass,
    Hold,
    HoldQuiet,
    PassOne,
    Push,
    Replace,
    Remove,
    TakeFirst,
    AskForHead,
    AskForTrailers,
    DeclareLength,
    PushRefused,
}

/// A filter whose extension fails.
struct Flaky {
    at: At,
    before: Before,
    origin: Origin,
    calls: u64,
    closed: Arc<AtomicU64>,
    handle: Option<ResumeHandle>,
}

impl Flaky {
    fn fail<H: Dir>(&self, view: &mut View<'_, H>) -> Verdict {
        view.fail(Error::with_source(ErrorKind::Filter, self.origin, "the extension is down"))
    }

    fn act<H: Dir>(&self, view: &mut View<'_, H>) -> Verdict {
        let len = view.body().len();
        match self.before {
            Before::Pass => Verdict::PASS,
            Before::Hold => Verdict::HOLD,
            Before::HoldQuiet => Verdict::HOLD.quiet(),
            Before::PassOne => Verdict::pass_first(1),
            Before::Push => {
                view.push(Bytes::from_static(b"+")).expect("it can be");
                Verdict::HOLD
            }
            Before::Replace => {
                view.replace(0..len.min(1), Bytes::from_static(b"r")).expect("it can be");
                Verdict::HOLD
            }
            Before::Remove => {
                view.remove(0..len.min(1)).expect("it can be");
                Verdict::HOLD
            }
            Before::TakeFirst => {
                view.take_first(len.min(1)).expect("it can be");
                Verdict::HOLD
            }
            Before::AskForHead => {
                let _ = view.head_mut();
                Verdict::HOLD
            }
            Before::AskForTrailers => {
                let _ = view.trailers_mut();
                Verdict::HOLD
            }
            Before::DeclareLength => {
                view.set_declared_bytes(2);
                Verdict::HOLD
            }
            Before::PushRefused => {
                // Beyond its high mark: nothing changes.
                view.push(Bytes::from(vec![0; 1 << 21])).expect_err("beyond its mark");
                Verdict::HOLD
            }
        }
    }
}

impl<H: Dir> Filter<H> for Flaky {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .require(Capability::HoldHead)
            .require(Capability::ChangeLength)
            .require(Capability::EditBytes)
            .result("said")
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        assert_eq!(self.closed.load(Relaxed), 0);
        self.handle = Some(view.resume_handle());
        view.set_result("said").expect("it can be");
        match self.at {
            At::Head => self.fail(view),
            _ => match self.act(view) {
                // The quiet one is shown its body first.
                verdict if self.before == Before::HoldQuiet => {
                    let _ = verdict;
                    Verdict::HOLD
                }
                verdict => verdict,
            },
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.calls += 1;
        match self.at {
            At::Data if self.calls == 2 => self.fail(view),
            At::End if view.input_ended() => self.fail(view),
            _ => self.act(view),
        }
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.at == At::Trailers { self.fail(view) } else { Filter::<H>::data(self, view) }
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        assert_eq!(self.at, At::Resume);
        self.fail(view)
    }

    fn close(&mut self, _: &Outcome) {
        self.closed.fetch_add(1, Relaxed);
    }
}

/// Runs "ab" and "cd", and then a tail: what the sink has got in all, and how the message ended.
fn run<H: Dir>(at: At, before: Before, origin: Origin) -> (String, String, u64, u64) {
    let (opened, closed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let told = Arc::clone(&opened);
    let shared = Arc::clone(&closed);
    let make = move || {
        let closed = Arc::clone(&shared);
        let told = Arc::clone(&told);
        FailOpen::new(Flaky { at, before, origin, calls: 0, closed, handle: None }).on_open(
            move |error| {
                assert_eq!(error.origin(), Origin::Processor);
                told.fetch_add(1, Relaxed);
            },
        )
    };
    let plan = tidegate::Plan::<H>::builder()
        .filter("open", make)
        .filter("behind", || Silent)
        .build()
        .expect("it can be");
    let mut chain = plan
        .bind(tidegate::Capabilities::ALL)
        .expect("it can be")
        .chain(tidegate::MessageTraits::new())
        .expect("it can be");
    let mut sunk = String::new();
    let mut drain = |chain: &mut tidegate::Chain<H>| {
        while let Some(output) = chain.poll_output() {
            match output {
                tidegate::Output::Head { .. } => sunk.push('H'),
                tidegate::Output::Data(data) => {
                    sunk.push_str(std::str::from_utf8(&data).expect("it can be"))
                }
                tidegate::Output::Trailers(_) => sunk.push('T'),
                tidegate::Output::End => sunk.push('.'),
                tidegate::Output::Reset(_) => sunk.push('!'),
                tidegate::Output::Informational(_) | tidegate::Output::Reply(_) => sunk.push('?'),
            }
        }
    };
    chain.handle_head(H::plain(), false).expect("it can be");
    drain(&mut chain);
    for piece in ["ab", "cd"] {
        let _ = chain.handle_data(Bytes::from_static(piece.as_bytes()), false);
        drain(&mut chain);
    }
    if at == At::Resume {
        chain.handle_resume(0);
        drain(&mut chain);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x", "1".parse().expect("it can be"));
    let _ = if at == At::End { chain.handle_end() } else { chain.handle_trailers(trailers) };
    drain(&mut chain);
    assert!(chain.held_bytes() <= plan.held_bound_bytes());
    let outcome = chain.outcome().map_or_else(
        || "none".to_owned(),
        |outcome| match outcome {
            Outcome::Complete { .. } => "complete".to_owned(),
            Outcome::Failed(error) => format!("{} of {:?}", error.kind(), error.filter()),
            other => panic!("{other:?}"),
        },
    );
    let stats = chain.stats();
    assert_eq!(stats.failed_open, opened.load(Relaxed), "what is told is counted");
    drop(chain);
    (sunk, outcome, stats.failed_open, closed.load(Relaxed))
}

struct Silent;

impl<H: Dir> Filter<H> for Silent {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::ALL)
    }
}

/// Whatever it holds, all of it goes on as it came, in order, and the filter is closed once.
fn what_is_held_goes_on_as_it_came<H: Dir>() {
    for before in [Before::Pass, Before::Hold, Before::HoldQuiet, Before::PassOne] {
        for (at, tail) in [
            (At::Head, 'T'),
            (At::Data, 'T'),
            (At::End, '.'),
            (At::Trailers, 'T'),
            (At::Resume, 'T'),
        ] {
            // Nothing but a resume asks a quiet holder.
            if before == Before::HoldQuiet && matches!(at, At::Data | At::End | At::Trailers) {
                continue;
            }
            let (sunk, outcome, opened, closed) = run::<H>(at, before, Origin::Processor);
            assert_eq!(sunk, format!("Habcd{tail}"), "{at:?} {before:?}");
            assert_eq!((&*outcome, opened, closed), ("complete", 1, 1), "{at:?} {before:?}");
        }
    }
}

/// A change cannot be taken back, and the rest must not go on without it.
fn it_is_refused_behind_a_change<H: Dir>() {
    let refused = format!("{} of Some(\"open\")", ErrorKind::FailOpenRefused);
    for before in [
        Before::Push,
        Before::Replace,
        Before::Remove,
        Before::TakeFirst,
        Before::AskForHead,
        Before::DeclareLength,
    ] {
        for at in [At::Data, At::End, At::Resume] {
            let (sunk, outcome, opened, closed) = run::<H>(at, before, Origin::Processor);
            assert_eq!((&*outcome, opened, closed), (&*refused, 0, 1), "{at:?} {before:?}");
            assert!(!sunk.contains(['a', 'b', 'T', '.']), "{at:?} {before:?}: {sunk}");
        }
    }
}

/// An edit that was refused has changed nothing; neither has asking for what is not there.
fn what_came_to_nothing_is_no_change<H: Dir>() {
    for before in [Before::PushRefused, Before::AskForTrailers] {
        let (sunk, outcome, ..) = run::<H>(At::Data, before, Origin::Processor);
        assert_eq!((&*sunk, &*outcome), ("HabcdT", "complete"), "{before:?}");
    }
    let (_, outcome, ..) = run::<H>(At::Resume, Before::PushRefused, Origin::Processor);
    assert_eq!(outcome, "complete");
}

/// Only an extension can be done without. A filter that refuses a message has its way.
fn other_failures_stand<H: Dir>() {
    for origin in [Origin::Filter, Origin::Internal, Origin::Upstream, Origin::Downstream] {
        let (sunk, outcome, opened, closed) = run::<H>(At::Data, Before::Hold, origin);
        assert_eq!(outcome, format!("{} of Some(\"open\")", ErrorKind::Filter), "{origin:?}");
        assert_eq!((opened, closed), (0, 1), "{origin:?}");
        assert!(!sunk.contains('a'), "{origin:?}: {sunk}");
    }
}

/// An async filter that has not touched the message is left out of it, too.
fn an_async_filter_is_left_out<H: Dir>() {
    fn down() -> Error {
        Error::with_source(ErrorKind::Filter, Origin::Processor, "no connection")
    }
    async fn at_once(_: Input, _: Output) -> Result<(), Error> {
        Err(down())
    }
    async fn behind_a_chunk(mut input: Input, _: Output) -> Result<(), Error> {
        input.next().await?;
        Err(down())
    }
    async fn behind_the_head(mut input: Input, _: Output) -> Result<(), Error> {
        input.headers(|_| ())?;
        Err(down())
    }
    fn editor() -> Declaration {
        Declaration::new().require(Capability::ChangeLength).require(Capability::HoldHead)
    }
    let make = async_filter(editor(), at_once);
    let mut run = Stage::<H>::new([]).raw("open", move || FailOpen::new(make())).run();
    run.head(false).data("ab").trailers("x", "1").sink(r#"H(0) D("ab") T(x: 1)"#);
    assert_eq!(run.stats().failed_open, 1);
    run.finish("complete");

    let refused = "failed open an extension failed behind a change that it had made to the message";
    let make = async_filter(editor(), behind_a_chunk);
    let run = Stage::<H>::new([]).raw("open", move || FailOpen::new(make())).run();
    fails(run, refused);
    let make = async_filter(editor(), behind_the_head);
    let run = Stage::<H>::new([]).raw("open", move || FailOpen::new(make())).run();
    fails(run, refused);
}

fn fails<H: Dir>(mut run: Run<H>, outcome: &str) {
    let _ = run.chain.handle_head(H::plain(), false);
    let _ = run.chain.handle_data(Bytes::from_static(b"ab"), false);
    let error = run.chain.outcome().and_then(Outcome::error).cloned().expect(outcome);
    assert_eq!(error.kind(), ErrorKind::FailOpenRefused);
    assert_eq!(error.origin(), Origin::Processor);
    let beneath = std::error::Error::source(&error).expect("the extension's error");
    assert!(beneath.to_string().contains("processor"), "{beneath}");
    while run.chain.poll_output().is_some() {}
    run.abandon();
}

both!(
    what_is_held_goes_on_as_it_came,
    it_is_refused_behind_a_change,
    what_came_to_nothing_is_no_change,
    other_failures_stand,
    an_async_filter_is_left_out,
);

/// Keeps a copy of its own, says so, and then its extension fails.
struct Copies(Option<ResumeHandle>);

impl<H: Dir> Filter<H> for Copies {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .marks(tidegate::Marks::from_high(4))
            .require(Capability::EditBytes)
            .interest(Interest::ALL)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 = Some(view.resume_handle());
        view.set_kept_bytes(view.body().len() as u64).expect("what was taken is kept");
        Verdict::HOLD
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        view.fail(Error::with_source(ErrorKind::Filter, Origin::Processor, "down"))
    }
}

/// What a filter said it keeps is no reason to stop a message that goes on without it: the source
/// stayed paused for ever, as nobody could say that it is less.
fn what_it_kept_is_in_nobodys_way<H: Dir>() {
    let mut run = Stage::<H>::new([]).raw("open", || FailOpen::new(Copies(None))).run();
    run.head(false).data("abcd");
    assert!(!run.chain.wants_input(), "what it holds and keeps is over its mark");
    run.chain.handle_resume(0);
    while run.chain.poll_output().is_some() {}
    assert_eq!(run.chain.held_bytes(), 0);
    assert!(run.chain.wants_input(), "{:?}", run.chain.outcome());
    run.abandon();
}

/// Fails the first message that any instance of it sees, and serves the next one, too.
struct Once {
    calls: Arc<AtomicU64>,
}

impl<H: Dir> Filter<H> for Once {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.calls.fetch_add(1, Relaxed) == 0 {
            let down = "the extension is down";
            return view.fail(Error::with_source(ErrorKind::Filter, Origin::Processor, down));
        }
        Verdict::PASS
    }

    fn recycle(&mut self) -> bool {
        true
    }
}

/// A filter that was left out of one message is in the next one again, also the same instance.
fn the_next_message_has_the_filter_again<H: Dir>() {
    let calls = Arc::new(AtomicU64::new(0));
    let shared = Arc::clone(&calls);
    let plan = tidegate::Plan::<H>::builder()
        .filter("open", move || FailOpen::new(Once { calls: Arc::clone(&shared) }))
        .keep_chains(1)
        .build()
        .expect("a plan");
    let bound = plan.bind(tidegate::Capabilities::ALL).expect("an edge that can do it");
    for (message, opened) in [(1, 1), (2, 0)] {
        let mut chain = bound.chain(tidegate::MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("a head");
        while chain.poll_output().is_some() {}
        for _ in 0..2 {
            chain.handle_data(Bytes::from_static(b"x"), false).expect("data");
            while chain.poll_output().is_some() {}
        }
        assert_eq!(chain.stats().failed_open, opened, "message {message}");
    }
    assert_eq!(plan.recycling().reused, 1, "the second message had the filter of the first");
    assert_eq!(calls.load(Relaxed), 3, "once in the first message, twice in the second");
}

both!(the_next_message_has_the_filter_again, what_it_kept_is_in_nobodys_way);
