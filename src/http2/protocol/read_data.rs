//! Bodies, and what means nothing.

use bytes::{Buf, Bytes, BytesMut};

use super::Event;
use super::protocol::{Protocol, Step};
use super::reading::{DataPart, Reading};
use super::stream::Remote;
use crate::http2::frame::{Flags, FrameHead, bytes};
use crate::http2::{Broken, Reason};
use crate::limits::MIN_SLICED_BYTES;

/// The slot of a stream that is over: there is never one.
const NOWHERE: usize = usize::MAX;

impl Protocol {
    /// The head of a DATA frame, which is not taken out of `input` before the length of its padding
    /// is there.
    pub(super) fn read_data_head(
        &mut self,
        head: FrameHead,
        input: &mut BytesMut,
    ) -> Result<Step, Broken> {
        if head.stream == 0 {
            return Err(Broken::protocol("DATA of no stream"));
        }
        let padding = if head.flags.has(Flags::PADDED) {
            if head.len == 0 {
                return Err(Broken::frame_size("DATA without the length of its padding"));
            }
            let Some(&padding) = input.get(FrameHead::BYTES) else { return Ok(Step::More) };
            input.advance(FrameHead::BYTES + 1);
            Some(u32::from(padding))
        } else {
            input.advance(FrameHead::BYTES);
            None
        };
        let around = padding.map_or(0, |padding| padding + 1);
        if around > head.len {
            return Err(Broken::protocol("padding that is longer than its frame"));
        }
        if !self.receive.take(head.len) {
            return Err(Broken::flow_control("more than the window of the connection"));
        }
        let ends = head.flags.has(Flags::END_STREAM);
        let left = head.len - around;
        let part = DataPart {
            slot: NOWHERE,
            stream: head.stream,
            left,
            padding: padding.unwrap_or(0),
            ends,
        };
        let slot = match self.enter_data(&head, left, ends)? {
            Entered::Slot(slot) => slot,
            Entered::Nobody => {
                self.release_connection(around);
                self.reading = part.reading();
                return Ok(Step::On);
            }
            Entered::Spoilt { slot, reason } => {
                self.release_connection(around);
                self.reading = part.reading();
                return self.spoil_stream(slot, reason).map(Step::Event);
            }
        };
        self.release(slot, around as usize);
        self.reading = DataPart { slot, ..part }.reading();
        if left == 0 && ends {
            return Ok(Step::Event(Event::Data { slot, bytes: Bytes::new(), ends }));
        }
        Ok(Step::On)
    }

    /// Whose body it is.
    fn enter_data(&mut self, head: &FrameHead, body: u32, ends: bool) -> Result<Entered, Broken> {
        let Some(slot) = self.streams.slot(head.stream) else {
            if self.is_idle(head.stream) {
                return Err(Broken::protocol("DATA of a stream that was never opened"));
            }
            if !self.is_ignored(head.stream) {
                let what = "DATA of a stream that is closed";
                return Err(Broken::new(Reason::STREAM_CLOSED, what));
            }
            if ends {
                self.closed.ended_by_peer(head.stream);
            }
            return Ok(Entered::Nobody);
        };
        let Some(stream) = self.streams.get_mut(slot) else { return Ok(Entered::Nobody) };
        let Remote::Open { left } = &mut stream.remote else {
            return Ok(Entered::Spoilt { slot, reason: Reason::STREAM_CLOSED });
        };
        if !stream.receive.take(head.len) {
            return Ok(Entered::Spoilt { slot, reason: Reason::FLOW_CONTROL_ERROR });
        }
        if let Some(left) = left {
            let rest = left.checked_sub(body.into());
            match rest {
                Some(rest) if !ends || rest == 0 => *left = rest,
                // A body of another length than its head says (RFC 9113, section 8.1.1).
                Some(_) | None => {
                    return Ok(Entered::Spoilt { slot, reason: Reason::PROTOCOL_ERROR });
                }
            }
        }
        if ends {
            stream.remote = Remote::Ended;
        }
        Ok(Entered::Slot(slot))
    }

    /// The next piece of a body: a slice of `input`, if it is not so short that it would keep much
    /// more alive than it is.
    pub(super) fn read_data(&mut self, input: &mut BytesMut) -> Step {
        let Reading::Data(part) = &mut self.reading else { return Step::On };
        let here = input.len().min(part.left as usize);
        if here == 0 {
            return Step::More;
        }
        part.left -= bytes(here);
        let (slot, ends) = (part.slot, part.ends && part.left == 0);
        let is_live = self.streams.get(slot).is_some_and(|stream| stream.id == part.stream);
        if part.left == 0 {
            self.reading = Reading::padding(part.padding);
        }
        if !is_live {
            input.advance(here);
            self.release_connection(bytes(here));
            return Step::On;
        }
        let piece = if here < MIN_SLICED_BYTES {
            let piece = Bytes::copy_from_slice(&input[..here]);
            input.advance(here);
            piece
        } else {
            input.split_to(here).freeze()
        };
        Step::Event(Event::Data { slot, bytes: piece, ends })
    }

    /// Bytes that mean nothing.
    pub(super) fn skip(&mut self, left: u32, input: &mut BytesMut) -> Step {
        let here = input.len().min(left as usize);
        input.advance(here);
        match left - bytes(here) {
            0 => {
                self.reading = Reading::Head;
                Step::On
            }
            left => {
                self.reading = Reading::Skip { left };
                Step::More
            }
        }
    }
}

/// Where a body goes.
enum Entered {
    Slot(usize),
    /// Its stream is over, and what was under way may still come.
    Nobody,
    /// It ends its stream.
    Spoilt {
        slot: usize,
        reason: Reason,
    },
}
