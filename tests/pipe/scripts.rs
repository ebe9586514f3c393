//! Seeded scripts of both halves, with drops at every step.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tidegate::pipe::{Next, PipeStats, pipe};
use tidegate::watermark::Marks;

use tidegate::limits::PIPE_ITEM_COST_BYTES as LIGHTEST_BYTES;

use crate::kit::executor::{Executor, Failure, Options};
use crate::kit::rng::Rng;
use crate::pipe_target::{Drops, Item, Script, TARGET};

const SCRIPTS: u64 = 6_000;

fn choices(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let len = rng.below(TARGET.most_choices + 1);
    (0..len.div_ceil(8)).flat_map(|_| rng.word().to_le_bytes()).take(len).collect()
}

/// Says which case has failed.
struct Replay<T: std::fmt::Debug>(T);

impl<T: std::fmt::Debug> Drop for Replay<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the case: {:#?}", self.0);
        }
    }
}

/// The fuzz target on seeds: tasks, and calls one by one.
#[test]
fn random_cases_do_what_the_model_says() {
    for seed in 0..SCRIPTS {
        let replay = Replay(seed);
        (TARGET.run)(&choices(seed));
        drop(replay);
    }
}

#[test]
fn scripts_do_what_the_model_says() {
    let mut given = 0;
    for seed in 0..SCRIPTS {
        let replay = Replay(Script::from_choices(&choices(seed)));
        given += replay.0.play();
    }
    assert!(given > 5 * SCRIPTS, "only {given} items went through");
}

#[test]
fn h42_either_half_may_be_dropped_at_any_step() {
    for seed in 0..200 {
        let script = Script::from_choices(&choices(seed));
        for polls in 0..12 {
            for drops in [Drops::Sender(polls), Drops::Receiver(polls)] {
                let replay = Replay(Script { items: 10, taken: None, drops, ..script.clone() });
                replay.0.play();
            }
        }
    }
}

/// The pipe counts its wakes as the model does: none that was not due.
#[test]
fn wakes_are_those_of_the_model() {
    for seed in 0..SCRIPTS {
        let marks = Marks::new(seed % 3 * LIGHTEST_BYTES, (2 + seed % 5) * LIGHTEST_BYTES).unwrap();
        let stats = count_wakes(seed, marks);
        // Room for at least two more than the low mark leaves.
        assert!(stats.sender_wakes <= stats.items, "seed {seed}: {stats:?}");
        assert!(stats.receiver_wakes <= stats.items + 1, "seed {seed}: {stats:?}");
    }
    // All there is at once: one wake for as many as there is room for, on either side.
    let options = Options::PLAIN;
    let stats = carry(1, options, Marks::new(0, 15 * LIGHTEST_BYTES).unwrap(), 1600);
    assert!(stats.sender_wakes <= 100, "{stats:?}");
    assert!(stats.receiver_wakes <= 101, "{stats:?}");
}

fn count_wakes(seed: u64, marks: Marks) -> PipeStats {
    carry(seed, Options::from_seed(seed), marks, 20)
}

/// Carries `items` as fast as both tasks go.
fn carry(seed: u64, options: Options, marks: Marks, items: u64) -> PipeStats {
    let (mut sender, mut receiver) = pipe::<Item, u8, ()>(marks);
    let stats = Rc::new(RefCell::new(PipeStats::default()));
    let told = Rc::clone(&stats);
    let mut executor = Executor::new(seed, options);
    let alive = Rc::default();
    executor.spawn("sender", async move {
        for number in 0..items {
            sender.send(Item::new(number, 0, &alive)).await.unwrap();
        }
        sender.finish(1).unwrap();
    });
    executor.spawn("receiver", async move {
        for number in 0..items {
            assert!(matches!(receiver.next().await, Next::Item(item) if item.number == number));
        }
        assert!(matches!(receiver.next().await, Next::Finished(1)));
        *told.borrow_mut() = receiver.stats();
    });
    let tasks = executor.run().unwrap();
    let stats = *stats.borrow();
    assert_eq!(tasks[0].wakes, stats.sender_wakes, "counted by the executor, and by the pipe");
    assert_eq!(tasks[1].wakes, stats.receiver_wakes);
    stats
}

/// A half that does not pass its waker on: what the executor is for.
#[test]
fn h39_a_wake_that_is_swallowed_is_found() {
    let stuck = |seed: u64, sender_waker: bool| {
        let (mut sender, mut receiver) = pipe::<Item, u8, ()>(Marks::new(0, 0).unwrap());
        let mut executor = Executor::new(seed, Options::PLAIN);
        let alive = Rc::default();
        executor.spawn("sender", async move {
            for number in 0..3 {
                poll_fn(|cx| {
                    let mut deaf = Context::from_waker(Waker::noop());
                    let cx = if sender_waker { cx } else { &mut deaf };
                    sender.poll_ready(cx)
                })
                .await
                .unwrap();
                sender.try_send(Item::new(number, 0, &alive)).unwrap();
            }
            sender.finish(1).unwrap();
        });
        executor.spawn("receiver", async move {
            while let Next::Item(_) = poll_fn(|cx| {
                let mut deaf = Context::from_waker(Waker::noop());
                let cx = if sender_waker { &mut deaf } else { cx };
                match receiver.poll_next(cx) {
                    Poll::Ready(next) => Poll::Ready(next),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
            {}
        });
        matches!(executor.run(), Err(Failure::Stuck { .. }))
    };
    for seed in 0..20 {
        assert!(stuck(seed, true), "the receiver's wake was swallowed");
        assert!(stuck(seed, false), "the sender's wake was swallowed");
    }
}
