//! A waker that runs code of the model.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// A waker that calls a function when it is woken, and when the last of it is dropped: as one that
/// polls its task inline does, or one whose task is dropped with it.
pub struct Hook(Arc<Call>);

struct Call(Box<dyn Fn() + Send + Sync>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Hook {
    /// A waker that calls `call`.
    pub fn new(call: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Call(Box::new(call))))
    }

    /// Polls `f` with this waker, which is then held by `f` alone.
    pub fn poll<T>(self, f: impl FnOnce(&mut Context<'_>) -> T) -> T {
        f(&mut Context::from_waker(&Waker::from(self.0)))
    }
}
