//! The filters: a replacer written as callbacks, the same as an `async fn`, and a neighbour.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;
use http::request::Parts;
use tidegate::async_filter::{Input, Output};
use tidegate::buf::BodyBuf;
use tidegate::filter::EditErrorKind;
use tidegate::{
    Capability, Declaration, Error, Filter, Interest, Marks, ResumeHandle, Verdict, View,
};

use super::case::{Pause, Rule};

/// What somebody outside has of one filter.
#[derive(Default)]
pub(super) struct Outside(Mutex<Strings>);

#[derive(Default)]
struct Strings {
    handle: Option<ResumeHandle>,
    /// Of a future that naps.
    waker: Option<Waker>,
    naps: bool,
}

impl Outside {
    fn lock(&self) -> MutexGuard<'_, Strings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resumes the filter, if it has given a handle away. Answers whether it had.
    pub(super) fn resume(&self) -> bool {
        let handle = self.lock().handle.clone();
        handle.is_some_and(|handle| {
            handle.resume();
            true
        })
    }

    /// Ends the nap of a future. Answers whether there was one.
    pub(super) fn wake(&self) -> bool {
        let mut strings = self.lock();
        let (napped, waker) = (std::mem::take(&mut strings.naps), strings.waker.take());
        drop(strings);
        if let Some(waker) = waker {
            waker.wake();
        }
        napped
    }

    fn keep(&self, handle: impl FnOnce() -> ResumeHandle) {
        if self.lock().handle.is_none() {
            let handle = handle();
            self.lock().handle = Some(handle);
        }
    }

    /// Sleeps until somebody calls [`wake`](Self::wake).
    async fn nap(&self) {
        self.lock().naps = true;
        poll_fn(|cx| {
            let mut strings = self.lock();
            if !strings.naps {
                return Poll::Ready(());
            }
            let old = strings.waker.replace(cx.waker().clone());
            drop(strings);
            drop(old);
            Poll::Pending
        })
        .await;
    }
}

/// How many bytes at the end of `body`, from `from` on, may be the beginning of `needle`.
fn unfinished(body: &BodyBuf, from: usize, needle: &[u8]) -> usize {
    let most = (needle.len() - 1).min(body.len() - from);
    let mut tail = [0; 64];
    let tail = &mut tail[..most];
    body.copy_range_to(body.len() - most..body.len(), tail);
    (0..=most).rev().find(|&n| needle.starts_with(&tail[most - n..])).unwrap_or(0)
}

pub(super) fn declaration(low: u64, high: u64) -> Declaration {
    Declaration::new()
        .interest(Interest::DATA)
        .marks(Marks::new(low, high).expect("low is at most high"))
}

/// Replaces where the bytes lie; what may be the beginning of a needle is held.
pub(super) struct Replacing {
    pub(super) rule: Arc<Rule>,
    pub(super) declaration: Declaration,
    pub(super) outside: Arc<Outside>,
    pub(super) lazy_calls: u8,
    pub(super) quiet: u8,
}

impl Replacing {
    fn ask(&mut self, view: &mut View<'_, Parts>) -> Verdict {
        if self.lazy_calls > 0 {
            self.lazy_calls -= 1;
            self.outside.keep(|| view.resume_handle());
            let quiet = self.quiet & 1 << self.lazy_calls != 0;
            return if quiet { Verdict::HOLD.quiet() } else { Verdict::HOLD };
        }
        let Rule { needle, with } = &*self.rule;
        let mut from = 0;
        while let Some(at) = view.body().find(needle, from) {
            match view.replace(at..at + needle.len(), with.clone()) {
                Ok(()) => from = at + with.len(),
                // The engine asks again when there is room.
                Err(error) if error.kind() == EditErrorKind::Full => {
                    return Verdict::pass_first(at);
                }
                Err(error) => return view.fail(error),
            }
        }
        let keep = if view.input_ended() { 0 } else { unfinished(view.body(), from, needle) };
        if keep == 0 { Verdict::PASS } else { Verdict::pass_first(view.body().len() - keep) }
    }
}

impl Filter<Parts> for Replacing {
    fn declare(&self) -> Declaration {
        self.declaration.clone().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, Parts>) -> Verdict {
        self.ask(view)
    }

    fn resume(&mut self, view: &mut View<'_, Parts>) -> Verdict {
        self.ask(view)
    }
}

/// The same with awaits. Sleeps after the chunks whose bit is set in `naps`.
pub(super) async fn replace(
    rule: Arc<Rule>,
    mut naps: u8,
    outside: Arc<Outside>,
    mut input: Input,
    mut output: Output,
) -> Result<(), Error> {
    let Rule { needle, with } = &*rule;
    let mut rest = BodyBuf::new();
    loop {
        let chunk = input.next().await?;
        let ended = chunk.is_none();
        rest.push(chunk.unwrap_or_else(Bytes::new));
        if naps & 1 != 0 {
            outside.nap().await;
        }
        naps >>= 1;
        while let Some(at) = rest.find(needle, 0) {
            let mut done = rest.split_to(at + needle.len());
            done.replace(at..at + needle.len(), with.clone());
            output.send_all(done).await?;
        }
        let keep = if ended { 0 } else { unfinished(&rest, 0, needle) };
        let done = rest.split_to(rest.len() - keep);
        output.send_all(done).await?;
        if ended {
            return Ok(());
        }
    }
}

/// Holds and lets go as it is told, and changes nothing.
pub(super) struct Neighbour {
    pub(super) declaration: Declaration,
    pub(super) pauses: Vec<Pause>,
    pub(super) calls: usize,
    pub(super) outside: Arc<Outside>,
}

impl Neighbour {
    fn ask(&mut self, view: &mut View<'_, Parts>) -> Verdict {
        let pause = self.pauses.get(self.calls).copied().unwrap_or(Pause::None);
        self.calls += 1;
        if !matches!(pause, Pause::None) {
            self.outside.keep(|| view.resume_handle());
        }
        match pause {
            Pause::None => Verdict::PASS,
            Pause::Hold => Verdict::HOLD,
            Pause::Quiet => Verdict::HOLD.quiet(),
            Pause::First(n) => Verdict::pass_first(n.into()),
        }
    }
}

impl Filter<Parts> for Neighbour {
    fn declare(&self) -> Declaration {
        self.declaration.clone()
    }

    fn data(&mut self, view: &mut View<'_, Parts>) -> Verdict {
        self.ask(view)
    }

    fn resume(&mut self, view: &mut View<'_, Parts>) -> Verdict {
        self.ask(view)
    }
}
