//! H29, H37: nothing depends on how the body was cut, who was paused when it came, or who stopped
//! looking at it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, request};
use tidegate::async_filter::{Input, Output as AsyncOutput, async_filter};
use tidegate::chain::PlanBuilder;
use tidegate::{
    BodyBuf, BoundPlan, Capabilities, Capability, Chain, Declaration, Error, Filter, Interest,
    Marks, MessageTraits, Outcome, Output, Plan, ResumeHandle, Verdict, View,
};

use crate::kit::{Cuts, Dir, Rng, assert_any_cut_gives_the_same, both, render};

/// What a filter makes of its input: all of these have to be functions of the bytes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// Everything goes on as it comes.
    Pass,
    /// Keeps all until the end, then lets it go.
    KeepAll,
    /// Keeps an odd byte back, so that only pairs go on.
    Pairs,
    /// Puts `<` and `>` around each pair.
    MarkPairs,
    /// Upper case of what is new, in place.
    Upper,
    /// Takes the bytes into its own storage, and gives them back in reverse at the end.
    Reverse,
    /// `ab` becomes `x`, wherever it was cut.
    Replace,
    /// The message ends behind the fifth byte.
    EndAtFive,
    /// Looks at the first three bytes, then at none.
    Prefix,
    /// Counts, and says the count at the end.
    Count,
}

const PROGRAMS: [Program; 10] = [
    Program::Pass,
    Program::KeepAll,
    Program::Pairs,
    Program::MarkPairs,
    Program::Upper,
    Program::Reverse,
    Program::Replace,
    Program::EndAtFive,
    Program::Prefix,
    Program::Count,
];

struct Cutter {
    program: Program,
    taken: BodyBuf,
    count: usize,
}

impl Cutter {
    fn new(program: Program) -> Self {
        Self { program, taken: BodyBuf::new(), count: 0 }
    }

    fn mark_pairs<H: Dir>(view: &mut View<'_, H>) -> Verdict {
        let pairs = view.body().len() / 2;
        for pair in (0..pairs).rev() {
            view.insert(2 * pair + 2, Bytes::from_static(b">")).expect("room for an edit");
            view.insert(2 * pair, Bytes::from_static(b"<")).expect("room for an edit");
        }
        let ready = 4 * pairs;
        if view.input_ended() { Verdict::PASS } else { Verdict::pass_first(ready) }
    }

    fn upper<H: Dir>(view: &mut View<'_, H>) -> Verdict {
        let new = view.new_at()..view.body().len();
        let upper = render::bytes(view.body())[new.clone()].to_ascii_uppercase();
        view.replace(new, Bytes::from(upper)).expect("no growth");
        Verdict::PASS
    }

    fn reverse<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut taken = view.take().expect("a granted edit");
        self.taken.append(&mut taken);
        view.set_kept_bytes(self.taken.len() as u64).expect("it was in the view");
        if !view.input_ended() {
            return Verdict::HOLD;
        }
        let mut all = render::bytes(&self.taken);
        all.reverse();
        self.taken.clear();
        view.set_kept_bytes(0).expect("a granted edit");
        view.push(Bytes::from(all)).expect("it had room before");
        Verdict::PASS
    }

    fn replace<H: Dir>(view: &mut View<'_, H>) -> Verdict {
        let mut from = 0;
        while let Some(at) = view.body().find(b"ab", from) {
            view.replace(at..at + 2, Bytes::from_static(b"x")).expect("no growth");
            from = at + 1;
        }
        let len = view.body().len();
        let open = len > from && view.body().find(b"a", len - 1).is_some();
        if open && !view.input_ended() { Verdict::pass_first(len - 1) } else { Verdict::PASS }
    }

    fn end_at_five<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.count += view.new_bytes();
        if self.count < 5 {
            return Verdict::PASS;
        }
        let len = view.body().len();
        drop(view.remove(len - (self.count - 5)..len).expect("a granted edit"));
        Verdict::END
    }

    fn prefix<H: Dir>(view: &mut View<'_, H>) -> Verdict {
        if view.body().len() < 3 && !view.input_ended() {
            return Verdict::HOLD;
        }
        view.drop_interest(Interest::ALL);
        if view.body().find(b"aba", 0) == Some(0) {
            view.prepend(Bytes::from_static(b"!")).expect("room for an edit");
        }
        Verdict::PASS
    }

    fn count<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.count += view.new_bytes();
        if view.input_ended() {
            view.push(Bytes::from(self.count.to_string())).expect("room for an edit");
        }
        Verdict::PASS
    }
}

