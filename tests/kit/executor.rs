//! An executor for tests that accounts for every wake.
//!
//! A task is polled only if a waker it was handed has fired since its last poll, or as a spurious
//! poll that the options ask for. So a wake that is lost shows as [`Failure::Stuck`], always, and
//! not as a test that takes a little longer. Tasks start woken. The seed chooses who is next.
//!
//! One thread: tasks need not be `Send`. Their wakers may be called from anywhere on this thread,
//! also from inside another task's poll.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use super::rng::Rng;

/// What may happen besides the plain polls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// One in so many steps polls a task that nobody woke; 0 for never. Such a poll does not save a
    /// run that is stuck.
    pub(crate) spurious_one_in: usize,
    /// Every poll is handed a waker of its own, and those of earlier polls wake nobody any more: as
    /// if the task had moved.
    pub(crate) fresh_wakers: bool,
    /// One in so many wakes polls the woken task at once, inside the call that woke it, if it is
    /// not being polled already; 0 for never.
    pub(crate) inline_one_in: usize,
    /// More polls than this are a livelock.
    pub(crate) most_polls: u64,
}

impl Options {
    /// Nothing special, and enough polls for a small test.
    pub(crate) const PLAIN: Self =
        Self { spurious_one_in: 0, fresh_wakers: false, inline_one_in: 0, most_polls: 100_000 };

    /// Some of everything, as the seed will have it.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::new(!seed);
        Self {
            spurious_one_in: [0, 0, 2, 9][rng.below(4)],
            fresh_wakers: rng.below(2) == 0,
            inline_one_in: [0, 0, 1, 3][rng.below(4)],
            ..Self::PLAIN
        }
    }
}

/// What one task cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskReport {
    pub(crate) name: &'static str,
    pub(crate) polls: u64,
    /// All calls of its wakers, also those of a finished task.
    pub(crate) wakes: u64,
    /// Calls of wakers of an earlier poll, which count for nothing.
    pub(crate) stale_wakes: u64,
    /// Wakers of it that somebody keeps.
    pub(crate) wakers_left: usize,
}

/// Why a run did not end with all tasks finished.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody is woken and these tasks are not finished: a wake was lost.
    Stuck { unfinished: Vec<&'static str>, tasks: Vec<TaskReport> },
    /// More polls than allowed: tasks wake one another, or themselves, without getting on.
    Livelock { unfinished: Vec<&'static str>, tasks: Vec<TaskReport> },
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, unfinished, tasks) = match self {
            Self::Stuck { unfinished, tasks } => ("STUCK", unfinished, tasks),
            Self::Livelock { unfinished, tasks } => ("LIVELOCK", unfinished, tasks),
        };
        write!(f, "{what}: {unfinished:?} not finished; {tasks:?}")
    }
}

/// The tasks, and the order in which they will be polled.
pub(crate) struct Executor(Rc<Inner>);

struct Inner {
    options: Options,
    dice: RefCell<Dice>,
    polls: Cell<u64>,
    tasks: RefCell<Vec<Rc<Task>>>,
}

/// Who chooses.
enum Dice {
    Seed(Rng),
    /// Bytes, and what follows them when they have run out.
    Choices {
        bytes: Vec<u8>,
        at: usize,
        rest: Rng,
    },
}

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        match self {
            Self::Seed(rng) => rng.below(n),
            // Nothing to choose: a byte is worth more elsewhere.
            Self::Choices { .. } if n < 2 => 0,
            Self::Choices { bytes, at, rest } => match bytes.get(*at) {
                Some(&byte) => {
                    *at += 1;
                    usize::from(byte) % n
                }
                None => rest.below(n),
            },
        }
    }
}

struct Task {
    name: &'static str,
    /// `None` while it is being polled, and when it is over.
    future: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    over: Cell<bool>,
    polls: Cell<u64>,
    /// Dropped after so many polls, finished or not.
    dropped_after_polls: Option<u64>,
    signal: Arc<Signal>,
}

/// What wakers reach: they must be `Send`.
struct Signal {
    task: usize,
    woken: AtomicBool,
    wakes: AtomicU64,
    stale_wakes: AtomicU64,
    /// The number of the poll whose waker is in force, where every poll has its own.
    in_force: AtomicU64,
}

struct PollWaker {
    signal: Arc<Signal>,
    poll: u64,
}

thread_local! {
    static RUNNING: RefCell<Option<Rc<Inner>>> = const { RefCell::new(None) };
}

impl Wake for PollWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.signal.wakes.fetch_add(1, Relaxed);
        if self.poll != self.signal.in_force.load(Relaxed) {
            self.signal.stale_wakes.fetch_add(1, Relaxed);
            return;
        }
        self.signal.woken.store(true, Relaxed);
        let running = RUNNING.try_with(|running| running.borrow().clone());
        if let Ok(Some(inner)) = running
            && inner.one_in(inner.options.inline_one_in)
        {
            inner.poll_inline(self.signal.task);
        }
    }
}

