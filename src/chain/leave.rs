//! The exit: length truth, the output queue, and what the edge is told to do.

use core::mem;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, header};

use super::output::Output;
use super::position::{HeadAt, TailAt};
use super::storage::Upkeep;
use super::traits::{Sight, Trailers};
use super::{Chain, Work};
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::Head;
use crate::unwind::drop_contained;

/// What the message declares and what has come at the exit, in bytes (rule I12). What the head that
/// entered declared is one of the facts of the message.
#[derive(Debug)]
pub(super) struct Lengths {
    /// What the head that left says of the body.
    pub(super) exit: ExitLength,
    /// What has reached the output queue.
    pub(super) exited_bytes: u64,
}

/// What the head that left the chain says of the length of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitLength {
    /// Nothing, or no head has left.
    Open,
    /// `content-length`.
    Declared { bytes: u64 },
    /// There can be no body.
    Bodiless,
}

impl Default for Lengths {
    fn default() -> Self {
        Self { exit: ExitLength::Open, exited_bytes: 0 }
    }
}

impl Lengths {
    /// More output than this is a lie.
    fn exit_limit_bytes(&self) -> u64 {
        match self.exit {
            ExitLength::Open => u64::MAX,
            ExitLength::Declared { bytes } => bytes,
            ExitLength::Bodiless => 0,
        }
    }

    /// How much more can reach the output queue.
    pub(super) fn exit_room_bytes(&self) -> u64 {
        self.exit_limit_bytes().saturating_sub(self.exited_bytes)
    }
}

impl<H: Head> Chain<H> {
    /// The head has passed the last filter: what it declares now is what counts.
    pub(super) fn exit_head(&mut self) {
        let Some(head) = self.lobby.head() else { return };
        if head.is_informational() {
            return self.fail(Error::new(ErrorKind::NotFinal, Origin::Filter));
        }
        let lengths = &mut self.lengths;
        if self.bodiless_by_edge || head.forbids_body() {
            lengths.exit = ExitLength::Bodiless;
            return;
        }
        // A head that nobody could change says what it said when it came in.
        let declared = if self.desk.head_is_unchanged() {
            Ok(self.desk.facts.declared_bytes)
        } else {
            declared_length(head.headers())
        };
        match declared {
            Ok(Some(bytes)) if self.sight == Sight::Whole => {
                lengths.exit = ExitLength::Declared { bytes };
            }
            Ok(Some(_) | None) => lengths.exit = ExitLength::Open,
            Err(()) => self.fail(Error::new(ErrorKind::LengthInvalid, Origin::Filter)),
        }
    }

    /// The bytes in transit have passed the last filter.
    pub(super) fn exit_bytes(&mut self) {
        let exited_bytes = self.lengths.exited_bytes + self.lobby.transit_len() as u64;
        if exited_bytes > self.lengths.exit_limit_bytes() {
            return self.refuse_excess();
        }
        self.lengths.exited_bytes = exited_bytes;
        let packed_bytes = queue_up(self.lobby.transit(), &mut self.out);
        if packed_bytes > 0 {
            self.stations.stats.packed_bytes += packed_bytes as u64;
        }
        self.update_out();
    }

    /// Fails the message, as filters have let more go than its head declares.
    #[cold]
    fn refuse_excess(&mut self) {
        let kind = match self.lengths.exit {
            ExitLength::Declared { bytes } => ErrorKind::LengthExceeded { declared_bytes: bytes },
            ExitLength::Open | ExitLength::Bodiless => ErrorKind::BodyForbidden,
        };
        self.fail(Error::new(kind, Origin::Filter));
    }

    /// The tail has passed the last filter.
    pub(super) fn exit_tail(&mut self) {
        self.tail_at = TailAt::Output;
        if let ExitLength::Declared { bytes: declared_bytes } = self.lengths.exit
            && self.lengths.exited_bytes < declared_bytes
        {
            let actual_bytes = self.lengths.exited_bytes;
            let kind = ErrorKind::LengthShort { declared_bytes, actual_bytes };
            return self.fail(Error::new(kind, Origin::Filter));
        }
        if self.trailers_by_edge == Trailers::Unsent || self.is_bodiless() {
            let unsent = self.lobby.trailers().map_or(0, HeaderMap::len);
            self.stations.stats.unsent_trailers += unsent as u64;
            self.lobby.put_trailers(None);
        }
        self.withhold_unannounced();
    }

