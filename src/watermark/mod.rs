//! Byte counts in, edges out: hysteresis between two marks.
//!
//! A [`Watermark`] counts the bytes of one holder. It says [`Edge::High`] once when the count goes
//! above the high mark, then nothing until the count has come down to the low mark, when it says
//! [`Edge::Low`] once. So edges alternate, starting with a high one, and a pause that was asked
//! for on each high edge and withdrawn on each low edge is balanced.
//!
//! A holder that keeps its side elsewhere (the engine has one bit a station) asks [`Marks::edge`],
//! which is the whole rule as a pure function.
//!
//! [`Weigh`] is what an item says of itself where such counts bound items.
//!
//! This module never sees a buffer, wakes anybody, or reads a clock.

mod edge;
mod marks;
mod marks_error;
mod side;
mod weigh;

pub use edge::Edge;
pub use marks::Marks;
pub use marks_error::MarksError;
pub use side::Side;
pub use weigh::Weigh;

/// The count of one holder's bytes, its marks, and on which side of them it is.
///
/// # Examples
///
/// ```
/// use tidegate::watermark::{Edge, Marks, Watermark};
///
/// let mut held = Watermark::new(Marks::from_high(10));
/// assert_eq!(held.add(10), None);
/// assert_eq!(held.add(1), Some(Edge::High));
/// assert_eq!(held.sub(5), None);
/// assert_eq!(held.sub(1), Some(Edge::Low));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    marks: Marks,
    len_bytes: u64,
    /// Invariant: `marks.edge(side, len_bytes)` is `None` after each call.
    side: Side,
}

impl Watermark {
    /// A count of zero bytes, below its marks.
    #[inline]
    #[must_use]
    pub const fn new(marks: Marks) -> Self {
        Self { marks, len_bytes: 0, side: Side::Below }
    }

    /// The marks in force.
    #[inline]
    #[must_use]
    pub const fn marks(&self) -> Marks {
        self.marks
    }

    /// The count, in bytes.
    #[inline]
    #[must_use]
    pub const fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// The side of the last edge: [`Side::Above`] between a high edge and the next low edge.
    #[inline]
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Counts `n` bytes more.
    ///
    /// # Panics
    ///
    /// If the count would pass `u64::MAX`: it was not a count of bytes then.
    #[inline]
    #[track_caller]
    #[must_use = "an edge is told once: the source must be paused or resumed on it"]
    pub fn add(&mut self, n: u64) -> Option<Edge> {
        let len = self.len_bytes.checked_add(n).expect("a byte count fits u64");
        self.set_len(len)
    }

    /// Counts `n` bytes less.
    ///
    /// # Panics
    ///
    /// If fewer than `n` bytes are counted: the caller gave back what it never took.
    #[inline]
    #[track_caller]
    #[must_use = "an edge is told once: the source must be paused or resumed on it"]
    pub fn sub(&mut self, n: u64) -> Option<Edge> {
        let len = self.len_bytes.checked_sub(n).expect("no more is given back than was counted");
        self.set_len(len)
    }

    /// Sets the count to `len_bytes`. What the count did in between is not seen.
    #[inline]
    #[must_use = "an edge is told once: the source must be paused or resumed on it"]
    pub fn set_len(&mut self, len_bytes: u64) -> Option<Edge> {
        self.len_bytes = len_bytes;
        self.check()
    }

    /// Replaces the marks. If the count is on the other side of the new ones, that edge is told at
    /// once: lowering can pause, raising can resume.
    #[inline]
    #[must_use = "an edge is told once: the source must be paused or resumed on it"]
    pub fn set_marks(&mut self, marks: Marks) -> Option<Edge> {
        self.marks = marks;
        self.check()
    }

    #[inline]
    fn check(&mut self) -> Option<Edge> {
        let edge = self.marks.edge(self.side, self.len_bytes);
        if let Some(edge) = edge {
            self.side = edge.side();
        }
        self.invariants();
        edge
    }

    /// At most one edge a call: what was just crossed cannot be crossed back by the same count.
    #[inline]
    fn invariants(&self) {
        debug_assert_eq!(self.marks.edge(self.side, self.len_bytes), None);
    }
}

#[cfg(test)]
mod tests;
