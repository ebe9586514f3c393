use core::mem;
use std::collections::VecDeque;

use super::Item;

/// What has come and was not given to the side, in order.
///
/// The first two lie here: of a message that comes whole, these are all, and cost no allocation.
pub(super) struct Queue {
    /// Invariant: the second is there only behind the first, and `others` only behind both.
    first: Option<Item>,
    second: Option<Item>,
    others: VecDeque<Item>,
    /// How many there are: asked for before each read.
    len: usize,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { first: None, second: None, others: VecDeque::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn front(&self) -> Option<&Item> {
        self.first.as_ref()
    }

    pub(super) fn push_back(&mut self, item: Item) {
        self.len += 1;
        if self.first.is_none() {
            self.first = Some(item);
        } else if self.second.is_none() {
            self.second = Some(item);
        } else {
            self.others.push_back(item);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Item> {
        let next = self.second.take();
        if next.is_some() && !self.others.is_empty() {
            self.second = self.others.pop_front();
        }
        self.len = self.len.saturating_sub(1);
        mem::replace(&mut self.first, next)
    }

    pub(super) fn clear(&mut self) {
        self.first = None;
        self.second = None;
        self.others.clear();
        self.len = 0;
    }
}
