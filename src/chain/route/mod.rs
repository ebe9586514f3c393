//! Who decides where a head goes next: the hook for a control flow over filters.
//!
//! A chain without a route takes its stations one after the other. With one, the route is asked
//! when a head comes in, each time it leaves a station, and when a reply or a failure takes the
//! place of the message. Stations it leaves out are never started: their filters are not called,
//! not even to be closed, and what passes goes by without looking at them. It chooses only among
//! stations that have had no head, so nothing that has been sent is taken back.
//!
//! Informational heads (1xx) go by all stations of a chain with a route: which of them the final
//! head will meet is not known yet.
//!
//! This module never decides anything itself.

use super::Chain;
use super::position::{HeadAt, number};
use super::stations::from;
use crate::chain::Stats;
use crate::error::Error;
use crate::filter::{Head, LocalReply};
use crate::frame::Outcome;

/// Decides where heads go, and is told what became of the message. A route is the engine's own
/// code: it does not panic.
pub(crate) trait Route<H: Head>: Send {
    /// The head comes in. Asked once a message.
    fn enter(&mut self, head: &H, entry: Entry<'_>) -> Next;

    /// The head leaves station `k`, whose filter has said its result of that number; `None` is
    /// success.
    fn leave(&mut self, k: usize, result: Option<u8>) -> Next;

    /// The head, or a reply's, goes to the sink as it is now.
    fn exits(&mut self, head: &H) {
        let _ = head;
    }

    /// The sink has taken the head.
    fn taken(&mut self) {}

    /// The edge gives the message up: nobody is answered.
    fn given_up(&mut self) {}

    /// A local reply takes the place of a message whose head has come in: one of the filter of
    /// station `k`, with the result that it has said, or one from outside. Before which station it
    /// comes in.
    fn replied(&mut self, k: Option<usize>, result: Option<u8>) -> usize;

    /// The message fails while stations behind its head have not had it: what is answered in its
    /// place, and before which station that comes in. `None`: the message ends here.
    fn failed(&mut self, error: &Error) -> Option<(usize, LocalReply)>;

    /// Whether the bytes that come to each station are counted.
    fn wants_bytes(&self) -> bool {
        true
    }

    /// The message is over, and its filters have been closed. Asked once a message, whatever
    /// happened. `arrived_bytes`: what came to each station, and last to the output; of what a
    /// station had to drop nothing came to those behind. Empty if nobody wanted to know.
    fn closed(&mut self, outcome: &Outcome, stats: &Stats, arrived_bytes: &[u64]);
}

/// What comes in as the head of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry<'a> {
    /// The message of the source.
    Message,
    /// A local reply: a filter's of the other direction, or the edge's.
    Reply,
    /// The answer to an error.
    Answer(&'a Error),
}

/// Where a head goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// To a station behind the one it comes from.
    Station(usize),
    /// To the sink.
    Sink,
    /// Nowhere: the request is answered without an upstream.
    Answer(http::StatusCode),
}

/// The route of a message, and what it has to know.
pub(super) struct Routing<H: Head> {
    route: Box<dyn Route<H>>,
    /// What comes in, or has.
    entrance: Entrance,
    /// Stations that were left out.
    skipped: u64,
}

/// Whether the head has come in.
#[derive(Debug)]
enum Entrance {
    Awaited,
    /// What waits is the answer to this.
    Answer(Error),
    Passed,
    /// What came in last takes the place of a message that failed: that happens once.
    Rescued,
}

impl<H: Head> Chain<H> {
    /// Sets who decides where the head goes. Before any input.
    pub(crate) fn set_route(&mut self, route: Box<dyn Route<H>>) {
        debug_assert!(!self.has_begun(), "a route is set before any input");
        let mut routing = Routing { route, entrance: Entrance::Awaited, skipped: 0 };
        if let Some(outcome) = self.life.outcome() {
            // A filter could not be made.
            let arrived_bytes = vec![0; self.len() + 1];
            routing.route.closed(outcome, &self.stats(), &arrived_bytes);
            return;
        }
        if routing.route.wants_bytes() {
            self.desk.start_meter();
        }
        self.routing = Some(Box::new(routing));
    }

    /// An answer to `error` from outside: a local reply, of which the route knows what for.
    pub(crate) fn handle_answer(&mut self, reply: LocalReply, error: &Error) {
        if let Some(routing) = &mut self.routing
            && matches!(routing.entrance, Entrance::Awaited)
        {
            routing.entrance = Entrance::Answer(error.clone());
        }
        self.handle_reply(reply);
    }

    /// The stations that were left out.
    pub(super) fn skipped(&self) -> u64 {
        self.routing.as_ref().map_or(0, |routing| routing.skipped)
    }

