//! HTTP/2 by hand: frames of one stream (RFC 9113).

use super::{End, Role, Seen, hpack};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

const CANCEL: u32 = 8;

/// The first stream of a client.
const STREAM: u32 = 1;

/// The largest window there is.
const WINDOW: u32 = (1 << 31) - 1;

/// The bytes of a frame before its payload.
const FRAME_HEAD_BYTES: usize = 9;

/// The largest payload that any receiver takes.
const PIECE_BYTES: usize = 16 * 1024;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("a frame of less than 4 GiB").to_be_bytes();
    let stream = stream.to_be_bytes();
    [&len[1..], &[kind, flags], &stream, payload].concat()
}

/// What a peer begins with: all windows as wide as they get.
pub(super) fn opening(role: Role) -> Vec<u8> {
    let preface = if role == Role::Client { PREFACE } else { b"" };
    let stream_window = [&[0, 4][..], &WINDOW.to_be_bytes()].concat();
    let more = (WINDOW - 65_535).to_be_bytes();
    [preface, &frame(SETTINGS, 0, 0, &stream_window), &frame(WINDOW_UPDATE, 0, 0, &more)].concat()
}

pub(super) fn head(role: Role) -> Vec<u8> {
    let mut block = Vec::new();
    match role {
        Role::Client => {
            block.extend_from_slice(&[hpack::POST, hpack::HTTP]);
            hpack::literal(&mut block, ":path", "/it");
            hpack::literal(&mut block, ":authority", "origin");
            hpack::literal(&mut block, "te", "trailers");
        }
        Role::Origin => block.push(hpack::STATUS_200),
    }
    hpack::literal(&mut block, "trailer", "x-sum");
    frame(HEADERS, END_HEADERS, STREAM, &block)
}

/// The head of an upload of declared length.
pub(super) fn head_declaring(bytes: usize) -> Vec<u8> {
    let mut block = vec![hpack::POST, hpack::HTTP];
    hpack::literal(&mut block, ":path", "/it");
    hpack::literal(&mut block, ":authority", "origin");
    hpack::literal(&mut block, "content-length", &bytes.to_string());
    frame(HEADERS, END_HEADERS, STREAM, &block)
}

/// So many trailers, in as many frames as they take.
pub(super) fn many_trailers(count: usize, bytes: usize) -> Vec<u8> {
    let mut block = Vec::new();
    for n in 0..count {
        hpack::literal(&mut block, &format!("x-{n}"), &"v".repeat(bytes));
    }
    let mut frames = Vec::new();
    let pieces = block.chunks(PIECE_BYTES);
    let last = pieces.len() - 1;
    for (at, piece) in pieces.enumerate() {
        let flags = if at == last { END_HEADERS } else { 0 };
        let (kind, first) = if at == 0 { (HEADERS, END_STREAM) } else { (CONTINUATION, 0) };
        frames.extend(frame(kind, flags | first, STREAM, piece));
    }
    frames
}

pub(super) fn empty_data() -> Vec<u8> {
    frame(DATA, 0, STREAM, b"")
}

/// The head of a call of gRPC.
pub(super) fn call(path: &str) -> Vec<u8> {
    let mut block = vec![hpack::POST, hpack::HTTP];
    for (name, value) in [
        (":path", path),
        (":authority", "processor"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        hpack::literal(&mut block, name, value);
    }
    frame(HEADERS, END_HEADERS, STREAM, &block)
}

/// Ends what is sent on the stream.
pub(super) fn end_stream() -> Vec<u8> {
    frame(DATA, END_STREAM, STREAM, b"")
}

pub(super) fn data(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(PIECE_BYTES).flat_map(|piece| frame(DATA, 0, STREAM, piece)).collect()
}

pub(super) fn trailers() -> Vec<u8> {
    let mut block = Vec::new();
    hpack::literal(&mut block, "x-sum", "1");
    frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &block)
}

pub(super) fn reset_stream() -> Vec<u8> {
    frame(RST_STREAM, 0, STREAM, &CANCEL.to_be_bytes())
}

/// Reads the message of the stream.
pub(super) struct Reader {
    role: Role,
    /// Of the preface, so many bytes are still to come.
    preface_bytes: usize,
}

impl Reader {
    pub(super) fn new(role: Role) -> Self {
        let preface_bytes = if role == Role::Origin { PREFACE.len() } else { 0 };
        Self { role, preface_bytes }
    }

    /// Takes whole frames from `came`. Answers what has to be said to them.
    pub(super) fn read(&mut self, came: &mut Vec<u8>, seen: &mut Seen) -> Vec<u8> {
        let mut answer = Vec::new();
        if came.len() < self.preface_bytes {
            return answer;
        }
        came.drain(..std::mem::take(&mut self.preface_bytes));
        while came.len() >= FRAME_HEAD_BYTES {
            let len = u32::from_be_bytes([0, came[0], came[1], came[2]]) as usize;
            if came.len() < FRAME_HEAD_BYTES + len {
                break;
            }
            let whole: Vec<u8> = came.drain(..FRAME_HEAD_BYTES + len).collect();
            let (kind, flags) = (whole[3], whole[4]);
            self.frame(kind, flags, &whole[FRAME_HEAD_BYTES..], seen, &mut answer);
        }
        answer
    }

    fn frame(&self, kind: u8, flags: u8, payload: &[u8], seen: &mut Seen, answer: &mut Vec<u8>) {
        match kind {
            DATA => {
                assert_eq!(flags & PADDED, 0, "nobody pads");
                seen.body.extend_from_slice(payload);
            }
            HEADERS if !seen.head => {
                assert_ne!(flags & END_HEADERS, 0, "a head in one frame");
                if self.role == Role::Client {
                    seen.status = hpack::status(payload);
                }
                seen.head = true;
            }
            HEADERS => seen.trailers.extend_from_slice(payload),
            RST_STREAM if seen.end == End::Open => seen.end = End::Cut,
            SETTINGS if flags & ACK == 0 => answer.extend(frame(SETTINGS, ACK, 0, b"")),
            PING if flags & ACK == 0 => answer.extend(frame(PING, ACK, 0, payload)),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 && seen.end == End::Open {
            seen.end = End::Whole;
        }
    }
}
