use core::fmt;

use super::entry::Entry;
use super::epoch::Epoch;
use super::fault::Fault;
use super::lane::Lane;
use super::node::Node;
use crate::sync::Arc;

/// What a message holds for its whole life (G6): the entry of its key on the epoch it started on.
/// Later publishes do not change it (G12).
///
/// One pin is one message: made by a lookup, which counts its start, and counted as ended when it
/// is dropped. So it is no `Clone`; where both directions of an exchange hold it, put it into an
/// `Arc`.
///
/// Keeps its entry alive, not the whole snapshot. The entry is dropped by the last that holds it,
/// on its thread, with no lock held; a panic in the drop of a plan goes no further.
pub struct Pin<K, P> {
    // In this order: the end is counted when the entry has been let go.
    node: Arc<Node<K, P>>,
    mark: Mark,
    version: u64,
}

/// Counts the end of a message when it goes.
struct Mark(Arc<Lane>);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<K, P> Pin<K, P> {
    pub(super) fn new(node: &Arc<Node<K, P>>, version: u64, lane: &Arc<Lane>) -> Self {
        lane.count(&node.entry);
        Self { node: Arc::clone(node), mark: Mark(Arc::clone(lane)), version }
    }

    /// The entry of the key.
    #[must_use]
    pub fn entry(&self) -> &Entry<P> {
        &self.node.entry
    }

    /// The plan of the entry.
    ///
    /// # Errors
    ///
    /// Why the key has none.
    pub fn plan(&self) -> Result<&P, &Fault> {
        self.node.entry.plan()
    }

    /// The key, as it is in the table.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.node.key
    }

    /// The epoch that the message started on.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.mark.0.epoch
    }

    /// The epoch in which the key got this entry.
    #[must_use]
    pub fn version(&self) -> Epoch {
        Epoch { number: self.version, ..self.mark.0.epoch }
    }
}

impl<K: fmt::Debug, P> fmt::Debug for Pin<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pin")
            .field("epoch", &self.epoch())
            .field("key", &self.node.key)
            .field("entry", &self.node.entry)
            .finish()
    }
}
