//! Drives the engine and the reference with the same case and compares them after every step.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use http::{request, response};
use tidegate::{Chain, Plan, ResumeHandle, Resumed};

use super::case::{Case, Finish};
use super::engine;
use super::filter::{World, locked, resume_one};
use super::log::{Done, Event, Given};
use super::parts::TestHead;
use super::recording::{Mismatch, Recording};
use super::reference::{Mutant, Reference};
use super::rules;

/// More than any case needs; a bound on what a livelock would do.
const MOST_TURNS: usize = 2_000;

/// Runs `case`. `mutant` is a bug planted in the reference.
///
/// # Errors
///
/// The first difference.
pub(crate) fn run(case: &Case, mutant: Option<Mutant>) -> Result<Recording, Mismatch> {
    caught(|at| {
        if case.request {
            Harness::<request::Parts>::new(case, mutant).run(at)
        } else {
            Harness::<response::Parts>::new(case, mutant).run(at)
        }
    })
}

/// Runs `work`, which says at which operation it is; its panics are differences, too.
pub(super) fn caught(
    work: impl FnOnce(&Cell<Option<usize>>) -> Result<Recording, String>,
) -> Result<Recording, Mismatch> {
    let at = Cell::new(Some(0));
    match catch_unwind(AssertUnwindSafe(|| work(&at))) {
        Ok(Ok(recording)) => Ok(recording),
        Ok(Err(what)) => Err(Mismatch { op: at.get(), what }),
        Err(payload) => {
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied());
            let what = format!("panic: {}", text.unwrap_or("of another type"));
            Err(Mismatch { op: at.get(), what })
        }
    }
}

/// A waker that only remembers.
pub(super) struct Flag(pub(super) AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Harness<'c, H: TestHead> {
    pub(super) case: &'c Case,
    /// `None` once it has been dropped.
    pub(super) chain: Option<Chain<H>>,
    pub(super) world: Arc<World>,
    pub(super) model: Reference,
    pub(super) woken: Arc<Flag>,
    /// Handles of other messages. They can do nothing to this one.
    stale: &'c [ResumeHandle],
    pub(super) bound_bytes: u64,
    /// How much of the body the source has given.
    pub(super) sent: usize,
    pub(super) head_sent: bool,
    pub(super) registered: bool,
    /// `TIDEGATE_TRACE` is set.
    pub(super) traces: bool,
    pub(super) log: Vec<Event>,
    pub(super) given: Vec<Given>,
}

impl<'c, H: TestHead> Harness<'c, H> {
    fn new(case: &'c Case, mutant: Option<Mutant>) -> Self {
        let world = Arc::new(World::new(case.filters.len()));
        let plan = engine::plan(case, &world);
        Self::of_plan(case, mutant, &plan, world, &[])
    }

    /// A message of `plan`. `stale`: handles of messages before.
    pub(super) fn of_plan(
        case: &'c Case,
        mutant: Option<Mutant>,
        plan: &Plan<H>,
        world: Arc<World>,
        stale: &'c [ResumeHandle],
    ) -> Self {
        // Instances that were only asked for their declaration have been dropped.
        world.begin(case.filters.len());
        let (chain, bound_bytes) = engine::chain::<H>(case, plan);
        Self {
            stale,
            case,
            chain: Some(chain),
            world,
            model: Reference::new(case, mutant),
            woken: Arc::new(Flag(AtomicBool::new(false))),
            bound_bytes,
            sent: 0,
            head_sent: false,
            registered: false,
            traces: std::env::var_os("TIDEGATE_TRACE").is_some(),
            log: Vec::new(),
            given: Vec::new(),
        }
    }

    pub(super) fn run(mut self, at: &Cell<Option<usize>>) -> Result<Recording, String> {
        for (index, &op) in self.case.ops.iter().enumerate() {
            at.set(Some(index));
            self.tell(|| format!("op {index}: {op:?}"));
            self.apply(op)?;
            if self.stale.iter().any(|handle| handle.resume() != Resumed::Gone) {
                return Err("I6: a handle of another message reaches this one".to_owned());
            }
            self.compare()?;
        }
        at.set(None);
        match self.case.finish {
            Finish::Drain => self.drain()?,
            Finish::Cancel => {
                self.chain().cancel();
                self.model.cancel();
                self.compare()?;
            }
            Finish::Drop => {}
        }
        let outcome = self.model.levels().outcome;
        self.drop_chain()?;
        let recording = Recording { log: self.log, given: self.given, outcome };
        rules::check(self.case, &recording)?;
        Ok(recording)
    }

    pub(super) fn chain(&mut self) -> &mut Chain<H> {
        self.chain.as_mut().expect("the chain is dropped last")
    }

