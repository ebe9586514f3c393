use super::hand::Hand;
use crate::exchange::Direction;
use crate::ext_proc::wire::{HeaderMutation, Reply};

/// Answers trailers. There is no other way to one, so none can be made up (P6).
#[derive(Debug)]
#[must_use]
pub struct TrailersPen<'a> {
    hand: Hand<'a>,
}

impl TrailersPen<'_> {
    /// Of which message.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.hand.direction()
    }

    /// Goes on, with the trailers so changed.
    #[must_use]
    pub fn answer(self, mutation: HeaderMutation) -> Reply {
        self.hand.trailers(mutation)
    }
}

impl<'a> From<Hand<'a>> for TrailersPen<'a> {
    fn from(hand: Hand<'a>) -> Self {
        Self { hand }
    }
}
