use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::mem;

use bytes::Bytes;
use http::HeaderMap;

use super::current::{poll_with, with};
use super::slot::{Facts, LentHead, Slot, Tail};
use super::wait::Wait;
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::{Capability, Head};

/// What comes to an async filter: the head while it stands here, body, trailers, the end.
///
/// A small token, good for one message and inside the polls of its own filter's future. Elsewhere
/// (in a spawned task, in another filter's future, after the message) every operation answers
/// [`ErrorKind::OutsidePoll`].
///
/// `Input` fits messages of both directions; `Input<request::Parts>` and `Input<response::Parts>`
/// fit theirs, and know the whole [`head`](Self::head).
///
/// Body that was not taken is not lost: it waits here, charged to the filter's marks, so that the
/// source pauses at the high mark; and it passes unchanged when the future returns.
pub struct Input<T = ()> {
    message: u64,
    sees: PhantomData<fn() -> T>,
}

impl<T> Input<T> {
    pub(super) fn new(message: u64) -> Self {
        Self { message, sees: PhantomData }
    }

    /// Takes the next piece of body, never empty; `None` when there is no more. What was taken is
    /// the caller's, and goes on only if it is sent.
    ///
    /// Cancel safe: dropped while it waits, it has taken nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    #[allow(clippy::should_implement_trait, reason = "its items are awaited")]
    pub fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send {
        let message = self.message;
        poll_fn(move |cx| {
            let mut chunk = None;
            let stepped = poll_with(message, cx, Slot::input_wait, |slot| {
                if slot.input.is_empty() {
                    return slot.ended().then_some(());
                }
                chunk = slot.input.pop_front();
                Some(())
            });
            stepped.map_ok(|()| chunk)
        })
    }

    /// Waits for the end and takes the whole body. Until then it waits here, charged to the
    /// filter's marks.
    ///
    /// Cancel safe: dropped while it waits, it has taken nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] as soon as there are more than `limit_bytes`, or more than the filter's
    /// high mark, where the source would be paused. The body is still there: a future that returns
    /// now lets it pass. [`ErrorKind::OutsidePoll`].
    pub fn collect(
        &mut self,
        limit_bytes: u64,
    ) -> impl Future<Output = Result<BodyBuf, Error>> + Send {
        let message = self.message;
        poll_fn(move |cx| {
            let collected = poll_with(message, cx, Slot::input_wait, |slot| {
                let limit_bytes = limit_bytes.min(slot.high_bytes);
                if slot.input.len() as u64 > limit_bytes {
                    return Some(Err(limit_bytes));
                }
                slot.ended().then(|| Ok(mem::take(&mut slot.input)))
            });
            collected.map(|collected| {
                collected?.map_err(|limit_bytes| {
                    let kind = ErrorKind::Limit { limit: "collected body", limit_bytes };
                    Error::new(kind, Origin::Filter)
                })
            })
        })
    }

    /// Waits for the end of the body. Answers a copy of the trailers that came, if any did.
    ///
    /// Body that was not taken passes on unchanged meanwhile. The trailers pass on too, whether
    /// this is called or not; see [`edit_trailers`](Self::edit_trailers) and
    /// [`Output::set_trailers`](super::Output::set_trailers).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn trailers(&mut self) -> impl Future<Output = Result<Option<HeaderMap>, Error>> + Send {
        let message = self.message;
        poll_fn(move |cx| {
            poll_with(message, cx, Slot::input_wait, |slot| {
                slot.output.append(&mut slot.input);
                match &slot.tail {
                    Tail::Awaited => None,
                    Tail::Shown(None) => Some(None),
                    Tail::Shown(Some(trailers)) => {
                        Some((!trailers.is_empty()).then(|| trailers.clone()))
                    }
                }
            })
        })
    }

    /// Looks at the trailers, or edits them, once the end has been shown. `None` if it has not, or
    /// if none came; an empty map where none came and the filter may add some.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn edit_trailers<R>(
        &mut self,
        edit: impl FnOnce(&mut HeaderMap) -> R,
    ) -> Result<Option<R>, Error> {
        let lent = with(self.message, |slot| match &mut slot.tail {
            Tail::Shown(Some(trailers)) => {
                slot.asked.edited = true;
                Some(mem::take(trailers))
            }
            Tail::Shown(None) | Tail::Awaited => None,
        })?;
        // User code: with the slot in its place.
        Ok(lent.map(|trailers| {
            let mut lent = LentTrailers { message: self.message, trailers };
            edit(&mut lent.trailers)
        }))
    }

    /// Whether the end was shown and all body was taken.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn is_ended(&self) -> Result<bool, Error> {
        with(self.message, |slot| slot.ended() && slot.input.is_empty())
    }

    /// Looks at the header fields, or edits them, while the head stands here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HeadGone`], [`ErrorKind::OutsidePoll`].
    pub fn headers<R>(&mut self, edit: impl FnOnce(&mut HeaderMap) -> R) -> Result<R, Error> {
        self.lend_head(|head| head.headers_mut().map(edit))
    }

    /// The length that the message declared when it entered the chain, in bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn declared_bytes(&self) -> Result<Option<u64>, Error> {
        self.facts().map(|facts| facts.declared_bytes)
    }

    /// Whether this response was made by a filter or the engine, not by the upstream.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn is_local_reply(&self) -> Result<bool, Error> {
        self.facts().map(|facts| facts.local_reply)
    }

    /// Whether the filter declared `capability` and the edge can do it for this message.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn granted(&self, capability: Capability) -> Result<bool, Error> {
        self.facts().map(|facts| facts.granted.has(capability))
    }

    fn facts(&self) -> Result<Facts, Error> {
        with(self.message, |slot| slot.facts)
    }

    fn lend_head<R>(&mut self, work: impl FnOnce(&mut LentHead) -> Option<R>) -> Result<R, Error> {
        let head = with(self.message, |slot| {
            slot.asked.edited = true;
            mem::take(&mut slot.head)
        })?;
        // User code: with the slot in its place.
        let mut lent = HeadOnLoan { message: self.message, head };
        work(&mut lent.head).ok_or_else(|| Error::new(ErrorKind::HeadGone, Origin::Filter))
    }
}

impl<H: Head> Input<H> {
    /// Looks at the head, or edits it, while it stands here: until the first poll is over, or with
    /// [`Capability::HoldHead`] until the filter lets it go.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HeadGone`], [`ErrorKind::OutsidePoll`].
    pub fn head<R>(&mut self, edit: impl FnOnce(&mut H) -> R) -> Result<R, Error> {
        self.lend_head(|head| head.as_any_mut()?.downcast_mut().map(edit))
    }
}

impl Slot {
    fn input_wait(&mut self) -> &mut Wait {
        &mut self.input_wait
    }
}

impl<T> fmt::Debug for Input<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

/// The head, on its way through a caller's closure. Comes back also by a panic.
struct HeadOnLoan {
    message: u64,
    head: LentHead,
}

impl Drop for HeadOnLoan {
    fn drop(&mut self) {
        let head = mem::take(&mut self.head);
        // The slot was there a moment ago, and nothing has taken it since.
        let _ = with(self.message, |slot| slot.head = head);
    }
}

/// The trailers, on their way through a caller's closure. They come back also by a panic.
struct LentTrailers {
    message: u64,
    trailers: HeaderMap,
}

impl Drop for LentTrailers {
    fn drop(&mut self) {
        let trailers = mem::take(&mut self.trailers);
        // The slot was there a moment ago, and nothing has taken it since.
        let _ = with(self.message, |slot| slot.tail = Tail::Shown(Some(trailers)));
    }
}
