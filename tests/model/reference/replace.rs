//! Section 4: local replies, of filters, of the engine, from outside.

use tidegate::{ErrorKind, Timeout};

use super::{Exit, Head, Place, Reference};
use crate::model::log::{Ended, Given, HeadSeen};
use crate::model::parts::reply_body;

/// What a reply does to the message.
struct Reply {
    status: u16,
    body: Vec<u8>,
    /// How the message has ended when the reply has been given out.
    outcome: Ended,
}

impl Reference {
    pub(super) fn reply_from_filter(&mut self, k: usize, status: u16, body: u8) {
        let outcome = Ended::Replaced { by: Some(Self::name(k)), status };
        self.replace_with(Some(k), Reply { status, body: reply_body(body), outcome });
    }

    pub(crate) fn handle_reply(&mut self, status: u16, body: u8) {
        if self.outcome.is_some() {
            return;
        }
        if self.is_end_visible() {
            return self.cancel();
        }
        let outcome = Ended::Replaced { by: None, status };
        self.replace_with(None, Reply { status, body: reply_body(body), outcome });
        self.drive();
    }

    /// A rejecting holder is over: the engine replies in its name.
    pub(super) fn reject(&mut self, k: usize) {
        let limit_bytes = self.stations[k].gauge.high;
        let kind = ErrorKind::Limit { limit: "high mark", limit_bytes };
        let outcome = Ended::Limit(Self::failure(kind, Some(k)));
        let status = if self.request { 413 } else { 500 };
        self.replace_with(Some(k), Reply { status, body: Vec::new(), outcome });
    }

    /// A clock of the edge ran out: the message fails, unless the sink has all of it (R18).
    pub(crate) fn handle_timeout(&mut self, timeout: Timeout) {
        if self.outcome.is_some() {
            return;
        }
        if self.is_end_visible() {
            return self.cancel();
        }
        let failure = Self::failure(ErrorKind::TimedOut(timeout), None);
        self.end_badly(failure.clone(), Ended::TimedOut(failure));
    }

    fn replace_with(&mut self, by: Option<usize>, reply: Reply) {
        self.source.stopped = true;
        if self.request {
            self.drop_everything();
            self.last = Some(Given::Reply { status: reply.status, body: reply.body });
            return self.close_all(reply.outcome);
        }
        match (by, self.head.as_ref().map(|head| (head.place, head.given))) {
            // The whole chain sees it.
            (_, None) | (_, Some((Place::Entrance, _))) => self.reply_enters(0, reply),
            (_, Some((Place::Exit, true))) => self.reply_comes_too_late(by, reply.outcome),
            (None, Some((Place::At(j), _))) => self.reply_enters(j + 1, reply),
            (Some(k), Some((Place::At(j), _))) if j == k => self.reply_enters(k + 1, reply),
            // The head is beyond: straight to the sink.
            _ => self.reply_enters(self.len(), reply),
        }
    }

    /// The reply is the message from now on, for the stations from `place` on.
    fn reply_enters(&mut self, place: usize, reply: Reply) {
        self.drop_entrance();
        self.drop_stations_before(place);
        self.drop_queue();
        self.facts.local_reply = true;
        let forbids = matches!(reply.status, 100..=199 | 204 | 304);
        self.facts.bodiless = self.facts.edge_bodiless || forbids;
        let declared = reply.body.len() as u64;
        self.facts.declared = (!self.facts.bodiless).then_some(declared);
        self.exit = Exit::default();
        self.place = place;
        let length = Some(reply.body.len().to_string());
        self.head = Some(Head {
            place: Place::Entrance,
            let_go: true,
            seen: HeadSeen { status: reply.status, length, tags: Vec::new() },
            given: false,
        });
        // A reply to HEAD, or with a status that has no body, goes without.
        self.entrance = if self.facts.bodiless { Vec::new() } else { reply.body };
        self.tail_enters(None);
        self.replaced = Some(reply.outcome);
    }

    fn reply_comes_too_late(&mut self, by: Option<usize>, outcome: Ended) {
        let failure = match outcome {
            // The engine's own reply: what went wrong is the limit.
            Ended::Limit(failure) => failure,
            _ => Self::failure(ErrorKind::ReplyTooLate, by),
        };
        self.end_badly(failure.clone(), Ended::Failed(failure));
    }
}
