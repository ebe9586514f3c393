//! What a filter is: its callbacks, its view of the message, its verdict, its declaration.
//!
//! - [`Filter`] is the trait: one callback for each kind of news. What is not written passes.
//! - [`View`] is what a callback is handed: all that the filter was shown and has not let go.
//! - [`Verdict`] is what it answers, for all of it.
//! - [`Declaration`] is what the filter says of itself beforehand: its interests, the
//!   [capabilities](Capability) that it needs, how much it may hold.
//! - [`LocalReply`] takes the place of a message.
//! - [`FailOpen`] goes around a filter that asks others.
//!
//! ```
//! use http::HeaderValue;
//! use tidegate::{Filter, Head, Verdict, View};
//!
//! /// Marks every message, and counts its body.
//! #[derive(Default)]
//! struct Mark {
//!     bytes: usize,
//! }
//!
//! impl<H: Head> Filter<H> for Mark {
//!     fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
//!         if let Some(head) = view.head_mut() {
//!             head.headers_mut().insert("x-mark", HeaderValue::from_static("1"));
//!         }
//!         Verdict::PASS
//!     }
//!
//!     fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
//!         self.bytes += view.new_bytes();
//!         Verdict::PASS
//!     }
//! }
//!
//! let plan = tidegate::Plan::<http::request::Parts>::builder().filter("mark", Mark::default);
//! assert_eq!(plan.build()?.filters().count(), 1);
//! # Ok::<(), tidegate::chain::PlanError>(())
//! ```
//!
//! `docs/first-filter.md` writes three, step by step. The same as an `async fn`:
//! [`async_filter`](crate::async_filter).
//!
//! This module never knows a station or a chain, never wakes, locks, or reads a clock.

mod capability;
mod declaration;
mod desk;
mod edit;
mod fail_open;
mod head;
mod interest;
mod interim;
mod keeping;
mod meter;
mod reply;
mod result_error;
mod verdict;
mod view;

use crate::frame::Outcome;

pub use capability::{Capabilities, Capability};
pub use declaration::Declaration;
pub use edit::{EditError, EditErrorKind};
pub use fail_open::FailOpen;
pub use head::Head;
pub use interest::Interest;
pub use interim::Interim;
pub use keeping::Keeping;
pub use reply::LocalReply;
pub use result_error::ResultError;
pub use verdict::{Overflow, Verdict};
pub use view::View;

pub(crate) use desk::{Declared, DeclaredByAll, Desk, Growth, MessageFacts};
pub(crate) use head::sealed::Sealed as HeadKind;
pub(crate) use verdict::{Decision, Odd};
pub(crate) use view::ViewParts;

/// User code that sees a message of one direction and may change, hold, add, remove and end it.
///
/// `H` is [`http::request::Parts`] or [`http::response::Parts`]; a filter that only looks at
/// bodies and header fields is written once, as `impl<H: Head> Filter<H>`.
///
/// Every callback is handed one [`View`] of everything this filter was shown and has not let go:
/// the head while it stands here, the bytes it holds and then the new ones, the trailers. It
/// answers with one [`Verdict`] that covers all of it.
///
/// # Order of calls
///
/// `informational` any number of times; `head` once; `data` any number of times; `trailers` at most
/// once; `resume` at any time after `head`; then, whatever happened, [`close`](Self::close) exactly
/// once (but not after a panic of this filter). Nothing is called after `close`.
///
/// # Panics
///
/// A panic ends this message only: the filter is never called again, the others are closed with
/// [`Outcome::Failed`], and the edge gets an error (rule I9).
pub trait Filter<H: Head>: Send {
    /// What this filter wants to see and what it needs. Asked once, when the plan is built, of an
    /// instance made for that purpose.
    fn declare(&self) -> Declaration {
        Declaration::default()
    }

    /// The head has arrived. While the verdict keeps it here, every later callback can edit it.
    ///
    /// [`View::input_ended`] says that there is no body and no trailers. Body can be added.
    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let _ = view;
        Verdict::PASS
    }

    /// Bytes have arrived, or the end, or both.
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let _ = view;
        Verdict::PASS
    }

    /// The trailers have arrived, after all body; or the end, with an empty map, if this filter
    /// was granted [`Capability::AddTrailers`].
    ///
    /// The default asks [`data`](Self::data), which sees the end in [`View::input_ended`]: a
    /// filter that knows nothing of trailers neither loses them nor waits for ever (rule I5).
    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.data(view)
    }

    /// Somebody resumed this filter through its handle, it asked for it with [`Verdict::again`],
    /// or there is room again after an edit was refused as full.
    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        let _ = view;
        Verdict::PASS
    }

    /// An informational head (1xx) has arrived, before the final one: a response filter that looks
    /// at heads may edit or drop it. Any number of them come before [`head`](Self::head), or none;
    /// `head` is not promised to follow. On requests this is never called.
    ///
    /// It cannot be held, and nothing else can be done from here: it has no body to wait for, what
    /// it hints at is worthless when it is late, and the final head would have to wait for it or to
    /// overtake it. One that is edited into a final head, or into 101, fails the message.
    fn informational(&mut self, head: &mut H) -> Interim {
        let _ = head;
        Interim::Pass
    }

    /// The message is over. Called once, if a head (also an informational one) had reached this
    /// filter.
    fn close(&mut self, outcome: &Outcome) {
        let _ = outcome;
    }

    /// Whether this instance may serve another message of the same plan. Called once, when the
    /// chain goes: behind [`close`](Self::close), or without it where the message never came to
    /// this filter. Never after a panic of this filter, and never of half of a pair.
    ///
    /// It waits in its plan then: one that owns that plan would keep itself alive for good. Halves
    /// of a pair (`ExchangePlan`) are not asked, and go with their exchange.
    ///
    /// A filter that answers `true` is as new: nothing it keeps may tell the next message anything
    /// of this one. Its next call, if it is called again, is the first of a message that may be
    /// another user's. The default answers `false`: the filter is dropped, and made anew for the
    /// next message.
    fn recycle(&mut self) -> bool {
        false
    }
}

impl<H: Head> Filter<H> for Box<dyn Filter<H>> {
    fn declare(&self) -> Declaration {
        (**self).declare()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        (**self).head(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        (**self).data(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        (**self).trailers(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        (**self).resume(view)
    }

    fn informational(&mut self, head: &mut H) -> Interim {
        (**self).informational(head)
    }

    fn close(&mut self, outcome: &Outcome) {
        (**self).close(outcome);
    }

    fn recycle(&mut self) -> bool {
        (**self).recycle()
    }
}
