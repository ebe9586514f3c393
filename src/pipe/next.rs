use super::Cut;

/// What a receiver gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an item or an end is given once"]
pub enum Next<T, End, E> {
    /// The next item.
    Item(T),
    /// All items were given: the end, once.
    Finished(End),
    /// There will be no more items, and some are missing: why, once.
    Cut(Cut<E>),
    /// The end was given before, or the receiver closed. So it stays.
    Over,
}
