//! From one task to another: a channel with one sender and one receiver, bounded in bytes.
//!
//! [`pipe`] makes the two halves. Items have a [weight](Weigh), so what a pipe holds is a number of
//! bytes and not of items. Behind the last item comes an end of the caller's type (trailers, or
//! nothing), or a typed [`Cut`]: what was cut short never looks complete (rule I12).
//!
//! # The bound
//!
//! An item is charged its weight and its slot: [`limits::PIPE_ITEM_COST_BYTES`], or twice the size
//! of the slot if that is more. The sender goes on until the charge is *over* the high mark of its
//! [`Marks`], and is woken once it has come down to the low mark. So an item heavier than the high
//! mark still passes, alone, and a pipe holds at most the high mark and one item. Items are charged
//! until they are given out or dropped.
//!
//! # States
//!
//! | event | open | ending: the sender has ended, the receiver has not read it | delivered | closed: the receiver is gone |
//! |---|---|---|---|---|
//! | `try_send`, `send` | queued; over the high mark `Full` or waits | `Ended`, item back | `Ended`, item back | `Closed`, item back * |
//! | `finish`, `fail` | ending, behind what is queued | `Ended`, value back | `Ended`, value back | `Closed`, value back * |
//! | `abort` | ending, and what is queued is dropped and counted | `Ended`, value back | `Ended`, value back | `Closed`, value back * |
//! | sender dropped | as `fail`, with `Cancelled` | – | – | – |
//! | `poll_next` | an item, or `Pending` | items, then the end once: delivered | `Over` | `Over` |
//! | `close`, receiver dropped | closed; what is queued is dropped and counted | the same | closed | – |
//!
//! \* `Ended`, if this sender had ended before the receiver went.
//!
//! # Wakes
//!
//! The receiver is woken when something comes while it waits, and not for what comes behind that.
//! The sender is woken when the charge falls to the low mark while it waits for that, and when the
//! receiver goes. So under load one wake serves many items. Wakers run outside the lock. A waker
//! that panics when woken is contained: it was another task's, and this half has done its work.
//!
//! # How it works
//!
//! Each item takes the lock once, to be queued. The receiver takes the lock when it has nothing,
//! and then fetches all that is queued. It gives bytes back with one atomic addition to a word in
//! which the sender says that it waits: so either the sender sees the bytes or the receiver sees
//! that somebody waits, and a wake cannot be lost between the two. After warm-up nothing is
//! allocated.
//!
//! # Example
//!
//! ```
//! use tidegate::pipe::{self, Next};
//! use tidegate::Marks;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (mut sender, mut receiver) =
//!     pipe::pipe::<bytes::Bytes, (), std::io::Error>(Marks::from_high(64 * 1024));
//! let sending = async move {
//!     sender.send("hello".into()).await.unwrap();
//!     sender.finish(()).unwrap();
//! };
//! let receiving = async move {
//!     assert!(matches!(receiver.next().await, Next::Item(bytes) if bytes == "hello"));
//!     assert!(matches!(receiver.next().await, Next::Finished(())));
//!     assert!(matches!(receiver.next().await, Next::Over));
//! };
//! tokio::join!(sending, receiving);
//! # }
//! ```
//!
//! This module never names bytes, HTTP or a runtime, and never runs user code (wakers, drops of
//! items, weights) while its lock is held.

mod cut;
mod next;
mod receiver;
mod send_error;
mod sender;
mod shared;
mod state;
mod stats;
mod try_send_error;
mod word;

pub use cut::Cut;
pub use next::Next;
pub use receiver::Receiver;
pub use send_error::SendError;
pub use sender::Sender;
pub use stats::PipeStats;
pub use try_send_error::TrySendError;

use crate::limits;
use crate::sync::Arc;
use crate::watermark::{Marks, Weigh};

/// The two halves of a pipe for items `T`, an end `End` and errors `E`.
///
/// Marks above [`limits::MAX_PIPE_MARK_BYTES`] count as that. Room for one item at a time: marks of
/// zero bytes.
#[must_use]
pub fn pipe<T: Weigh, End, E>(marks: Marks) -> (Sender<T, End, E>, Receiver<T, End, E>) {
    let most = limits::MAX_PIPE_MARK_BYTES;
    let marks = Marks::new(marks.low().min(most), marks.high().min(most))
        .expect("the smaller of the marks stays the smaller");
    let shared = Arc::new(shared::Shared::new());
    (Sender::new(Arc::clone(&shared), marks), Receiver::new(shared, marks.low()))
}

#[cfg(test)]
mod tests;
