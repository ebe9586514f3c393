//! The answers to the messages of one stream, encoded before: what both floors send.
//!
//! It trusts the client in everything: fields come in the order of their numbers, heads and
//! trailers are skipped unread, and nothing is checked, kept, or ever late.

use std::collections::VecDeque;
use std::mem;

use bytes::buf::Chain;
use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::scenario::Scenario;

/// Pieces of up to so many bytes are copied: that is less than a segment costs.
const COPIED_BYTES: usize = 4 * 1024;

/// What is being read.
pub(crate) struct Messages {
    place: Place,
    /// The number of the message's part.
    kind: u8,
}

/// Where the next byte belongs. `left`: of the message, in bytes.
enum Place {
    Prefix { read: u8, len: u32 },
    Kind { left: u32 },
    PartLen { left: u32 },
    BodyKey { left: u32 },
    BodyLen { left: u32, len: u32, shift: u32 },
    Body { left: u32, len: u32 },
    EndKey { left: u32 },
    End { left: u32 },
    Rest { left: u32, ends: bool },
}

impl Messages {
    pub(crate) fn new() -> Self {
        Self { place: Place::Prefix { read: 0, len: 0 }, kind: 0 }
    }

    pub(crate) fn read(&mut self, mut bytes: Bytes, output: &mut Output) {
        while bytes.has_remaining() || matches!(self.place, Place::Rest { left: 0, .. }) {
            self.place = match self.place {
                Place::Prefix { read, len } => match (read, len << 8 | u32::from(bytes.get_u8())) {
                    (4, left) => Place::Kind { left },
                    (read, len) => Place::Prefix { read: read + 1, len },
                },
                Place::Kind { left } => {
                    self.kind = bytes.get_u8() >> 3;
                    match self.kind {
                        4 | 5 => Place::PartLen { left: left - 1 },
                        _ => Place::Rest { left: left - 1, ends: false },
                    }
                }
                Place::PartLen { left } => match bytes.get_u8() {
                    byte if byte < 0x80 => Place::BodyKey { left: left - 1 },
                    _ => Place::PartLen { left: left - 1 },
                },
                Place::BodyKey { left } => match bytes.get_u8() {
                    0x0a => Place::BodyLen { left: left - 1, len: 0, shift: 0 },
                    _ => Place::End { left: left - 1 },
                },
                Place::BodyLen { left, len, shift } => {
                    let byte = bytes.get_u8();
                    let len = len | u32::from(byte & 0x7f) << shift;
                    let left = left - 1;
                    match byte {
                        0..0x80 => Place::Body { left: left - len, len },
                        _ => Place::BodyLen { left, len, shift: shift + 7 },
                    }
                }
                Place::Body { left, len } => {
                    let piece = bytes.split_to(bytes.len().min(len as usize));
                    let len = len - piece.len() as u32;
                    output.piece(self.kind, piece);
                    match (left, len) {
                        (0, 0) => Place::Rest { left, ends: false },
                        (_, 0) => Place::EndKey { left },
                        _ => Place::Body { left, len },
                    }
                }
                Place::EndKey { left } => match bytes.get_u8() {
                    0x10 => Place::End { left: left - 1 },
                    _ => Place::Rest { left: left - 1, ends: false },
                },
                Place::End { left } => Place::Rest { left: left - 1, ends: bytes.get_u8() != 0 },
                Place::Rest { left: 0, ends } => {
                    output.message(self.kind, ends);
                    Place::Prefix { read: 0, len: 0 }
                }
                Place::Rest { left, ends } => {
                    let skipped = bytes.len().min(left as usize);
                    bytes.advance(skipped);
                    Place::Rest { left: left - skipped as u32, ends }
                }
            };
        }
    }
}

/// What is to be sent.
pub(crate) struct Output {
    scenario: Scenario,
    /// Of the message under way.
    pieces: VecDeque<Bytes>,
    small: BytesMut,
    pub(crate) ready: VecDeque<Chain<Bytes, Bytes>>,
    pub(crate) progress: Progress,
}

