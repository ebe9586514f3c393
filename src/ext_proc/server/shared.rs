use core::time::Duration;
use std::collections::BTreeMap;

use http::HeaderMap;

use super::drain_phase::DrainPhase;
use super::health::ServingStatus;
use super::slot::Look;
use crate::ext_proc::wire::GrpcStatus;
use crate::sync::{Arc, Mutex, Weak, lock};
use crate::table::signal::Signal;
use crate::unwind::drop_contained;

/// What the clones of one processor share: who is under way, and what its health is.
///
/// | lock | held for | by |
/// |---|---|---|
/// | `ledger` | one entry, one status, or a list of references | begins and ends of streams, looks, health |
/// | that of the signal | one map of wakers | who waits for a change, changes |
///
/// `ledger` comes first. Under neither anything of the user runs.
pub(super) struct Shared {
    ledger: Mutex<Ledger>,
    signal: Signal,
    /// Those of a good end: to copy a map costs less than to make one.
    ok_trailers: HeaderMap,
}

struct Ledger {
    phase: DrainPhase,
    /// What the health service says while the phase is `Serving`.
    statuses: BTreeMap<Box<str>, ServingStatus>,
    /// The streams under way, and the places that are free.
    streams: Vec<Option<Entered>>,
    free: Vec<usize>,
    /// The watchdogs that run: one for each timeout that a clone has streams with.
    watchdogs: Vec<Watchdog>,
    /// How many there have been.
    started: u64,
    changes: u64,
}

/// A stream under way.
struct Entered {
    stream: Weak<dyn Look>,
    /// Its stall timeout, if it has one.
    stall: Option<Duration>,
}

struct Watchdog {
    number: u64,
    timeout: Duration,
}

impl Ledger {
    fn live(&self) -> usize {
        self.streams.len() - self.free.len()
    }

    /// The streams with this timeout.
    fn watched(&self, timeout: Duration) -> impl Iterator<Item = &Weak<dyn Look>> {
        let entered = self.streams.iter().flatten();
        entered.filter(move |each| each.stall == Some(timeout)).map(|each| &each.stream)
    }
}

impl Shared {
    pub(super) fn new(statuses: BTreeMap<Box<str>, ServingStatus>) -> Self {
        Self {
            ledger: Mutex::new(Ledger {
                phase: DrainPhase::Serving,
                statuses,
                streams: Vec::new(),
                free: Vec::new(),
                watchdogs: Vec::new(),
                started: 0,
                changes: 0,
            }),
            signal: Signal::new(),
            ok_trailers: GrpcStatus::OK.to_trailers(),
        }
    }

    /// Who waits for changes, and the number of the last.
    pub(super) fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Changes something that somebody may wait for.
    fn change(&self, change: impl FnOnce(&mut Ledger)) {
        {
            let mut ledger = lock(&self.ledger);
            change(&mut ledger);
            ledger.changes += 1;
            self.signal.set_number(ledger.changes);
        }
        self.signal.wake_all();
    }

    pub(super) fn phase(&self) -> DrainPhase {
        lock(&self.ledger).phase
    }

    /// Phases only go forward.
    pub(super) fn advance(&self, phase: DrainPhase) {
        self.change(|ledger| ledger.phase = ledger.phase.max(phase));
    }

    pub(super) fn live(&self) -> usize {
        lock(&self.ledger).live()
    }

    /// What the health service says of `service`; `None` if it is not known.
    pub(super) fn status(&self, service: &str) -> Option<ServingStatus> {
        let ledger = lock(&self.ledger);
        let status = *ledger.statuses.get(service)?;
        Some(match ledger.phase {
            DrainPhase::Serving => status,
            DrainPhase::Leaving | DrainPhase::Refusing => ServingStatus::NotServing,
        })
    }

    pub(super) fn set_status(&self, service: &str, status: Option<ServingStatus>) {
        self.change(|ledger| match status {
            Some(status) => drop(ledger.statuses.insert(service.into(), status)),
            None => drop(ledger.statuses.remove(service)),
        });
    }

    /// Enters a stream with its stall timeout, and says whether a watchdog looks at such streams;
    /// refused while the phase is `Refusing`.
    pub(super) fn enter(
        self: &Arc<Self>,
        stream: Weak<dyn Look>,
        stall: Option<Duration>,
    ) -> Option<(Ticket, Watched)> {
        let stream = Entered { stream, stall };
        let mut ledger = lock(&self.ledger);
        if ledger.phase == DrainPhase::Refusing {
            return None;
        }
        let place = ledger.free.pop().unwrap_or(ledger.streams.len());
        match ledger.streams.get_mut(place) {
            Some(free) => *free = Some(stream),
            None => ledger.streams.push(Some(stream)),
        }
        let looked_at = ledger.watchdogs.iter().any(|each| Some(each.timeout) == stall);
        let watched = if looked_at { Watched::Yes } else { Watched::No };
        drop(ledger);
        Some((Ticket { shared: Arc::clone(self), place }, watched))
    }

    fn leave(&self, place: usize) {
        let (gone, last) = {
            let mut ledger = lock(&self.ledger);
            let gone = ledger.streams.get_mut(place).and_then(Option::take);
            ledger.free.push(place);
            (gone, ledger.live() == 0)
        };
        drop(gone);
        if last {
            self.change(|_| {});
        }
    }

    /// A number for a watchdog over the streams with `timeout`, if none runs.
    pub(super) fn start_watchdog(&self, timeout: Duration) -> Option<u64> {
        let mut ledger = lock(&self.ledger);
        if ledger.watchdogs.iter().any(|each| each.timeout == timeout) {
            return None;
        }
        ledger.started += 1;
        let number = ledger.started;
        ledger.watchdogs.push(Watchdog { number, timeout });
        Some(number)
    }

    /// Watchdog `number` does not run any more. Another one may.
    pub(super) fn stop_watchdog(&self, number: u64) {
        lock(&self.ledger).watchdogs.retain(|each| each.number != number);
    }

    /// One look of watchdog `number` at the streams with `timeout`; `false` if there is none, and
    /// then the watchdog has stopped.
    pub(super) fn look(&self, number: u64, timeout: Duration) -> bool {
        let streams: Vec<Arc<dyn Look>> = {
            let mut ledger = lock(&self.ledger);
            if ledger.watched(timeout).next().is_none() {
                ledger.watchdogs.retain(|each| each.number != number);
                return false;
            }
            ledger.watched(timeout).filter_map(Weak::upgrade).collect()
        };
        for stream in streams {
            stream.look(timeout);
            // hyper may have let go of it in the meantime: then this was the last, and user code
            // goes with it. A panic in there must not end the watchdog of all others.
            drop_contained(stream);
        }
        true
    }
}

/// Whether a watchdog looks at streams of this timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    Yes,
    No,
}

/// A stream is under way while this lives.
pub(super) struct Ticket {
    shared: Arc<Shared>,
    place: usize,
}

impl Ticket {
    /// Those of the end of a stream.
    pub(super) fn trailers(&self, status: &GrpcStatus) -> HeaderMap {
        if *status == GrpcStatus::OK {
            return self.shared.ok_trailers.clone();
        }
        status.to_trailers()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.leave(self.place);
    }
}