    /// The source gives the rest, the sink takes all, every handle resumes: the message must come
    /// to an end (I8).
    fn drain(&mut self) -> Result<(), String> {
        for _ in 0..MOST_TURNS {
            self.turn();
            self.compare()?;
            let taken = self.take(usize::MAX)?;
            self.compare()?;
            if self.chain().outcome().is_some() {
                return Ok(());
            }
            if taken > 0 || self.chain().has_work() || self.woken.0.load(Ordering::Relaxed) {
                continue;
            }
            if !self.go_on()? {
                return Err(
                    "I8: STUCK: nothing can go on, and the message has no outcome".to_owned()
                );
            }
            self.compare()?;
        }
        Err("I13: LIVELOCK: the message does not come to an end".to_owned())
    }

    /// One step of everybody outside. Answers whether there was one.
    fn go_on(&mut self) -> Result<bool, String> {
        if !self.head_sent {
            self.give_head(false)?;
            return Ok(true);
        }
        if self.chain().wants_input() {
            if self.sent < self.case.body_bytes {
                self.give_data(40, true)?;
            } else {
                self.give_tail(None)?;
            }
            return Ok(true);
        }
        let mut resumed = false;
        for k in 0..self.case.filters.len() {
            let before = self.model.has_pending_resumes();
            self.resume(k)?;
            resumed |= !before && self.model.has_pending_resumes();
        }
        Ok(resumed)
    }

    /// One poll of the edge: registers its waker, then passes on what was queued.
    pub(super) fn turn(&mut self) {
        self.woken.0.store(false, Ordering::Relaxed);
        self.register();
        self.chain().handle_resumes();
        self.model.handle_resumes();
    }

    fn register(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        if let Some(set) = self.chain().resume_set() {
            set.register(&waker);
        }
    }

    fn compare(&mut self) -> Result<(), String> {
        self.compare_logs()?;
        // The poll in which the first handle was made ends as every poll does: the waker is
        // registered, then what is queued is passed on.
        if !self.registered && self.chain().resume_set().is_some() {
            self.registered = true;
            self.turn();
        }
        self.register();
        self.compare_logs()?;
        let engine = engine::levels(self.chain());
        let model = self.model.levels();
        self.tell(|| format!("  {model:?}"));
        same("levels", &engine, &model)?;
        if engine.held_bytes > self.bound_bytes {
            return Err(format!(
                "I7: {} bytes are held, the bound is {}",
                engine.held_bytes, self.bound_bytes
            ));
        }
        Ok(())
    }

    /// Prints what goes on, if asked to.
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.traces {
            println!("{}", what());
        }
    }

    pub(super) fn compare_logs(&mut self) -> Result<(), String> {
        let engine = std::mem::take(&mut *locked(&self.world.log));
        let has_work = self.chain.as_ref().is_some_and(Chain::has_work);
        self.model.go_on_as_far_as(engine.len(), has_work);
        let model = std::mem::take(&mut self.model.log);
        self.tell(|| format!("  engine {engine:?}\n  model  {model:?}"));
        for (index, ours) in engine.iter().enumerate() {
            match model.get(index) {
                Some(theirs) if ours == theirs => {}
                Some(theirs) => {
                    return Err(format!("calls differ\n engine {ours:?}\n model  {theirs:?}"));
                }
                None => return Err(format!("a call too many\n engine {ours:?}")),
            }
        }
        if let Some(theirs) = model.get(engine.len()) {
            return Err(format!("a call is missing\n model  {theirs:?}"));
        }
        self.log.extend(engine);
        Ok(())
    }

    /// Dropping is cancelling, and afterwards nothing can happen any more (I9).
    fn drop_chain(&mut self) -> Result<(), String> {
        if let Some(mut chain) = self.chain.take() {
            if chain.outcome().is_some() {
                // What was not asked for yet is still given out, once.
                while let Some(output) = chain.poll_output() {
                    self.given.push(engine::given(output));
                }
                if chain.handle_end().is_ok() || chain.wants_input() {
                    return Err("I9: a finished message takes input".to_owned());
                }
            }
            drop(chain);
        }
        self.model.cancel();
        self.compare_logs()?;
        for k in 0..self.case.filters.len() {
            let after = resume_one(&self.world, k);
            if !matches!(after, Done::No | Done::Resumed(Resumed::Gone)) {
                return Err(format!("I6: a handle of a finished message answers {after:?}"));
            }
        }
        if self.world.asked_after_panic.load(Ordering::Relaxed) != 0 {
            return Err("I9: a filter that panicked is only dropped".to_owned());
        }
        let let_go = locked(&self.world.let_go).clone();
        if let_go.iter().any(|&times| times != 1) {
            return Err(format!("I9: filters were let go {let_go:?} times"));
        }
        Ok(())
    }
}

/// # Errors
///
/// If they differ.
pub(super) fn same<T: PartialEq + fmt::Debug>(
    what: &str,
    engine: &T,
    model: &T,
) -> Result<(), String> {
    if engine == model {
        return Ok(());
    }
    Err(format!("{what} differs\n engine {engine:?}\n model  {model:?}"))
}
