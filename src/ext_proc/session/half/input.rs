//! What comes for one direction.
//!
//! This module never writes an answer.

use bytes::Bytes;
use http::{HeaderMap, header};

use super::{Activity, Half, Item, Message, Stage, Trailers};
use crate::error::Error;
use crate::ext_proc::session::heads::SessionHead;
use crate::ext_proc::session::original::Original;

impl<H: SessionHead> Half<H> {
    /// The head has come.
    pub(in crate::ext_proc::session) fn handle_head(&mut self, head: H, ends: bool) {
        self.activity = Activity::Due;
        if self.terms.keeps_head {
            self.original = Some(Original::of(&head));
        }
        if ends && declares_body(head.headers()) {
            // The answer to a HEAD request: its length is that of another message.
            self.side.set_bodiless();
        }
        if !matches!(self.head, Stage::Local(_)) {
            self.head = Stage::Inside { ends };
        }
        // Refused only where a local reply was faster: then that is what counts.
        let _ = self.side.handle_head(head, ends);
    }

    /// What came is no head.
    pub(in crate::ext_proc::session) fn handle_bad_head(&mut self, error: Error) {
        self.activity = Activity::Due;
        self.head = Stage::Inside { ends: false };
        self.side.handle_reset(error);
    }

    /// A piece of body has come.
    pub(in crate::ext_proc::session) fn handle_data(&mut self, bytes: Bytes) {
        self.begin();
        self.queued_bytes += bytes.len() as u64;
        self.queue.push_back(Item::Data(bytes));
    }

    /// A body message is whole.
    pub(in crate::ext_proc::session) fn handle_message_end(&mut self, end_of_stream: bool) {
        self.begin();
        self.queue.push_back(Item::MessageEnd { end_of_stream });
    }

    /// Trailers have come.
    pub(in crate::ext_proc::session) fn handle_trailers(&mut self, trailers: HeaderMap) {
        self.begin();
        self.queue.push_back(Item::Trailers(Box::new(trailers)));
    }

    /// Where heads are not shown, the engine is given one that says nothing.
    fn begin(&mut self) {
        self.activity = Activity::Due;
        if matches!(self.head, Stage::Awaited) {
            self.handle_head(H::unseen(), false);
        }
    }

    /// Gives the side the next thing that has come, if it takes it. Answers whether it did.
    pub(super) fn feed(&mut self) -> bool {
        let takes_data = self.side.wants_input() || self.side.input_stopped();
        if matches!(self.queue.front(), Some(Item::Data(_))) && !takes_data {
            return false;
        }
        match self.queue.pop_front() {
            None => return false,
            Some(Item::Data(bytes)) => self.feed_data(bytes),
            Some(Item::MessageEnd { end_of_stream }) => {
                self.end_message(end_of_stream);
                if end_of_stream || self.terms.ends_with_body {
                    // One that is over already has no use for it.
                    let _ = self.side.handle_end();
                }
            }
            Some(Item::Trailers(trailers)) => {
                if self.terms.ends_with_body {
                    self.trailers = Trailers::Unshown;
                    if matches!(self.message, Message::Between) {
                        // There was no body message to show the end with, or it was shown.
                        let _ = self.side.handle_end();
                    }
                } else {
                    self.trailers = Trailers::Inside(trailers.clone());
                    // Behind an end that a filter declared, they are dropped.
                    let _ = self.side.handle_trailers(*trailers);
                }
            }
        }
        true
    }

    fn feed_data(&mut self, data: Bytes) {
        let len = data.len() as u64;
        if !matches!(self.message, Message::Open { .. }) {
            self.before_bytes = self.pending.len();
        }
        self.queued_bytes -= len;
        self.message = Message::Open { bytes: self.message_bytes() + len };
        if self.terms.follows_body && !self.side.input_stopped() {
            self.passage.enter(&data, self.side.chain().held_bytes());
        }
        let ends = match self.queue.front() {
            // Filters are shown the end with the last bytes, where both are here.
            Some(&Item::MessageEnd { end_of_stream }) if end_of_stream => {
                self.queue.pop_front();
                self.end_message(end_of_stream);
                true
            }
            _ => false,
        };
        // It was wanted; a message that is over drops it, and that is meant.
        let _ = self.side.handle_data(data, ends);
    }

    fn end_message(&mut self, end_of_stream: bool) {
        self.message = Message::Whole { bytes: self.message_bytes(), end_of_stream };
    }

    /// How much of the body message under way the side was given.
    fn message_bytes(&self) -> u64 {
        match self.message {
            Message::Open { bytes } => bytes,
            Message::Between | Message::Whole { .. } => 0,
        }
    }
}

fn declares_body(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}
