//! The clock of one message, or of one stream of messages: three deadlines, one timer.
//!
//! The timer is armed when the message first has to wait, and is not touched when bytes move: then
//! a deadline only gets later, and a timer that fires early is armed anew. So a chunk costs no
//! timer operation, and none at all reads the clock unless the message waits.
//!
//! This module never touches a chain.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

use super::Timeouts;
use crate::chain::Stats;
use crate::error::Timeout;

pub(crate) struct Clock {
    timeouts: Timeouts,
    started: Option<Instant>,
    /// What had moved when the message last had to wait, and since when it has been so.
    moved: Moved,
    waiting_since: Option<Instant>,
    /// Boxed so that the body stays `Unpin`: made once a message, if it has to wait.
    timer: Option<Pin<Box<Sleep>>>,
}

/// What the message waits for, and what has moved so far.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) source: bool,
    pub(crate) holder: bool,
    pub(crate) moved: Moved,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    input_bytes: u64,
    output_bytes: u64,
    discarded_bytes: u64,
    held_bytes: u64,
}

impl Moved {
    pub(crate) fn of(stats: &Stats, held_bytes: u64) -> Self {
        Self {
            input_bytes: stats.input_bytes,
            output_bytes: stats.output_bytes,
            discarded_bytes: stats.discarded_bytes,
            held_bytes,
        }
    }

    /// Of what has no chain of its own: what moved in all, and what it holds.
    #[cfg(feature = "ext-proc-server")]
    pub(crate) fn in_all(moved_bytes: u64, held_bytes: u64) -> Self {
        Self { input_bytes: moved_bytes, held_bytes, ..Self::default() }
    }
}

impl Clock {
    /// A clock, if there is anything to measure.
    pub(crate) fn new(timeouts: Timeouts) -> Option<Self> {
        (!timeouts.is_off()).then_some(Self {
            timeouts,
            started: None,
            moved: Moved::default(),
            waiting_since: None,
            timer: None,
        })
    }

    /// The message begins, if it has not begun before.
    pub(crate) fn start(&mut self) {
        if self.timeouts.total.is_some() && self.started.is_none() {
            self.started = Some(Instant::now());
        }
    }

    /// The message begins now, whatever was before.
    pub(crate) fn restart(&mut self) {
        self.started = None;
        self.waiting_since = None;
        self.start();
    }

    /// Whether the message as a whole has taken too long; looked at although it need not wait.
    ///
    /// Costs a load while the timer runs. The timer is armed here too, so that a consumer that is
    /// slow, with a source that never makes it wait, is limited as well.
    pub(crate) fn check_total(&mut self, cx: &mut Context<'_>) -> Option<Timeout> {
        let deadline = self.total_deadline()?;
        match &mut self.timer {
            Some(timer) if !timer.is_elapsed() => None,
            Some(timer) => {
                if Instant::now() >= deadline {
                    return Some(Timeout::Total);
                }
                timer.as_mut().reset(deadline);
                None
            }
            None => self.arm(cx, deadline).is_ready().then_some(Timeout::Total),
        }
    }

    /// As `check_total`, where nothing else will register the task with the timer.
    pub(crate) fn poll_total(&mut self, cx: &mut Context<'_>) -> Poll<Timeout> {
        match self.total_deadline() {
            Some(deadline) => self.arm(cx, deadline).map(|()| Timeout::Total),
            None => Poll::Pending,
        }
    }

    /// The message has to wait: ready when it has waited too long. Otherwise the timer will wake
    /// the task.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, waiting: Waiting) -> Poll<Timeout> {
        let now = Instant::now();
        let since = match self.waiting_since {
            Some(since) if self.moved == waiting.moved => since,
            _ => {
                self.moved = waiting.moved;
                now
            }
        };
        self.waiting_since = Some(since);
        let Some((deadline, timeout)) = self.next_deadline(since, waiting) else {
            return Poll::Pending;
        };
        if deadline <= now || self.arm(cx, deadline).is_ready() {
            return Poll::Ready(timeout);
        }
        Poll::Pending
    }

    /// Makes sure that the task is woken at `deadline` or before; ready if that has passed.
    fn arm(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // Later than needed is wrong; earlier is only a wake too many, and cheaper than moving the
        // timer whenever bytes have moved.
        if timer.deadline() > deadline || timer.is_elapsed() {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn next_deadline(&self, since: Instant, waiting: Waiting) -> Option<(Instant, Timeout)> {
        // A deadline that the clock cannot express never comes.
        let after = |limit: Option<_>| limit.and_then(|limit| since.checked_add(limit));
        let idle = if waiting.source { after(self.timeouts.idle) } else { None };
        let hold = if waiting.holder { after(self.timeouts.hold) } else { None };
        [(self.total_deadline(), Timeout::Total), (idle, Timeout::Idle), (hold, Timeout::Hold)]
            .into_iter()
            .filter_map(|(deadline, timeout)| deadline.map(|deadline| (deadline, timeout)))
            .min_by_key(|&(deadline, _)| deadline)
    }

    fn total_deadline(&self) -> Option<Instant> {
        self.started?.checked_add(self.timeouts.total?)
    }
}
