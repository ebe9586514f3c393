use core::mem;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use super::DirectError;
use crate::limits::{MIN_SLICED_BYTES, PACK_BLOCK_BYTES, TRANSPORT_READ_BYTES};
use crate::sync::{Arc, Mutex, lock};
use crate::unwind::drop_contained;

/// How many pieces the next stream of a place is left room for: more are given back.
const KEPT_PIECES: usize = 8;

/// What has come of a request and nobody has read: between the task of the connection and whoever
/// has the body.
///
/// The lock is held to move a piece, a waker or a number. Wakers are woken and dropped outside.
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Of the place: whoever reads in another task tells it by this that there is room.
    place: Waker,
}

struct State {
    pieces: VecDeque<Bytes>,
    /// How many of them are their own memory, in the front.
    settled: usize,
    /// Short pieces behind them, one behind the other: each by itself would cost many times what it
    /// is long.
    tail: Vec<u8>,
    end: End,
    reader: Reader,
    /// What has been read, or will never be, since the connection last asked, in bytes.
    read_bytes: usize,
}

/// What comes behind the pieces.
enum End {
    /// More of them.
    Open,
    Body,
    Trailers(Box<HeaderMap>),
    Failed(DirectError),
    /// It has been read.
    Told,
}

/// Who reads.
enum Reader {
    /// Somebody, who is not waiting.
    There,
    Waiting(Waker),
    Gone,
}

/// What a connection finds when it looks.
pub(super) struct Looked {
    /// What has been read since the last time, in bytes.
    pub(super) read_bytes: usize,
    /// Whether nobody will read any more.
    pub(super) is_gone: bool,
}

impl Inbox {
    /// Of the stream whose place `place` wakes. `ends`: there is no body.
    pub(super) fn new(place: Waker, ends: bool) -> Self {
        Self { state: Mutex::new(State::new(ends)), place }
    }

    /// For the next stream of the same place, with nothing of the last one; `None` if somebody
    /// has that still.
    pub(super) fn retired(mut inbox: Arc<Self>) -> Option<Arc<Self>> {
        let Self { state, .. } = Arc::get_mut(&mut inbox)?;
        let mut state = lock(state);
        let unread = state.drop_pieces();
        state.read_bytes = 0;
        let end = mem::replace(&mut state.end, End::Open);
        let reader = mem::replace(&mut state.reader, Reader::There);
        drop(state);
        drop(unread);
        drop_contained((end, reader));
        Some(inbox)
    }

    /// How many pieces there is room for.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        lock(&self.state).pieces.capacity()
    }

    /// There is no body.
    pub(super) fn set_ended(&self) {
        lock(&self.state).end = End::Body;
    }

    /// The next piece has come. Answers who waits for it; if nobody will read it, the place, so
    /// that the connection looks: else what comes now would stay in the window of all streams.
    pub(super) fn push(&self, piece: Bytes, ends: bool) -> Option<Waker> {
        let mut state = lock(&self.state);
        if ends {
            state.end = End::Body;
        }
        if let Reader::Gone = state.reader {
            state.read_bytes += piece.len();
            return Some(self.place.clone());
        }
        if !piece.is_empty() {
            state.add(piece);
        }
        state.waiting()
    }

    /// The end has come. Answers who waits for it.
    pub(super) fn end(&self, trailers: Box<HeaderMap>) -> Option<Waker> {
        let mut state = lock(&self.state);
        state.end = End::Trailers(trailers);
        state.waiting()
    }

    /// Nothing more comes, and there is no end. What has come and was not read goes: an end by
    /// force is for now. Answers who waits.
    pub(super) fn fail(&self, error: DirectError) -> Option<Waker> {
        let mut state = lock(&self.state);
        let pieces = state.drop_pieces();
        if !matches!(state.end, End::Told) {
            state.end = End::Failed(error);
        }
        let waiting = state.waiting();
        drop(state);
        drop(pieces);
        waiting
    }

    /// What has become of what came. What lies unread is copied out of the memory that it was read
    /// into, if that is much longer: it would keep all of it.
    pub(super) fn look(&self) -> Looked {
        let mut state = lock(&self.state);
        state.settle();
        Looked {
            read_bytes: mem::take(&mut state.read_bytes),
            is_gone: matches!(state.reader, Reader::Gone),
        }
    }

    /// The next of it, for whoever has the body.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DirectError>>> {
        // Cloned outside of the lock: it is user code.
        let mut waker = None;
        loop {
            let mut state = lock(&self.state);
            if let Some(piece) = state.take() {
                drop(state);
                self.tell(cx);
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            return Poll::Ready(match mem::replace(&mut state.end, End::Told) {
                End::Open => {
                    state.end = End::Open;
                    if state.is_waited_with(cx.waker()) {
                        return Poll::Pending;
                    }
                    let Some(waker) = waker.take() else {
                        drop(state);
                        waker = Some(cx.waker().clone());
                        continue;
                    };
                    let before = mem::replace(&mut state.reader, Reader::Waiting(waker));
                    drop(state);
                    drop(before);
                    return Poll::Pending;
                }
                End::Body | End::Told => None,
                End::Trailers(trailers) => Some(Ok(Frame::trailers(*trailers))),
                End::Failed(error) => Some(Err(error)),
            });
        }
    }

    /// The connection looks by itself behind each poll of its own. Others tell it.
    fn tell(&self, cx: &Context<'_>) {
        if !cx.waker().will_wake(&self.place) {
            self.place.wake_by_ref();
        }
    }

    /// Whether the end is all that is left, and what is left, in bytes, if no trailers can come.
    pub(super) fn left(&self) -> Left {
        let state = lock(&self.state);
        let bytes = state.bytes() as u64;
        match state.end {
            End::Body | End::Told if bytes == 0 => Left::Nothing,
            End::Body | End::Told => Left::Exactly(bytes),
            End::Open | End::Trailers(_) | End::Failed(_) => Left::AtLeast(bytes),
        }
    }

    /// Nobody reads any more.
    pub(super) fn leave(&self) {
        let mut state = lock(&self.state);
        let pieces = state.drop_pieces();
        let reader = mem::replace(&mut state.reader, Reader::Gone);
        drop(state);
        drop(pieces);
        // The reader's: its panic is no business of the connection, which has to look.
        drop_contained(reader);
        self.place.wake_by_ref();
    }
}

