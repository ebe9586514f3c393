//! What a callback is handed. In `between`: what the chain does with it from one call to the next.
//!
//! This module never calls a filter.

mod between;

use core::fmt;
use core::ops::Range;

use bytes::Bytes;
use http::HeaderMap;

use super::capability::Capability;
use super::desk::{Desk, Growth};
use super::edit::{EditError, EditErrorKind};
use super::head::Head;
use super::interest::Interest;
use super::reply::LocalReply;
use super::result_error::ResultError;
use super::verdict::Verdict;
use crate::buf::BodyBuf;
use crate::error::{Error, Origin};
use crate::limits;
use crate::resume::ResumeHandle;

/// Everything a filter was shown and has not let go: the head while it stands here, the bytes it
/// holds followed by the new ones, the trailers.
///
/// The bytes are a borrow of the buffer where they lie. They read as a [`BodyBuf`]
/// ([`body`](Self::body)); every change goes through the methods of the view, which charge it and
/// may refuse it.
pub struct View<'a, H> {
    body: &'a mut BodyBuf,
    new_at: usize,
    station: u8,
    edited: Option<Edited>,
    /// [`Verdict::EDITED`] once an edit was tried, else 0: a word, so that a wave can test it
    /// together with the verdict.
    edits: u64,
    growth: Growth,
    input_ended: bool,
    head: Option<&'a mut H>,
    trailers: Option<&'a mut HeaderMap>,
    desk: &'a mut Desk,
}

