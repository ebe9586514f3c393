//! Resume handles, through a real chain and through the body that drives it.
//!
//! What races in them is modelled in `loom-tests`; here is what they mean for a message.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod kit;
#[path = "support/edge.rs"]
mod support;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use http::request;
use tidegate::body::FilteredBody;
use tidegate::{
    Chain, Declaration, ErrorKind, Filter, Head, Outcome, Plan, ResumeHandle, Resumed, Verdict,
    View,
};

use kit::Rng;
use kit::executor::{Executor, Options, yield_now};
use support::{Call, Closed, Collected, PlanExt, Source, Step, Task, chain, request_head};

/// The handles that filters have given away, by filter.
type Handles = Arc<Mutex<Vec<(usize, ResumeHandle)>>>;

/// Holds all there is until it has been resumed `left` times, and gives away `handles` handles.
struct Holds {
    k: usize,
    left: u32,
    handles: usize,
    given: Handles,
}

impl<H: Head> Filter<H> for Holds {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.left == 0 {
            return Verdict::PASS;
        }
        let mut given = self.given.lock().unwrap();
        for _ in 0..core::mem::take(&mut self.handles) {
            given.push((self.k, view.resume_handle()));
        }
        Verdict::HOLD
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Verdict::PASS } else { Verdict::HOLD }
    }
}

/// A chain of `filters` holders, with `handles` handles each.
fn holders(filters: usize, left: u32, handles: usize, given: &Handles) -> Chain<request::Parts> {
    let mut plan = Plan::builder();
    for k in 0..filters {
        let given = Arc::clone(given);
        plan = plan.filter(format!("holds {k}"), move || Holds {
            k,
            left,
            handles,
            given: Arc::clone(&given),
        });
    }
    chain(&plan.build().unwrap())
}

fn poll_once(
    body: &mut FilteredBody<Source, request::Parts>,
    all: &mut Collected,
    task: &Arc<Task>,
) -> Poll<()> {
    task.poll(|cx| all.poll(body, cx))
}

/// Many filters, many handles each, resumed in any order from tasks of their own, once for each
/// time a filter wants to be: the message comes out whole, under every schedule, and its task is
/// polled only when it was woken.
#[test]
fn many_filters_and_many_handles_under_every_schedule() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (filters, left) = (1 + rng.below(5), 1 + rng.below(3));
        let given = Handles::default();
        let chain = holders(filters, u32::try_from(left).unwrap(), left, &given);
        let steps = (0..rng.below(4)).map(|_| Step::Yield).chain([Step::Data(b"body")]);
        let mut body = FilteredBody::new(chain, request_head(), Source::new(steps));
        let all = Rc::new(RefCell::new(Collected::default()));
        let over = Rc::new(Cell::new(false));
        let mut executor = Executor::new(seed, Options::from_seed(seed));
        executor.spawn("message", {
            let (all, over) = (Rc::clone(&all), Rc::clone(&over));
            async move {
                poll_fn(|cx| all.borrow_mut().poll(&mut body, cx)).await;
                over.set(true);
            }
        });
        for name in ["resumer A", "resumer B"] {
            let (given, over) = (Arc::clone(&given), Rc::clone(&over));
            executor.spawn(name, async move {
                // Each handle is used once and kept: the last one to go would be a stall.
                let mut used = Vec::new();
                while !over.get() {
                    let next = given.lock().unwrap().pop();
                    if let Some((_, handle)) = next {
                        // A resume that finds another one queued is served by the same call.
                        while handle.resume() == Resumed::AlreadyQueued {
                            yield_now().await;
                        }
                        used.push(handle);
                    }
                    yield_now().await;
                }
            });
        }
        let reports = executor.run().unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        let all = all.borrow();
        assert!(all.error.is_none(), "seed {seed}: {:?}", all.error);
        assert_eq!(all.text(), "body", "seed {seed}");
        assert_eq!(reports[0].name, "message");
    }
}

