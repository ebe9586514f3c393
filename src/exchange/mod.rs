//! What the two halves of an HTTP exchange tell each other: a mailbox, and nothing else.
//!
//! A request and its response run on different tasks: the request half is owned by the body that
//! the inner service polls, the response half by the response future and then by the response
//! body. Each half owns its chain alone. Between them there are three pieces of news:
//!
//! | from | to | news |
//! |---|---|---|
//! | request | response | a local reply to give instead of the response; or that the request failed |
//! | response | request | the exchange is over before its time: end the request so that the upstream sees a reset |
//! | each | each | how the half ended |
//!
//! A response that ends as it should says nothing to the request: the directions end independently,
//! and an upload may go on behind an early response.
//!
//! # Who is woken
//!
//! Each half registers its waker by polling for mail; posting a letter takes that waker out and
//! wakes it after the lock has been given back. Registering looks for a letter again under the same
//! lock, so a letter is either seen by the poll or finds the waker.
//!
//! This module never runs a filter or a waker with its lock held.

mod lane;
mod mail;
mod request_half;
mod response_half;

use crate::error::Error;
use crate::frame::Outcome;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, lock};

use lane::Lane;

pub use mail::Mail;
pub use request_half::RequestHalf;
pub use response_half::ResponseHalf;

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
    to_response: Lane<Mail>,
    to_request: Lane<Error>,
    outcomes: Mutex<Outcomes>,
    /// 1 while the request half waits for its client; advice for the choice between 408 and 504.
    awaits_client: AtomicU32,
}

#[derive(Default)]
struct Outcomes {
    request: Option<Outcome>,
    response: Option<Outcome>,
}

impl Shared {
    /// Fixes how the request ended; false if that was fixed before.
    fn fix_request(&self, outcome: &Outcome) -> bool {
        let fresh = outcome.clone();
        let mut outcomes = lock(&self.outcomes);
        if outcomes.request.is_some() {
            // Dropped after the lock: an error's source is user code.
            drop(outcomes);
            drop(fresh);
            return false;
        }
        outcomes.request = Some(fresh);
        true
    }

    /// Fixes how the response ended; false if that was fixed before.
    fn fix_response(&self, outcome: &Outcome) -> bool {
        let fresh = outcome.clone();
        let mut outcomes = lock(&self.outcomes);
        if outcomes.response.is_some() {
            drop(outcomes);
            drop(fresh);
            return false;
        }
        outcomes.response = Some(fresh);
        true
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

#[cfg(test)]
mod tests;
