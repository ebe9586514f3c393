use std::collections::{BTreeMap, BTreeSet};

use super::frame::{self, Frame, HEAD_BYTES};

/// What the connection has taken out of its input, read again: what it may send by that.
pub(crate) struct Heard {
    bytes: Vec<u8>,
    /// How much comes that is no frame's head, in bytes.
    skip: usize,
    /// What the peer has said of its windows and frames, in bytes.
    pub(super) initial_window: i64,
    pub(super) max_frame: usize,
    /// By how much it has let windows grow, by stream; 0 is the connection.
    pub(super) grown: BTreeMap<u32, i64>,
    /// How much of DATA frames has come, by stream; 0 is all.
    pub(super) received: BTreeMap<u32, i64>,
    /// The streams it has sent HEADERS of.
    pub(super) opened: BTreeSet<u32>,
}

impl Heard {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            skip: frame::PREFACE.len(),
            initial_window: 65_535,
            max_frame: 16_384,
            grown: BTreeMap::new(),
            received: BTreeMap::new(),
            opened: BTreeSet::new(),
        }
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        loop {
            let skipped = self.skip.min(self.bytes.len());
            self.bytes.drain(..skipped);
            self.skip -= skipped;
            let Some(head) = frame::head(&self.bytes) else { return };
            if head.kind == frame::DATA {
                for id in [0, head.stream] {
                    *self.received.entry(id).or_default() += head.len as i64;
                }
                self.skip = HEAD_BYTES + head.len;
                continue;
            }
            let Some((frame, len)) = frame::take(&self.bytes) else { return };
            self.take_in(&frame);
            self.bytes.drain(..len);
        }
    }

    fn take_in(&mut self, frame: &Frame) {
        match frame.kind {
            frame::HEADERS => {
                self.opened.insert(frame.stream);
            }
            frame::WINDOW_UPDATE if frame.payload.len() == 4 => {
                let grown = frame::number(&frame.payload) & 0x7fff_ffff;
                *self.grown.entry(frame.stream).or_default() += i64::from(grown);
            }
            frame::SETTINGS if !frame.has(frame::ACK) => {
                for entry in frame.payload.chunks_exact(6) {
                    let value = frame::number(&entry[2..]);
                    match entry[1] {
                        4 if entry[0] == 0 => self.initial_window = value.into(),
                        // What is out of its range breaks the connection.
                        5 if entry[0] == 0 && (1 << 14..1 << 24).contains(&value) => {
                            self.max_frame = value as usize;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// How much of DATA may have been sent by now, in bytes: on a stream, or on all if it is 0.
    pub(super) fn allowed(&self, stream: u32) -> i64 {
        let first = if stream == 0 { 65_535 } else { self.initial_window };
        first + self.grown.get(&stream).copied().unwrap_or(0)
    }
}
