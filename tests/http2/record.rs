//! What a server has said on one connection, checked as it comes: its frames are those that RFC
//! 9113 lets a server send, and it sends no byte of DATA that it has no window for.

use std::collections::{BTreeMap, VecDeque};

use crate::frames::{code, flag, kind, setting};
use crate::hpack::{Decoder, Field};

/// One frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// How a stream ended, as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Whole,
    Reset(u32),
}

/// What came on one stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Head and trailers.
    pub(crate) heads: Vec<Vec<Field>>,
    pub(crate) body: Vec<u8>,
    pub(crate) end: Option<End>,
}

impl Answer {
    /// The last value that it has for `name`.
    pub(crate) fn value(&self, name: &str) -> Option<u32> {
        let fields = self.heads.iter().flatten().rfind(|field| field.0 == name);
        fields.map(|(_, value)| std::str::from_utf8(value).unwrap().parse().unwrap())
    }
}

/// What the server may send yet, in bytes.
#[derive(Debug)]
struct Windows {
    connection: i64,
    initial: i64,
    /// Of streams, beyond the initial one: granted, less what was used.
    streams: BTreeMap<u32, i64>,
}

/// What the client has asked for and the server not acknowledged.
type Asked = Vec<(u16, u32)>;

/// Everything that came.
pub(crate) struct Record {
    decoder: Decoder,
    windows: Windows,
    asked: VecDeque<Asked>,
    /// The fragments of a block that is not whole, of which stream, and with which flags.
    partial: Option<(u32, u8, Vec<u8>)>,
    max_frame_bytes: usize,
    pub(crate) frames: usize,
    pub(crate) streams: BTreeMap<u32, Answer>,
    pub(crate) settings: Option<BTreeMap<u16, u32>>,
    /// How many of the client's SETTINGS it has acknowledged.
    pub(crate) acks: usize,
    /// The PINGs that it has answered.
    pub(crate) pongs: Vec<u64>,
    /// How much it has granted, by stream.
    pub(crate) granted: BTreeMap<u32, u64>,
    /// Its last GOAWAY: the last stream, and the code.
    pub(crate) goaway: Option<(u32, u32)>,
    pub(crate) closed: bool,
    /// Its last RST_STREAM that is an error.
    pub(crate) reset: Option<u32>,
}

/// RFC 9113, sections 6.5.2 and 6.9.2.
const DEFAULT_WINDOW_BYTES: i64 = 65_535;
const DEFAULT_FRAME_BYTES: usize = 16_384;