#[derive(PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    /// All is answered.
    Ended,
    /// And said so.
    Over,
}

impl Output {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let (pieces, ready) = (VecDeque::new(), VecDeque::new());
        Self { scenario, pieces, small: BytesMut::new(), ready, progress: Progress::Open }
    }

    fn piece(&mut self, kind: u8, piece: Bytes) {
        match self.scenario {
            Scenario::Streamed | Scenario::Buffered => {}
            Scenario::Replaced => self.pieces.push_back(piece),
            Scenario::Duplex | Scenario::Small => {
                if let Some(before) = self.pieces.pop_front() {
                    self.streamed(kind, before, false);
                }
                self.pieces.push_back(piece);
            }
        }
    }

    /// A message is whole.
    fn message(&mut self, kind: u8, ends: bool) {
        // The part of the answer has the number of what it answers, less one.
        let part = (kind - 1) << 3 | 2;
        match (kind, self.scenario) {
            (4 | 5, Scenario::Duplex | Scenario::Small) => {
                let last = self.pieces.pop_front().unwrap_or_default();
                self.streamed(kind, last, ends);
            }
            (4 | 5, Scenario::Replaced) => self.replaced(part),
            (6 | 7, _) => self.small.put_slice(&[0, 0, 0, 0, 2, part, 0]),
            _ => self.small.put_slice(&[0, 0, 0, 0, 4, part, 2, 0x0a, 0]),
        }
        let last = if self.scenario == Scenario::Small { 5 } else { 4 };
        if ends && kind == last {
            self.progress = Progress::Ended;
        }
    }

    /// `streamed_response`, in four messages.
    fn streamed(&mut self, kind: u8, body: Bytes, ends: bool) {
        let end: &[u8] = if ends { &[0x10, 1] } else { &[] };
        // `end_of_stream` goes before the body, so that the body is the last.
        let mut lengths = [0; 4];
        let mut len = end.len() + 1 + varint_len(body.len()) + body.len();
        for place in &mut lengths {
            *place = len;
            len += 1 + varint_len(len);
        }
        self.small.put_u8(0);
        self.small.put_u32(len as u32);
        for (key, len) in
            [(kind - 1) << 3 | 2, 0x0a, 0x1a, 0x1a].into_iter().zip(lengths.into_iter().rev())
        {
            self.small.put_u8(key);
            put_varint(&mut self.small, len);
        }
        self.small.put_slice(end);
        self.small.put_u8(0x0a);
        put_varint(&mut self.small, body.len());
        self.put(body);
    }

    /// `body`, in three messages.
    fn replaced(&mut self, part: u8) {
        let bytes: usize = self.pieces.iter().map(Bytes::len).sum();
        let mut lengths = [0; 3];
        let mut len = 1 + varint_len(bytes) + bytes;
        for place in &mut lengths {
            *place = len;
            len += 1 + varint_len(len);
        }
        self.small.put_u8(0);
        self.small.put_u32(len as u32);
        for (key, len) in [part, 0x0a, 0x1a].into_iter().zip(lengths.into_iter().rev()) {
            self.small.put_u8(key);
            put_varint(&mut self.small, len);
        }
        self.small.put_u8(0x0a);
        put_varint(&mut self.small, bytes);
        for piece in mem::take(&mut self.pieces) {
            self.put(piece);
        }
    }

    fn put(&mut self, body: Bytes) {
        if body.len() <= COPIED_BYTES {
            self.small.put_slice(&body);
        } else {
            self.ready.push_back(self.small.split().freeze().chain(body));
        }
    }

    pub(crate) fn rest(&mut self) -> Option<Chain<Bytes, Bytes>> {
        let rest = self.small.split().freeze();
        (!rest.is_empty()).then(|| rest.chain(Bytes::new()))
    }
}

fn varint_len(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

fn put_varint(out: &mut BytesMut, mut value: usize) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}