    /// From now on only the trailer fields in `announced` leave the chain; others are taken off and
    /// counted in the outcome. For an edge that has sent a head behind which HTTP/1 sends no other
    /// trailers: call it when the head was given out.
    pub fn send_only_trailers(&mut self, announced: Vec<HeaderName>) {
        // A set: a peer may announce thousands of fields, and then send them.
        self.lobby.open().announced = Some(announced.into_iter().collect());
        if self.tail_at == TailAt::Output {
            self.withhold_unannounced();
        }
    }

    /// Takes off trailers that the edge cannot send because the head did not announce them.
    fn withhold_unannounced(&mut self) {
        let Some((announced, trailers)) = self.lobby.announced_and_trailers() else { return };
        if trailers.keys().all(|name| announced.contains(name)) {
            return self.drop_empty_trailers();
        }
        // `HeaderMap::remove` puts the last field in the place of the one that goes: those that
        // stay would change their order.
        let before = trailers.len();
        let mut sent = HeaderMap::new();
        for name in trailers.keys().filter(|name| announced.contains(*name)) {
            for value in trailers.get_all(name) {
                sent.append(name, value.clone());
            }
        }
        self.stations.stats.unsent_trailers += (before - sent.len()) as u64;
        drop_contained(mem::replace(trailers, sent));
        self.drop_empty_trailers();
    }

    /// Brings the watermark of the output queue up to date.
    pub(super) fn update_out(&mut self) {
        if let Some(edge) = self.out_marks().edge(self.out_side, self.out.len() as u64) {
            self.out_side = edge.side();
        }
        self.note_peak();
    }

    /// The next thing for the edge to do; `None` when there is nothing now. Drives the engine when
    /// there is nothing to give out but work is left, and notices stalls (rule I8).
    #[inline]
    pub fn poll_output(&mut self) -> Option<Output<H>> {
        if self.is_fast() && self.out.is_empty() { None } else { self.poll_slow() }
    }

    /// Whether the next chunk takes the fast path, and nothing waits to be given out.
    #[inline]
    #[cfg(feature = "ext-proc")]
    pub(crate) fn only_passes(&self) -> bool {
        self.is_fast() && self.out.is_empty()
    }

    /// The next output, if it is data: a shorter way to it than [`poll_output`](Self::poll_output),
    /// which has to be called when this answers `None`.
    #[inline]
    pub fn poll_data(&mut self) -> Option<Bytes> {
        if self.out.is_empty() {
            None
        } else if self.is_fast() {
            self.out.pop_front()
        } else {
            self.poll_data_slow()
        }
    }

    #[inline(never)]
    fn poll_data_slow(&mut self) -> Option<Bytes> {
        if self.head_at != HeadAt::Taken || !self.life.is_live() {
            return None;
        }
        let data = self.out.pop_front();
        self.out_shrank();
        data
    }

    /// Bytes have left the output queue.
    fn out_shrank(&mut self) {
        if let Some(edge) = self.out_marks().edge(self.out_side, self.out.len() as u64) {
            self.out_side = edge.side();
            self.look_for_work();
        }
        self.refresh();
    }

    /// How many bytes the sink has been given.
    pub(super) fn given_bytes(&self) -> u64 {
        self.lengths.exited_bytes - self.out.len() as u64
    }

    /// Moves up to `max_bytes` of the data that is next to give out to the end of `into`: for
    /// edges that encode or write many segments at once. Nothing, if the next output is not data.
    pub fn take_output(&mut self, into: &mut BodyBuf, max_bytes: usize) {
        if self.head_at != HeadAt::Taken || !self.life.is_live() {
            return;
        }
        let bytes = max_bytes.min(self.out.len());
        self.out.move_to(into, bytes);
        if !self.is_fast() {
            self.out_shrank();
        }
    }

