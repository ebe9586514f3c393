use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use crate::limits::{FIRST_FRAME_SECONDS, KEEP_ALIVE_ANSWER_SECONDS, LINGER_SECONDS};

/// What a connection waits for at most so long.
pub(super) struct Clock {
    sleep: Pin<Box<Sleep>>,
    waits: Waits,
    keep_alive: Option<Duration>,
}

enum Waits {
    /// For what a client says first.
    Greeting,
    /// For anything. `reads`: how many there had been when the time began.
    Word { reads: u64 },
    /// For the answer to a question.
    Answer { reads: u64 },
    /// For the peer's end.
    End,
    /// For nothing any more.
    Nothing,
}

/// What a connection says of itself when time has run out.
pub(super) struct Life {
    pub(super) is_greeted: bool,
    pub(super) has_streams: bool,
    /// How often something was read.
    pub(super) reads: u64,
}

/// What it has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Ask the peer whether it is there.
    Ask,
    /// Give it up.
    GiveUp,
}

impl Clock {
    /// Of a connection that begins.
    pub(super) fn new(keep_alive: Option<Duration>) -> Self {
        let sleep = Box::pin(sleep(Duration::from_secs(FIRST_FRAME_SECONDS)));
        Self { sleep, waits: Waits::Greeting, keep_alive }
    }

    /// It only waits for the peer's end now.
    pub(super) fn linger(&mut self) {
        self.start(Waits::End, Duration::from_secs(LINGER_SECONDS));
    }

    /// Ready when something is to be done, and pending with a waker else.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, life: &Life) -> Poll<Due> {
        loop {
            if let Waits::Nothing = self.waits {
                return Poll::Pending;
            }
            ready!(self.sleep.as_mut().poll(cx));
            match self.waits {
                Waits::Greeting if !life.is_greeted => return self.give_up(),
                Waits::Word { reads } if reads == life.reads && life.has_streams => {
                    let within = Duration::from_secs(KEEP_ALIVE_ANSWER_SECONDS);
                    self.start(Waits::Answer { reads }, within);
                    // So that the clock wakes when that has passed.
                    let _ = self.sleep.as_mut().poll(cx);
                    return Poll::Ready(Due::Ask);
                }
                Waits::Answer { reads } if reads == life.reads => return self.give_up(),
                Waits::Greeting | Waits::Word { .. } | Waits::Answer { .. } => {
                    match self.keep_alive {
                        Some(every) => self.start(Waits::Word { reads: life.reads }, every),
                        None => self.waits = Waits::Nothing,
                    }
                }
                Waits::End | Waits::Nothing => return self.give_up(),
            }
        }
    }

    fn give_up(&mut self) -> Poll<Due> {
        self.waits = Waits::Nothing;
        Poll::Ready(Due::GiveUp)
    }

    fn start(&mut self, waits: Waits, within: Duration) {
        let now = Instant::now();
        // What no clock can tell is never.
        let until = now.checked_add(within).unwrap_or_else(|| now + NEVER);
        self.sleep.as_mut().reset(until);
        self.waits = waits;
    }
}

/// 30 years: what tokio takes for never.
const NEVER: Duration = Duration::from_secs(86_400 * 365 * 30);
