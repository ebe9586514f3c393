//! What comes in from the source and from outside.

use bytes::Bytes;
use http::HeaderMap;

use super::input_error::InputError;
use super::position::{HeadAt, TailAt};
use super::traits::Sight;
use super::{Chain, Source, leave};
use crate::error::{Error, ErrorKind, Timeout};
use crate::filter::{Capability, Head, LocalReply};
use crate::frame::Outcome;
use crate::resume::ResumeSet;
use crate::unwind::drop_contained;

impl<H: Head> Chain<H> {
    /// The head of the message. `end_of_stream`: nothing follows it.
    ///
    /// # Errors
    ///
    /// [`InputError::OutOfOrder`] if there was a head before (a local reply has one too);
    /// [`InputError::Ended`] if the message is over.
    pub fn handle_head(&mut self, head: H, end_of_stream: bool) -> Result<(), InputError> {
        if !self.life.is_live() {
            return Err(InputError::Ended);
        }
        if self.head_at != HeadAt::Awaited {
            return Err(InputError::OutOfOrder);
        }
        if self.place_head(head) {
            if end_of_stream {
                self.tail_at = TailAt::Entrance;
            }
            self.guarded(|chain| {
                if chain.check_input_length() {
                    chain.enter_head();
                    chain.drive_rest();
                }
            });
        }
        Ok(())
    }

    /// Puts a head at the entrance; answers whether the message goes on.
    pub(super) fn place_head(&mut self, head: H) -> bool {
        if head.is_informational() {
            self.fail(Error::new(ErrorKind::NotFinal, H::PEER));
            return false;
        }
        self.desk.facts.bodiless = self.bodiless_by_edge || head.forbids_body();
        self.desk.facts.declared_bytes = None;
        self.grant_trailers();
        if !self.desk.facts.bodiless {
            match leave::declared_length(head.headers()) {
                Ok(declared) => self.desk.facts.declared_bytes = declared,
                Err(()) => {
                    self.fail(Error::new(ErrorKind::LengthInvalid, H::PEER));
                    return false;
                }
            }
        }
        self.lobby.put_head(head);
        self.head_at = HeadAt::Entrance;
        true
    }

    /// No trailers can be added behind no body: the end is an ordinary end then.
    pub(super) fn grant_trailers(&mut self) {
        let may_add = !self.desk.facts.bodiless && self.desk.edge_has(Capability::AddTrailers);
        let adders = self.plan.masks.adders & !self.skipped();
        self.stations.adder = if may_add { adders } else { 0 };
    }

    /// A piece of body, and with `end_of_stream` the end directly behind it.
    ///
    /// # Errors
    ///
    /// [`InputError::NotWanted`] gives the bytes back, if the source was told to wait and a frame
    /// is waiting already (ruling 12); [`InputError::Ended`] and [`InputError::OutOfOrder`] for
    /// data that cannot be. The message is untouched.
    #[inline]
    pub fn handle_data(&mut self, data: Bytes, end_of_stream: bool) -> Result<(), InputError> {
        let len = data.len();
        // Of no bytes it is one less than none: as large as can be.
        if len.wrapping_sub(1) < self.fast_chunk_bytes && !end_of_stream && self.out.is_vacant() {
            let input_bytes = self.input_bytes + len as u64;
            if input_bytes <= self.fast_limit_bytes {
                self.input_bytes = input_bytes;
                self.pass(data);
                return Ok(());
            }
        }
        self.handle_data_slow(data, end_of_stream)
    }

    #[cold]
    #[inline(never)]
    fn handle_data_slow(&mut self, data: Bytes, end_of_stream: bool) -> Result<(), InputError> {
        if let Err(error) = self.check_input() {
            drop_contained(data);
            return Err(error);
        }
        let len = data.len() as u64;
        let waits = self.lobby.entrance_len() != 0;
        if len != 0 && waits && self.source == Source::Running && !self.wants_input() {
            return Err(InputError::NotWanted(data));
        }
        // Not of what was given back: that comes again.
        if self.routing.is_some()
            && let Some(meter) = self.desk.meter_mut()
        {
            meter.slow_input(len);
        }
        if self.source == Source::Stopped {
            self.input_bytes += len;
            self.stations.stats.discarded_bytes += len;
            drop_contained(data);
            return Ok(());
        }
        self.input_bytes += len;
        if end_of_stream {
            self.tail_at = TailAt::Entrance;
        }
        self.guarded(|chain| {
            if !chain.check_input_length() {
                chain.stations.stats.discarded_bytes += len;
                return drop_contained(data);
            }
            // Straight into the wave, if nothing is in the way.
            if len != 0
                && data.len() <= chain.plan.max_frame_bytes
                && chain.lobby.entrance_len() == 0
                && !chain.is_over()
                && !chain.work_is_left_before_entrance()
            {
                chain.lobby.transit().push(data);
                chain.wave(chain.stations.entrance_at, end_of_stream);
                chain.drive_rest();
            } else {
                chain.lobby.entrance().push(data);
                chain.drive();
            }
        });
        Ok(())
    }