impl<H: Dir> Filter<H> for Cutter {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength).require(Capability::KeepToEnd)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let ended = view.input_ended();
        match self.program {
            Program::Pass => Verdict::PASS,
            Program::KeepAll if ended => Verdict::PASS,
            Program::KeepAll => Verdict::HOLD,
            Program::Pairs if ended => Verdict::PASS,
            Program::Pairs => Verdict::pass_first(view.body().len() / 2 * 2),
            Program::MarkPairs => Self::mark_pairs(view),
            Program::Upper => Self::upper(view),
            Program::Reverse => self.reverse(view),
            Program::Replace => Self::replace(view),
            Program::EndAtFive => self.end_at_five(view),
            Program::Prefix => Self::prefix(view),
            Program::Count => self.count(view),
        }
    }
}

/// The same by hand: what each program makes of a body that comes in one piece.
fn by_hand(program: Program, input: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(input.to_vec()).expect("an input of this file");
    match program {
        Program::Pass | Program::KeepAll | Program::Pairs => input.to_vec(),
        Program::MarkPairs => input
            .chunks(2)
            .flat_map(
                |pair| if pair.len() == 2 { [b"<", pair, b">"].concat() } else { pair.to_vec() },
            )
            .collect(),
        Program::Upper => input.to_ascii_uppercase(),
        Program::Reverse => input.iter().rev().copied().collect(),
        Program::Replace => text.replace("ab", "x").into_bytes(),
        Program::EndAtFive => input[..input.len().min(5)].to_vec(),
        Program::Prefix if text.starts_with("aba") => format!("!{text}").into_bytes(),
        Program::Prefix => input.to_vec(),
        Program::Count => format!("{text}{}", text.len()).into_bytes(),
    }
}

const INPUTS: [&[u8]; 4] = [b"", b"a", b"babaabbab", b"aabbabaababb"];

/// nginx CVE-2026-42934, CVE-2026-48142 (a charset filter at the edge of a buffer): a body of up
/// to nine bytes, cut in all of its 2^(n-1) ways, through filters that hold, edit, take and end;
/// one of twelve through those that look across cuts.
#[test]
fn h37_every_cut_gives_the_same() {
    let cuts = Cuts { all_up_to: 12, random: 0 };
    for input in INPUTS {
        let across = [Program::MarkPairs, Program::Replace, Program::Reverse];
        let programs = if input.len() > 9 { &across[..] } else { &PROGRAMS[..] };
        for &program in programs {
            assert_any_cut_gives_the_same::<request::Parts, _>(cuts, input, move || {
                Cutter::new(program)
            });
        }
    }
}

/// And it is the right one: two programs behind each other, in all cuts of eight bytes, with marks
/// that hold much less than that, give what both make of the whole.
fn h37_every_cut_gives_what_is_right<H: Dir>() {
    let input: &'static [u8] = b"ababaabb";
    for first in PROGRAMS {
        for second in PROGRAMS {
            let bound = plan::<H>(&[first, second]);
            let right = by_hand(second, &by_hand(first, input));
            for mask in 0..1_u32 << (input.len() - 1) {
                let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
                let mut sunk = Sunk::default();
                chain.handle_head(H::plain(), false).expect("the head is taken");
                sunk.take(&mut chain);
                let mut start = 0;
                for at in 1..=input.len() {
                    if at == input.len() || mask & (1 << (at - 1)) != 0 {
                        let piece = Bytes::from_static(&input[start..at]);
                        // Refused where the message has ended before.
                        let _ = chain.handle_data(piece, false);
                        sunk.take(&mut chain);
                        start = at;
                    }
                }
                let _ = chain.handle_end();
                sunk.take(&mut chain);
                let case = format!("{first:?}, {second:?}, cut {mask:b}");
                assert_eq!(sunk.text(), String::from_utf8_lossy(&right), "{case}");
                assert_eq!(sunk.ends, 1, "{case}");
                assert!(chain.outcome().is_some_and(Outcome::is_complete), "{case}");
            }
        }
    }
}

