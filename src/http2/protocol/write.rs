//! What is sent on a stream.

use bytes::Buf;
use http::{HeaderMap, StatusCode};

use super::protocol::Protocol;
use super::request_head::is_of_connection;
use super::stream::{Local, Remote};
use crate::http2::Reason;
use crate::http2::frame::{self, Flags, FrameHead, Kind};
use crate::http2::hpack::{encode_field, encode_status};
use crate::limits::MIN_LENT_BYTES;
use crate::socket::WriteQueue;

impl Protocol {
    /// Sends the head of a response. Nothing, if the stream is closed.
    pub(in crate::http2) fn send_head(
        &mut self,
        slot: usize,
        status: StatusCode,
        fields: &HeaderMap,
        ends: bool,
    ) {
        let Some(stream) = self.streams.get_mut(slot) else { return };
        let id = stream.id;
        stream.local = Local::Begun;
        encode_status(&mut self.scratch, status);
        self.write_fields(id, fields, ends);
    }

    /// Sends what ends a response behind its body.
    pub(in crate::http2) fn send_trailers(&mut self, slot: usize, fields: &HeaderMap) {
        let Some(stream) = self.streams.get(slot) else { return };
        let id = stream.id;
        self.write_fields(id, fields, true);
    }

    /// How much of a body may be sent on a stream in one frame now, in bytes.
    pub(in crate::http2) fn room(&self, slot: usize) -> usize {
        let of_stream = self.streams.get(slot).map_or(0, |stream| stream.send.room());
        of_stream.min(self.send.room()).min(self.peer.max_frame_bytes as usize)
    }

    /// Sends the first `bytes` of `data` in one frame: there is [room](Self::room) for them.
    /// Answers whether `data` had them; if not, nothing is sent.
    #[must_use]
    pub(in crate::http2) fn send_data(
        &mut self,
        slot: usize,
        data: &mut impl Buf,
        bytes: usize,
        ends: bool,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(slot) else { return true };
        let len = frame::bytes(bytes);
        let flags = Flags::when(ends, Flags::END_STREAM);
        let head = FrameHead { len, kind: Kind::Data, flags, stream: stream.id };
        let is_whole = self.output.whole(|output| {
            output.copy(&head.write());
            take(output, data, bytes)
        });
        if is_whole {
            stream.send.take(len);
            self.send.take(len);
        }
        is_whole
    }

    /// A whole answer without a body, on a stream that is none.
    pub(super) fn write_refusal(&mut self, id: u32, status: StatusCode) {
        encode_status(&mut self.scratch, status);
        self.write_fields(id, &HeaderMap::new(), true);
    }

    /// Writes a block of fields: what lies encoded, and `fields` but those of one hop of HTTP/1,
    /// which services that know HTTP/1 may have set.
    fn write_fields(&mut self, id: u32, fields: &HeaderMap, ends: bool) {
        let mut block = core::mem::take(&mut self.scratch);
        for (name, value) in fields {
            if !is_of_connection(name, value) {
                encode_field(&mut block, name, value);
            }
        }
        let mut kind = Kind::Headers;
        let mut flags = Flags::when(ends, Flags::END_STREAM);
        let mut left = &block[..];
        loop {
            let here = left.len().min(self.peer.max_frame_bytes as usize);
            let (fragment, rest) = left.split_at(here);
            let is_last = rest.is_empty();
            let all = flags.and(Flags::when(is_last, Flags::END_HEADERS));
            self.write_frame(kind, all, id, fragment);
            if is_last {
                break;
            }
            (left, kind, flags) = (rest, Kind::Continuation, Flags::NONE);
        }
        block.clear();
        self.scratch = block;
    }

    /// Closes a stream whose response is sent, and whose request nobody reads any more: one that is
    /// still coming need not (RFC 9113, section 8.1). The slot is free.
    pub(in crate::http2) fn finish(&mut self, slot: usize) {
        if let Some(stream) = self.streams.close(slot) {
            self.complete();
            if let Remote::Open { .. } = stream.remote {
                self.write_reset(stream.id, Reason::NO_ERROR);
            }
            self.remember_closed(&stream);
        }
        self.streams.free(slot);
    }
}

/// Moves `bytes` of `data` into `output`. Answers whether there were so many.
fn take(output: &mut WriteQueue, data: &mut impl Buf, bytes: usize) -> bool {
    let mut left = bytes;
    while left > 0 {
        let chunk = data.chunk();
        let here = chunk.len().min(left);
        if here == 0 {
            return false;
        }
        if here < MIN_LENT_BYTES {
            output.copy(&chunk[..here]);
            data.advance(here);
        } else {
            output.segment(data.copy_to_bytes(here));
        }
        left -= here;
    }
    true
}
