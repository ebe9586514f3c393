//! Heads of frames, and heads and trailers of messages.

use bytes::{Buf, BytesMut};
use http::StatusCode;

use super::Event;
use super::block::{Block, BlockOf};
use super::closed::By;
use super::going::Going;
use super::protocol::{Protocol, Step};
use super::reading::Reading;
use super::request_head::{Fault, Fields};
use super::stream::Remote;
use crate::http2::frame::{Flags, FrameHead, Kind};
use crate::http2::{Broken, Reason};
use crate::limits::{MAX_HEADER_BLOCK_BYTES, MAX_SETTINGS_FRAME_BYTES};

/// What a client says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Protocol {
    pub(super) fn read_preface(&mut self, input: &mut BytesMut) -> Result<Step, Broken> {
        let here = input.len().min(PREFACE.len());
        if input[..here] != PREFACE[..here] {
            return Err(Broken::protocol("not the preface of HTTP/2"));
        }
        if here < PREFACE.len() {
            return Ok(Step::More);
        }
        input.advance(here);
        self.reading = Reading::First;
        Ok(Step::On)
    }

    pub(super) fn read_first(&mut self, input: &mut BytesMut) -> Result<Step, Broken> {
        match frame_head(input) {
            None => Ok(Step::More),
            Some(head) if head.kind == Kind::Settings && !head.flags.has(Flags::ACK) => {
                self.read_frame_head(input)
            }
            Some(_) => Err(Broken::protocol("SETTINGS is what comes first")),
        }
    }

    pub(super) fn read_frame_head(&mut self, input: &mut BytesMut) -> Result<Step, Broken> {
        let Some(head) = frame_head(input) else { return Ok(Step::More) };
        if head.len > self.settings.max_frame_bytes {
            return Err(Broken::frame_size("a frame above SETTINGS_MAX_FRAME_SIZE"));
        }
        if let Some(block) = &self.block
            && (head.kind != Kind::Continuation || head.stream != block.stream)
        {
            return Err(Broken::protocol("a frame in the midst of a block of fields"));
        }
        let max_bytes = match head.kind {
            Kind::Data => return self.read_data_head(head, input),
            Kind::Unknown(_) => {
                input.advance(FrameHead::BYTES);
                self.reading = Reading::Skip { left: head.len };
                return Ok(Step::On);
            }
            Kind::PushPromise => return Err(Broken::protocol("a client that pushes")),
            Kind::GoAway => return self.read_go_away(head, input),
            Kind::Headers | Kind::Continuation => MAX_HEADER_BLOCK_BYTES,
            Kind::Settings => MAX_SETTINGS_FRAME_BYTES,
            Kind::Priority | Kind::ResetStream | Kind::Ping | Kind::WindowUpdate => 8,
        };
        if head.len as usize > max_bytes {
            return Err(match head.kind {
                Kind::Headers | Kind::Continuation => Broken::calm("a block of fields too long"),
                Kind::Settings => Broken::calm("SETTINGS too long"),
                _ => Broken::frame_size("a frame longer than its kind is"),
            });
        }
        input.advance(FrameHead::BYTES);
        self.reading = Reading::Whole(head);
        Ok(Step::On)
    }

    /// A frame whose payload is taken as a whole.
    pub(super) fn read_whole(
        &mut self,
        head: FrameHead,
        input: &mut BytesMut,
    ) -> Result<Step, Broken> {
        let len = head.len as usize;
        let Some(payload) = input.get(..len) else { return Ok(Step::More) };
        self.reading = Reading::Head;
        let step = match head.kind {
            Kind::Headers => self.read_headers(head, payload),
            Kind::Continuation => self.read_continuation(head, payload),
            _ => self.read_control(head, payload),
        };
        input.advance(len);
        step
    }

    fn read_headers(&mut self, head: FrameHead, payload: &[u8]) -> Result<Step, Broken> {
        let fragment = fragment(head.flags, payload)?;
        let ends = head.flags.has(Flags::END_STREAM);
        let of = self.block_of(head.stream)?;
        let block = Block { stream: head.stream, of, ends, bytes: Vec::new(), cost: 0 };
        self.read_fragment(head, fragment, block)
    }

    fn read_continuation(&mut self, head: FrameHead, payload: &[u8]) -> Result<Step, Broken> {
        let Some(block) = self.block.take() else {
            return Err(Broken::protocol("CONTINUATION of nothing"));
        };
        self.read_fragment(head, payload, block)
    }

    /// A part of `block`, perhaps the last one.
    fn read_fragment(
        &mut self,
        head: FrameHead,
        fragment: &[u8],
        mut block: Block,
    ) -> Result<Step, Broken> {
        // Frames of nothing are something as well.
        block.cost += FrameHead::BYTES + fragment.len();
        if block.cost > MAX_HEADER_BLOCK_BYTES {
            return Err(Broken::calm("a block of fields too long"));
        }
        let is_whole = head.flags.has(Flags::END_HEADERS);
        if is_whole && block.bytes.is_empty() {
            return self.read_block(&block, fragment);
        }
        block.bytes.extend_from_slice(fragment);
        if is_whole {
            return self.read_block(&block, &block.bytes);
        }
        self.block = Some(block);
        Ok(Step::On)
    }

    /// Whose head it is.
    fn block_of(&mut self, id: u32) -> Result<BlockOf, Broken> {
        if id.is_multiple_of(2) {
            return Err(Broken::protocol("HEADERS of a stream that a client cannot open"));
        }
        if let Some(slot) = self.streams.slot(id) {
            return Ok(BlockOf::Trailers { slot });
        }
        if !self.is_idle(id) {
            return match self.closed.by(id) {
                Some(By::Us) => Ok(BlockOf::Nobody),
                Some(By::Peer) => {
                    let what = "HEADERS of a stream that is closed";
                    Err(Broken::new(Reason::STREAM_CLOSED, what))
                }
                // It may have been closed long ago, or never opened.
                None => Err(Broken::protocol("HEADERS of a stream below others")),
            };
        }
        self.streams.use_up(id);
        if let Going::Leaving { .. } = self.going {
            self.closed.remember(id, By::Us);
            return Ok(BlockOf::Nobody);
        }
        let is_full = self.streams.live() >= self.settings.max_streams as usize;
        Ok(if is_full { BlockOf::Refused } else { BlockOf::Request })
    }

    fn read_block(&mut self, block: &Block, bytes: &[u8]) -> Result<Step, Broken> {
        if let BlockOf::Request = block.of {
            return self.read_request(block, bytes);
        }
        let fields = self.read_fields(bytes)?;
        match block.of {
            BlockOf::Trailers { slot } => self.read_trailers(block, slot, fields),
            BlockOf::Refused => {
                self.write_reset(block.stream, Reason::REFUSED_STREAM);
                self.end_unopened(block);
                self.spoil().map(|()| Step::On)
            }
            BlockOf::Request | BlockOf::Nobody => {
                if block.ends {
                    self.closed.ended_by_peer(block.stream);
                }
                Ok(Step::On)
            }
        }
    }

    fn read_fields(&mut self, bytes: &[u8]) -> Result<Fields, Broken> {
        let mut fields = Fields::new();
        match self.decoder.decode(bytes, |field, bytes| fields.add(field, bytes)) {
            Ok(()) => Ok(fields),
            Err(_) => {
                let what = "a block of fields that cannot be read";
                Err(Broken::new(Reason::COMPRESSION_ERROR, what))
            }
        }
    }

    fn read_request(&mut self, block: &Block, bytes: &[u8]) -> Result<Step, Broken> {
        let changes = self.decoder.table_changes();
        let body_bytes = if let Some(head) = self.last_head.get(bytes, changes) {
            self.request = Some(head.request.clone());
            head.body_bytes
        } else {
            match self.read_fields(bytes)?.into_request(&mut self.last_target) {
                Ok(head) => {
                    // Else it could never be met again.
                    if changes == self.decoder.table_changes() {
                        self.last_head.remember(bytes, changes, &head);
                    }
                    self.request = Some(head.request);
                    head.body_bytes
                }
                Err(fault) => return self.refuse(block, fault),
            }
        };
        if block.ends && body_bytes.is_some_and(|bytes| bytes > 0) {
            self.request = None;
            return self.refuse(block, Fault::Malformed);
        }
        let remote = if block.ends { Remote::Ended } else { Remote::Open { left: body_bytes } };
        let slot = self.streams.open(self.new_stream(block.stream, remote));
        Ok(Step::Event(Event::Request { slot, ends: block.ends }))
    }

    /// There is no stream for this head.
    #[cold]
    fn refuse(&mut self, block: &Block, fault: Fault) -> Result<Step, Broken> {
        match fault {
            Fault::TooLong => {
                self.write_refusal(block.stream, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
                if !block.ends {
                    self.write_reset(block.stream, Reason::NO_ERROR);
                }
            }
            Fault::Malformed => self.write_reset(block.stream, Reason::PROTOCOL_ERROR),
        }
        self.end_unopened(block);
        self.spoil().map(|()| Step::On)
    }

    /// A stream that never was one: what is under way on it may still come.
    fn end_unopened(&mut self, block: &Block) {
        self.closed.remember(block.stream, if block.ends { By::Peer } else { By::Us });
    }

    fn read_trailers(
        &mut self,
        block: &Block,
        slot: usize,
        fields: Fields,
    ) -> Result<Step, Broken> {
        let Some(stream) = self.streams.get_mut(slot) else { return Ok(Step::On) };
        let reason = match stream.remote {
            Remote::Ended => Reason::STREAM_CLOSED,
            // Trailers end their stream, and a body is as long as its head says.
            Remote::Open { left } if !block.ends || left.is_some_and(|left| left > 0) => {
                Reason::PROTOCOL_ERROR
            }
            Remote::Open { .. } => match fields.into_trailers() {
                Ok(trailers) => {
                    stream.remote = Remote::Ended;
                    let trailers = Box::new(trailers);
                    return Ok(Step::Event(Event::Trailers { slot, trailers }));
                }
                Err(Fault::Malformed) => Reason::PROTOCOL_ERROR,
                Err(Fault::TooLong) => Reason::ENHANCE_YOUR_CALM,
            },
        };
        if block.ends {
            stream.remote = Remote::Ended;
        }
        self.spoil_stream(slot, reason).map(Step::Event)
    }

    /// Whether there has never been a stream of that number.
    pub(super) fn is_idle(&self, id: u32) -> bool {
        id.is_multiple_of(2) || id > self.streams.last()
    }

    /// Whether what comes on a stream that is closed means nothing, as the peer may not know.
    pub(super) fn is_ignored(&self, id: u32) -> bool {
        self.closed.by(id) == Some(By::Us)
    }
}

/// The head of a frame, if it is there.
fn frame_head(input: &BytesMut) -> Option<FrameHead> {
    input.first_chunk().map(|&bytes| FrameHead::read(bytes))
}

/// A block of fields, or the beginning of one, without what may stand around it in HEADERS.
fn fragment(flags: Flags, payload: &[u8]) -> Result<&[u8], Broken> {
    const CUT: Broken = Broken::frame_size("HEADERS that is shorter than its flags say");
    let (padding, rest) = if flags.has(Flags::PADDED) {
        let (&padding, rest) = payload.split_first().ok_or(CUT)?;
        (usize::from(padding), rest)
    } else {
        (0, payload)
    };
    // A priority: whose child the stream is, and its weight. They mean nothing (section 5.3.2).
    let rest = if flags.has(Flags::PRIORITY) { rest.get(5..).ok_or(CUT)? } else { rest };
    let len = rest.len().checked_sub(padding);
    let len = len.ok_or(Broken::protocol("padding that is longer than its frame"))?;
    Ok(&rest[..len])
}
