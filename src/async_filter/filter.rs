use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::current::{Entered, new_message};
use super::input::Input;
use super::output::Output;
use super::sees::Sees;
use super::slot::{Ending, Slot};
use super::waking::Waking;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::{Capability, Declaration, Filter, Head, Interest, ResultError, Verdict, View};
use crate::frame::Outcome;
use crate::sync::Arc;

/// A filter written as a plain `async fn`. Made by [`async_filter`].
///
/// An ordinary [`Filter`]: its callbacks poll the future. See the [module](super) for how.
pub struct AsyncFilter<T, F, Fut> {
    shared: Arc<Shared<F>>,
    life: Life,
    /// Made for the first message and used for all: the place of the future.
    future: Option<Pin<Box<Option<Fut>>>>,
    /// Away only during a poll.
    slot: Option<Box<Slot>>,
    waking: Waking,
    sees: PhantomData<fn(T)>,
}

/// What all messages share.
struct Shared<F> {
    declaration: Declaration,
    make: F,
}

/// Where the future is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// The head has not come.
    Waiting,
    /// The future has been made and is pending.
    Running,
    /// The future has returned: what comes passes.
    Passing,
    /// The message is over for this filter.
    Over,
}

/// Why a callback was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// Bytes, the end or trailers.
    Input,
    Resume,
}

/// Makes the maker of a filter from an `async fn`, an async closure, or a closure that answers a
/// future. For [`PlanBuilder::filter`](crate::chain::PlanBuilder::filter).
///
/// `make` is called once a message, with the head; its future is polled by the filter's callbacks.
/// The arguments of a closure have to be named: `|mut input: Input, mut output: Output| …`.
///
/// In the declaration, the interest is not looked at: an async filter sees everything until it
/// returns. A filter that changes how many bytes there are declares [`Capability::ChangeLength`],
/// as any filter does; where it does not require that, [`Capability::EditBytes`] is required for
/// it, as a chunk that is taken and sent again cannot be told from another.
///
/// # Examples
///
/// ```
/// use tidegate::async_filter::{Input, Output, async_filter};
/// use tidegate::{Declaration, Error, Plan};
///
/// async fn copy(mut input: Input, mut output: Output) -> Result<(), Error> {
///     while let Some(chunk) = input.next().await? {
///         output.send(chunk).await?;
///     }
///     Ok(())
/// }
///
/// let plan = Plan::<http::request::Parts>::builder()
///     .filter("copy", async_filter(Declaration::new(), copy))
///     .filter(
///         "closure",
///         async_filter(Declaration::new(), async |mut input: Input, mut output: Output| {
///             while let Some(chunk) = input.next().await? {
///                 output.send(chunk).await?;
///             }
///             Ok(())
///         }),
///     )
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn async_filter<T, F, Fut>(
    declaration: Declaration,
    make: F,
) -> impl Fn() -> AsyncFilter<T, F, Fut> + Send + Sync
where
    F: Fn(Input<T>, Output) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    let mut declaration = declaration.interest(Interest::ALL);
    if !declaration.required.has(Capability::ChangeLength) {
        declaration = declaration.require(Capability::EditBytes);
    }
    let shared = Arc::new(Shared { declaration, make });
    move || AsyncFilter {
        shared: Arc::clone(&shared),
        life: Life::Waiting,
        future: None,
        slot: None,
        waking: Waking::default(),
        sees: PhantomData,
    }
}

impl<H, T, F, Fut> Filter<H> for AsyncFilter<T, F, Fut>
where
    H: Head,
    T: Sees<H>,
    F: Fn(Input<T>, Output) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    fn declare(&self) -> Declaration {
        self.shared.declaration.clone()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.life {
            Life::Waiting => self.start(view),
            Life::Running => self.step(view, Event::Input),
            Life::Passing => self.pass(view),
            Life::Over => Verdict::PASS,
        }
    }

    #[inline]
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.life {
            Life::Running => self.step(view, Event::Input),
            Life::Waiting => self.start(view),
            Life::Passing => self.pass(view),
            Life::Over => Verdict::PASS,
        }
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.life {
            Life::Waiting => self.start(view),
            Life::Running => self.step(view, Event::Resume),
            Life::Passing => self.pass(view),
            Life::Over => Verdict::PASS,
        }
    }

    fn close(&mut self, _: &Outcome) {
        self.life = Life::Over;
        self.waking.close();
        let slot = self.slot.as_mut();
        if let Some(slot) = slot {
            slot.close();
        }
        // Last: what it drops is user code, and may panic.
        self.drop_future();
    }

    fn recycle(&mut self) -> bool {
        self.life = Life::Waiting;
        self.drop_future();
        if let Some(slot) = &mut self.slot {
            slot.close();
        }
        self.waking.recycle(self.slot.as_deref_mut());
        true
    }
}

