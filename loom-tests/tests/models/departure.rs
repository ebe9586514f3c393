//! Models of `departure`: connections wait for a server's end in their own tasks, and it is told
//! once.

use std::sync::Arc;
use std::task::Context;

use tidegate_loom_tests::http2::Departure;
use tidegate_loom_tests::kit::{Fuse, Hook, Model, Payload, Task, panics, spawn};
use tidegate_loom_tests::models;

pub const MODELS: &[Model] = models!("departure";
    racing_first_poll: 4 Exhaustive;
    two_connections: 600 Exhaustive;
    connection_migrates: 4 Exhaustive;
    racing_drop: 4 Exhaustive;
    waker_tells_inline: 23 Exhaustive;
    panicking_waker: 4 Exhaustive;
);

/// A connection that asks for the first time either finds that it has to go or is woken, and sees
/// what was written before.
fn racing_first_poll() {
    let (departure, task, payload) = (Departure::new(), Task::new(), Arc::new(Payload::new()));
    let mut departing = departure.wait();
    let other = spawn({
        let payload = Arc::clone(&payload);
        move || {
            payload.write(7);
            departure.tell();
        }
    });
    let is_told = task.poll(|cx| departing.poll(cx)).is_ready();
    if is_told {
        assert_eq!(payload.read(), 7);
    }
    other.join().unwrap();
    assert!(is_told || task.take_woken(), "the wake was lost");
    assert!(task.poll(|cx| departing.poll(cx)).is_ready());
}

/// Two connections ask in two threads while it is told: whichever found nothing is woken.
fn two_connections() {
    let departure = Departure::new();
    let ask = |departure: Departure| {
        let (mut departing, task) = (departure.wait(), Task::new());
        let is_told = task.poll(|cx| departing.poll(cx)).is_ready();
        (departing, task, is_told)
    };
    let others = [(); 2].map(|()| {
        let departure = departure.clone();
        spawn(move || ask(departure))
    });
    departure.tell();
    for other in others {
        let (mut departing, task, is_told) = other.join().unwrap();
        assert!(is_told || task.take_woken(), "the wake was lost");
        assert!(task.poll(|cx| departing.poll(cx)).is_ready());
        drop(departing);
        assert_eq!(task.wakers(), 0);
    }
}

/// A connection that has waited in one task asks in another: that one is woken.
fn connection_migrates() {
    let (departure, old, new) = (Departure::new(), Task::new(), Task::new());
    let mut departing = departure.wait();
    assert!(old.poll(|cx| departing.poll(cx)).is_pending());
    let other = spawn(move || departure.tell());
    let is_told = new.poll(|cx| departing.poll(cx)).is_ready();
    other.join().unwrap();
    assert!(is_told || new.take_woken(), "the new task does not hear of it");
    assert!(new.poll(|cx| departing.poll(cx)).is_ready());
    assert_eq!((old.wakers(), new.wakers()), (0, 0));
}

/// A connection ends while it is told: the other is woken, and nothing of the first is kept.
fn racing_drop() {
    let (departure, goes, stays) = (Departure::new(), Task::new(), Task::new());
    let [mut first, mut second] = [departure.wait(), departure.wait()];
    assert!(goes.poll(|cx| first.poll(cx)).is_pending());
    assert!(stays.poll(|cx| second.poll(cx)).is_pending());
    let other = spawn({
        let goes = goes.clone();
        move || {
            drop(first);
            goes
        }
    });
    departure.tell();
    drop(goes);
    let goes = other.join().unwrap();
    assert_eq!(goes.wakers(), 0);
    assert!(stays.take_woken(), "the wake was lost");
    assert!(stays.poll(|cx| second.poll(cx)).is_ready());
}

/// A waker that tells of it when it is woken and when it is dropped: nothing is locked then.
fn waker_tells_inline() {
    let (departure, task) = (Departure::new(), Task::new());
    let mut departing = departure.wait();
    let hook = Hook::new({
        let departure = departure.clone();
        move || departure.tell()
    });
    assert!(hook.poll(|cx| departing.poll(cx)).is_pending());
    let other = spawn(move || departure.tell());
    let is_told = task.poll(|cx| departing.poll(cx)).is_ready();
    other.join().unwrap();
    assert!(is_told || task.take_woken(), "the wake was lost");
    assert!(task.poll(|cx| departing.poll(cx)).is_ready());
}

/// One connection's waker panics: the others are woken nevertheless.
fn panicking_waker() {
    let (departure, task) = (Departure::new(), Task::new());
    let [mut first, mut second] = [departure.wait(), departure.wait()];
    assert!(Fuse::Wake.lend(|waker| first.poll(&mut Context::from_waker(waker))).is_pending());
    let other = spawn(move || assert!(!panics(|| departure.tell())));
    let is_told = task.poll(|cx| second.poll(cx)).is_ready();
    other.join().unwrap();
    assert!(is_told || task.take_woken(), "the wake was lost");
    assert!(task.poll(|cx| second.poll(cx)).is_ready());
}
