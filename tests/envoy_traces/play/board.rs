//! What the filters of one run leave for each other and for the player.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate::ResumeHandle;
use tidegate::resume::Resumed;

use crate::moment::Seen;
use crate::trace::wire::Fields;
use crate::trace::{Direction, Verb};

/// Shared by all filters of one run.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Notes>>);

#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) stations: BTreeMap<(Direction, String), Station>,
    /// Events that filters asked for.
    pub(crate) scheduled: VecDeque<(String, usize)>,
    /// Heads of the local replies that filters made.
    pub(crate) replies: Vec<Fields>,
    /// A peer or a filter broke off.
    pub(crate) broken_off: bool,
    pub(crate) faults: Vec<String>,
}

/// What one filter saw and did in one direction.
#[derive(Default)]
pub(crate) struct Station {
    pub(crate) handle: Option<ResumeHandle>,
    /// What is to be done in its next resume.
    pub(crate) asked: Vec<Verb>,
    pub(crate) shown: Seen,
    /// What it let go.
    pub(crate) given: Seen,
    /// What it has been shown and has not let go.
    pub(crate) held: Vec<u8>,
    /// The head, as it was when it was held last. None: it is not held here.
    pub(crate) held_head: Option<Fields>,
    /// The trailers, as they were when they were held last. None: they are not held here.
    pub(crate) held_trailers: Option<Fields>,
    /// Its last verdict was a hold that refuses what is over the limit.
    pub(crate) rejects: bool,
    /// Its last verdict was a quiet hold: what arrives queues unseen.
    pub(crate) quiet: bool,
    /// By how much its edits made the message grow.
    pub(crate) grown_bytes: i64,
    /// The message it saw is a local reply.
    pub(crate) local: bool,
    pub(crate) started: bool,
    pub(crate) closed: u32,
}

impl Station {
    /// It has been started, and its message is not over.
    fn is_open(&self) -> bool {
        self.started && self.closed == 0
    }

    fn holds(&self) -> bool {
        self.quiet
            || !self.held.is_empty()
            || self.held_head.is_some()
            || self.held_trailers.is_some()
    }
}

impl Board {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `verbs` done in the next resume of this filter. False if it has not been started, or
    /// has ended: then nothing happens.
    pub(crate) fn ask(&self, direction: Direction, filter: &str, verbs: Vec<Verb>) -> bool {
        let handle = {
            let mut notes = self.lock();
            let station = notes.stations.entry((direction, filter.to_owned())).or_default();
            station.asked.extend(verbs);
            station.handle.clone()
        };
        let taken = handle.is_some_and(|handle| handle.resume() != Resumed::Gone);
        if !taken {
            let mut notes = self.lock();
            if let Some(station) = notes.stations.get_mut(&(direction, filter.to_owned())) {
                station.asked.clear();
                if station.is_open() && station.holds() {
                    let fault = "holds something, and cannot be asked again (I6)";
                    notes.faults.push(format!("{direction:?} {filter}: {fault}"));
                }
            }
        }
        taken
    }

    /// A filter of this name does these things, outside any callback of its own.
    pub(crate) fn perform(&self, filter: &str, verbs: &[Verb]) {
        let mut asked: BTreeMap<Direction, Vec<Verb>> = BTreeMap::new();
        for verb in verbs {
            match verb {
                Verb::Resume(direction)
                | Verb::Append(direction, _, _)
                | Verb::Drain(direction, _, _)
                | Verb::SetHeader(direction, _, _)
                | Verb::SetTrailer(direction, _, _) => {
                    asked.entry(*direction).or_default().push(verb.clone());
                }
                Verb::LocalReply { .. } | Verb::ResetStream => {
                    // From whichever half of the filter can still speak.
                    let only = vec![verb.clone()];
                    if !self.ask(Direction::Request, filter, only.clone()) {
                        self.ask(Direction::Response, filter, only);
                    }
                }
                Verb::Schedule(n) => self.lock().scheduled.push_back((filter.to_owned(), *n)),
                Verb::On(other, verb) => self.perform(other, std::slice::from_ref(verb)),
                // Set before the start; seen by the plan; without effect.
                Verb::SetBufferLimit(_)
                | Verb::SendResponseHeaders { .. }
                | Verb::SendResponseData { .. }
                | Verb::SendResponseTrailers(..)
                | Verb::Peek => {}
            }
        }
        for (direction, verbs) in asked {
            self.ask(direction, filter, verbs);
        }
    }
}
