use core::mem;
use core::pin::Pin;
use core::task::{Context, Waker};
use std::collections::VecDeque;

use hyper::rt::Executor;
use tokio::task::coop;

use crate::socket::{Round, Wakes};
use crate::sync::{Arc, Mutex, lock};
use crate::unwind::{contained, drop_contained, drop_each_contained};

/// The streams of a connection, run by the task of the connection.
///
/// A runtime's task for each stream is woken behind each read, and wakes the connection's for each
/// answer, on whatever thread is idle. In one task a read, the answers to it and the write are one
/// poll.
pub(super) struct Tasks {
    begun: Spawner,
    wakes: Arc<Wakes>,
    connection: Waker,
    places: Vec<Place>,
    free: Vec<usize>,
    round: Round,
}

/// Where hyper puts a stream. The lock is held to move a pointer.
#[derive(Clone, Default)]
pub(in crate::ext_proc::server) struct Spawner(Arc<Mutex<VecDeque<Task>>>);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A place keeps its waker when its task is gone: one that is woken late costs a poll of nothing,
/// or a poll too many of the next task.
struct Place {
    task: Option<Task>,
    waker: Waker,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawner {
    fn execute(&self, task: F) {
        lock(&self.0).push_back(Box::pin(task));
    }
}

impl Spawner {
    fn next(&self) -> Option<Task> {
        lock(&self.0).pop_front()
    }
}

impl Tasks {
    pub(super) fn new(begun: Spawner) -> Self {
        let wakes = Arc::new(Wakes::new());
        let connection = Wakes::connection_waker(&wakes);
        let round = Round::default();
        Self { begun, wakes, connection, places: Vec::new(), free: Vec::new(), round }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.len() == self.free.len()
    }

    /// Of the connection itself.
    pub(super) fn connection_waker(&self) -> &Waker {
        &self.connection
    }

    /// A poll begins: nobody has to be woken for what is woken from here on.
    pub(super) fn begin_poll(&self) {
        self.wakes.begin_poll();
    }

    /// The poll is over: `waker` is woken for what has been woken since the last round, or will be.
    pub(super) fn end_poll(&self, waker: &Waker) {
        self.wakes.end_poll(waker);
    }

    /// Whether anything has been woken since the last round.
    pub(super) fn begin_round(&mut self) -> bool {
        self.wakes.take(&mut self.round)
    }

    /// Whether the connection is polled in this round.
    pub(super) fn has_connection(&self) -> bool {
        self.round.connection
    }

    /// Polls the streams that were woken when the round began, and those that have been begun
    /// since: by hyper, which only this task polls. Answers whether another round has a use.
    ///
    /// What tokio lets a task do in one poll the streams have together (`tokio::task::coop`).
    /// Behind one that has used it up the others would find nothing ready: they come first in the
    /// next poll.
    pub(super) fn poll_round(&mut self) -> bool {
        let mut woken = mem::take(&mut self.round.places);
        let mut polled = 0;
        while let Some(&at) = woken.get(polled) {
            self.poll_task(at);
            polled += 1;
            if !coop::has_budget_remaining() {
                break;
            }
        }
        woken.drain(..polled);
        if woken.is_empty() {
            self.round.places = woken;
        } else {
            self.wakes.put_back(woken);
        }
        while let Some(task) = self.begun.next() {
            self.begin(task);
        }
        coop::has_budget_remaining()
    }

    fn begin(&mut self, task: Task) {
        let at = self.free.pop().unwrap_or_else(|| {
            let at = self.places.len();
            self.places.push(Place { task: None, waker: Wakes::waker(&self.wakes, at) });
            at
        });
        self.places[at].task = Some(task);
        self.poll_task(at);
    }

    /// A panic ends this stream and no other.
    fn poll_task(&mut self, at: usize) {
        let Some(Place { task: Some(task), waker }) = self.places.get_mut(at) else { return };
        let mut is_pending = false;
        contained(|| {
            is_pending = task.as_mut().poll(&mut Context::from_waker(waker)).is_pending();
        });
        if !is_pending {
            drop_contained(self.places[at].task.take());
            self.free.push(at);
        }
    }
}

impl Drop for Tasks {
    /// What was begun and never polled holds the spawner.
    fn drop(&mut self) {
        let begun = core::iter::from_fn(|| self.begun.next());
        let polled = self.places.drain(..).filter_map(|place| place.task);
        drop_each_contained(polled.chain(begun));
    }
}
