use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Draw;
use super::frame::{self, Frame};

/// A client that keeps to the rules, by what it has read of what was written.
pub(crate) struct Client {
    /// What it has sent, and the server has not got.
    pub(super) wire: VecDeque<u8>,
    /// What was written, and it has not read.
    pub(super) unread: VecDeque<Frame>,
    /// What it has sent means this, in its order.
    pub(super) sent: VecDeque<(u32, Sent)>,
    window_bytes: u32,
    has_settings: bool,
    /// Whether it has been told to open no more streams.
    is_told: bool,
    next: u32,
    /// The streams on which it may send.
    open: BTreeMap<u32, Stream>,
    /// Those that may get a reset, or a window.
    half: BTreeSet<u32>,
    connection: i64,
    /// What it has asked with PING, and was not answered.
    asked: VecDeque<[u8; 8]>,
    unacknowledged: u32,
    /// Whether all that it has sent was legal.
    pub(super) is_legal: bool,
}

struct Stream {
    position: usize,
    /// What its window has grown by, less what was sent, in bytes.
    window: i64,
}

#[derive(Debug)]
pub(crate) enum Sent {
    Request { ends: bool },
    Data { bytes: VecDeque<u8>, ends: bool },
    Trailers,
    Reset(u32),
}

/// The byte of a body at a position.
const fn byte(stream: u32, position: usize) -> u8 {
    ((stream as usize * 31 + position * 7) % 251) as u8
}

const WINDOWS: [u32; 6] = [0, 1, 100, 16_384, 65_535, 100_000];

impl Client {
    pub(super) fn new(window_bytes: u32) -> Self {
        let mut client = Self {
            wire: frame::PREFACE.iter().copied().collect(),
            unread: VecDeque::new(),
            sent: VecDeque::new(),
            window_bytes,
            has_settings: false,
            is_told: false,
            next: 1,
            open: BTreeMap::new(),
            half: BTreeSet::new(),
            connection: 65_535,
            asked: VecDeque::new(),
            unacknowledged: 0,
            is_legal: true,
        };
        client.settings(&[]);
        client
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.wire.extend(bytes);
    }

    fn settings(&mut self, entries: &[u8]) {
        self.unacknowledged += 1;
        self.write(&frame::frame(frame::SETTINGS, 0, 0, entries));
    }

    /// Does one thing that a client may do. `has_room`: there may be one more stream.
    pub(super) fn step(&mut self, has_room: bool, draw: &mut Draw<'_>) {
        match draw(16) {
            0..3 if has_room && !self.is_told => self.request(draw),
            0..8 => self.data(draw),
            8 => self.trailers(draw),
            9 => self.reset(draw),
            10 => {
                let size = frame::setting(4, WINDOWS[draw(WINDOWS.len())]);
                let frame = frame::setting(5, 16_384 + draw(3) as u32 * 5_000);
                self.settings(&[size, frame].concat());
            }
            11 | 12 => self.window(draw),
            13 => {
                let asked = [draw(256) as u8; 8];
                self.asked.push_back(asked);
                self.write(&frame::frame(frame::PING, 0, 0, &asked));
            }
            _ => self.read(1 + draw(8)),
        }
    }

    /// One of the streams on which it may send.
    fn pick(&self, draw: &mut Draw<'_>) -> Option<u32> {
        self.open.keys().nth(draw(self.open.len())).copied()
    }

    fn request(&mut self, draw: &mut Draw<'_>) {
        let id = self.next;
        self.next += 2 + 2 * (draw(8) / 7) as u32;
        let ends = draw(4) == 0;
        self.sent.push_back((id, Sent::Request { ends }));
        self.half.insert(id);
        if !ends {
            self.open.insert(id, Stream { position: 0, window: 0 });
        }
        self.block(id, &frame::request_block(id), ends, draw);
    }

    /// A block of fields in as many frames as may be.
    fn block(&mut self, id: u32, block: &[u8], ends: bool, draw: &mut Draw<'_>) {
        let mut left = block;
        let mut kind = frame::HEADERS;
        let mut flags = u8::from(ends);
        loop {
            let here = if draw(3) == 1 { draw(left.len()) } else { left.len() };
            let (fragment, rest) = left.split_at(here);
            let last = if rest.is_empty() { frame::END_HEADERS } else { 0 };
            self.write(&frame::frame(kind, flags | last, id, fragment));
            if rest.is_empty() {
                return;
            }
            (left, kind, flags) = (rest, frame::CONTINUATION, 0);
        }
    }