impl<H: Head> View<'_, H> {
    /// What the filter holds, then what is new, as one buffer.
    #[inline]
    #[must_use]
    pub fn body(&self) -> &BodyBuf {
        self.body
    }

    /// Where the new bytes begin, in bytes from the front. On `resume` and `trailers`, the length.
    #[inline]
    #[must_use]
    pub fn new_at(&self) -> usize {
        self.new_at
    }

    /// How many bytes are new.
    #[inline]
    #[must_use]
    pub fn new_bytes(&self) -> usize {
        self.body.len() - self.new_at
    }

    /// Whether this filter has been shown all of its input: no more body, and the trailers, if
    /// there are any, are in the view.
    #[inline]
    #[must_use]
    pub fn input_ended(&self) -> bool {
        self.input_ended
    }

    /// The head, while this filter holds it or is just asked about it.
    #[must_use]
    pub fn head(&self) -> Option<&H> {
        self.head.as_deref()
    }

    /// The head, to edit, while this filter holds it or is just asked about it.
    #[must_use]
    pub fn head_mut(&mut self) -> Option<&mut H> {
        if self.head.is_some() {
            self.note_change();
        }
        self.head.as_deref_mut()
    }

    /// The trailers, once they have been shown; an empty map at the end of the input of a filter
    /// that was granted [`Capability::AddTrailers`].
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_deref()
    }

    /// The trailers, to edit.
    #[must_use]
    pub fn trailers_mut(&mut self) -> Option<&mut HeaderMap> {
        if self.trailers.is_some() {
            self.note_change();
        }
        self.trailers.as_deref_mut()
    }

    /// Whether the filter declared `capability` and the edge can do it for this message.
    #[must_use]
    pub fn granted(&self, capability: Capability) -> bool {
        self.desk.granted(self.station).has(capability)
    }

    /// Whether this response was made by a filter or the engine, not by the upstream.
    #[must_use]
    pub fn is_local_reply(&self) -> bool {
        self.desk.facts.local_reply
    }

    /// The length that the message declared when it entered the chain, in bytes.
    #[must_use]
    pub fn declared_bytes(&self) -> Option<u64> {
        self.desk.facts.declared_bytes
    }

    /// A handle that asks this filter again, from any thread.
    ///
    /// The first handle of a message allocates what all its handles share.
    #[must_use]
    pub fn resume_handle(&mut self) -> ResumeHandle {
        self.desk.resume_handle(self.station)
    }

    /// Gives up interests for the rest of this message: the filter is no longer asked about those
    /// frames, and they cost it nothing.
    pub fn drop_interest(&mut self, interest: Interest) {
        let bit = 1u64 << self.station;
        let asked = self.desk.ask();
        if interest.contains(Interest::DATA) {
            asked.dropped_data |= bit;
        }
        if interest.contains(Interest::TRAILERS) {
            asked.dropped_trailers |= bit;
        }
    }

    /// Adds `bytes` behind everything.
    ///
    /// # Errors
    ///
    /// See [`EditErrorKind`]; the bytes come back.
    pub fn push(&mut self, bytes: Bytes) -> Result<(), EditError> {
        match self.admit(bytes.len()) {
            Ok(()) => {
                self.note_change();
                self.body.push(bytes);
                Ok(())
            }
            Err(kind) => Err(EditError::new(kind, bytes)),
        }
    }

    /// Adds `bytes` in front of everything.
    ///
    /// # Errors
    ///
    /// See [`EditErrorKind`]; the bytes come back.
    pub fn prepend(&mut self, bytes: Bytes) -> Result<(), EditError> {
        self.insert(0, bytes)
    }

    /// Adds `bytes` at offset `at`.
    ///
    /// # Errors
    ///
    /// See [`EditErrorKind`]; the bytes come back.
    ///
    /// # Panics
    ///
    /// If `at` is beyond the end of the view.
    pub fn insert(&mut self, at: usize, bytes: Bytes) -> Result<(), EditError> {
        self.replace(at..at, bytes)
    }

    /// Puts `bytes` in the place of `range`.
    ///
    /// Costs O(segments before the range and in it), and may cut one segment in two. A filter that
    /// makes very many edits in one call works from the front instead: [`take`](Self::take) the
    /// body, [`BodyBuf::split_to`] what is done, [`push`](Self::push) it back.
    ///
    /// # Errors
    ///
    /// See [`EditErrorKind`]; the bytes come back.
    ///
    /// # Panics
    ///
    /// If `range` is not within the view.
    pub fn replace(&mut self, range: Range<usize>, bytes: Bytes) -> Result<(), EditError> {
        assert!(
            range.start <= range.end && range.end <= self.body.len(),
            "range {range:?} is not within a view of {} bytes",
            self.body.len()
        );
        if let Err(kind) = self.admit(bytes.len().saturating_sub(range.len())) {
            return Err(EditError::new(kind, bytes));
        }
        self.note_change();
        self.new_at = shifted(self.new_at, &range, bytes.len());
        self.body.replace(range, bytes);
        Ok(())
    }

    /// Takes `range` out of the message.
    ///
    /// # Errors
    ///
    /// [`EditErrorKind::Undeclared`].
    ///
    /// # Panics
    ///
    /// If `range` is not within the view.
    pub fn remove(&mut self, range: Range<usize>) -> Result<BodyBuf, EditError> {
        self.admit(0).map_err(|kind| EditError::new(kind, Bytes::new()))?;
        self.note_change();
        self.new_at = shifted(self.new_at, &range, 0);
        Ok(self.body.remove(range))
    }

    /// Takes all bytes out of the message. A filter that keeps them, and not just their content,
    /// says so with [`set_kept_bytes`](Self::set_kept_bytes).
    ///
    /// # Errors
    ///
    /// [`EditErrorKind::Undeclared`].
    pub fn take(&mut self) -> Result<BodyBuf, EditError> {
        self.admit(0).map_err(|kind| EditError::new(kind, Bytes::new()))?;
        self.note_change();
        self.new_at = 0;
        Ok(core::mem::take(self.body))
    }

    /// Takes the first `bytes` out of the message.
    ///
    /// # Errors
    ///
    /// [`EditErrorKind::Undeclared`].
    ///
    /// # Panics
    ///
    /// If the view is shorter.
    pub fn take_first(&mut self, bytes: usize) -> Result<BodyBuf, EditError> {
        self.admit(0).map_err(|kind| EditError::new(kind, Bytes::new()))?;
        self.note_change();
        self.new_at = self.new_at.saturating_sub(bytes);
        Ok(self.body.split_to(bytes))
    }

    /// States how many bytes, in all, the filter keeps in storage of its own. They are charged to
    /// its marks like bytes it holds, until it states another number.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push): keeping more than was taken is growth. At most
    /// [`limits::MAX_KEPT_BYTES`].
    pub fn set_kept_bytes(&mut self, bytes: u64) -> Result<(), EditError> {
        let before = self.desk.kept(self.station);
        if bytes > limits::MAX_KEPT_BYTES {
            let kind = EditErrorKind::TooLarge { high_bytes: limits::MAX_KEPT_BYTES };
            return Err(EditError::new(kind, Bytes::new()));
        }
        let growth = usize::try_from(bytes.saturating_sub(before)).unwrap_or(usize::MAX);
        self.admit(growth).map_err(|kind| EditError::new(kind, Bytes::new()))?;
        self.desk.set_kept(self.station, bytes);
        Ok(())
    }

    /// Declares how long the body will be when it leaves this filter, in bytes: sets
    /// `content-length` and keeps it, although the filter may change the length. Only while the
    /// head is in the view. The chain's exit holds the message to it (rule I12).
    ///
    /// Answers whether the head was there to be changed, and had room for a field.
    pub fn set_declared_bytes(&mut self, bytes: u64) -> bool {
        let Some(head) = self.head_mut() else { return false };
        // Removed first: a full map refuses a field also in the place of another.
        head.headers_mut().remove(http::header::CONTENT_LENGTH);
        let length = http::HeaderValue::from(bytes);
        if head.headers_mut().try_insert(http::header::CONTENT_LENGTH, length).is_err() {
            return false;
        }
        self.desk.touched = true;
        self.desk.declared_by = Some(self.station);
        true
    }

    /// Sets the trailers that go out behind everything: in place of those in the view, or, where
    /// none have been shown yet, with the [`Verdict::END`] of this callback (with any other
    /// verdict they are dropped).
    ///
    /// # Errors
    ///
    /// [`EditErrorKind::Undeclared`] without [`Capability::AddTrailers`].
    pub fn set_trailers(&mut self, trailers: HeaderMap) -> Result<(), EditError> {
        if !self.granted(Capability::AddTrailers) {
            let kind = EditErrorKind::Undeclared(Capability::AddTrailers);
            return Err(EditError::new(kind, Bytes::new()));
        }
        self.note_change();
        match self.trailers.as_deref_mut() {
            Some(shown) => *shown = trailers,
            None => self.desk.put_end_trailers(self.station, trailers),
        }
        Ok(())
    }

    /// Says which of its declared results this message has: what runs next may depend on it, where
    /// the chain is part of a control flow; elsewhere nothing follows from it. It is told when the
    /// head goes, so it can be said, and changed, as long as the head is here; a local reply takes
    /// it along. The empty result is success, as is none.
    ///
    /// # Errors
    ///
    /// [`ResultError::HeadGone`] when the head has gone: what runs next has been decided.
    /// [`ResultError::Undeclared`] if the filter did not
    /// [declare](super::Declaration::result) it: then the message fails, too, when this call is
    /// over, as it must not go the way of another result.
    pub fn set_result(&mut self, result: &str) -> Result<(), ResultError> {
        if self.head.is_none() {
            return Err(ResultError::HeadGone);
        }
        self.desk.say_result(self.station, result)
    }

    /// Answers the message with `reply` instead of carrying it on. Return the verdict; a reply
    /// whose verdict is not returned is dropped.
    pub fn reply(&mut self, reply: LocalReply) -> Verdict {
        self.desk.put_reply(self.station, reply);
        Verdict::REPLY
    }

    /// Fails the message. Return the verdict; an error whose verdict is not returned is dropped.
    pub fn fail(&mut self, error: impl Into<Error>) -> Verdict {
        self.desk.put_failure(self.station, error.into());
        Verdict::FAIL
    }

    /// Whether this filter has changed the message, in this call or before, or was given something
    /// to change.
    pub(crate) fn has_changed(&self) -> bool {
        self.desk.changed & (1u64 << self.station) != 0
    }

    /// The filter has changed what it was lent.
    pub(crate) fn note_change(&mut self) {
        self.desk.changed |= 1u64 << self.station;
    }

    /// Who caused the failure that this call has stated.
    pub(crate) fn failure_origin(&self) -> Option<Origin> {
        self.desk.failure_origin(self.station)
    }

    /// Takes back the failure that this call has stated.
    pub(crate) fn withdraw_failure(&mut self) -> Option<Error> {
        self.desk.take_failure().map(|(_, error)| error)
    }

    /// The filter is out of the message from here on: that is counted. What it said it keeps stands
    /// in nobody's way: it is not asked again, so it could never say that it is less.
    pub(crate) fn note_open(&mut self) {
        self.desk.note_open(self.station);
        if self.desk.kept(self.station) != 0 {
            // Granted, or nothing would be kept.
            let _ = self.set_kept_bytes(0);
        }
    }

    /// The head and the trailers, to lend them out for the time of a poll.
    pub(crate) fn lend_fields(&mut self) -> (Option<&mut H>, Option<&mut HeaderMap>) {
        (self.head.as_deref_mut(), self.trailers.as_deref_mut())
    }

    /// Whether the message has no body by definition (rule I12).
    pub(crate) fn is_bodiless(&self) -> bool {
        self.desk.facts.bodiless
    }

    /// By how many bytes this call may make the view grow (rule I7). Only before its first edit.
    pub(crate) fn room_bytes(&self) -> u64 {
        match self.growth {
            Growth::Open => self.high_bytes().saturating_sub(self.desk.added(self.station)),
            Growth::Closed => 0,
        }
    }

    /// The high mark of this station, in bytes.
    pub(crate) fn high_bytes(&self) -> u64 {
        self.desk.marks(self.station).high()
    }

    /// Lends all bytes out, for the time of a poll: moves them to `to`, which is empty. They come
    /// back by [`give_back`](Self::give_back), before the call is over.
    pub(crate) fn lend(&mut self, to: &mut BodyBuf) {
        debug_assert!(to.is_empty(), "lent bytes take the place of nothing");
        to.append(self.body);
    }

    /// Takes back what was lent, as it is now. It may have grown by
    /// [`room_bytes`](Self::room_bytes) at most.
    pub(crate) fn give_back(&mut self, from: &mut BodyBuf, lent_bytes: usize) {
        self.body.append(from);
        if self.body.len() != lent_bytes {
            let kept_bytes = self.desk.kept(self.station);
            let ledger_bytes = lent_bytes as u64 + kept_bytes;
            let body_bytes = lent_bytes;
            self.edited = Some(Edited { station: self.station, ledger_bytes, body_bytes });
            self.edits = Verdict::EDITED;
        }
    }

    /// Marks the station as refused: it is recalled once it may add `bytes`.
    pub(crate) fn refuse(&mut self, bytes: u64) {
        self.desk.refuse(self.station, bytes);
    }

    /// The filter holds, and waits for more input: up to its high mark the station does not pause
    /// the source, also where it has been over and not come down to its low mark. What it holds
    /// would never become less.
    pub(crate) fn await_more(&mut self) {
        self.desk.await_more(self.station);
    }

    /// Whether an edit that grows the view by `growth` bytes may be made (rule I7).
    fn admit(&mut self, growth: usize) -> Result<(), EditErrorKind> {
        self.edits = Verdict::EDITED;
        let granted = self.desk.granted(self.station);
        if !granted.has(Capability::EditBytes) && !granted.has(Capability::ChangeLength) {
            return Err(EditErrorKind::Undeclared(Capability::EditBytes));
        }
        let ledger_bytes = self.ledger_bytes();
        let start_bytes = match self.edited {
            Some(edited) if edited.station == self.station => edited.ledger_bytes,
            _ => {
                let body_bytes = self.body.len();
                self.edited = Some(Edited { station: self.station, ledger_bytes, body_bytes });
                ledger_bytes
            }
        };
        if growth == 0 {
            return Ok(());
        }
        if self.desk.facts.bodiless {
            return Err(EditErrorKind::NoBody);
        }
        let (high_bytes, room_bytes) = (self.high_bytes(), self.room_bytes());
        let growth_bytes = growth as u64;
        let after_bytes = ledger_bytes.saturating_add(growth_bytes);
        if after_bytes <= start_bytes.saturating_add(room_bytes) {
            return Ok(());
        }
        if growth_bytes > high_bytes {
            return Err(EditErrorKind::TooLarge { high_bytes });
        }
        self.refuse(growth_bytes);
        Err(EditErrorKind::Full)
    }

    /// What the view holds and the filter keeps, in bytes.
    fn ledger_bytes(&self) -> u64 {
        self.body.len() as u64 + self.desk.kept(self.station)
    }
}