    /// The station to which the head at the entrance goes first; the number of stations for the
    /// sink, and `None` if the message is not carried on.
    pub(super) fn enter_route(&mut self) -> Option<usize> {
        let entrance_at = self.stations.entrance_at;
        let Some(routing) = &mut self.routing else { return Some(entrance_at) };
        let is_reply = self.desk.facts.local_reply;
        let Some(head) = self.lobby.head() else { return Some(entrance_at) };
        let next = match &routing.entrance {
            // What takes the place of a message that had come in before has its own.
            Entrance::Passed | Entrance::Rescued => return Some(entrance_at),
            Entrance::Answer(error) => routing.route.enter(head, Entry::Answer(error)),
            Entrance::Awaited if is_reply => routing.route.enter(head, Entry::Reply),
            Entrance::Awaited => routing.route.enter(head, Entry::Message),
        };
        routing.entrance = Entrance::Passed;
        self.follow(None, next)
    }

    /// The same for a head that leaves station `k`.
    pub(super) fn leave_route(&mut self, k: usize) -> Option<usize> {
        let Some(routing) = &mut self.routing else { return Some(k + 1) };
        let next = routing.route.leave(k, self.desk.take_result(number(k)));
        self.follow(Some(k), next)
    }

    /// The head has passed the last station.
    pub(super) fn exit_route(&mut self) {
        if let (Some(routing), Some(head)) = (&mut self.routing, self.lobby.head()) {
            routing.route.exits(head);
        }
    }

    /// The sink has taken the head.
    pub(super) fn taken_route(&mut self) {
        if let Some(routing) = &mut self.routing {
            routing.route.taken();
        }
    }

    /// The edge gives the message up.
    pub(super) fn give_up_route(&mut self) {
        if let Some(routing) = &mut self.routing {
            routing.route.given_up();
        }
    }

    fn follow(&mut self, k: Option<usize>, next: Next) -> Option<usize> {
        let behind = k.map_or(self.stations.entrance_at, |k| k + 1);
        match next {
            Next::Station(station) => {
                debug_assert!((behind..self.len()).contains(&station), "jumps go forward");
                self.skip(behind, station);
                Some(station)
            }
            Next::Sink => {
                self.skip(behind, self.len());
                Some(self.len())
            }
            Next::Answer(status) => {
                self.skip(behind, self.len());
                self.answer_for_route(k, LocalReply::new(status));
                None
            }
        }
    }

    /// Leaves out the stations from `behind` to before `station`.
    fn skip(&mut self, behind: usize, station: usize) {
        let skipped = from(behind) & !from(station);
        let Some(routing) = &mut self.routing else { return };
        if skipped == 0 {
            return;
        }
        routing.skipped |= skipped;
        self.stations.skip(skipped);
        self.data_count = number(self.stations.wants_data.count_ones() as usize);
    }

    /// Before which station a reply comes in, according to the route. `None`: there is no route, or
    /// the head has not come in yet.
    pub(super) fn routed_reply_place(&mut self, by: Option<usize>) -> Option<usize> {
        let result = by.and_then(|k| self.desk.take_result(number(k)));
        let len = self.len();
        let routing = self.routing.as_mut()?;
        if matches!(routing.entrance, Entrance::Awaited | Entrance::Answer(_)) {
            return None;
        }
        let place = routing.route.replied(by, result).min(len);
        Some(self.behind_the_head(place))
    }

    /// Before which station the engine's own answer to `error` comes in, according to the route.
    /// `None`: there is no route, or the head has not come in yet.
    pub(super) fn routed_failure_place(&mut self, error: &Error) -> Option<usize> {
        let len = self.len();
        let routing = self.routing.as_mut()?;
        if matches!(routing.entrance, Entrance::Awaited | Entrance::Answer(_)) {
            return None;
        }
        let place = routing.route.failed(error).map_or(len, |(place, _)| place.min(len));
        Some(self.behind_the_head(place))
    }

    /// Not before a station that has had the head.
    fn behind_the_head(&self, place: usize) -> usize {
        match self.head_at {
            HeadAt::Station { k, .. } if usize::from(k) >= place => self.len(),
            HeadAt::Output | HeadAt::Taken => self.len(),
            HeadAt::Awaited | HeadAt::Entrance | HeadAt::Station { .. } => place,
        }
    }

    /// What takes the place of a message that fails, and where it comes in: only while stations
    /// behind the head have not had it.
    pub(super) fn rescue(&mut self, error: &Error) -> Option<(usize, LocalReply)> {
        let routing = self.routing.as_mut()?;
        if matches!(self.head_at, HeadAt::Output | HeadAt::Taken)
            || matches!(routing.entrance, Entrance::Rescued)
        {
            return None;
        }
        let (place, reply) = routing.route.failed(error)?;
        routing.entrance = Entrance::Rescued;
        let place = self.behind_the_head(place);
        (place < self.len()).then_some((place, reply))
    }

    /// Tells the route how the message ended, once.
    pub(super) fn close_route(&mut self, outcome: &Outcome) {
        if let Some(mut routing) = self.routing.take() {
            let mut stats = self.stations.stats;
            stats.input_bytes = self.input_bytes;
            stats.calls = self.calls;
            let meter = self.desk.meter_mut();
            let arrived_bytes = meter.map(|meter| meter.arrived(stats.input_bytes));
            routing.route.closed(outcome, &stats, arrived_bytes.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests;
