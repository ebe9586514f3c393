//! Filters written as a plain `async fn`: chunks in, chunks out, no verdict at all.
//!
//! ```
//! use http::StatusCode;
//! use tidegate::async_filter::{Input, Output, async_filter};
//! use tidegate::{Capability, Declaration, Error, LocalReply, Plan};
//!
//! # async fn is_allowed(_token: Option<http::HeaderValue>) -> bool { true }
//! /// Asks somebody else, while the head waits here and the body pauses at the mark.
//! async fn authorize(mut input: Input, output: Output) -> Result<(), Error> {
//!     let token = input.headers(|fields| fields.remove("authorization"))?;
//!     if is_allowed(token).await {
//!         return Ok(()); // Everything passes, and costs nothing from here on.
//!     }
//!     output.reply(LocalReply::new(StatusCode::UNAUTHORIZED))
//! }
//!
//! let holds = Declaration::new().require(Capability::HoldHead);
//! let plan = Plan::<http::request::Parts>::builder()
//!     .filter("authorize", async_filter(holds, authorize))
//!     .build()?;
//! # let mut chain = plan.bind(tidegate::Capabilities::ALL)?.chain(Default::default())?;
//! # chain.handle_head(http::Request::new(()).into_parts().0, true)?;
//! # assert!(matches!(chain.poll_output(), Some(tidegate::Output::Head { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An async filter is an ordinary [`Filter`](crate::Filter) and mixes with others in one chain. Its
//! callbacks poll one boxed future; no task, no channel and no runtime is behind it. What it may
//! await is its [`Input`], its [`Output`], and anything else that wakes its waker, from any thread.
//!
//! # What happens when
//!
//! | the future | head | body | trailers, end |
//! |---|---|---|---|
//! | takes a chunk | | is the future's; counts no more | |
//! | sends a chunk | a held head goes | goes on behind what was sent before | |
//! | waits for input | goes; with *hold head* it stays | | the end is `None` from [`Input::next`] |
//! | waits for room in [`Output::send`] | | what comes waits here, charged | wait here |
//! | waits for the trailers | goes, if body goes | passes unchanged | |
//! | waits for anything else | goes; with *hold head* it stays | what comes waits here, charged | wait here |
//! | returns `Ok` | goes | what was not taken passes, now and later | pass; those that were set go in their place |
//! | [`Output::end`] | goes | what was sent goes; what was not taken is dropped | the end, or the trailers that were set |
//! | [`Output::reply`] | dropped | dropped and counted | dropped |
//! | returns `Err`, panics | dropped | dropped and counted | the message fails, and names the filter |
//! | is dropped with its message | | | once, by the close call or the end of the chain |
//!
//! To return is not to end the message: a future that has nothing more to do gets out of the way,
//! so no body is cut off by a forgotten loop. *Charged* is against the filter's own marks: over the
//! high one the source pauses. So what a message can hold is what
//! [`Plan::held_bound_bytes`](crate::Plan::held_bound_bytes) says, and what futures keep in
//! variables of their own.
//!
//! The head can be edited in the first poll, which is the call of the head. With
//! [`Capability::HoldHead`](crate::Capability::HoldHead) granted it stays until the first byte is
//! sent, [`Output::release_head`], or the return.
//!
//! # Waking
//!
//! The future's waker asks the filter again through a [`ResumeHandle`](crate::ResumeHandle). It is
//! made once for all polls and messages of a filter. The handle is asked for when a poll first
//! leaves a clone of the waker behind, and a wake that comes earlier is found when the poll
//! returns. Many wakes cost one poll. A wake that comes after the message does nothing, also where
//! the filter serves another message by then.
//!
//! A future that waits for neither input nor room, and whose waker nobody holds any more, can never
//! go on: once the message waits for it, it fails as stalled (rule I8), and not only at a
//! timeout.
//!
//! # Using it where it is not good
//!
//! Input and output reach their message through a place of the polling thread, which is set for the
//! time of one poll and holds the number of the message. Outside of it (on another task, in another
//! filter's future, later) every operation answers [`ErrorKind::OutsidePoll`]: never a panic, a
//! hang, or another message's bytes. An async filter may drive a chain of its own inside its poll.
//!
//! # Cost
//!
//! No allocation for a chunk. On a filter that is used again ([`Filter::recycle`]) none for a
//! message either: the place of the future is kept. Five accesses of a thread-local a chunk, no
//! lock, no atomic read-modify-write.
//!
//! This module never knows a chain, never spawns, never reads a clock, and never runs user code
//! (a waker's clone, drop and wake, the closures that look at heads) under a lock or with the
//! message away from its place.
//!
//! [`ErrorKind::OutsidePoll`]: crate::ErrorKind::OutsidePoll
//! [`Filter::recycle`]: crate::Filter::recycle

mod alarm;
mod current;
mod filter;
mod input;
mod output;
mod sees;
mod slot;
mod wait;
mod waking;

pub use filter::{AsyncFilter, async_filter};
pub use input::Input;
pub use output::Output;
pub use sees::Sees;