fn plan<H: Dir>(programs: &[Program]) -> BoundPlan<H> {
    let plan = programs.iter().enumerate().fold(Plan::builder(), |plan, (k, &program)| {
        plan.filter(format!("{program:?} {k}"), move || Cutter::new(program))
    });
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge")
}

/// What a sink was given.
#[derive(Debug, Default)]
struct Sunk {
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    ends: usize,
}

impl Sunk {
    fn take<H: Dir>(&mut self, chain: &mut Chain<H>) {
        loop {
            match chain.poll_output() {
                Some(output) => {
                    assert_eq!(self.ends, 0, "an output behind the end");
                    match output {
                        Output::Head { end_of_stream, .. } => {
                            self.ends += usize::from(end_of_stream);
                        }
                        Output::Data(data) => self.body.extend_from_slice(&data),
                        Output::Trailers(trailers) => {
                            self.trailers = Some(trailers);
                            self.ends += 1;
                        }
                        Output::End => self.ends += 1,
                        Output::Reset(error) => panic!("reset: {error}"),
                        Output::Reply(_) | Output::Informational(_) => panic!("nobody replied"),
                    }
                }
                None if chain.has_work() => {}
                None => return,
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a filter does in one call: any of these may come behind any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Pass,
    Hold,
    HoldQuiet,
    PassOne,
    PassOneQuiet,
    /// And looks at no more data.
    PassAndDropData,
    HoldAndDropData,
    HoldQuietAndDropAll,
    PassOneAndDropTrailers,
}

const ACTS: [Act; 9] = [
    Act::Pass,
    Act::Hold,
    Act::HoldQuiet,
    Act::PassOne,
    Act::PassOneQuiet,
    Act::PassAndDropData,
    Act::HoldAndDropData,
    Act::HoldQuietAndDropAll,
    Act::PassOneAndDropTrailers,
];

/// Changes what it wants from call to call; passes when its list is over. Edits nothing.
struct Moody {
    acts: Arc<Vec<Act>>,
    made: usize,
    handles: Arc<std::sync::Mutex<Vec<ResumeHandle>>>,
}

impl Moody {
    fn act<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.made == 0 {
            let handle = view.resume_handle();
            self.handles.lock().expect("no panic").push(handle);
        }
        let act = self.acts.get(self.made).copied().unwrap_or(Act::Pass);
        self.made += 1;
        match act {
            Act::Pass => Verdict::PASS,
            Act::Hold => Verdict::HOLD,
            Act::HoldQuiet => Verdict::HOLD.quiet(),
            Act::PassOne => Verdict::pass_first(1),
            Act::PassOneQuiet => Verdict::pass_first(1).quiet(),
            Act::PassAndDropData => {
                view.drop_interest(Interest::DATA);
                Verdict::PASS
            }
            Act::HoldAndDropData => {
                view.drop_interest(Interest::DATA);
                Verdict::HOLD
            }
            Act::HoldQuietAndDropAll => {
                view.drop_interest(Interest::ALL);
                Verdict::HOLD.quiet()
            }
            Act::PassOneAndDropTrailers => {
                view.drop_interest(Interest::TRAILERS);
                Verdict::pass_first(1)
            }
        }
    }
}

impl<H: Dir> Filter<H> for Moody {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead).require(Capability::KeepToEnd)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }
}

/// One message through moody filters; when they are resumed is by the seed, or after each input.
fn mood<H: Dir>(moods: &[Vec<Act>], trailers: bool, mut resume: impl FnMut() -> bool) -> String {
    let handles: Arc<std::sync::Mutex<Vec<ResumeHandle>>> = Arc::default();
    let plan: PlanBuilder<H> = moods.iter().enumerate().fold(Plan::builder(), |plan, (k, acts)| {
        let (acts, handles) = (Arc::new(acts.clone()), Arc::clone(&handles));
        plan.filter(format!("moody {k}"), move || Moody {
            acts: Arc::clone(&acts),
            made: 0,
            handles: Arc::clone(&handles),
        })
    });
    let bound = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
    let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
    let mut sunk = Sunk::default();
    let resume_all = |chain: &mut Chain<H>, sunk: &mut Sunk| {
        let handles = handles.lock().expect("no panic").clone();
        for handle in &handles {
            let _ = handle.resume();
            chain.handle_resumes();
            sunk.take(chain);
        }
    };
    chain.handle_head(H::plain(), false).expect("the head is taken");
    sunk.take(&mut chain);
    for (at, piece) in ["first", "mid", "last"].into_iter().enumerate() {
        if resume() {
            resume_all(&mut chain, &mut sunk);
        }
        let last = at == 2 && !trailers;
        chain.handle_data(Bytes::from_static(piece.as_bytes()), last).expect("data is taken");
        sunk.take(&mut chain);
    }
    if trailers {
        let mut map = HeaderMap::new();
        map.insert("x-sum", "1".parse().expect("a field value"));
        chain.handle_trailers(map).expect("trailers are taken");
        sunk.take(&mut chain);
    }
    // Every act is over after so many calls of each.
    for _ in 0..moods.iter().map(Vec::len).sum::<usize>() + 1 {
        resume_all(&mut chain, &mut sunk);
    }
    assert!(chain.outcome().is_some_and(Outcome::is_complete), "{moods:?}: {:?}", chain.outcome());
    let tail = if sunk.trailers.is_some() { " T" } else { "" };
    format!("{}{tail} {}", sunk.text(), sunk.ends)
}

