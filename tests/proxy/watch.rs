//! What became of every message of a proxy.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tidegate::{
    Declaration, Filter, Head, Interest, Outcome, Verdict, View,
    body::{Direction, Observer},
    chain::Stats,
};

/// How a message ended.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) direction: Direction,
    pub(super) outcome: Outcome,
    pub(super) stats: Stats,
}

/// Counts the life of every chain, by a [`Probe`] at either end of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    made: AtomicU64,
    dropped: AtomicU64,
    started: AtomicU64,
    closed: AtomicU64,
    told: Mutex<Vec<Told>>,
}

impl Watch {
    /// The observer of the layer.
    pub(super) fn observer(self: &Arc<Self>) -> Observer {
        let watch = Arc::clone(self);
        Arc::new(move |direction, outcome, stats| {
            let told = Told { direction, outcome: outcome.clone(), stats: *stats };
            watch.told.lock().unwrap().push(told);
        })
    }

    /// A filter that does nothing but count.
    pub(super) fn probe(self: &Arc<Self>) -> Probe {
        self.made.fetch_add(1, Relaxed);
        Probe { watch: Arc::clone(self), open: false }
    }

    /// What has been told so far, of one direction.
    pub(super) fn told(&self, direction: Direction) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        told.iter().filter(|told| told.direction == direction).cloned().collect()
    }

    /// The one outcome of that direction.
    pub(super) fn outcome(&self, direction: Direction) -> Outcome {
        let told = self.told(direction);
        assert_eq!(told.len(), 1, "one {direction} ended: {told:?}");
        told[0].outcome.clone()
    }

    /// Waits until every chain that was made is gone, and forgets what was told.
    pub(super) async fn forget(&self) {
        self.gone().await;
        *self.told.lock().unwrap() = Vec::new();
        self.started.store(0, Relaxed);
        self.closed.store(0, Relaxed);
    }

    /// Waits until every chain that was made is gone, and checks that each was closed as often as
    /// it was started, told once, and never kept more than `bound`.
    pub(super) async fn settled(&self, bound: u64) {
        self.gone().await;
        assert_eq!(self.started.load(Relaxed), self.closed.load(Relaxed), "{self:?}");
        let told = self.told.lock().unwrap();
        // A probe at either end; the last is not reached by a message that is held or refused.
        let messages = told.len() as u64;
        assert!((messages..=2 * messages).contains(&self.started.load(Relaxed)), "{self:?}");
        for told in told.iter() {
            assert!(told.stats.peak_held_bytes <= bound, "{told:?} over {bound}");
        }
    }
}

impl Watch {
    async fn gone(&self) {
        let late = Instant::now() + Duration::from_secs(15);
        while self.made.load(Relaxed) != self.dropped.load(Relaxed) {
            assert!(Instant::now() < late, "chains are left behind: {self:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// See [`Watch::probe`].
#[derive(Debug)]
pub(super) struct Probe {
    watch: Arc<Watch>,
    open: bool,
}

impl<H: Head> Filter<H> for Probe {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, _view: &mut View<'_, H>) -> Verdict {
        assert!(!self.open, "a second head");
        self.open = true;
        self.watch.started.fetch_add(1, Relaxed);
        Verdict::PASS
    }

    fn close(&mut self, _outcome: &Outcome) {
        assert!(self.open, "closed, but not started or closed before");
        self.open = false;
        self.watch.closed.fetch_add(1, Relaxed);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.watch.dropped.fetch_add(1, Relaxed);
    }
}