/// How much of a body is left, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    Exactly(u64),
    AtLeast(u64),
}

impl State {
    fn new(ends: bool) -> Self {
        Self {
            pieces: VecDeque::new(),
            settled: 0,
            tail: Vec::new(),
            end: if ends { End::Body } else { End::Open },
            reader: Reader::There,
            read_bytes: 0,
        }
    }

    fn waiting(&mut self) -> Option<Waker> {
        match mem::replace(&mut self.reader, Reader::There) {
            Reader::Waiting(waker) => Some(waker),
            reader @ (Reader::There | Reader::Gone) => {
                self.reader = reader;
                None
            }
        }
    }

    fn is_waited_with(&self, waker: &Waker) -> bool {
        matches!(&self.reader, Reader::Waiting(before) if before.will_wake(waker))
    }

    /// Nobody will read what there is. It is to be dropped outside; a little room stays.
    fn drop_pieces(&mut self) -> VecDeque<Bytes> {
        self.read_bytes += self.bytes();
        self.settled = 0;
        self.tail = Vec::new();
        if self.pieces.is_empty() && self.pieces.capacity() <= KEPT_PIECES {
            return VecDeque::new();
        }
        mem::take(&mut self.pieces)
    }

    fn bytes(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum::<usize>() + self.tail.len()
    }

    /// One more piece, which is not empty. A short one that comes alone is mostly taken at once.
    fn add(&mut self, piece: Bytes) {
        let is_first = self.pieces.is_empty() && self.tail.is_empty();
        if is_first || piece.len() >= MIN_SLICED_BYTES {
            self.seal();
            self.pieces.push_back(piece);
            return;
        }
        self.tail.extend_from_slice(&piece);
        if self.tail.len() >= PACK_BLOCK_BYTES {
            self.seal();
        }
    }

    /// What was joined is a piece as others are.
    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push_back(Bytes::from(mem::take(&mut self.tail)));
        }
    }

    /// The first piece, which somebody reads.
    fn take(&mut self) -> Option<Bytes> {
        if self.pieces.is_empty() {
            self.seal();
        }
        let piece = self.pieces.pop_front()?;
        self.settled = self.settled.saturating_sub(1);
        self.read_bytes += piece.len();
        Some(piece)
    }

    fn settle(&mut self) {
        for piece in self.pieces.range_mut(self.settled..) {
            if piece.len() < TRANSPORT_READ_BYTES / 2 {
                *piece = Bytes::copy_from_slice(piece);
            }
        }
        self.settled = self.pieces.len();
    }
}