    /// As [`take_output`](Self::take_output), but whether or not the head was taken: for an edge
    /// that gives body and head on together, and until then can still answer otherwise. If a local
    /// reply takes the place of the message, what was taken is not to be used.
    pub fn take_body(&mut self, into: &mut BodyBuf, max_bytes: usize) {
        if !self.life.is_live() {
            return;
        }
        let bytes = max_bytes.min(self.out.len());
        self.out.move_to(into, bytes);
        if !self.is_fast() {
            self.out_shrank();
        }
    }

    /// Does the work that is left, and looks for stalls (rule I8), without giving anything out: for
    /// an edge that leaves the head here while it takes body.
    pub fn handle_work(&mut self) {
        if !self.life.is_live() {
            return;
        }
        if self.work != Work::Done {
            self.guarded(Self::drive);
        }
        if self.life.is_live() && self.work == Work::Done {
            self.check_stall();
            if self.work != Work::Done {
                self.guarded(Self::drive);
            }
        }
    }

    /// Whether the head has passed the last filter.
    #[must_use]
    pub fn head_has_passed(&self) -> bool {
        matches!(self.head_at, HeadAt::Output | HeadAt::Taken)
    }

    /// The head, between the last filter and who takes it: what the filters have made of it.
    #[must_use]
    pub fn passed_head(&self) -> Option<&H> {
        matches!(self.head_at, HeadAt::Output).then(|| self.lobby.head()).flatten()
    }

    /// Whether the end, with or without trailers, has passed the last filter; what goes before it
    /// may still lie in the output queue.
    #[must_use]
    pub fn end_has_passed(&self) -> bool {
        matches!(self.tail_at, TailAt::Output | TailAt::Taken)
    }

    #[inline(never)]
    fn poll_slow(&mut self) -> Option<Output<H>> {
        if self.life.is_live() && !self.has_output() {
            if self.work != Work::Done {
                self.guarded(Self::drive);
            }
            if self.life.is_live() && self.work == Work::Done && !self.has_output() {
                self.check_stall();
                if self.work != Work::Done {
                    // A route had an answer to it.
                    self.guarded(Self::drive);
                }
            }
        }
        self.give()
    }

    /// Whether a message that goes on has something to give out.
    fn has_output(&self) -> bool {
        match self.head_at {
            HeadAt::Taken => !self.out.is_empty() || self.tail_at == TailAt::Output,
            HeadAt::Output => true,
            HeadAt::Awaited | HeadAt::Entrance | HeadAt::Station { .. } => {
                self.lobby.has_informational()
            }
        }
    }

    /// Gives out what is there.
    fn give(&mut self) -> Option<Output<H>> {
        if let Some(parting) = self.life.take_parting() {
            return Some(parting);
        }
        if !self.life.is_live() {
            return None;
        }
        if self.head_at != HeadAt::Taken
            && let Some(head) = self.lobby.pop_informational()
        {
            return Some(Output::Informational(head));
        }
        if self.head_at == HeadAt::Output {
            return self.give_head();
        }
        if let Some(data) = self.poll_data() {
            return Some(Output::Data(data));
        }
        if self.tail_at == TailAt::Output && self.head_at == HeadAt::Taken {
            self.tail_at = TailAt::Taken;
            let output = match self.lobby.take_trailers() {
                Some(trailers) => Output::Trailers(trailers),
                None => Output::End,
            };
            self.complete();
            return Some(output);
        }
        None
    }

    fn give_head(&mut self) -> Option<Output<H>> {
        let head = self.lobby.take_head()?;
        let end_of_stream = self.head_goes();
        Some(Output::Head { head, end_of_stream })
    }

