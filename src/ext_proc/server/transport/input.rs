use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::{AsyncRead, ReadBuf};

use crate::limits::TRANSPORT_READ_BYTES;

/// What has been read from the socket, and not by h2.
///
/// h2 (0.4) reads what its buffer has room for, which is 8 KiB before it knows the length of a
/// frame: half of a frame is then copied into a second buffer. So the head of a large frame comes
/// by itself, and the payload then goes where it stays. And DATA frames of one stream that lie one
/// behind the other here come as one: their borders have no meaning (RFC 9113, section 6.1), and
/// each of them costs h2, hyper and the decoder as much as a large one.
pub(super) struct Input<S> {
    socket: S,
    /// Room for a read; none before the first one.
    bytes: Vec<u8>,
    /// What has been read and not taken.
    unread: core::ops::Range<usize>,
    next: Next,
    stage: Stage,
    /// How long a frame may become, in bytes of payload: what h2 takes.
    max_frame_bytes: usize,
}

/// Where h2 stands in what it has been given.
enum Stage {
    /// Before a frame, of which nobody knows anything.
    Before,
    /// In so many bytes that pass as they are.
    Through(usize),
    /// In the head of a frame, `given` of it.
    Head {
        head: [u8; HEAD_BYTES],
        given: usize,
        payload: Payload,
    },
    Data(Payload),
}

/// What is left of the payload of a frame that may be made of several.
#[derive(Clone, Copy)]
struct Payload {
    all: usize,
    /// Up to the next head, which is skipped.
    here: usize,
}

/// What comes when h2 asks for more than is here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    /// The streams have their turn first.
    Yield,
}

/// A head as it lies in the socket: RFC 9113, section 4.1.
struct Head {
    len: usize,
    kind: u8,
    flags: u8,
    stream: [u8; 4],
}

const HEAD_BYTES: usize = 9;

/// What a client says first: RFC 9113, section 3.4.
const PREFACE_BYTES: usize = 24;

/// The one type that is looked at, and its flags: section 6.1.
const DATA: u8 = 0;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

/// From which payload on a head comes by itself, in bytes: smaller frames fit into the buffer that
/// h2 has, several at once.
const LARGE_BYTES: usize = 4 * 1024;

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, stream @ ..] = *bytes.first_chunk::<HEAD_BYTES>()?;
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        Some(Self { len, kind, flags, stream })
    }

    fn write(&self, len: usize, flags: u8) -> [u8; HEAD_BYTES] {
        let [.., a, b, c] = len.to_be_bytes();
        let [d, e, f, g] = self.stream;
        [a, b, c, self.kind, flags, d, e, f, g]
    }

    /// Whether all it says is a length. An empty one is h2's to count: they are a way to attack.
    fn is_plain_data(&self) -> bool {
        self.kind == DATA && self.flags & PADDED == 0 && self.len > 0
    }
}

impl<S: AsyncRead + Unpin> Input<S> {
    pub(super) fn new(socket: S, max_frame_bytes: usize) -> Self {
        let stage = Stage::Through(PREFACE_BYTES);
        Self { socket, bytes: Vec::new(), unread: 0..0, next: Next::Read, stage, max_frame_bytes }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        while buf.remaining() > 0 {
            let has_enough = match self.stage {
                Stage::Before => self.unread.len() >= HEAD_BYTES,
                Stage::Through(_) | Stage::Data(_) => !self.unread.is_empty(),
                Stage::Head { .. } => true,
            };
            if !has_enough {
                if buf.filled().len() > before {
                    break;
                }
                if ready!(self.poll_fill(cx))? == 0 {
                    // The end, at the place of a frame or in the middle of one.
                    if self.unread.is_empty() {
                        break;
                    }
                    self.stage = Stage::Through(self.unread.len());
                }
                continue;
            }
            if self.step(buf) {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what is there, behind what is left. 0 is the end.
    ///
    /// Behind each full buffer the streams have their turn: what they let go is memory for the next
    /// one, which is warm then. h2 would read all there is first.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if mem::replace(&mut self.next, Next::Read) == Next::Yield {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.bytes.resize(TRANSPORT_READ_BYTES, 0);
        self.bytes.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let mut read = ReadBuf::new(&mut self.bytes[self.unread.end..]);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read))?;
        let n = read.filled().len();
        // Behind one that is not full the socket has nothing more, and waits by itself.
        if read.remaining() == 0 {
            self.next = Next::Yield;
        }
        self.unread.end += n;
        Poll::Ready(Ok(n))
    }

    /// One stage, as far as there is something. Answers whether h2 should look at what it has.
    fn step(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        match self.stage {
            Stage::Before => self.stage = self.next_frame(),
            Stage::Through(left) => {
                let n = self.give(left, buf);
                self.stage = if n == left { Stage::Before } else { Stage::Through(left - n) };
            }
            Stage::Head { head, given, payload } => {
                let n = buf.remaining().min(HEAD_BYTES - given);
                buf.put_slice(&head[given..given + n]);
                let given = given + n;
                if given == HEAD_BYTES {
                    self.stage = Stage::Data(payload);
                    return true;
                }
                self.stage = Stage::Head { head, given, payload };
            }
            Stage::Data(Payload { all, here: 0 }) => {
                // `next_frame` has seen it: it lies here, all of it.
                let here = Head::read(self.left()).map_or(all, |head| head.len);
                self.unread.start += HEAD_BYTES;
                self.stage = Stage::Data(Payload { all, here });
            }
            Stage::Data(Payload { all, here }) => {
                let n = self.give(here, buf);
                if n == all {
                    self.stage = Stage::Before;
                    return true;
                }
                self.stage = Stage::Data(Payload { all: all - n, here: here - n });
            }
        }
        false
    }

    fn left(&self) -> &[u8] {
        &self.bytes[self.unread.clone()]
    }

    /// Gives up to `most` bytes; answers how many.
    fn give(&mut self, most: usize, buf: &mut ReadBuf<'_>) -> usize {
        let n = self.unread.len().min(buf.remaining()).min(most);
        buf.put_slice(&self.left()[..n]);
        self.unread.start += n;
        n
    }

    /// What becomes of the frames whose heads lie here.
    fn next_frame(&mut self) -> Stage {
        let mut through = 0;
        while let Some(first) = self.left().get(through..).and_then(Head::read) {
            if first.is_plain_data() {
                let (all, flags) = self.joined(through, &first);
                if all > first.len || all >= LARGE_BYTES {
                    if through > 0 {
                        break;
                    }
                    self.unread.start += HEAD_BYTES;
                    let payload = Payload { all, here: first.len };
                    return Stage::Head { head: first.write(all, flags), given: 0, payload };
                }
            }
            through += HEAD_BYTES + first.len;
        }
        Stage::Through(through)
    }

    /// The payload and the flags of the frame at `at` together with those that follow.
    fn joined(&self, at: usize, first: &Head) -> (usize, u8) {
        let (mut all, mut flags) = (first.len, first.flags);
        let mut next = at + HEAD_BYTES + first.len;
        while flags & END_STREAM == 0
            && let Some(head) = self.left().get(next..).and_then(Head::read)
            && head.is_plain_data()
            && head.stream == first.stream
            && all + head.len <= self.max_frame_bytes
        {
            all += head.len;
            flags |= head.flags;
            next += HEAD_BYTES + head.len;
        }
        (all, flags)
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
