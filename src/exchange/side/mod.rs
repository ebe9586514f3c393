//! One direction of an exchange: a chain, its end of the mailbox, and the rules between them.
//!
//! This module never does I/O, reads a clock or starts anything; it wakes nobody but the owner of
//! the other half, through the mailbox.

mod drain;
mod input;
mod link;
mod poll;

use core::fmt;

use http::{HeaderName, request, response};

use super::{Direction, EarlyResponse, Observer, RequestHalf, ResponseHalf};
use crate::buf::BodyBuf;
use crate::chain::{Chain, Stats};
use crate::filter::Head;
use crate::frame::Outcome;
use crate::unwind::contained;
use crate::watermark::Marks;

use drain::Early;
pub(in crate::exchange) use link::Link;

/// One direction of an exchange: it owns the chain of one message and its end of the mailbox.
///
/// Made in pairs by [`BoundExchangePlan::exchange`](super::BoundExchangePlan::exchange), or from a
/// chain by [`new`](Self::new). Each side is polled by its own task, on any thread. A side is
/// driven as a [`Chain`] is: `handle_*` gives it input while it [wants](Self::wants_input) any, and
/// [`poll_output`](Self::poll_output) gives out what to do; besides, [`poll_mail`](Self::poll_mail)
/// takes what the other side says. [`poll_next`](Self::poll_next) does all but the input.
///
/// The rules between the sides are in the [module's](super) page. Dropping a side ends its message:
/// complete, if the chain says so (rule I9), else cancelled.
///
/// # Examples
///
/// A request filter that replies is answered through the response chain:
///
/// ```
/// use std::task::{Context, Poll, Waker};
/// use http::{Request, StatusCode, request};
/// use tidegate::exchange::ExchangePlan;
/// use tidegate::{Capabilities, Filter, LocalReply, MessageTraits, Output, Verdict, View};
///
/// struct Deny;
///
/// impl Filter<request::Parts> for Deny {
///     fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
///         view.reply(LocalReply::new(StatusCode::FORBIDDEN))
///     }
/// }
///
/// let plan = ExchangePlan::builder().request("deny", || Deny).build()?;
/// let plan = plan.bind(Capabilities::ALL, Capabilities::ALL)?;
/// let (mut request, mut response) =
///     plan.exchange(MessageTraits::new(), MessageTraits::new()).expect("nothing is required");
///
/// request.handle_head(Request::new(()).into_parts().0, false)?;
/// // Nothing goes upstream, and the source is let go.
/// assert!(matches!(request.poll_output(), Some(Output::Reset(_))));
///
/// let cx = Context::from_waker(Waker::noop());
/// let Poll::Ready(Some(Output::Head { head, .. })) = response.poll_next(&cx) else { panic!() };
/// assert_eq!(head.status, StatusCode::FORBIDDEN);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Side<H: Head> {
    chain: Chain<H>,
    link: Link,
    early: Early,
    stage: Stage,
    observer: Option<Observer>,
}

/// What is known of the message outside its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Neither a head nor a reply has come.
    Unstarted,
    Running,
    /// The outcome is fixed, and everybody who is to know has been told.
    Told,
}

impl<H: Head> Side<H> {
    /// A message that is no part of an exchange, until it is linked with one.
    #[must_use]
    pub fn new(chain: Chain<H>) -> Self {
        Self::linked(chain, EarlyResponse::Forward, Link::Alone)
    }

    /// A message of an exchange.
    #[inline]
    pub(in crate::exchange) fn linked(chain: Chain<H>, early: EarlyResponse, link: Link) -> Self {
        Self { chain, link, early: Early::from(early), stage: Stage::Unstarted, observer: None }
    }

    /// Sets what becomes of a request that is still being sent when the client has its answer. Both
    /// sides of an exchange have to have the same.
    #[must_use]
    pub fn early_response(mut self, policy: EarlyResponse) -> Self {
        self.early = Early::from(policy);
        self
    }

    /// Sets who is told how the message ended: once. Nobody is told of a side that was dropped
    /// before anything had come.
    #[must_use]
    pub fn on_finish(mut self, observer: Observer) -> Self {
        self.set_observer(observer);
        self
    }

