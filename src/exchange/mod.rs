//! Both directions of one transaction: a side for each, a mailbox between them, and their filters.
//!
//! A request and its response run on different tasks: the request is polled where its upstream
//! takes it, the response where its client does. Each [`Side`] owns its chain alone; between them
//! is a [mailbox](mailbox()) with one letter each way. There is no I/O here, no clock and no
//! runtime: an edge gives input and time and takes output, and a unit test, an external processor
//! and hyper run the same rules. [`ExchangePlan`] says which filters both directions have, and
//! which belong together.
//!
//! # Who tells whom what
//!
//! | what happens | what the side does | what the other side is told, and does |
//! |---|---|---|
//! | a request filter replies | the request ends; upstream sees a reset | *reply*: goes where the response is (architecture.md, section 4); the whole chain sees it if no head was there |
//! | the request fails: client reset, length, timeout, filter | the request ends with that error | *failed*: answered through the whole response chain (400, 413, 408 or 504, 500), if no head was there; else nothing |
//! | the request is complete, or its sink is gone | its outcome is stated | nothing |
//! | the upstream fails, or the total runs out, before the response head | answered through the whole response chain: 502; 408 or 504 | – |
//! | the response fails before its head was taken | answered past its filters, which are closed | *reset*, with an answer |
//! | the response fails after its head was taken | its client sees a reset | *reset* |
//! | a response filter, or the request, replied, and the reply was taken whole | as any response | *reset*, with an answer |
//! | the response is complete | its outcome is stated | nothing, or by [`EarlyResponse`] *reset*, with an answer |
//! | the client is gone: the response side is cancelled, aborted or dropped | its filters are closed | *reset* |
//!
//! At a *reset* the request ends so that its upstream cannot take it for complete; if it has ended
//! before, nothing happens. *With an answer*, its source may be read on: [`EarlyResponse::Drain`].
//! 408 is for a request that waits for its client, and 504 for all else.
//!
//! Each side states its outcome once: to the other side, and to an [`Observer`]. Its filters have
//! been closed then. A side that is dropped has ended: complete, if the sink has all it could need,
//! else cancelled.
//!
//! # Which comes first
//!
//! Nothing is decided by which task is faster, but what cannot be decided otherwise: whether the
//! response head had entered its chain, or had been taken by the sink, when the letter was read. A
//! letter is read at the next poll of its side, before the chain's own news.
//!
//! # What is shared
//!
//! The mailbox: two letters, two outcomes, a hint and two wakers. No filter, no buffer, no flag of
//! a call: what a call in one direction sets off in the other happens when that side is polled.
//! Filters share what they have made for it themselves: see [`ExchangePlan`].
//!
//! # Who is woken
//!
//! Each half registers its waker by polling for mail; posting a letter takes that waker out and
//! wakes it after the lock has been given back. Registering looks for a letter again under the same
//! lock, so a letter is either seen by the poll or finds the waker.
//!
//! This module never runs a filter or a waker with its lock held.

pub(crate) mod answer;
mod direction;
mod early_response;
mod lane;
mod mail;
mod observer;
mod plan;
mod request_half;
mod response_half;
pub(crate) mod side;

use core::mem;

use crate::error::Error;
use crate::frame::{BriefOutcome, Outcome};
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, lock};
use crate::unwind::drop_contained;

use lane::Lane;

pub use direction::Direction;
pub use early_response::EarlyResponse;
pub use mail::Mail;
pub use observer::Observer;
pub use plan::{BoundExchangePlan, ExchangePlan, ExchangePlanBuilder, Refused};
pub(crate) use plan::{MakeRoutes, Routes};
pub use request_half::RequestHalf;
pub use response_half::ResponseHalf;
pub use side::Side;

/// The request of an exchange: its chain and its end of the mailbox.
pub type RequestSide = Side<http::request::Parts>;

/// The response of an exchange: its chain and its end of the mailbox.
pub type ResponseSide = Side<http::response::Parts>;

/// The two ends of a new mailbox. Allocates once.
#[must_use]
pub fn mailbox() -> (RequestHalf, ResponseHalf) {
    let shared = Arc::new(Shared {
        to_response: Lane::new(),
        to_request: Lane::new(),
        outcomes: Mutex::new(Outcomes::default()),
        awaits_client: AtomicU32::new(0),
    });
    (RequestHalf::new(Arc::clone(&shared)), ResponseHalf::new(shared))
}

/// What the halves share.
struct Shared {
    /// Boxed: it is rare, and the mailbox of an exchange that waits should be small.
    to_response: Lane<Box<Mail>>,
    to_request: Lane<Ending>,
    outcomes: Mutex<Outcomes>,
    /// 1 while the request half waits for its client; advice for the choice between 408 and 504.
    awaits_client: AtomicU32,
}

/// Why the request is to end before its time.
struct Ending {
    error: Error,
    /// The client has a whole answer, so its connection may go on.
    answered: bool,
}

#[derive(Default)]
struct Outcomes {
    request: Option<BriefOutcome>,
    response: Option<BriefOutcome>,
}

impl Shared {
    /// Fixes how the request ended; false if that was fixed before.
    fn fix_request(&self, outcome: &Outcome) -> bool {
        fix(&mut lock(&self.outcomes).request, outcome)
    }

    /// Fixes how the response ended; false if that was fixed before.
    fn fix_response(&self, outcome: &Outcome) -> bool {
        fix(&mut lock(&self.outcomes).response, outcome)
    }

    fn set_awaits_client(&self, awaits: bool) {
        // Ordering: Relaxed. Advice: nothing else is published with it.
        self.awaits_client.store(u32::from(awaits), Ordering::Relaxed);
    }

    fn awaits_client(&self) -> bool {
        // Ordering: Relaxed, as in `set_awaits_client`.
        self.awaits_client.load(Ordering::Relaxed) != 0
    }
}

/// Fixes an outcome; false if it was fixed before. Runs no user code: an error is shared, not made
/// again, and none is dropped here.
fn fix(slot: &mut Option<BriefOutcome>, outcome: &Outcome) -> bool {
    let is_news = slot.is_none();
    if is_news {
        *slot = Some(BriefOutcome::from(outcome.clone()));
    }
    is_news
}

impl Drop for Shared {
    /// The source of an error is user code: its drop may panic.
    fn drop(&mut self) {
        drop_contained(mem::take(&mut *lock(&self.outcomes)));
    }
}

#[cfg(test)]
mod tests;
