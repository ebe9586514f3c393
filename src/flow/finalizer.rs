use core::fmt;

use super::summary::Summary;

/// What is done once an exchange, when both of its chains are closed.
pub(super) struct Finalizer {
    pub(super) name: String,
    pub(super) run: Box<dyn Fn(&Summary) + Send + Sync>,
}

impl fmt::Debug for Finalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Finalizer").field(&self.name).finish()
    }
}