/// A burst over all filters, from a thread for each handle, is one wake of the stream's task and
/// one call of each filter.
#[test]
fn a_burst_is_one_wake_and_one_call_a_filter() {
    const FILTERS: usize = 8;
    let given = Handles::default();
    let calls = Closed::default();
    let mut plan = Plan::<request::Parts>::builder();
    for k in 0..FILTERS {
        let (given, noted) = (Arc::clone(&given), calls.clone());
        // Only data that has not been seen is held: all of them get to hold a byte.
        plan = plan.probe(&format!("{k}"), Declaration::new(), &Closed::default(), move || {
            let (given, noted) = (Arc::clone(&given), noted.clone());
            let (mut seen, mut resumed) = (0, false);
            move |call, view| match call {
                Call::Head | Call::Trailers => Verdict::PASS,
                Call::Data => {
                    seen += 1;
                    if resumed || seen + k < FILTERS {
                        return Verdict::PASS;
                    }
                    for _ in 0..3 {
                        given.lock().unwrap().push((k, view.resume_handle()));
                    }
                    Verdict::HOLD.quiet()
                }
                Call::Resume => {
                    noted.push(format!("{k}"));
                    resumed = true;
                    Verdict::PASS
                }
            }
        });
    }
    let chain = chain(&plan.build().unwrap());
    let steps = (0..FILTERS).map(|_| Step::Data(b"x")).chain([Step::Gate]);
    let mut body = FilteredBody::new(chain, request_head(), Source::new(steps));
    let (task, mut all) = (Task::new(), Collected::default());
    assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
    let handles = core::mem::take(&mut *given.lock().unwrap());
    assert_eq!(handles.len(), FILTERS * 3, "every filter holds");
    let before = task.wakes();
    thread::scope(|scope| {
        for (_, handle) in &handles {
            scope.spawn(move || assert_ne!(handle.resume(), Resumed::Gone));
        }
    });
    assert_eq!(task.wakes() - before, 1);
    assert!(poll_once(&mut body, &mut all, &task).is_pending());
    assert_eq!(all.data.len(), FILTERS);
    let mut asked = calls.all();
    asked.sort();
    assert_eq!(asked, (0..FILTERS).map(|k| k.to_string()).collect::<Vec<_>>());
}

/// A handle can be used before the callback that made it has answered: the filter is asked again
/// after its verdict, not instead of it. Through a thread that has finished by then.
#[test]
fn a_handle_works_before_the_verdict() {
    for verdict in [Verdict::HOLD, Verdict::HOLD.quiet(), Verdict::pass_first(1)] {
        let calls = Closed::default();
        let noted = calls.clone();
        let plan = Plan::<request::Parts>::builder().probe(
            "early",
            Declaration::new(),
            &Closed::default(),
            move || {
                let noted = noted.clone();
                move |call, view| {
                    noted.push(format!("{call:?} {}", view.body().len()));
                    match call {
                        Call::Data if !view.body().is_empty() => {
                            let handle = view.resume_handle();
                            let resumed = thread::spawn(move || handle.resume()).join().unwrap();
                            assert_eq!(resumed, Resumed::Queued);
                            verdict
                        }
                        _ => Verdict::PASS,
                    }
                }
            },
        );
        let mut chain = chain(&plan.build().unwrap());
        chain.handle_head(request_head(), false).unwrap();
        chain.handle_data("ab".into(), true).unwrap();
        assert!(chain.outcome().is_none(), "a queued resume is somebody who will ask");
        let held = 2 - usize::from(verdict == Verdict::pass_first(1));
        chain.handle_resumes();
        assert_eq!(calls.all(), ["Head 0".to_owned(), "Data 2".into(), format!("Resume {held}")]);
        while chain.poll_output().is_some() {}
        assert!(chain.outcome().is_some_and(Outcome::is_complete));
    }
}

/// A message through a body whose one filter does `act`; the body's task has gone to rest.
struct Resting {
    body: FilteredBody<Source, request::Parts>,
    all: Collected,
    task: Arc<Task>,
    given: Handles,
}

impl Resting {
    fn new(filters: usize, handles: usize, steps: impl IntoIterator<Item = Step>) -> Self {
        let given = Handles::default();
        let chain = holders(filters, 1, handles, &given);
        let mut body = FilteredBody::new(chain, request_head(), Source::new(steps));
        let (task, mut all) = (Task::new(), Collected::default());
        assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
        Self { body, all, task, given }
    }

    fn take_handle(&self) -> ResumeHandle {
        self.given.lock().unwrap().pop().unwrap().1
    }

    fn run(&mut self) -> Poll<()> {
        let Self { body, all, task, .. } = self;
        task.run(|cx| all.poll(body, cx))
    }

    /// Polls as an executor would, if the task was woken.
    fn run_if_woken(&mut self) -> Poll<()> {
        if self.task.is_woken() { self.run() } else { Poll::Pending }
    }
}

