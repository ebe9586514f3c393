//! What the filters of one case share with the tasks and with the oracle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tidegate::{Outcome, ResumeHandle};

use super::case::Program;
use super::marks::is_body;

/// A number for each half of each filter: twice its place in the plan, and 1 more for responses.
pub(crate) type FilterId = usize;

#[derive(Default)]
pub(crate) struct World(Mutex<State>);

/// Which exchange is under way, and what has been seen of it.
#[derive(Default)]
pub(crate) struct State {
    /// The number of the exchange: its heads and trailers carry it.
    pub(crate) stream: u8,
    /// By number of the filter.
    pub(crate) programs: Arc<[Program]>,
    pub(crate) records: Vec<Record>,
    /// Handles of filters that hold, for the third task.
    pub(crate) handles: Vec<ResumeHandle>,
    /// Wakers of async filters that wait for the third task.
    pub(crate) naps: Vec<Waker>,
    /// Wakes the third task.
    pub(crate) bell: Option<Waker>,
    /// The filter whose maker panics.
    pub(crate) unmade: Option<usize>,
    /// Filters that are alive, and futures of async filters.
    pub(crate) alive: usize,
    /// The first rule that a filter saw broken. A panic in a filter would be contained.
    pub(crate) broken: Option<String>,
}

/// What one filter saw of one message, and did.
#[derive(Default)]
pub(crate) struct Record {
    /// It was called, or its future was made.
    pub(crate) started: u32,
    pub(crate) closed: Vec<Ending>,
    pub(crate) panicked: bool,
    /// The bytes that were new to it, one call after the other.
    pub(crate) shown: Vec<u8>,
    /// The bytes that its verdicts let go.
    pub(crate) let_go: Vec<u8>,
    /// What it was not shown any more passed by it.
    pub(crate) passes_by: bool,
    /// It declared the end.
    pub(crate) ended: bool,
    pub(crate) replied: bool,
    /// Its message was a local reply.
    pub(crate) sees_reply: bool,
    /// It may edit.
    pub(crate) edits: bool,
    pub(crate) adds_trailers: bool,
    pub(crate) is_async: bool,
}

impl Record {
    /// Notes bytes that are new to the filter, and whether they are of a local reply. Answers
    /// whether they may be: the message that a reply replaced is shown to nobody behind it.
    #[must_use]
    pub(crate) fn show(&mut self, new: &[u8], of_reply: bool) -> bool {
        self.shown.extend_from_slice(new);
        self.sees_reply |= of_reply;
        !self.sees_reply || !self.shown.iter().copied().any(is_body)
    }
}

/// The kind of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Complete,
    Reset,
    Cancelled,
    Limit,
    Stalled,
    TimedOut,
    Failed,
    Replaced,
}

impl Ending {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Complete { .. } => Self::Complete,
            Outcome::Reset(_) => Self::Reset,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Limit(_) => Self::Limit,
            Outcome::Stalled(_) => Self::Stalled,
            Outcome::TimedOut(_) => Self::TimedOut,
            Outcome::Failed(_) => Self::Failed,
            Outcome::Replaced { .. } => Self::Replaced,
            other => panic!("an outcome that the oracle does not know: {other:?}"),
        }
    }
}

impl World {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For another exchange.
    pub(crate) fn begin(&self, stream: u8, programs: Arc<[Program]>, unmade: Option<usize>) {
        let mut state = self.lock();
        state.stream = stream;
        state.records = programs.iter().map(|_| Record::default()).collect();
        state.programs = programs;
        state.unmade = unmade;
    }

    /// Gives the third task something to do.
    pub(crate) fn add_handle(&self, handle: ResumeHandle) {
        self.lock().handles.push(handle);
        self.ring();
    }

    pub(crate) fn add_nap(&self, waker: Waker) {
        self.lock().naps.push(waker);
        self.ring();
    }

    pub(crate) fn ring(&self) {
        let bell = self.lock().bell.take();
        if let Some(bell) = bell {
            bell.wake();
        }
    }

    pub(crate) fn record<T>(&self, id: FilterId, note: impl FnOnce(&mut Record) -> T) -> T {
        note(&mut self.lock().records[id])
    }

    /// Notes that a rule was broken.
    pub(crate) fn broken(&self, rule: impl FnOnce() -> String) {
        self.lock().broken.get_or_insert_with(rule);
    }
}