impl<T, F, Fut> AsyncFilter<T, F, Fut>
where
    F: Fn(Input<T>, Output) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    /// The message begins: makes the future, inside its first poll.
    fn start<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let slot = self.slot.get_or_insert_default();
        slot.open(new_message(), view);
        self.life = Life::Running;
        self.poll(view)
    }

    /// Something came, or the filter was resumed: polls, if it can be of use.
    #[inline]
    fn step<H: Head>(&mut self, view: &mut View<'_, H>, event: Event) -> Verdict {
        let Some(slot) = &mut self.slot else { return broken(view) };
        let mut due = self.waking.take_rung();
        if event == Event::Input && slot.input_wait.is_waiting() {
            slot.input_wait.serve();
            due = true;
        }
        if slot.room_wait.is_waiting() && slot.wanted_bytes <= view.room_bytes() {
            slot.room_wait.serve();
            due = true;
        }
        if due {
            return self.poll(view);
        }
        if slot.room_wait.is_waiting() {
            view.refuse(slot.wanted_bytes);
        }
        self.stand(view, 0)
    }

    /// Lends everything in the view to the future, and polls it.
    #[inline]
    fn poll<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let Some(slot) = &mut self.slot else { return broken(view) };
        self.waking.prepare(slot);
        let lent_bytes = slot.borrow(view);
        let message = slot.message;
        let work = || match Entered::new(&mut self.slot) {
            Some(_entered) => {
                let mut cx = Context::from_waker(self.waking.waker());
                let place = self.future.get_or_insert_with(|| Box::pin(None));
                if place.is_none() {
                    let made = (self.shared.make)(Input::new(message), Output::new(message));
                    place.set(Some(made));
                }
                match place.as_mut().as_pin_mut() {
                    Some(future) => future.poll(&mut cx),
                    None => Poll::Pending,
                }
            }
            // This thread is ending, and has no place for a slot any more.
            None => Poll::Ready(Err(Error::new(ErrorKind::OutsidePoll, Origin::Internal))),
        };
        let polled = catch_unwind(AssertUnwindSafe(work));
        let sent_bytes = match &mut self.slot {
            Some(slot) => slot.give_back(view, lent_bytes),
            None if polled.is_ok() => return broken(view),
            None => 0,
        };
        // Only now: the engine counts what the message loses by it.
        let polled = polled.unwrap_or_else(|payload| resume_unwind(payload));
        let goes_on =
            self.slot.as_ref().is_some_and(|slot| matches!(slot.asked.ending, Ending::No));
        match polled {
            Poll::Pending if goes_on => self.wait(view, sent_bytes),
            polled => self.finish(view, sent_bytes, polled),
        }
    }

    /// The future is pending.
    #[inline]
    fn wait<H: Head>(&mut self, view: &mut View<'_, H>, sent_bytes: usize) -> Verdict {
        let Some(slot) = &mut self.slot else { return broken(view) };
        let waits_for_room = slot.room_wait.is_waiting();
        if waits_for_room {
            view.refuse(slot.wanted_bytes);
        }
        let waits_for_input = slot.input_wait.is_waiting();
        if waits_for_input && view.body().len() > sent_bytes {
            view.await_more();
        }
        let served = waits_for_room || waits_for_input;
        let rung = self.waking.after_pending(view, slot, served);
        let verdict = self.stand(view, sent_bytes);
        if rung { verdict.again() } else { verdict }
    }

    /// The verdict while the future is pending: `sent_bytes` go, what was not taken stays, and the
    /// end with it.
    #[inline]
    fn stand<H: Head>(&mut self, view: &mut View<'_, H>, sent_bytes: usize) -> Verdict {
        if view.head().is_some() && self.holds_head(view, sent_bytes) {
            return Verdict::HOLD;
        }
        // What it has taken is in its hands while it waits for something of its own: the message
        // stays open behind it.
        let is_served = self.slot.as_ref().is_none_or(|slot| slot.is_served());
        if view.body().len() == sent_bytes && !view.input_ended() && is_served {
            return Verdict::PASS;
        }
        Verdict::pass_first(sent_bytes)
    }

    /// Whether the head stays: while it may, and neither a byte was sent nor the head let go.
    #[cold]
    fn holds_head<H: Head>(&mut self, view: &mut View<'_, H>, sent_bytes: usize) -> bool {
        let Some(slot) = &mut self.slot else { return false };
        if sent_bytes == 0 && view.granted(Capability::HoldHead) && !slot.asked.release_head {
            return true;
        }
        tell_with_head(view, slot);
        false
    }

    /// The future has returned, or has put an end to the message.
    #[cold]
    fn finish<H: Head>(
        &mut self,
        view: &mut View<'_, H>,
        sent_bytes: usize,
        polled: Poll<Result<(), Error>>,
    ) -> Verdict {
        self.life = Life::Passing;
        self.drop_future();
        let Some(slot) = &mut self.slot else { return broken(view) };
        tell_with_head(view, slot);
        match (mem::take(&mut slot.asked.ending), polled) {
            (Ending::Replied(reply), _) => {
                self.life = Life::Over;
                view.reply(*reply)
            }
            (_, Poll::Ready(Err(error))) => {
                self.life = Life::Over;
                view.fail(error)
            }
            (Ending::Declared, _) => {
                self.life = Life::Over;
                drop_unsent(view, sent_bytes);
                // Those that came belong to the body that was cut off. Whether they have been
                // shown yet must make no difference.
                if let Some(trailers) = view.trailers_mut() {
                    trailers.clear();
                }
                match slot.asked.trailers.take().map(|trailers| view.set_trailers(trailers)) {
                    Some(Err(refused)) => view.fail(refused),
                    Some(Ok(())) | None => Verdict::END,
                }
            }
            (Ending::No, _) => self.pass(view),
        }
    }

    /// Everything passes, and behind it the trailers that were set.
    #[cold]
    fn pass<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let Some(slot) = &mut self.slot else { return broken(view) };
        let ended = view.input_ended();
        if slot.asked.trailers.is_none() {
            view.drop_interest(Interest::ALL);
        } else if ended {
            let trailers = slot.asked.trailers.take().unwrap_or_default();
            if let Err(refused) = view.set_trailers(trailers) {
                return view.fail(refused);
            }
        } else {
            view.drop_interest(Interest::DATA);
        }
        Verdict::PASS
    }
}

