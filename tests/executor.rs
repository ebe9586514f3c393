//! The executor that accounts for wakes, tried on mistakes made on purpose.

mod kit;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use kit::executor::{Executor, Failure, Options, yield_now};

const SEEDS: u64 = 200;

/// A flag that can be waited for: the smallest thing that can lose a wake.
#[derive(Default)]
struct Gate {
    open: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

/// How a gate registers who waits.
#[derive(Clone, Copy, PartialEq)]
enum Registers {
    Always,
    /// The mistake: what a later poll brings is taken for the same waker.
    OnlyTheFirst,
    /// The mistake: looks at the flag, lets others run, and only then registers.
    AfterLooking,
}

impl Gate {
    fn open(&self) {
        self.open.set(true);
        let waiting = self.waiting.borrow_mut().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    async fn wait(&self, registers: Registers) {
        if registers == Registers::AfterLooking && !self.open.get() {
            yield_now().await;
            let mut looked = false;
            return poll_fn(|cx| {
                if core::mem::replace(&mut looked, true) {
                    return Poll::Ready(());
                }
                *self.waiting.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
        }
        poll_fn(|cx| {
            if self.open.get() {
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            if registers == Registers::Always || waiting.is_none() {
                *waiting = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// One waits at the gate, one opens it some polls later; how many seeds got stuck.
fn stuck(registers: Registers, options: Options) -> usize {
    let got_stuck = |&seed: &u64| {
        let gate = Rc::new(Gate::default());
        let mut executor = Executor::new(seed, options);
        let waiter = Rc::clone(&gate);
        executor.spawn("waiter", async move { waiter.wait(registers).await });
        executor.spawn("opener", async move {
            for _ in 0..seed % 4 {
                yield_now().await;
            }
            gate.open();
        });
        match executor.run() {
            Ok(_) => false,
            Err(Failure::Stuck { unfinished, .. }) => {
                assert_eq!(unfinished, ["waiter"]);
                true
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    (0..SEEDS).filter(got_stuck).count()
}

#[test]
fn a_right_gate_never_gets_stuck() {
    assert_eq!(stuck(Registers::Always, Options::PLAIN), 0);
    for seed in 0..64 {
        assert_eq!(stuck(Registers::Always, Options::from_seed(seed)), 0);
    }
}

#[test]
fn a_lost_wake_is_found() {
    assert!(stuck(Registers::AfterLooking, Options::PLAIN) > 0);
}

#[test]
fn spurious_polls_do_not_hide_a_lost_wake() {
    let options = Options { spurious_one_in: 9, ..Options::PLAIN };
    assert!(stuck(Registers::AfterLooking, options) > 0);
}

#[test]
fn an_old_waker_that_was_kept_is_found() {
    let kept = Registers::OnlyTheFirst;
    let spurious = Options { spurious_one_in: 2, ..Options::PLAIN };
    assert_eq!(stuck(kept, spurious), 0, "the waker is the same in every poll");
    assert!(stuck(kept, Options { fresh_wakers: true, ..spurious }) > 0);
}

#[test]
fn a_task_that_only_wakes_itself_is_a_livelock() {
    let mut executor = Executor::new(1, Options { most_polls: 50, ..Options::PLAIN });
    executor.spawn("spinner", async {
        loop {
            yield_now().await;
        }
    });
    executor.spawn("done", async {});
    let Err(Failure::Livelock { unfinished, tasks }) = executor.run() else { panic!() };
    assert_eq!(unfinished, ["spinner"]);
    assert_eq!(tasks.iter().map(|task| task.polls).sum::<u64>(), 50);
}

#[test]
fn an_inline_wake_polls_inside_the_call_that_woke() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let gate = Rc::new(Gate::default());
    let mut executor = Executor::new(3, Options { inline_one_in: 1, ..Options::PLAIN });
    let (waiter, waited) = (Rc::clone(&gate), Rc::clone(&log));
    executor.spawn("waiter", async move {
        waiter.wait(Registers::Always).await;
        waited.borrow_mut().push("waited");
    });
    let opened = Rc::clone(&log);
    executor.spawn("opener", async move {
        while gate.waiting.borrow().is_none() {
            yield_now().await;
        }
        opened.borrow_mut().push("opening");
        gate.open();
        opened.borrow_mut().push("opened");
    });
    executor.run().unwrap();
    assert_eq!(*log.borrow(), ["opening", "waited", "opened"]);
}

#[test]
fn wakes_are_counted_for_each_task() {
    let gate = Rc::new(Gate::default());
    let mut executor = Executor::new(0, Options::PLAIN);
    let waiter = Rc::clone(&gate);
    executor.spawn("waiter", async move { waiter.wait(Registers::Always).await });
    executor.spawn("opener", async move {
        while gate.waiting.borrow().is_none() {
            yield_now().await;
        }
        gate.open();
    });
    let tasks = executor.run().unwrap();
    assert_eq!((tasks[0].polls, tasks[0].wakes, tasks[0].stale_wakes), (2, 1, 0));
    assert_eq!(tasks[1].wakes, tasks[1].polls - 1, "a yield wakes once");
}

#[test]
fn a_task_is_dropped_after_its_polls() {
    let alive = Rc::new(());
    for polls in 0..3 {
        let mut executor = Executor::new(0, Options::PLAIN);
        let guard = Rc::clone(&alive);
        executor.spawn_for_polls("dropped", polls, async move {
            let _guard = guard;
            loop {
                yield_now().await;
            }
        });
        assert_eq!(executor.run().unwrap()[0].polls, polls);
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}