impl<H> fmt::Debug for View<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("station", &self.station)
            .field("body_bytes", &self.body.len())
            .field("new_at", &self.new_at)
            .field("input_ended", &self.input_ended)
            .field("head", &self.head.is_some())
            .field("trailers", &self.trailers.is_some())
            .finish_non_exhaustive()
    }
}

/// Where the new bytes begin after `range` has been replaced by `bytes` bytes.
fn shifted(new_at: usize, range: &Range<usize>, bytes: usize) -> usize {
    if range.start > new_at {
        new_at
    } else if range.end <= new_at {
        new_at - range.len() + bytes
    } else {
        // The border itself was replaced: what came in its place counts as old.
        range.start + bytes
    }
}

/// The parts a view is made of.
pub(crate) struct ViewParts<'a, H> {
    pub(crate) body: &'a mut BodyBuf,
    pub(crate) new_at: usize,
    pub(crate) station: u8,
    pub(crate) growth: Growth,
    pub(crate) input_ended: bool,
    pub(crate) head: Option<&'a mut H>,
    pub(crate) trailers: Option<&'a mut HeaderMap>,
    pub(crate) desk: &'a mut Desk,
}

/// The size of the ledger when the call began. Noted at the first edit of the call, so that calls
/// without edits pay nothing; the station tells one call of a wave from the next.
#[derive(Debug, Clone, Copy)]
struct Edited {
    station: u8,
    ledger_bytes: u64,
    body_bytes: usize,
}