/// I8 holds where nobody can ask the holder again: not while a clone is left, wherever it is.
#[test]
fn the_last_of_many_handles_is_the_stall() {
    let mut message = Resting::new(1, 5, [Step::Data(b"x")]);
    let mut handles = core::mem::take(&mut *message.given.lock().unwrap());
    let (_, kept) = handles.pop().unwrap();
    thread::scope(|scope| {
        for handle in handles {
            scope.spawn(move || drop((handle.clone(), handle)));
        }
    });
    assert!(message.run_if_woken().is_pending(), "one handle is left");
    thread::spawn(move || drop(kept)).join().unwrap();
    assert!(message.run_if_woken().is_ready(), "the task was not woken for the stall");
    let error = message.all.error.unwrap();
    assert_eq!((error.kind(), error.filter()), (ErrorKind::Stalled, Some("holds 0")));
    assert!(message.all.data.is_empty());
}

/// A handle that resumes before it goes is not a lost one, if it is the last: the filter is asked.
#[test]
fn a_last_handle_that_resumed_is_no_stall() {
    let mut message = Resting::new(1, 1, [Step::Data(b"x")]);
    let handle = message.take_handle();
    thread::spawn(move || _ = handle.resume()).join().unwrap();
    assert!(message.run_if_woken().is_ready());
    assert_eq!((message.all.text(), message.all.error.is_none()), ("x", true));
}

/// The holder will be asked when more input comes: losing its handle loses nothing.
#[test]
fn a_lost_handle_is_no_stall_while_input_can_come() {
    let mut message = Resting::new(1, 1, [Step::Data(b"x"), Step::Gate, Step::Data(b"y")]);
    let handle = message.take_handle();
    drop(handle);
    assert!(message.run_if_woken().is_pending());
    assert!(message.all.error.is_none());
}

/// One that has let everything go, or has ended, is not waited for.
#[test]
fn handles_of_filters_that_hold_nothing_may_go_at_any_time() {
    for ends in [false, true] {
        let given = Handles::default();
        let kept = Arc::clone(&given);
        let plan = Plan::<request::Parts>::builder().probe(
            "gives",
            Declaration::new(),
            &Closed::default(),
            move || {
                let kept = Arc::clone(&kept);
                move |call, view| {
                    if call == Call::Head {
                        kept.lock().unwrap().push((0, view.resume_handle()));
                    }
                    if ends && call == Call::Data { Verdict::END } else { Verdict::PASS }
                }
            },
        );
        let chain = chain(&plan.build().unwrap());
        let steps = [Step::Data(b"x"), Step::Gate, Step::Data(b"y")];
        let source = Source::new(steps);
        let state = source.state();
        let mut body = FilteredBody::new(chain, request_head(), source);
        let (task, mut all) = (Task::new(), Collected::default());
        assert_eq!(task.run(|cx| all.poll(&mut body, cx)).is_ready(), ends);
        let (_, handle) = given.lock().unwrap().pop().unwrap();
        if ends {
            assert_eq!(handle.resume(), Resumed::Gone);
        }
        drop(handle);
        state.open_gate();
        assert!(ends || task.run(|cx| all.poll(&mut body, cx)).is_ready());
        assert!(all.error.is_none(), "{:?}", all.error);
        assert_eq!(all.text(), if ends { "x" } else { "xy" });
    }
}

/// Whatever became of the message, a handle of it does nothing and wakes nobody.
#[test]
fn a_handle_outlives_its_message_as_a_no_op() {
    let message = Resting::new(2, 3, [Step::Data(b"x")]);
    let handles = core::mem::take(&mut *message.given.lock().unwrap());
    let task = Arc::clone(&message.task);
    drop(message);
    assert_eq!(Arc::strong_count(&task), 1, "no handle keeps the task's waker");
    let wakes = task.wakes();
    for (_, handle) in &handles {
        assert_eq!(handle.resume(), Resumed::Gone);
        assert_eq!(handle.clone().resume(), Resumed::Gone);
    }
    thread::spawn(move || drop(handles)).join().unwrap();
    assert_eq!(task.wakes(), wakes);
}

/// A waker that panics when it is woken.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

/// The resume is queued; the next poll, with a waker that works, finds it and goes on.
#[test]
fn a_waker_that_panics_costs_no_byte() {
    let mut message = Resting::new(2, 1, [Step::Data(b"x"), Step::Data(b"y")]);
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(Panics));
        let (body, all) = (&mut message.body, &mut message.all);
        assert!(all.poll(body, &mut Context::from_waker(&waker)).is_pending());
        let handle = message.take_handle();
        assert!(catch_unwind(AssertUnwindSafe(|| handle.resume())).is_err());
        let over = message.run();
        assert!(message.all.error.is_none(), "{:?}", message.all.error);
        if over.is_ready() {
            break;
        }
    }
    assert_eq!(message.all.text(), "xy");
}
