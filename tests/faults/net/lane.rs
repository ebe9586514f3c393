//! One direction of a connection.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::task::Waker;

/// What the two kernels keep of one direction, in bytes.
const LANE_BYTES: usize = 64 * 1024;

thread_local! {
    static DICE: Cell<u64> = const { Cell::new(0) };
}

/// Seeds what this thread's network draws: in which pieces bytes arrive.
pub(crate) fn dice(seed: u64) {
    DICE.set(seed);
}

/// Splitmix64.
fn roll() -> u64 {
    let state = DICE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    DICE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// How a direction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Who writes has said that no more comes.
    Ended,
    /// Who reads has gone: what comes next is answered with a reset.
    Unread,
    /// What was under way is lost.
    Reset,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Lane {
    bytes: VecDeque<u8>,
    state: State,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What there is to be done now.
pub(crate) enum Step<T> {
    Done(T),
    /// Nothing, until the other end does something.
    Wait,
    Failed(io::ErrorKind),
}

impl Lane {
    pub(crate) fn new() -> Self {
        Self { bytes: VecDeque::new(), state: State::Open, reader: None, writer: None }
    }

    /// Reads up to `most` bytes into `take`; 0 at the end. Bytes come in pieces of any size.
    pub(crate) fn read(&mut self, most: usize, take: impl FnOnce(&[u8])) -> Step<usize> {
        if self.bytes.is_empty() {
            return match self.state {
                State::Open | State::Unread => Step::Wait,
                State::Ended => Step::Done(0),
                State::Reset => Step::Failed(io::ErrorKind::ConnectionReset),
            };
        }
        let there = self.bytes.len().min(most);
        let n = match roll() % 8 {
            0 => 1,
            1..4 => 1 + roll() as usize % there,
            _ => there,
        };
        let n = n.min(there);
        take(&self.bytes.make_contiguous()[..n]);
        self.bytes.drain(..n);
        wake(&mut self.writer);
        Step::Done(n)
    }

    /// Writes as much as there is room for.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Step<usize> {
        match self.state {
            State::Reset => Step::Failed(io::ErrorKind::ConnectionReset),
            State::Ended => Step::Failed(io::ErrorKind::BrokenPipe),
            State::Unread => {
                // The kernel takes it. What it is answered with shows later.
                self.reset();
                Step::Done(bytes.len())
            }
            State::Open => match (LANE_BYTES - self.bytes.len()).min(bytes.len()) {
                0 if !bytes.is_empty() => Step::Wait,
                n => {
                    self.bytes.extend(&bytes[..n]);
                    wake(&mut self.reader);
                    Step::Done(n)
                }
            },
        }
    }

    /// No more comes.
    pub(crate) fn end(&mut self) {
        if self.state == State::Open {
            self.state = State::Ended;
            wake(&mut self.reader);
        }
    }

    /// Nobody reads any more. Answers whether something was left unread.
    pub(crate) fn leave_unread(&mut self) -> bool {
        let is_left = !self.bytes.is_empty();
        if self.state == State::Open {
            self.state = State::Unread;
            wake(&mut self.writer);
        }
        is_left
    }

    /// What has arrived can still be read, as on Linux.
    pub(crate) fn reset(&mut self) {
        self.state = State::Reset;
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.state == State::Reset
    }

    pub(crate) fn wake_reader(&mut self, waker: &Waker) {
        self.reader = Some(waker.clone());
    }

    pub(crate) fn wake_writer(&mut self, waker: &Waker) {
        self.writer = Some(waker.clone());
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