    fn data(&mut self, draw: &mut Draw<'_>) {
        let Some(id) = self.pick(draw) else { return };
        let first = if self.has_settings { self.window_bytes } else { 65_535 };
        let Some(stream) = self.open.get_mut(&id) else { return };
        let window = (stream.window + i64::from(first)).min(self.connection).clamp(0, 16_384);
        let padding = if draw(3) == 0 { Some(draw(256)) } else { None };
        let around = padding.map_or(0, |padding| padding + 1);
        let Some(most) = (window as usize).checked_sub(around) else { return };
        let len = match draw(4) {
            0 => most,
            1 => draw(most + 1),
            2 => draw(most.min(20) + 1),
            _ => draw(most.min(1500) + 1),
        };
        let ends = draw(12) == 0;
        let from = stream.position;
        stream.position += len;
        stream.window -= (len + around) as i64;
        self.connection -= (len + around) as i64;
        let bytes: Vec<u8> = (from..from + len).map(|at| byte(id, at)).collect();
        let frame = match padding {
            Some(padding) => frame::padded(id, &bytes, padding as u8, ends),
            None => frame::data(id, &bytes, ends),
        };
        self.write(&frame);
        if len > 0 || ends {
            self.sent.push_back((id, Sent::Data { bytes: bytes.into(), ends }));
        }
        if ends {
            self.open.remove(&id);
        }
    }

    fn trailers(&mut self, draw: &mut Draw<'_>) {
        let Some(id) = self.pick(draw) else { return };
        self.open.remove(&id);
        self.sent.push_back((id, Sent::Trailers));
        self.block(id, &frame::trailers_block(id), true, draw);
    }

    fn reset(&mut self, draw: &mut Draw<'_>) {
        let Some(&id) = self.half.iter().nth(draw(self.half.len())) else { return };
        self.half.remove(&id);
        self.open.remove(&id);
        let reason = draw(20) as u32;
        self.sent.push_back((id, Sent::Reset(reason)));
        self.write(&frame::frame(frame::RST_STREAM, 0, id, &reason.to_be_bytes()));
    }

    fn window(&mut self, draw: &mut Draw<'_>) {
        let of = draw(self.half.len() + 1);
        let id = if of == 0 { Some(&0) } else { self.half.iter().nth(of - 1) };
        let Some(&id) = id else { return };
        let grown = 1 + draw(40_000) as u32;
        self.write(&frame::frame(frame::WINDOW_UPDATE, 0, id, &grown.to_be_bytes()));
    }

    /// Reads some of what was written.
    pub(super) fn read(&mut self, most: usize) {
        for _ in 0..most {
            let Some(frame) = self.unread.pop_front() else { return };
            self.read_frame(&frame);
        }
    }

    fn read_frame(&mut self, frame: &Frame) {
        match frame.kind {
            // They are answers to somebody else's questions.
            frame::SETTINGS | frame::PING if frame.has(frame::ACK) && !self.is_legal => {}
            frame::SETTINGS if frame.has(frame::ACK) => self.unacknowledged -= 1,
            frame::SETTINGS => {
                self.has_settings = true;
                self.write(&frame::frame(frame::SETTINGS, frame::ACK, 0, &[]));
            }
            frame::PING if frame.has(frame::ACK) => {
                let asked = self.asked.pop_front();
                assert_eq!(asked.as_ref().map(|asked| &asked[..]), Some(&frame.payload[..]));
            }
            frame::PING => self.write(&frame::frame(frame::PING, frame::ACK, 0, &frame.payload)),
            frame::GOAWAY => self.is_told = true,
            frame::WINDOW_UPDATE => {
                let grown = i64::from(frame::number(&frame.payload));
                match self.open.get_mut(&frame.stream) {
                    Some(stream) => stream.window += grown,
                    None if frame.stream == 0 => self.connection += grown,
                    None => {}
                }
            }
            frame::RST_STREAM => {
                self.open.remove(&frame.stream);
                self.half.remove(&frame.stream);
            }
            _ => {}
        }
    }

    /// All that was asked is answered.
    pub(super) fn check_answered(&self) {
        assert!(self.asked.is_empty() && self.unacknowledged == 0, "questions without an answer");
    }
}