    pub(crate) fn set_observer(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    /// The chain, to read its levels, statistics and outcome.
    #[inline]
    #[must_use]
    pub fn chain(&self) -> &Chain<H> {
        &self.chain
    }

    /// States which trailers can follow the head that was taken: see
    /// [`Chain::send_only_trailers`].
    pub fn send_only_trailers(&mut self, announced: Vec<HeaderName>) {
        self.chain.send_only_trailers(announced);
    }

    /// Takes body before the head: see [`Chain::take_body`].
    pub fn take_body(&mut self, into: &mut BodyBuf, max_bytes: usize) {
        self.chain.take_body(into, max_bytes);
    }

    /// Does the work that is left: see [`Chain::handle_work`].
    pub fn handle_work(&mut self) {
        self.chain.handle_work();
    }

    /// States that the message has no body: see [`Chain::set_bodiless`].
    pub fn set_bodiless(&mut self) {
        self.chain.set_bodiless();
    }

    /// Moves data to `into`: see [`Chain::take_output`].
    #[inline]
    pub fn take_output(&mut self, into: &mut BodyBuf, max_bytes: usize) {
        if !self.is_draining() {
            self.chain.take_output(into, max_bytes);
        }
    }

    /// Changes watermarks while the message is under way: see [`Chain::set_marks`].
    ///
    /// # Panics
    ///
    /// As there.
    pub fn set_marks(&mut self, station: usize, marks: Marks) {
        self.chain.set_marks(station, marks);
    }

    /// Whether a head or a local reply has come.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.stage != Stage::Unstarted
    }

    /// Whether the source should be read: a level, as [`Chain::wants_input`]. Also while what it
    /// gives is only [drained](Self::drain_time).
    #[inline]
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.chain.wants_input() || self.is_draining()
    }

    /// Whether the source can be let go: it will not be wanted again.
    #[must_use]
    pub fn input_stopped(&self) -> bool {
        self.chain.input_stopped() && !self.is_draining()
    }

    /// The message has begun, for those who are told of its end.
    fn start(&mut self) {
        if self.stage == Stage::Unstarted {
            self.stage = Stage::Running;
        }
    }

    /// Tells the outcome, if it is fixed and has not been told.
    pub(crate) fn tell(&mut self) {
        // A complete response is news to the request only where the policy makes it so.
        let is_early = !matches!(self.early, Early::Forward);
        let complete = self.chain.outcome().is_some_and(Outcome::is_complete);
        // A message that failed can have been answered by what its route put in its place.
        let whole = self.chain.outcome().is_some() && self.chain.is_end_stream();
        self.tell_as(whole && (is_early || !complete));
    }

    /// The same. `answered`: the client has a whole answer, or will be given one.
    fn tell_as(&mut self, answered: bool) {
        if self.stage == Stage::Told {
            return;
        }
        let Some(outcome) = self.chain.outcome() else { return };
        self.stage = Stage::Told;
        self.link.finish(outcome, answered);
        if let Some(observer) = &self.observer {
            tell(observer, Direction::of::<H>(), outcome, &self.chain.stats());
        }
    }
}

impl Side<request::Parts> {
    /// Connects the request with its response: a local reply, or a failure, is posted to the other
    /// half, and the request ends when the other half says so.
    #[must_use]
    pub fn link(mut self, half: RequestHalf) -> Self {
        self.set_half(half);
        self
    }

    pub(crate) fn set_half(&mut self, half: RequestHalf) {
        self.link = Link::Request(half);
    }
}

impl Side<response::Parts> {
    /// Connects the response with its request: a local reply from there goes where the response is.
    #[must_use]
    pub fn link(mut self, half: ResponseHalf) -> Self {
        self.set_half(half);
        self
    }

    pub(crate) fn set_half(&mut self, half: ResponseHalf) {
        self.link = Link::Response(half);
    }
}

/// Tells `observer`. One that panics must not take the message with it, which has ended well.
pub(crate) fn tell(observer: &Observer, direction: Direction, outcome: &Outcome, stats: &Stats) {
    contained(|| observer(direction, outcome, stats));
}

impl<H: Head> Drop for Side<H> {
    fn drop(&mut self) {
        // An informational head does not start a message, but filters have been asked about it. A
        // chain that failed in the making has an outcome, for which the other side may answer.
        let is_news = match self.stage {
            Stage::Unstarted => self.chain.has_begun() || self.chain.outcome().is_some(),
            Stage::Running => true,
            Stage::Told => false,
        };
        if is_news {
            // The consumer goes away. Whether that is an end as declared is the chain's to say.
            self.chain.cancel();
            self.tell();
        }
    }
}

impl<H: Head> fmt::Debug for Side<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side")
            .field("direction", &Direction::of::<H>())
            .field("stage", &self.stage)
            .field("early", &self.early)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