    /// The end, without trailers.
    ///
    /// # Errors
    ///
    /// [`InputError`] if the input has ended before, or before the head.
    pub fn handle_end(&mut self) -> Result<(), InputError> {
        self.handle_tail(None)
    }

    /// The trailers, and with them the end. An empty map is a plain end.
    ///
    /// # Errors
    ///
    /// [`InputError`] if the input has ended before, or before the head.
    pub fn handle_trailers(&mut self, trailers: HeaderMap) -> Result<(), InputError> {
        self.handle_tail(Some(trailers).filter(|trailers| !trailers.is_empty()))
    }

    fn handle_tail(&mut self, trailers: Option<HeaderMap>) -> Result<(), InputError> {
        if let Err(error) = self.check_input() {
            drop_contained(trailers);
            return Err(error);
        }
        if self.source == Source::Stopped {
            drop_contained(trailers);
            return Ok(());
        }
        self.lobby.put_trailers(trailers);
        self.tail_at = TailAt::Entrance;
        let was_fast = self.is_fast();
        self.guarded(|chain| {
            if chain.check_input_length() {
                // Straight into the wave, if nothing is in the way.
                if was_fast {
                    chain.wave(chain.stations.entrance_at, true);
                    chain.drive_rest();
                } else {
                    chain.drive();
                }
            }
        });
        Ok(())
    }

    /// Asks the filter of station `station` again, as its handle would. Does nothing if its output
    /// has ended, or it has not been started.
    pub fn handle_resume(&mut self, station: usize) {
        if station < self.len() {
            self.resume_stations(1u64 << station);
        }
    }

    /// Takes the resumes that handles have queued, and asks those filters. Register the task's
    /// waker with [`resume_set`](Self::resume_set) before.
    pub fn handle_resumes(&mut self) {
        let pending = self.desk.resumes().map_or(0, ResumeSet::take_pending);
        if pending != 0 {
            self.resume_stations(pending);
        }
    }

    fn resume_stations(&mut self, mask: u64) {
        let mask = mask & self.stations.started & !self.stations.ended;
        if mask != 0 && self.life.is_live() {
            if mask.is_power_of_two() && self.holds_one_piece(mask.trailing_zeros() as usize) {
                return self.resume_piece(mask.trailing_zeros() as usize);
            }
            self.stations.resumed |= mask;
            self.guarded(Self::drive);
        }
    }

    /// A local reply from outside this chain (architecture.md, section 4). A request chain is
    /// replaced by it and gives it back as [`Output::Reply`](super::Output::Reply).
    pub fn handle_reply(&mut self, reply: LocalReply) {
        if self.life.is_live() && !self.completes_if_all_was_given() {
            self.guarded(|chain| {
                chain.reply_from_outside(reply);
                chain.drive();
            });
        }
    }

    /// The source failed. Means nothing once the input has ended or was stopped.
    pub fn handle_reset(&mut self, error: Error) {
        if self.life.is_live() && self.tail_at == TailAt::Awaited && self.source == Source::Running
        {
            self.fail_with(Outcome::Reset(error.clone()), error);
            self.refresh();
        }
    }

    /// A clock of the edge ran out: the message fails.
    pub fn handle_timeout(&mut self, timeout: Timeout) {
        if self.life.is_live() && !self.completes_if_all_was_given() {
            let error = Error::new(ErrorKind::TimedOut(timeout), crate::error::Origin::Internal);
            self.fail_with(Outcome::TimedOut(error.clone()), error);
            self.refresh();
        }
    }

