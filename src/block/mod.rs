//! Read blocks: memory for code that reads itself, used again as soon as nobody looks at it.
//!
//! Whoever reads from a socket into fresh memory for each chunk pays for it twice: chunks that
//! queue for some time reach the top of the heap, and freeing them gives pages back to the kernel
//! that the next chunk faults in again. A [`BlockPool`] keeps blocks of one size instead.
//!
//! ```text
//! pool ──take──▶ ReadBlock ──room()──▶ read into it ──split()──▶ Bytes ──▶ chain
//!   ▲                │ drop                                      │ the last slice is dropped
//!   └──── waits ◀────┘                   ready for the next take ◀┘
//! ```
//!
//! A block goes back to the pool when it is dropped, from any thread, although slices of it may be
//! alive; it is given out again only when all of them are gone. Nothing is copied and nobody has
//! to tell the pool: the reference count of `bytes` does.
//!
//! # Bounds
//!
//! The pool keeps at most a stated number of blocks of a stated size. What slices of other blocks
//! pin is their owners' (a slice of one byte pins its whole block): watermarks bound how many a
//! chain holds.
//!
//! This module never reads, and never knows a buffer of the engine.

mod pool;
mod read_block;
mod stats;

pub use pool::BlockPool;
pub use read_block::ReadBlock;
pub use stats::BlockStats;

#[cfg(test)]
mod tests;
