use http::{StatusCode, request};

use super::run::{Reply, Run};
use super::visits::Visits;
use super::walk::{At, Go};
use crate::chain::{Entry, Next, Route, Stats};
use crate::error::Error;
use crate::filter::LocalReply;
use crate::frame::Outcome;
use crate::sync::Arc;

/// The request of one run.
pub(super) struct RequestRoute {
    run: Arc<Run>,
    visits: Visits,
    /// Where the head stands.
    at: Option<At>,
    /// What took the place of the message; what for is known when the chain is closed.
    reply: Option<Reply>,
    is_open: bool,
}

impl RequestRoute {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self { run, visits: Visits::default(), at: None, reply: None, is_open: true }
    }

    fn follow(&mut self, go: Go) -> Next {
        self.at = None;
        match go {
            Go::Request(at) => {
                self.at = Some(at);
                let stations = self.run.script.program.request_stations;
                self.visits.come(&self.run, at, stations);
                Next::Station(at.station)
            }
            Go::Call => Next::Sink,
            Go::Response(_) | Go::Out => Next::Answer(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    fn end(&mut self, outcome: &Outcome, stats: &Stats, arrived_bytes: &[u64]) {
        self.is_open = false;
        if let Some(reply) = self.reply
            && self.at.is_some_and(|at| reply.station == Some(at.station))
        {
            self.visits.leave(&self.run, reply.result);
        }
        let visits = core::mem::take(&mut self.visits);
        let end = visits.end(&self.run.script.program, outcome, stats, arrived_bytes);
        self.run.end_request(end, self.reply);
    }
}

impl Route<request::Parts> for RequestRoute {
    fn enter(&mut self, _: &request::Parts, _: Entry<'_>) -> Next {
        let go = self.run.enter_request();
        self.follow(go)
    }

    fn leave(&mut self, k: usize, result: Option<u8>) -> Next {
        let Some(at) = self.at.filter(|at| at.station == k) else { return Next::Sink };
        self.visits.leave(&self.run, result);
        let go = self.run.leave_request(at, result);
        self.follow(go)
    }

    fn replied(&mut self, k: Option<usize>, result: Option<u8>) -> usize {
        self.reply = Some(Reply { station: k, result });
        // A request carries no reply: where it comes in is the other route's to say.
        0
    }

    fn failed(&mut self, _: &Error) -> Option<(usize, LocalReply)> {
        None
    }

    fn taken(&mut self) {
        self.run.take_request();
    }

    fn wants_bytes(&self) -> bool {
        self.run.is_recorded()
    }

    fn closed(&mut self, outcome: &Outcome, stats: &Stats, arrived_bytes: &[u64]) {
        self.end(outcome, stats, arrived_bytes);
    }
}

impl Drop for RequestRoute {
    /// There was no chain for it.
    fn drop(&mut self) {
        if self.is_open {
            self.end(&Outcome::Cancelled, &Stats::default(), &[]);
        }
    }
}
