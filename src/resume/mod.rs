//! Resume from anywhere: the handle a filter gives away, and the wake word behind it.
//!
//! A filter that holds asks its view for a [`ResumeHandle`] and gives it to whoever will know when
//! to go on: a timer, another task, another thread. [`ResumeHandle::resume`] says "ask this filter
//! again"; it carries no data and moves none (rule I6).
//!
//! # Protocol
//!
//! The set has one word of pending bits, one bit a station. `resume` sets its bit with one
//! read-modify-write; whoever turns the word from zero to non-zero wakes the waker, so a burst of
//! resumes costs one wake. The driver registers its waker, *then* takes the word with one swap, so
//! a bit set before the swap is seen by it and a bit set after it finds the waker: both sides pass
//! through the waker's lock in between, which orders them.
//!
//! Liveness (rule I8) is a counter of handles per station. The driver reads the counter first and
//! the pending bit after it: a handle sets its bit before it gives up its count, so "no handle and
//! no bit" means that nobody will ask again. The last handle of a station to go wakes the driver,
//! which then looks for a stall.
//!
//! # Generations
//!
//! The allocation that handles and set share is the generation. A set goes from one message to the
//! next only when [`ResumeSet::recycle`] finds that no handle is left; otherwise the old allocation
//! stays with its handles, closed, and the next message gets another one.
//!
//! # Panics of a waker
//!
//! A waker may panic when it is cloned, woken or dropped. Nothing is locked then, and the state is
//! that of the step: the resume is queued, the waker is gone or replaced. A resume that finds
//! another one queued does not wake again, also if that wake panicked: the task that made such a
//! waker has to be polled by other means. A panic that would come out of a `Drop` is contained.
//!
//! This module never names bytes, HTTP or a runtime, and never runs user code (a waker's clone,
//! drop and wake) while its lock is held.

mod handle;
mod resumed;
mod set;
mod shared;

pub use handle::ResumeHandle;
pub use resumed::Resumed;
pub use set::ResumeSet;

#[cfg(test)]
mod tests;