impl Record {
    pub(crate) fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            windows: Windows {
                connection: DEFAULT_WINDOW_BYTES,
                initial: DEFAULT_WINDOW_BYTES,
                streams: BTreeMap::new(),
            },
            asked: VecDeque::new(),
            partial: None,
            max_frame_bytes: DEFAULT_FRAME_BYTES,
            frames: 0,
            streams: BTreeMap::new(),
            settings: None,
            acks: 0,
            pongs: Vec::new(),
            granted: BTreeMap::new(),
            goaway: None,
            closed: false,
            reset: None,
        }
    }

    /// The client has sent SETTINGS.
    pub(crate) fn ask(&mut self, values: &[(u16, u32)]) {
        self.asked.push_back(values.to_vec());
    }

    /// The client has granted the server `bytes`.
    pub(crate) fn grant(&mut self, stream: u32, bytes: u32) {
        match stream {
            0 => self.windows.connection += i64::from(bytes),
            _ => *self.windows.streams.entry(stream).or_default() += i64::from(bytes),
        }
    }

    /// What `stream` may be sent now.
    pub(crate) fn window_bytes(&self, stream: u32) -> i64 {
        self.windows.initial + self.windows.streams.get(&stream).copied().unwrap_or_default()
    }

    pub(crate) fn end(&self, stream: u32) -> Option<End> {
        self.streams.get(&stream).and_then(|answer| answer.end)
    }

    pub(crate) fn body_bytes(&self, stream: u32) -> usize {
        self.streams.get(&stream).map_or(0, |answer| answer.body.len())
    }

    /// Whether there is or soon will be no connection any more, because of an error.
    pub(crate) fn is_over(&self) -> bool {
        self.closed || self.goaway.is_some_and(|(_, code)| code != code::NO_ERROR)
    }

    /// Takes a frame, and returns what the client owes for it.
    pub(crate) fn note(&mut self, frame: &Frame) -> Option<Vec<u8>> {
        assert!(frame.payload.len() <= self.max_frame_bytes, "6.5.2: {} bytes", frame.kind);
        assert!(self.frames > 0 || frame.kind == kind::SETTINGS, "3.4: SETTINGS come first");
        assert!(
            self.partial.is_none() || frame.kind == kind::CONTINUATION,
            "6.10: nothing comes between HEADERS and CONTINUATION"
        );
        self.frames += 1;
        match frame.kind {
            kind::DATA => self.data(frame),
            kind::HEADERS | kind::CONTINUATION => self.fragment(frame),
            kind::RST_STREAM => {
                let code = frame.number(0);
                let end = End::Reset(code);
                self.reset = Some(code).filter(|&code| code != code::NO_ERROR).or(self.reset);
                self.streams.entry(frame.stream).or_default().end.get_or_insert(end);
            }
            kind::SETTINGS => return self.settings(frame),
            kind::PING if frame.has(flag::ACK) => {
                self.pongs.push(u64::from_be_bytes(frame.payload[..].try_into().unwrap()));
            }
            kind::PING => {
                return Some(crate::frames::frame(kind::PING, flag::ACK, 0, &frame.payload));
            }
            kind::GOAWAY => {
                let (last, code) = (frame.number(0), frame.number(4));
                assert_eq!(frame.stream, 0, "6.8");
                let before = self.goaway.replace((last, code));
                assert!(before.is_none_or(|it| it.0 >= last), "6.8: the last stream grows");
            }
            kind::WINDOW_UPDATE => {
                assert_ne!(frame.number(0), 0, "6.9");
                *self.granted.entry(frame.stream).or_default() += u64::from(frame.number(0));
            }
            other => panic!("a frame of type {other} from a server"),
        }
        None
    }

    fn data(&mut self, frame: &Frame) {
        let bytes = i64::try_from(frame.payload.len()).unwrap();
        self.windows.connection -= bytes;
        *self.windows.streams.entry(frame.stream).or_default() -= bytes;
        assert!(
            bytes == 0 || self.windows.connection >= 0,
            "6.9.1: beyond the connection's window"
        );
        let window = self.window_bytes(frame.stream);
        assert!(bytes == 0 || window >= 0, "6.9.1: stream {}: {window}", frame.stream);
        let answer = self.streams.entry(frame.stream).or_default();
        assert!(!answer.heads.is_empty() && answer.end.is_none(), "8.1: DATA out of place");
        assert!(!frame.has(flag::PADDED), "no server of ours pads");
        answer.body.extend_from_slice(&frame.payload);
        if frame.has(flag::END_STREAM) {
            answer.end = Some(End::Whole);
        }
    }

    fn fragment(&mut self, frame: &Frame) {
        let (stream, flags, mut block) = match self.partial.take() {
            Some(partial) => partial,
            None => {
                assert_eq!(frame.kind, kind::HEADERS, "6.10");
                (frame.stream, frame.flags, Vec::new())
            }
        };
        assert_eq!(frame.stream, stream, "6.10");
        assert!(!frame.has(flag::PADDED | flag::PRIORITY), "no server of ours does that");
        block.extend_from_slice(&frame.payload);
        if !frame.has(flag::END_HEADERS) {
            self.partial = Some((stream, flags, block));
            return;
        }
        let fields = self.decoder.fields(&block);
        let answer = self.streams.entry(stream).or_default();
        assert!(answer.end.is_none(), "5.1: HEADERS behind the end of stream {stream}");
        let has_status = fields.iter().any(|(name, _)| name == ":status");
        assert_eq!(has_status, answer.heads.is_empty(), "8.3.2: a head has it, trailers not");
        answer.heads.push(fields);
        if flags & flag::END_STREAM != 0 {
            answer.end = Some(End::Whole);
        } else {
            assert_eq!(answer.heads.len(), 1, "8.1: trailers end the stream");
        }
    }

    fn settings(&mut self, frame: &Frame) -> Option<Vec<u8>> {
        assert_eq!(frame.stream, 0, "6.5");
        if !frame.has(flag::ACK) {
            let values = frame.payload.chunks_exact(6);
            let value = |at: &[u8]| {
                let id = u16::from_be_bytes([at[0], at[1]]);
                (id, u32::from_be_bytes(at[2..].try_into().unwrap()))
            };
            self.settings.get_or_insert_default().extend(values.map(value));
            return Some(crate::frames::settings_ack());
        }
        assert!(frame.payload.is_empty(), "6.5");
        self.acks += 1;
        for (id, value) in self.asked.pop_front().expect("6.5.3: nothing to acknowledge") {
            match id {
                setting::INITIAL_WINDOW_SIZE => self.windows.initial = i64::from(value),
                setting::MAX_FRAME_SIZE => self.max_frame_bytes = value as usize,
                setting::HEADER_TABLE_SIZE => self.decoder.allow(value as usize),
                _ => {}
            }
        }
        None
    }
}