fn right(trailers: bool) -> &'static str {
    if trailers { "firstmidlast T 1" } else { "firstmidlast 1" }
}

/// Envoy #40340, #41640: one filter in every order of holding, letting go in part, and giving up
/// its interests, over three calls; resumed late, or after each input.
#[test]
fn h29_nothing_is_lost_behind_a_filter_that_changes_its_mind() {
    let base = ACTS.len();
    for code in 0..base.pow(3) {
        let acts: Vec<Act> = (0..3).map(|at| ACTS[code / base.pow(at) % base]).collect();
        for (trailers, early) in [(false, false), (true, false), (false, true), (true, true)] {
            let sunk = mood::<request::Parts>(std::slice::from_ref(&acts), trailers, || early);
            assert_eq!(sunk, right(trailers), "{acts:?}, resumed early: {early}");
        }
    }
}

/// Envoy #41654 (cut short with two filters): two and three of them, each with a mind of its own.
fn h29_nothing_is_lost_behind_several_of_them<H: Dir>() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let count = 2 + rng.below(2);
        let moods: Vec<Vec<Act>> = (0..count)
            .map(|_| (0..rng.below(7)).map(|_| ACTS[rng.below(ACTS.len())]).collect())
            .collect();
        let trailers = rng.below(2) == 0;
        let sunk = mood::<H>(&moods, trailers, || rng.below(3) == 0);
        assert_eq!(sunk, right(trailers), "seed {seed}: {moods:?}");
    }
}

async fn changes_its_mind(mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    // Looks at the first chunk, then lets the rest pass.
    if let Some(first) = input.next().await? {
        output.send(first).await?;
    }
    Ok(())
}

/// A filter that keeps little and stops looking half-way, before and behind an async one that does
/// the same, with every mark: the rest goes on.
fn h29_the_rest_goes_on_when_nobody_looks_any_more<H: Dir>() {
    for high in [1, 2, 3, 1 << 16] {
        for async_first in [false, true] {
            let marks = Declaration::new().marks(Marks::from_high(high));
            let make = async_filter(marks, changes_its_mind);
            let prefix = || Cutter::new(Program::Prefix);
            let plan = Plan::<H>::builder().output_marks(Marks::from_high(high));
            let plan = if async_first {
                plan.filter("async", make).filter("prefix", prefix)
            } else {
                plan.filter("prefix", prefix).filter("async", make)
            };
            let bound = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
            let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
            let mut sunk = Sunk::default();
            chain.handle_head(H::plain(), false).expect("the head is taken");
            sunk.take(&mut chain);
            for at in 0..10_u8 {
                assert!(chain.wants_input(), "high {high}: paused at {at}");
                let piece = vec![b'0' + at; usize::from(at) + 1];
                chain.handle_data(Bytes::from(piece), at == 9).expect("data is taken");
                sunk.take(&mut chain);
            }
            let right: Vec<u8> =
                (0..10_u8).flat_map(|at| vec![b'0' + at; usize::from(at) + 1]).collect();
            assert_eq!((sunk.body.as_slice(), sunk.ends), (&right[..], 1), "high {high}");
        }
    }
}

both!(
    h29_nothing_is_lost_behind_several_of_them,
    h29_the_rest_goes_on_when_nobody_looks_any_more,
    h37_every_cut_gives_what_is_right,
);