    /// Whether the next output is the head of the message itself.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn head_is_next(&self) -> bool {
        self.life.is_live()
            && self.head_at == HeadAt::Output
            && !self.desk.facts.local_reply
            && !self.lobby.has_informational()
    }

    /// The head, between the last filter and who takes it.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn passed_head_mut(&mut self) -> Option<&mut H> {
        if self.head_at == HeadAt::Output { self.lobby.head_mut() } else { None }
    }

    /// The head, which [is next](Self::head_is_next), has been looked at where it stands, and goes
    /// no further. Answers whether the end went with it.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn drop_head(&mut self) -> bool {
        self.lobby.drop_head();
        self.head_goes()
    }

    /// The sink has the head. Answers whether it has the end with it.
    fn head_goes(&mut self) -> bool {
        self.head_at = HeadAt::Taken;
        self.taken_route();
        if self.upkeep == Upkeep::Fresh {
            self.lobby.shut();
            self.stations.park();
        }
        let end_of_stream = self.end_is_next();
        if end_of_stream {
            self.tail_at = TailAt::Taken;
            self.complete();
        }
        self.refresh();
        end_of_stream
    }

    /// Whether the head has gone and nothing but a plain end is left to give out.
    pub(super) fn end_is_next(&self) -> bool {
        self.head_at == HeadAt::Taken
            && self.out.is_empty()
            && self.tail_at == TailAt::Output
            && !self.lobby.has_trailers()
    }

    /// Whether the sink has everything but a plain end: no data, no trailers and no error can
    /// follow. What [`http_body::Body::is_end_stream`] wants to know.
    ///
    /// [`http_body::Body::is_end_stream`]: https://docs.rs/http-body/1/http_body/trait.Body.html
    #[must_use]
    pub fn is_end_stream(&self) -> bool {
        if self.life.is_live() { self.end_is_next() } else { self.life.is_over_cleanly() }
    }

    /// Whether the sink has taken the head.
    #[must_use]
    pub fn head_was_taken(&self) -> bool {
        self.head_at == HeadAt::Taken
    }

    /// How many bytes the sink has yet to be given, if the head that left declared a length; what a
    /// message that was cut short owes, it will never get. For a message that may have no body, 0.
    #[must_use]
    pub fn remaining_bytes(&self) -> Option<u64> {
        if !matches!(self.head_at, HeadAt::Output | HeadAt::Taken) {
            return None;
        }
        match self.lengths.exit {
            ExitLength::Open => None,
            ExitLength::Declared { bytes } => Some(bytes.saturating_sub(self.stats().output_bytes)),
            ExitLength::Bodiless => Some(0),
        }
    }

    /// Whether the head that left the chain forbids a body (RFC 9110, 6.4.1), or the edge said so.
    #[must_use]
    pub fn is_bodiless(&self) -> bool {
        self.lengths.exit == ExitLength::Bodiless
    }

    /// Whether the sink has all that the head declared, and no trailers are in hand: hyper drops a
    /// body there without asking for the end.
    pub(super) fn declared_length_was_taken(&self) -> bool {
        let trailers_in_hand = self.tail_at != TailAt::Awaited && self.lobby.has_trailers();
        self.head_at == HeadAt::Taken && !trailers_in_hand && self.remaining_bytes() == Some(0)
    }
}

/// Reads `content-length`: digits only, all values equal (RFC 9110, section 8.6).
pub(super) fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, ()> {
    let mut declared = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        for part in value.as_bytes().split(|&byte| byte == b',') {
            let length = parse_length(part.trim_ascii())?;
            if declared.is_some_and(|known| known != length) {
                return Err(());
            }
            declared = Some(length);
        }
    }
    Ok(declared)
}

fn parse_length(digits: &[u8]) -> Result<u64, ()> {
    if digits.is_empty() {
        return Err(());
    }
    digits.iter().try_fold(0u64, |length, digit| {
        if !digit.is_ascii_digit() {
            return Err(());
        }
        length
            .checked_mul(10)
            .and_then(|length| length.checked_add(u64::from(digit - b'0')))
            .ok_or(())
    })
}

/// Puts what is in transit behind what waits for the sink; answers how much of it was copied, in
/// bytes. Not inlined: the same for chains of both directions.
#[inline(never)]
fn queue_up(transit: &mut BodyBuf, out: &mut BodyBuf) -> usize {
    if out.is_empty() {
        out.append(transit);
        // Copies nothing, unless a filter has cut the piece to shreds.
        out.settle()
    } else {
        // The sink is slow: these bytes come to rest.
        out.append_at_rest(transit)
    }
}
