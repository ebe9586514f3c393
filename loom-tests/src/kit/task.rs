//! A task that knows whether it was woken, and by whom it is referenced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};

/// A task in a model: it may be polled when it was woken.
///
/// It is std's `Arc` and std's atomics under loom too. So waking it costs no step of the search,
/// and orders nothing: a model holds also under an executor that gives no happens-before with a
/// wake.
#[derive(Clone, Default)]
pub struct Task(Arc<Wakes>);

#[derive(Default)]
struct Wakes {
    all: AtomicUsize,
    seen: AtomicUsize,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.all.fetch_add(1, SeqCst);
    }
}

impl Task {
    /// A task that has not been woken.
    pub fn new() -> Self {
        Self::default()
    }

    /// A waker of this task; another one each time, which does wake the same task.
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// Polls `f` with a waker of this task.
    pub fn poll<T>(&self, f: impl FnOnce(&mut Context<'_>) -> T) -> T {
        f(&mut Context::from_waker(&self.waker()))
    }

    /// How often it was woken in all.
    pub fn wakes(&self) -> usize {
        self.0.all.load(SeqCst)
    }

    /// Whether it was woken since the last call: what an executor asks before it polls.
    pub fn take_woken(&self) -> bool {
        let all = self.wakes();
        self.0.seen.swap(all, SeqCst) != all
    }

    /// How many wakers of it are alive somewhere.
    pub fn wakers(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}
