//! What the tests of this binary share: filters, and things to wait for.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use tidegate::async_filter::{Input, Output};
use tidegate::{Capability, Declaration, Error};

/// A filter that may do everything a body filter may.
pub(crate) fn editor() -> Declaration {
    Declaration::new().require(Capability::ChangeLength)
}

/// Takes each chunk and sends it.
pub(crate) async fn copy(mut input: Input, mut output: Output) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk).await?;
    }
    Ok(())
}

/// A gate that a future waits at until somebody opens it. Every poll at it leaves a waker, and only
/// the newest is kept, as with any future.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    open: bool,
    waker: Option<Waker>,
    /// What an earlier poll left.
    polls: usize,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn opened(&self) -> impl Future<Output = ()> + Send + use<> {
        let gate = self.clone();
        poll_fn(move |cx| {
            let mut state = gate.lock();
            state.polls += 1;
            if state.open {
                return Poll::Ready(());
            }
            let old = state.waker.replace(cx.waker().clone());
            drop(state);
            drop(old);
            Poll::Pending
        })
    }

    /// Opens it and wakes who waits.
    pub(crate) fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes who waits, without need.
    pub(crate) fn jog(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Forgets who waits: nobody will wake it.
    pub(crate) fn forget(&self) {
        let waker = self.lock().waker.take();
        drop(waker);
    }

    /// The waker of who waits.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.lock().waker.clone()
    }

    pub(crate) fn polls(&self) -> usize {
        self.lock().polls
    }
}

/// Counts what was made and what was dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(Arc<Mutex<(usize, usize)>>);

impl Drops {
    pub(crate) fn guard(&self) -> DropGuard {
        self.0.lock().expect("a count").0 += 1;
        DropGuard(self.clone())
    }

    pub(crate) fn made(&self) -> usize {
        self.0.lock().expect("a count").0
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0.lock().expect("a count").1
    }

    #[track_caller]
    pub(crate) fn expect(&self, drops: usize) {
        assert_eq!(self.dropped(), drops, "futures dropped so far");
    }
}

pub(crate) struct DropGuard(Drops);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.0.lock().expect("a count").1 += 1;
    }
}

/// A note that tests leave for themselves.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.lock().expect("notes").push(note.into());
    }

    #[track_caller]
    pub(crate) fn expect(&self, notes: &str) {
        assert_eq!(std::mem::take(&mut *self.0.lock().expect("notes")).join(" "), notes);
    }
}