    /// The edge cuts the message off, whatever stage it is in: its end cannot be taken for
    /// complete. Nothing, if all was given out.
    pub fn abort(&mut self, error: Error) {
        if self.life.is_live() && !self.completes_if_all_was_given() {
            self.give_up_route();
            self.cut_off(Outcome::Reset(error.clone()), error);
            self.refresh();
        }
    }

    /// As [`abort`](Self::abort), for a message whose rest nobody needs any more: one of which the
    /// sink has all that was declared is complete, as in [`cancel`](Self::cancel).
    pub(crate) fn stop(&mut self, error: Error) {
        if self.life.is_live() && self.declared_length_was_taken() {
            self.cancel();
        } else {
            self.abort(error);
        }
    }

    /// Whether more may come from the source than has come.
    pub(crate) fn source_has_more(&self) -> bool {
        self.tail_at == TailAt::Awaited && !self.input_stopped()
    }

    /// A message of which nothing but a plain end is left to give out has been told to be at its
    /// end ([`is_end_stream`](Self::is_end_stream)): it is complete, and cannot fail any more.
    fn completes_if_all_was_given(&mut self) -> bool {
        let all_given = self.end_is_next();
        if all_given {
            self.tail_at = TailAt::Taken;
            self.complete();
        }
        all_given
    }

    /// Whether data or an end may come now.
    fn check_input(&self) -> Result<(), InputError> {
        if !self.life.is_live() {
            return Err(InputError::Ended);
        }
        if self.source == Source::Stopped {
            return Ok(());
        }
        match (self.head_at, self.tail_at) {
            (HeadAt::Awaited, _) => Err(InputError::OutOfOrder),
            (_, TailAt::Awaited) => Ok(()),
            (_, _) => Err(InputError::Ended),
        }
    }

    /// Holds the source to the length it declared (rule I12); answers whether the message goes on.
    fn check_input_length(&mut self) -> bool {
        let got_bytes = self.input_bytes;
        let ended = self.tail_at != TailAt::Awaited;
        let kind = match self.declared_bytes() {
            _ if self.desk.facts.bodiless && got_bytes > 0 => ErrorKind::BodyForbidden,
            Some(declared_bytes) if got_bytes > declared_bytes => {
                ErrorKind::LengthExceeded { declared_bytes }
            }
            Some(declared_bytes) if ended && got_bytes < declared_bytes => {
                ErrorKind::LengthShort { declared_bytes, actual_bytes: got_bytes }
            }
            Some(_) | None => return true,
        };
        self.fail(Error::new(kind, H::PEER));
        false
    }

    /// What the head that entered holds the source to, in bytes.
    fn declared_bytes(&self) -> Option<u64> {
        match self.sight {
            Sight::Whole => self.desk.facts.declared_bytes,
            Sight::Partial => None,
        }
    }

    /// More input than this is a lie.
    pub(super) fn input_limit_bytes(&self) -> u64 {
        match self.declared_bytes() {
            _ if self.desk.facts.bodiless => 0,
            declared => declared.unwrap_or(u64::MAX),
        }
    }

    /// The head goes in at the entrance.
    pub(super) fn enter_head(&mut self) {
        let with_end = self.tail_at == TailAt::Entrance
            && self.lobby.entrance_len() == 0
            && !self.lobby.has_trailers();
        if let Some(first) = self.enter_route() {
            self.head_wave(first, with_end);
        }
    }

    /// Whether bytes or the tail can leave the entrance.
    pub(super) fn entrance_can_move(&self) -> bool {
        if matches!(self.head_at, HeadAt::Awaited | HeadAt::Entrance) {
            return false;
        }
        if self.lobby.entrance_len() == 0 {
            self.tail_at == TailAt::Entrance
        } else {
            !self.is_over_from(self.stations.entrance_at)
        }
    }

    /// A piece of what waits at the entrance goes in, and the tail if it stands directly behind.
    pub(super) fn enter_bytes(&mut self) {
        let piece = self.lobby.entrance_len().min(self.plan.max_frame_bytes);
        let (entrance, transit) = self.lobby.ways();
        entrance.move_to(transit, piece);
        let tail = self.lobby.entrance_len() == 0 && self.tail_at == TailAt::Entrance;
        self.wave(self.stations.entrance_at, tail);
    }

    fn work_is_left_before_entrance(&self) -> bool {
        self.head_at == HeadAt::Entrance || self.has_station_work()
    }
}
