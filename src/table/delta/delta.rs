use super::{Receipt, Value};
use crate::table::Epoch;

/// What a consumer has to change, in one step, to be where its table is.
#[derive(Debug)]
pub struct Delta<K, P> {
    /// Which one it is.
    pub receipt: Receipt,
    /// Who is at this epoch, or between it and `to`, can apply it; `None`: who is at any.
    pub from: Option<Epoch>,
    /// The epoch that it leads to.
    pub to: Epoch,
    /// The keys that may differ between the two, in order, each with its whole value.
    pub changes: Vec<(K, Value<P>)>,
}

// By hand: plans are shared, not cloned.
impl<K: Clone, P> Clone for Delta<K, P> {
    fn clone(&self) -> Self {
        let Self { receipt, from, to, changes } = self;
        Self { receipt: *receipt, from: *from, to: *to, changes: changes.clone() }
    }
}
