use core::fmt;

use super::entry::Entry;
use super::kept::Kept;
use super::node::Node;
use crate::sync::Arc;

/// What one publish changes. Of several changes of one key the last counts.
///
/// Not used up by a publish: one that was refused can be tried again.
pub struct Changes<K, P> {
    pub(super) base: Base,
    pub(super) list: Vec<Change<K, P>>,
}

/// What changes are made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// The table as it is.
    Current,
    /// An empty table: keys that are not set go.
    Empty,
}

pub(super) enum Change<K, P> {
    Set(Arc<Node<K, P>>),
    Remove(Kept<K>),
}

impl<K, P> Changes<K, P> {
    /// Changes of single keys: the others stay as they are.
    #[must_use]
    pub fn new() -> Self {
        Self { base: Base::Current, list: Vec::new() }
    }

    /// A whole table: keys that are not set go.
    #[must_use]
    pub fn whole() -> Self {
        Self { base: Base::Empty, list: Vec::new() }
    }

    /// Gives `key` this entry, whether it had one or not.
    pub fn set(&mut self, key: K, entry: Entry<P>) -> &mut Self {
        self.list.push(Change::Set(Arc::new(Node { key: Kept::new(key), entry })));
        self
    }

    /// Takes `key` out. A key that is not there stays so.
    pub fn remove(&mut self, key: K) -> &mut Self {
        self.list.push(Change::Remove(Kept::new(key)));
        self
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none. (To publish none is an epoch like any other.)
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<K, P> Default for Changes<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, P> fmt::Debug for Changes<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("base", &self.base)
            .field("changes", &self.list.len())
            .finish()
    }
}