impl<T, F, Fut> AsyncFilter<T, F, Fut> {
    fn drop_future(&mut self) {
        if let Some(place) = &mut self.future {
            place.set(None);
        }
    }
}

/// The slot was lost: an operation panicked on its way, and the future went on.
#[cold]
fn broken<H: Head>(view: &mut View<'_, H>) -> Verdict {
    view.fail(Error::new(ErrorKind::Panicked, Origin::Filter))
}

/// The head is about to go: with the length that was declared for it, and the result.
#[cold]
fn tell_with_head<H: Head>(view: &mut View<'_, H>, slot: &mut Slot) {
    if let Some(bytes) = slot.asked.declared_bytes.take() {
        view.set_declared_bytes(bytes);
    }
    if let Some(result) = slot.asked.result.take()
        && let Err(refused) = view.set_result(&result)
    {
        // The engine fails the message for it. The head is here: it was when this was said, and
        // goes only now.
        debug_assert_eq!(refused, ResultError::Undeclared);
    }
}

/// What was not taken does not go behind a declared end.
fn drop_unsent<H: Head>(view: &mut View<'_, H>, sent_bytes: usize) {
    let len = view.body().len();
    if len > sent_bytes && view.remove(sent_bytes..len).is_err() {
        debug_assert!(false, "editing bytes is required, and so granted");
    }
}

impl<T, F, Fut> fmt::Debug for AsyncFilter<T, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFilter").field("life", &self.life).finish_non_exhaustive()
    }
}
