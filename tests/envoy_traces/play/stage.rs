//! Both directions of a run, and what is done to them.

use http::{request, response};
use tidegate::{Error, ErrorKind, Origin};

use super::board::Board;
use super::ending;
use super::lane::Lane;
use super::ledger;
use super::plan::{self, NoCounterpart};
use super::source::{Frame, Framer};
use crate::moment::Moment;
use crate::trace::entry::Callback;
use crate::trace::{Direction, FilterSpec, Step, Trace};

/// One run.
pub(crate) struct Stage {
    chain: Vec<FilterSpec>,
    board: Board,
    framer: Framer,
    request: Lane<request::Parts>,
    response: Lane<response::Parts>,
    bound_bytes: u64,
    /// What the scenario sets, if it sets one: then something may be over a mark.
    limit_bytes: Option<u64>,
}

impl Stage {
    pub(crate) fn new(trace: &Trace) -> Result<Self, NoCounterpart> {
        let board = Board::default();
        let (request, response, bound_bytes) = plan::exchange(trace, &board)?;
        let opts = &trace.script.opts;
        // A peer that gives window back as it reads is one without a window.
        let window = |peer: Option<crate::trace::script::Peer>| {
            peer.filter(|peer| !peer.ack).map(|peer| peer.window)
        };
        Ok(Self {
            chain: trace.script.chain.clone(),
            board,
            framer: Framer::new(trace),
            request: Lane::new(request, window(opts.origin)),
            response: Lane::new(response, window(opts.client)),
            bound_bytes,
            limit_bytes: plan::limit_bytes(trace),
        })
    }

    /// Does one step, and all that follows from it.
    pub(crate) fn step(&mut self, step: &Step) {
        for (direction, frame) in self.framer.frames(step) {
            match (direction, frame) {
                (Direction::Request, Frame::Reset) => self.client_is_gone(),
                (Direction::Response, Frame::Reset) => self.origin_breaks_off(),
                (Direction::Request, frame) => self.request.send(frame),
                // An origin that has no request answers nothing.
                (Direction::Response, frame) if self.request.sink.head.is_some() => {
                    self.response.send(frame);
                }
                (Direction::Response, _) => {}
            }
            self.settle();
        }
        match step {
            Step::Fire(filter, n) => self.fire(filter, *n),
            Step::ClientWindow(bytes) => self.response.open_window(*bytes),
            Step::OriginWindow(bytes) => self.request.open_window(*bytes),
            Step::ClientClose => self.client_is_gone(),
            Step::Input(..) | Step::Batch(_) | Step::Sleep(_) => {}
        }
        self.settle();
        let mut faults = ending::check(
            &self.request,
            &self.response,
            self.limit_bytes.is_some(),
            &self.board.lock(),
        );
        faults.extend(ledger::check_served(&self.request, self.limit_bytes, &self.board));
        faults.extend(ledger::check_served(&self.response, self.limit_bytes, &self.board));
        if self.limit_bytes.is_none() {
            let names = || self.chain.iter().map(|spec| spec.name.as_str());
            faults.extend(ledger::check_live(&self.request, names(), &self.board));
            faults.extend(ledger::check_live(&self.response, names().rev(), &self.board));
        }
        self.board.lock().faults.extend(faults);
    }

    fn fire(&self, filter: &str, n: usize) {
        let spec = self.chain.iter().find(|spec| spec.name == filter);
        let act = spec.and_then(|spec| spec.act(Callback::Event, n));
        if let Some(act) = act {
            self.board.perform(filter, &act.verbs);
        }
    }

    fn client_is_gone(&mut self) {
        self.board.lock().broken_off = true;
        if let Some(side) = &mut self.response.side {
            side.cancel();
        }
        if let Some(side) = &mut self.request.side {
            side.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
        }
    }

    fn origin_breaks_off(&mut self) {
        self.board.lock().broken_off = true;
        // Its stream is over in both directions.
        self.response.taken.end = true;
        if let Some(side) = &mut self.response.side {
            side.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream));
        }
    }

    /// Until nothing moves.
    fn settle(&mut self) {
        loop {
            let mut moved = self.request.drain() | self.response.drain();
            moved |= self.request.feed() | self.response.feed();
            let event = self.board.lock().scheduled.pop_front();
            if let Some((filter, n)) = event {
                self.fire(&filter, n);
                moved = true;
            }
            if !moved {
                return;
            }
        }
    }

    pub(crate) fn moment(&self) -> Moment {
        let mut origin = self.request.sink.clone();
        // The upstream's stream is one: to let its response go is to reset it.
        origin.reset |= self.response.lets_source_go();
        origin.reset &= origin.head.is_some();
        let notes = self.board.lock();
        let logs =
            |name: &str| self.chain.iter().any(|spec| spec.name == name && spec.builtin.is_none());
        let filters = notes.stations.iter().filter(|((_, name), s)| s.started && logs(name));
        Moment {
            origin,
            client: self.response.sink.clone(),
            filters: filters.map(|(key, station)| (key.clone(), station.shown.clone())).collect(),
        }
    }

    /// Ends the run: the rules that were broken.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let mut faults = Vec::new();
        let names: Vec<&str> = self.chain.iter().map(|spec| spec.name.as_str()).collect();
        faults.extend(ledger::check(&self.request, names.iter().copied(), &self.board));
        faults.extend(ledger::check(&self.response, names.iter().rev().copied(), &self.board));
        for stats in [
            &self.request.side.as_ref().map(|s| s.chain().stats()),
            &self.response.side.as_ref().map(|s| s.chain().stats()),
        ] {
            let peak = stats.map_or(0, |stats| stats.peak_held_bytes);
            if peak > self.bound_bytes {
                faults.push(format!("{peak} bytes held, bound {} (I7)", self.bound_bytes));
            }
        }
        self.request.side = None;
        self.response.side = None;
        faults.extend(ledger::check_closes(&self.board));
        let mut notes = self.board.lock();
        faults.append(&mut notes.faults);
        faults
    }
}
