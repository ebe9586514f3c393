use http::response;

use super::run::{Reply, Run};
use super::visits::Visits;
use super::walk::{At, Go};
use crate::chain::{Entry, Next, Route, Stats};
use crate::error::Error;
use crate::exchange::answer::answer_for;
use crate::filter::LocalReply;
use crate::frame::Outcome;
use crate::sync::Arc;

/// The response of one run.
pub(super) struct ResponseRoute {
    run: Arc<Run>,
    visits: Visits,
    /// Where the head stands.
    at: Option<At>,
    is_open: bool,
}

impl ResponseRoute {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self { run, visits: Visits::default(), at: None, is_open: true }
    }

    /// The station to which the head goes; `None`: out of the chain.
    fn follow(&mut self, go: Go) -> Option<usize> {
        self.at = match go {
            Go::Response(at) => {
                let stations = self.run.script.program.response_stations;
                self.visits.come(&self.run, at, stations);
                Some(at)
            }
            // Nothing behind the call leads to a node before it.
            Go::Out | Go::Request(_) | Go::Call => None,
        };
        self.at.map(|at| at.station)
    }

    fn end(&mut self, outcome: &Outcome, stats: &Stats, arrived_bytes: &[u64]) {
        self.is_open = false;
        let visits = core::mem::take(&mut self.visits);
        let end = visits.end(&self.run.script.program, outcome, stats, arrived_bytes);
        self.run.end_response(end);
    }
}

impl Route<response::Parts> for ResponseRoute {
    fn enter(&mut self, head: &response::Parts, entry: Entry<'_>) -> Next {
        let go = self.run.enter_response(head.status, entry);
        self.follow(go).map_or(Next::Sink, Next::Station)
    }

    fn leave(&mut self, k: usize, result: Option<u8>) -> Next {
        let Some(at) = self.at.filter(|at| at.station == k) else { return Next::Sink };
        self.visits.leave(&self.run, result);
        let go = self.run.leave_response(at, result);
        self.follow(go).map_or(Next::Sink, Next::Station)
    }

    fn replied(&mut self, k: Option<usize>, result: Option<u8>) -> usize {
        if self.at.is_some_and(|at| k == Some(at.station)) {
            self.visits.leave(&self.run, result);
        }
        let go = self.run.reply_response(Reply { station: k, result });
        let stations = self.run.script.program.response_stations;
        self.follow(go).unwrap_or(stations)
    }

    fn failed(&mut self, error: &Error) -> Option<(usize, LocalReply)> {
        let go = self.run.fail_response(error);
        // Who was awaited is not known here: a timeout behind the head is not the client's.
        self.follow(go).map(|station| (station, answer_for(error, false)))
    }

    fn exits(&mut self, head: &response::Parts) {
        self.run.exit_response(head.status);
    }

    fn taken(&mut self) {
        self.run.take_response();
    }

    fn given_up(&mut self) {
        self.run.give_up_response();
    }

    fn wants_bytes(&self) -> bool {
        self.run.is_recorded()
    }

    fn closed(&mut self, outcome: &Outcome, stats: &Stats, arrived_bytes: &[u64]) {
        self.end(outcome, stats, arrived_bytes);
    }
}

impl Drop for ResponseRoute {
    /// There was no chain for it.
    fn drop(&mut self) {
        if self.is_open {
            self.end(&Outcome::Cancelled, &Stats::default(), &[]);
        }
    }
}
