use core::task::Waker;
use std::collections::VecDeque;
use std::task::Wake;

use super::*;
use crate::sync::{ConstArc as Arc, Mutex, lock};

/// Gives pieces of these lengths, one for each read, and waits before each.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    waits: bool,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.waits = !self.waits;
        if self.waits {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(mut piece) = self.pieces.pop_front() {
            let n = piece.len().min(buf.remaining());
            buf.put_slice(&piece[..n]);
            if n < piece.len() {
                self.pieces.push_front(piece.split_off(n));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A sequence that is the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }

    fn cut(&mut self, bytes: &[u8], most: usize) -> VecDeque<Vec<u8>> {
        let mut pieces = VecDeque::new();
        let mut left = bytes;
        while !left.is_empty() {
            let n = (1 + self.below(most)).min(left.len());
            pieces.push_back(left[..n].to_vec());
            left = &left[n..];
        }
        pieces
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u8,
    payload: Vec<u8>,
}

const MAX_FRAME: usize = 20_000;

fn preface() -> Vec<u8> {
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()
}

fn bytes_of(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = preface();
    for Frame { kind, flags, stream, payload } in frames {
        let [.., a, b, c] = payload.len().to_be_bytes();
        bytes.extend_from_slice(&[a, b, c]);
        bytes.extend_from_slice(&[*kind, *flags, 0, 0, 0, *stream]);
        bytes.extend_from_slice(payload);
    }
    bytes
}

fn frames_of(bytes: &[u8]) -> Vec<Frame> {
    let mut left = bytes.strip_prefix(&preface()[..]).expect("a preface");
    let mut frames = Vec::new();
    while let [0, a, b, kind, flags, 0, 0, 0, stream, rest @ ..] = left {
        let len = usize::from(*a) << 8 | usize::from(*b);
        let (payload, after) = rest.split_at(len);
        let (kind, flags, stream, payload) = (*kind, *flags, *stream, payload.to_vec());
        frames.push(Frame { kind, flags, stream, payload });
        left = after;
    }
    assert!(left.is_empty(), "{} bytes are no frame", left.len());
    frames
}

/// What the borders between frames do not change.
fn without_borders(frames: Vec<Frame>) -> Vec<Frame> {
    let mut out: Vec<Frame> = Vec::new();
    for frame in frames {
        let is_plain = |frame: &Frame| {
            frame.kind == DATA && frame.flags & PADDED == 0 && !frame.payload.is_empty()
        };
        match out.last_mut() {
            Some(last)
                if is_plain(last)
                    && is_plain(&frame)
                    && last.flags & END_STREAM == 0
                    && last.stream == frame.stream =>
            {
                last.flags |= frame.flags;
                last.payload.extend(frame.payload);
            }
            _ => out.push(frame),
        }
    }
    out
}

fn some_frames(numbers: &mut Numbers) -> Vec<Frame> {
    let frame = |_| {
        let kind = [DATA, DATA, DATA, DATA, 1, 8][numbers.below(6)];
        let flags = [0, 0, 0, 0, END_STREAM, PADDED][numbers.below(6)];
        let len = [0, 1, 13, 700, 4095, 4096, 16_384][numbers.below(7)];
        let (stream, first) = (1 + 2 * numbers.below(2) as u8, numbers.below(256));
        let payload = (0..len).map(|i| (first + i) as u8).collect();
        Frame { kind, flags, stream, payload }
    };
    (0..12).map(frame).collect()
}

/// Reads to the end, with room for so many bytes at most each time.
async fn read(pieces: VecDeque<Vec<u8>>, numbers: &mut Numbers, room: usize) -> Vec<Vec<u8>> {
    let mut input = Input::new(Pieces { pieces, waits: false }, MAX_FRAME);
    let mut reads = Vec::new();
    let mut bytes = vec![0; room];
    loop {
        let mut buf = ReadBuf::new(&mut bytes[..1 + numbers.below(room)]);
        core::future::poll_fn(|cx| input.poll_read(cx, &mut buf)).await.expect("no error");
        match buf.filled() {
            [] => return reads,
            filled => reads.push(filled.to_vec()),
        }
    }
}

#[tokio::test]
async fn joined_or_not_the_frames_say_the_same_wherever_they_are_cut() {
    for seed in 0..40 {
        let mut numbers = Numbers(seed);
        let frames = some_frames(&mut numbers);
        let most = [20, 50, 5_000, 100_000][numbers.below(4)];
        let pieces = numbers.cut(&bytes_of(&frames), most);
        let room = [3, 40, 8_192, 70_000][numbers.below(4)];
        let came = frames_of(&read(pieces, &mut numbers, room).await.concat());
        assert!(came.iter().all(|frame| frame.payload.len() <= MAX_FRAME), "seed {seed}");
        assert_eq!(without_borders(came), without_borders(frames), "seed {seed}");
    }
}

fn data(stream: u8, len: usize, flags: u8) -> Frame {
    Frame { kind: DATA, flags, stream, payload: vec![b'x'; len] }
}

async fn frames_that_come(frames: &[Frame]) -> Vec<(u8, usize, u8)> {
    let pieces = VecDeque::from([bytes_of(frames)]);
    let came = read(pieces, &mut Numbers(1), 9_000).await.concat();
    let came = frames_of(&came).into_iter();
    came.map(|frame| (frame.stream, frame.payload.len(), frame.flags)).collect()
}

#[tokio::test]
async fn data_of_one_stream_is_joined_up_to_the_largest_frame() {
    let frames = [data(1, 9_000, 0), data(1, 9_000, 0), data(1, 9_000, 0), data(1, 5, END_STREAM)];
    assert_eq!(frames_that_come(&frames).await, [(1, 18_000, 0), (1, 9_005, END_STREAM)]);
}

#[tokio::test]
async fn frames_that_say_more_than_a_length_stay_as_they_are() {
    let padded = Frame { flags: PADDED, ..data(1, 10, 0) };
    let frames = [data(1, 10, 0), padded, data(1, 10, 0), data(1, 0, 0), data(3, 10, 0)];
    let as_sent = frames.clone().map(|frame| (frame.stream, frame.payload.len(), frame.flags));
    assert_eq!(frames_that_come(&frames).await, as_sent);
}

#[tokio::test]
async fn the_head_of_a_large_frame_comes_by_itself() {
    let pieces = VecDeque::from([bytes_of(&[data(1, 5, END_STREAM), data(3, 8_000, 0)])]);
    let mut input = Input::new(Pieces { pieces, waits: true }, MAX_FRAME);
    let mut lens = Vec::new();
    for _ in 0..2 {
        let mut bytes = vec![0; 8_192];
        let mut buf = ReadBuf::new(&mut bytes);
        core::future::poll_fn(|cx| input.poll_read(cx, &mut buf)).await.expect("no error");
        lens.push(buf.filled().len());
    }
    assert_eq!(lens, [PREFACE_BYTES + HEAD_BYTES + 5 + HEAD_BYTES, 8_000]);
}

#[tokio::test]
async fn an_end_anywhere_gives_what_came_before_it() {
    let whole = bytes_of(&[data(1, 20, 0), data(1, 6_000, 0), data(1, 30, 0)]);
    for end in [0, 3, 24, 28, 40, 53, 60, 64, 5_000, 6_072, 6_080, whole.len() - 1] {
        let pieces = VecDeque::from([whole[..end].to_vec()]);
        let came = read(pieces, &mut Numbers(end as u64), 500).await.concat();
        // Heads that joined frames no longer have, at most.
        assert!(came.len() <= end && came.len() + 2 * HEAD_BYTES >= end, "{} of {end}", came.len());
    }
}

/// What is always there: else how much is read at once would be up to the socket.
#[tokio::test]
async fn behind_each_full_buffer_the_streams_have_their_turn() {
    let frames = vec![data(1, 16_384, 0); 16];
    let whole = bytes_of(&frames);
    let mut input = Input::new(io::Cursor::new(whole.clone()), MAX_FRAME);
    let mut came = Vec::new();
    let (mut bytes, mut since, mut turns) = (vec![0; 8_192], 0, 0);
    loop {
        let mut buf = ReadBuf::new(&mut bytes);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        if input.poll_read(&mut Context::from_waker(&waker), &mut buf).is_pending() {
            assert!(*lock(&woken.0), "it comes back by itself");
            assert!(since > 0, "each turn is for something");
            (since, turns) = (0, turns + 1);
            continue;
        }
        since += buf.filled().len();
        assert!(since <= TRANSPORT_READ_BYTES, "{since} bytes without a turn");
        match buf.filled() {
            [] => break,
            filled => came.extend_from_slice(filled),
        }
    }
    assert_eq!(turns, whole.len() / TRANSPORT_READ_BYTES, "one for each full buffer");
    assert_eq!(without_borders(frames_of(&came)), without_borders(frames));
}

#[derive(Default)]
struct Woken(Mutex<bool>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        *lock(&self.0) = true;
    }
}
