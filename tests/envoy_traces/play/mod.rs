//! A scenario, played through an exchange of tidegate.
//!
//! # How Envoy's statuses are played
//!
//! | Envoy | here |
//! |---|---|
//! | `Continue` | `PASS` |
//! | headers, trailers `StopIteration` | `HOLD` |
//! | `ContinueAndDontEndStream` | `pass_first(0)` |
//! | `StopAllIterationAndBuffer`, `…Watermark` | `HOLD.or_reject().quiet()`, `HOLD.quiet()` |
//! | `StopIterationAndBuffer`, `…Watermark` | `HOLD.or_reject()`, `HOLD` |
//! | `StopIterationNoBuffer` | what is new is taken out of the message, then held as before |
//! | `continue_decoding`, `continue_encoding` | the handle; the `resume` callback passes |
//! | `append_…_received`, `drain_…_received` | behind the new bytes; off their front |
//! | `append_…_buffered`, `drain_…_buffered` | behind what is held, before what is new; off its front |
//! | `local_reply`, `reset_stream` | `View::reply`; `View::fail` |
//! | `set_buffer_limit` | the high mark of every filter, from the start |
//!
//! A `_buffered` edit of an event is made in the `resume` callback, and is about the filter's own
//! bytes: there is no other buffer.
//!
//! # What the N of a script counts
//!
//! N counts Envoy's callbacks. Ours are the same but for four, so N is counted like this:
//!
//! - `resume` has no number: it does what the event asked for, and passes only if it was asked to.
//! - Envoy also calls filters with a piece that is empty and no end (what is left when a filter
//!   before took everything, or when the shared buffer was empty at a resume). tidegate makes no
//!   such call, so the numbers of those in the recording are passed over.
//! - An end that comes with the head is one call here. If the source sent it apart from the head,
//!   the script's headers callback and its data callback for the end are played in that one call,
//!   and the last verdict counts; behind a `StopAll…` the second is played when it resumes.
//! - A release that is cut, because a later filter has not got the room, is one callback of Envoy:
//!   the parts of a piece that Envoy showed whole have its number.

pub(crate) mod actor;
pub(crate) mod board;
mod ending;
mod kind;
mod lane;
pub(crate) mod ledger;
mod numbers;
mod plan;
mod source;
mod stage;
mod stock;
mod witness;

use crate::moment::Moment;
use crate::trace::{Step, Trace};

pub(crate) use plan::{NoCounterpart, limit_bytes};

/// What a run showed.
#[derive(Debug)]
pub(crate) struct Played {
    /// After each step, the close of the client included.
    pub(crate) moments: Vec<Moment>,
    /// Rules that tidegate broke. There must be none.
    pub(crate) faults: Vec<String>,
}

/// Plays the script of a trace. What Envoy did with it is looked at for the numbers only.
pub(crate) fn play(trace: &Trace) -> Result<Played, NoCounterpart> {
    let mut stage = stage::Stage::new(trace)?;
    let steps: Vec<&Step> = trace.steps.iter().map(|record| &record.did).collect();
    let mut moments = Vec::with_capacity(steps.len());
    for step in steps {
        stage.step(step);
        moments.push(stage.moment());
    }
    Ok(Played { moments, faults: stage.finish() })
}
