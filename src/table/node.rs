use super::entry::Entry;
use super::kept::Kept;

/// A key with its entry: never changes, is shared by every snapshot in which it stands and by the
/// messages that started on it.
pub(super) struct Node<K, P> {
    pub(super) key: Kept<K>,
    pub(super) entry: Entry<P>,
}
