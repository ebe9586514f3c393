use super::Change;
use crate::table::{Epoch, Fault, PublishError};

/// What a publish has done.
#[derive(Debug, Clone)]
#[must_use = "it says which keys do not serve what is wanted"]
#[non_exhaustive]
pub struct Report<K> {
    /// The epoch in force now: a new one exactly if something has changed.
    pub epoch: Epoch,
    /// What has changed for readers, by key. Empty: nothing was published.
    pub changes: Vec<Change<K>>,
    /// Edits that were found faulty by this publish, by key, also where nothing has changed for
    /// readers.
    pub faults: Vec<(K, Fault)>,
    /// Why the table has taken nothing, if there was something to publish. What was built waits for
    /// the next publish; [`Controller::poll`](super::Controller::poll) makes one.
    pub refused: Option<PublishError>,
}