impl Executor {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        Self::with_dice(Dice::Seed(Rng::new(seed)), options)
    }

    /// The bytes choose who is next; behind them, the same numbers in every run.
    pub(crate) fn steered(bytes: Vec<u8>, options: Options) -> Self {
        Self::with_dice(Dice::Choices { bytes, at: 0, rest: Rng::new(0) }, options)
    }

    fn with_dice(dice: Dice, options: Options) -> Self {
        Self(Rc::new(Inner {
            options,
            dice: RefCell::new(dice),
            polls: Cell::new(0),
            tasks: RefCell::default(),
        }))
    }

    /// A task that has to finish.
    pub(crate) fn spawn(&mut self, name: &'static str, future: impl Future<Output = ()> + 'static) {
        self.add(name, None, future);
    }

    /// A task that is dropped after so many polls, if it has not finished: then it has to do no
    /// more. With 0 it is dropped when it would first be polled.
    pub(crate) fn spawn_for_polls(
        &mut self,
        name: &'static str,
        polls: u64,
        future: impl Future<Output = ()> + 'static,
    ) {
        self.add(name, Some(polls), future);
    }

    fn add(
        &mut self,
        name: &'static str,
        dropped_after_polls: Option<u64>,
        future: impl Future<Output = ()> + 'static,
    ) {
        let mut tasks = self.0.tasks.borrow_mut();
        let signal = Signal {
            task: tasks.len(),
            woken: AtomicBool::new(true),
            wakes: AtomicU64::new(0),
            stale_wakes: AtomicU64::new(0),
            in_force: AtomicU64::new(0),
        };
        tasks.push(Rc::new(Task {
            name,
            future: RefCell::new(Some(Box::pin(future))),
            over: Cell::new(false),
            polls: Cell::new(0),
            dropped_after_polls,
            signal: Arc::new(signal),
        }));
    }

    /// Polls until all tasks are over. What they cost, in the order they were spawned.
    pub(crate) fn run(self) -> Result<Vec<TaskReport>, Failure> {
        let _entered = Entered::new(&self.0);
        let inner = &self.0;
        loop {
            let live = inner.count(Task::is_live);
            let woken = inner.count(Task::is_due);
            if live == 0 {
                return Ok(inner.report());
            }
            if woken == 0 {
                let unfinished = inner.unfinished();
                return Err(Failure::Stuck { unfinished, tasks: inner.report() });
            }
            if inner.polls.get() >= inner.options.most_polls {
                let unfinished = inner.unfinished();
                return Err(Failure::Livelock { unfinished, tasks: inner.report() });
            }
            let next = if inner.one_in(inner.options.spurious_one_in) {
                inner.nth(Task::is_live, inner.dice.borrow_mut().below(live))
            } else {
                inner.nth(Task::is_due, inner.dice.borrow_mut().below(woken))
            };
            inner.poll(&next);
        }
    }
}

impl Inner {
    fn one_in(&self, n: usize) -> bool {
        n > 0 && self.dice.borrow_mut().below(n) == 0
    }

    fn count(&self, which: fn(&Task) -> bool) -> usize {
        self.tasks.borrow().iter().filter(|task| which(task)).count()
    }

    fn nth(&self, which: fn(&Task) -> bool, n: usize) -> Rc<Task> {
        let tasks = self.tasks.borrow();
        let mut those = tasks.iter().filter(|task| which(task));
        Rc::clone(those.nth(n).expect("it was counted"))
    }

    fn unfinished(&self) -> Vec<&'static str> {
        let tasks = self.tasks.borrow();
        tasks.iter().filter(|task| task.is_live()).map(|task| task.name).collect()
    }

    fn poll_inline(&self, task: usize) {
        let task = self.tasks.borrow().get(task).cloned();
        if let Some(task) = task
            && self.polls.get() < self.options.most_polls
        {
            self.poll(&task);
        }
    }

    /// Polls it, unless it is over or being polled further up the stack.
    fn poll(&self, task: &Task) {
        let Some(mut future) = task.future.borrow_mut().take() else { return };
        task.signal.woken.store(false, Relaxed);
        let mut done = task.dropped_after_polls == Some(0);
        if !done {
            self.polls.set(self.polls.get() + 1);
            task.polls.set(task.polls.get() + 1);
            let waker = task.waker(self.options.fresh_wakers);
            done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
                || task.dropped_after_polls == Some(task.polls.get());
        }
        if done {
            task.over.set(true);
            drop(future);
        } else {
            *task.future.borrow_mut() = Some(future);
        }
    }

    fn report(&self) -> Vec<TaskReport> {
        self.tasks.borrow().iter().map(|task| task.report()).collect()
    }
}

impl Task {
    fn is_live(&self) -> bool {
        !self.over.get()
    }

    fn is_due(&self) -> bool {
        self.is_live() && self.signal.woken.load(Relaxed)
    }

    fn waker(&self, fresh: bool) -> Waker {
        let poll = if fresh { self.polls.get() } else { 0 };
        self.signal.in_force.store(poll, Relaxed);
        Waker::from(Arc::new(PollWaker { signal: Arc::clone(&self.signal), poll }))
    }

    fn report(&self) -> TaskReport {
        TaskReport {
            name: self.name,
            polls: self.polls.get(),
            wakes: self.signal.wakes.load(Relaxed),
            stale_wakes: self.signal.stale_wakes.load(Relaxed),
            wakers_left: Arc::strong_count(&self.signal) - 1,
        }
    }
}

/// While it lives, wakes on this thread reach the executor.
struct Entered(Option<Rc<Inner>>);

impl Entered {
    fn new(inner: &Rc<Inner>) -> Self {
        Self(RUNNING.with(|running| running.borrow_mut().replace(Rc::clone(inner))))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let inner =
            RUNNING.with(|running| core::mem::replace(&mut *running.borrow_mut(), self.0.take()));
        // What tasks own is dropped outside the borrow: it may wake.
        drop(inner);
    }
}

/// Ready after one `Pending` that woke itself: lets others go first.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
