//! Frames, by the bytes: nothing of what is tested is used to write or to read them.

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const HEAD_BYTES: usize = 9;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

pub(crate) struct Head {
    pub(crate) len: usize,
    pub(crate) kind: u8,
    pub(crate) stream: u32,
}

/// The number of 4 bytes.
pub(crate) fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"))
}

pub(crate) fn head(bytes: &[u8]) -> Option<Head> {
    let head = bytes.get(..HEAD_BYTES)?;
    let len = number(&[0, head[0], head[1], head[2]]) as usize;
    Some(Head { len, kind: head[3], stream: number(&head[5..]) & 0x7fff_ffff })
}

/// The first frame, if it is there as a whole, and how long it is.
pub(crate) fn take(bytes: &[u8]) -> Option<(Frame, usize)> {
    let Head { len, kind, stream } = head(bytes)?;
    let payload = bytes.get(HEAD_BYTES..HEAD_BYTES + len)?.to_vec();
    Some((Frame { kind, flags: bytes[4], stream, payload }, HEAD_BYTES + len))
}

pub(crate) fn all(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((frame, len)) = take(bytes) {
        frames.push(frame);
        bytes = &bytes[len..];
    }
    assert!(bytes.is_empty(), "a frame that is not whole: {}", bytes.escape_ascii());
    frames
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, l0, l1, l2] = (payload.len() as u32).to_be_bytes();
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    [&[l0, l1, l2, kind, flags, s0, s1, s2, s3], payload].concat()
}

/// The block of a request for `/` and the number of its stream.
pub(crate) fn request_block(stream: u32) -> Vec<u8> {
    let path = format!("/{stream}");
    [&[0x83, 0x86, 0x04, path.len() as u8], path.as_bytes()].concat()
}

/// The block of trailers that have the number of their stream.
pub(crate) fn trailers_block(stream: u32) -> Vec<u8> {
    let value = stream.to_string();
    [b"\0\x03x-n", &[value.len() as u8][..], value.as_bytes()].concat()
}

pub(crate) fn request(stream: u32, ends: bool) -> Vec<u8> {
    let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
    frame(HEADERS, flags, stream, &request_block(stream))
}

pub(crate) fn setting(number: u16, value: u32) -> Vec<u8> {
    [&number.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

pub(crate) fn data(stream: u32, bytes: &[u8], ends: bool) -> Vec<u8> {
    frame(DATA, u8::from(ends), stream, bytes)
}

pub(crate) fn padded(stream: u32, bytes: &[u8], padding: u8, ends: bool) -> Vec<u8> {
    let payload = [&[padding], bytes, &vec![0; padding.into()]].concat();
    frame(DATA, PADDED | u8::from(ends), stream, &payload)
}
