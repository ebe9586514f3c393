//! Models of `wakes`: the streams of a connection are polled by the task of the connection, and woken
//! from anywhere.

use std::sync::Arc;

use tidegate_loom_tests::kit::{Hook, Model, Payload, Task, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::transport::Wakes;

pub const MODELS: &[Model] = models!("wakes";
    racing_end_of_poll: 22 Exhaustive;
    two_racing_rounds: 16 Exhaustive;
    racing_put_back: 12 Exhaustive;
    task_migrates: 14 Exhaustive;
    waker_polls_inline: 4 Exhaustive;
    wakers_let_go_of_the_task: 4 Exhaustive;
);

/// What one poll of the task has found, as the connection does it: rounds until nothing is woken.
#[derive(Default)]
struct Found {
    connection: usize,
    places: [usize; 2],
}

impl Found {
    fn poll(&mut self, wakes: &Wakes, task: &Task) {
        wakes.begin_poll();
        for _ in 0..2 {
            if !self.round(wakes) {
                break;
            }
        }
        wakes.end_poll(&task.waker());
    }

    fn round(&mut self, wakes: &Wakes) -> bool {
        let (connection, places) = wakes.take();
        self.connection += usize::from(connection);
        for &place in &places {
            self.places[place] += 1;
        }
        connection || !places.is_empty()
    }

    /// Until the task is not woken any more, when nobody else is there.
    fn poll_on(&mut self, wakes: &Wakes, task: &Task) {
        while task.take_woken() {
            self.poll(wakes, task);
        }
    }
}

/// A stream that is woken at any moment of a poll is polled behind that, and sees what was written
/// before the wake.
fn racing_end_of_poll() {
    let (wakes, task, payload) = (Wakes::new(), Task::new(), Arc::new(Payload::new()));
    let waker = wakes.waker(1);
    let other = spawn({
        let payload = Arc::clone(&payload);
        move || {
            payload.write(7);
            waker.wake();
        }
    });
    let mut found = Found::default();
    found.poll(&wakes, &task);
    if found.places[1] > 0 {
        assert_eq!(payload.read(), 7);
    }
    other.join().unwrap();
    found.poll_on(&wakes, &task);
    assert_eq!(payload.read(), 7);
    assert_eq!((found.connection, found.places), (1, [0, 1]), "the wake was lost, or came twice");
}

/// Two streams and the connection are woken from two threads while the task is polled: none is
/// lost, and none is found more often than it was woken.
fn two_racing_rounds() {
    let (wakes, task) = (Wakes::new(), Task::new());
    let mut found = Found::default();
    found.poll(&wakes, &task);
    let others = [0, 1].map(|place| {
        let (stream, connection) = (wakes.waker(place), wakes.connection_waker());
        spawn(move || {
            stream.wake();
            if place == 0 {
                connection.wake();
            }
        })
    });
    found.poll_on(&wakes, &task);
    for other in others {
        other.join().unwrap();
    }
    found.poll_on(&wakes, &task);
    assert_eq!((found.connection, found.places), (2, [1, 1]));
}

/// A round is left before its end, and what is put back is woken again in the meantime: it is there
/// in the next round, once, and before what came later.
fn racing_put_back() {
    let (wakes, task) = (Wakes::new(), Task::new());
    wakes.waker(1).wake();
    wakes.begin_poll();
    assert_eq!(wakes.take(), (true, vec![1]));
    let stream = [wakes.waker(0), wakes.waker(1)];
    let other = spawn(move || {
        for waker in stream {
            waker.wake();
        }
    });
    wakes.put_back(vec![1]);
    wakes.end_poll(&task.waker());
    assert!(task.take_woken(), "there is more to do");
    other.join().unwrap();
    assert_eq!(wakes.take(), (false, vec![1, 0]));
    assert_eq!(wakes.take(), (false, vec![]));
}

/// The task is polled with another waker each time: the newest is woken, by whoever wakes behind
/// that poll.
fn task_migrates() {
    let (wakes, old, new) = (Wakes::new(), Task::new(), Task::new());
    let mut found = Found::default();
    found.poll(&wakes, &old);
    let waker = wakes.waker(0);
    let other = spawn(move || waker.wake());
    found.poll(&wakes, &new);
    other.join().unwrap();
    if found.places[0] == 0 {
        assert!(new.take_woken(), "the new task does not hear of it");
    }
    found.poll(&wakes, &new);
    assert_eq!(found.places[0], 1, "the wake was lost");
}

/// A waker that polls inline: nothing is locked while it is woken.
fn waker_polls_inline() {
    let wakes = Arc::new(Wakes::new());
    let task = Task::new();
    wakes.begin_poll();
    assert_eq!(wakes.take(), (true, vec![]));
    let hook = Hook::new({
        let (wakes, task) = (Arc::clone(&wakes), task.clone());
        move || Found::default().poll(&wakes, &task)
    });
    let waker = wakes.waker(0);
    let other = spawn(move || waker.wake());
    hook.poll(|cx| wakes.end_poll(cx.waker()));
    other.join().unwrap();
    assert_eq!(wakes.take(), (false, vec![]), "whoever woke has polled");
}

/// A poll takes the waker of the one before, so that a task which is over is kept by nobody who
/// could still wake it, once somebody has.
fn wakers_let_go_of_the_task() {
    let (wakes, task) = (Wakes::new(), Task::new());
    Found::default().poll(&wakes, &task);
    assert_eq!(task.wakers(), 1, "one waits");
    let waker = wakes.waker(0);
    let other = spawn(move || waker.wake());
    wakes.begin_poll();
    other.join().unwrap();
    assert_eq!(task.wakers(), 0);
}
