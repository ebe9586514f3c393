//! Waits at random: none, a wake of one's own, a wake by another task, and a part of a future that
//! is polled only if its own waker fired.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::kit::Rng;
use crate::kit::executor::yield_now;

/// Where futures sleep until the task of the bed wakes them.
#[derive(Clone, Default)]
pub(crate) struct Bed(Arc<Mutex<Sleepers>>);

#[derive(Default)]
struct Sleepers {
    wakers: Vec<Waker>,
    /// Wakes the task that wakes.
    bell: Option<Waker>,
    closed: bool,
}

impl Bed {
    fn sleep(&self, waker: Waker) {
        let bell = {
            let mut sleepers = self.0.lock().expect("a bed");
            sleepers.wakers.push(waker);
            sleepers.bell.take()
        };
        if let Some(bell) = bell {
            bell.wake();
        }
    }

    /// The bed is in use as long as this lives.
    pub(crate) fn hold_open(&self) -> HoldOpen {
        HoldOpen(self.clone())
    }

    /// Wakes all who sleep, in any order and sometimes twice, until the bed is closed.
    pub(crate) async fn wake_sleepers(self, seed: u64) {
        let mut rng = Rng::new(seed);
        loop {
            let woken = poll_fn(|cx| {
                let mut sleepers = self.0.lock().expect("a bed");
                if sleepers.closed {
                    return Poll::Ready(None);
                }
                if sleepers.wakers.is_empty() {
                    sleepers.bell = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                let next = rng.below(sleepers.wakers.len());
                Poll::Ready(Some(sleepers.wakers.swap_remove(next)))
            })
            .await;
            let Some(waker) = woken else { return };
            if rng.below(3) == 0 {
                waker.wake_by_ref();
            }
            waker.wake();
            if rng.below(2) == 0 {
                yield_now().await;
            }
        }
    }
}

/// Closes the bed when it is dropped.
pub(crate) struct HoldOpen(Bed);

impl Drop for HoldOpen {
    fn drop(&mut self) {
        let bell = {
            let mut sleepers = self.0.0.lock().expect("a bed");
            sleepers.closed = true;
            sleepers.bell.take()
        };
        if let Some(bell) = bell {
            bell.wake();
        }
    }
}

/// Random naps.
pub(crate) struct Naps {
    bed: Bed,
    rng: Rng,
    asleep: bool,
}

impl Naps {
    pub(crate) fn new(bed: Bed, seed: u64) -> Self {
        Self { bed, rng: Rng::new(seed), asleep: false }
    }

    /// Often none.
    pub(crate) async fn maybe(&mut self) {
        poll_fn(|cx| self.poll_nap(cx)).await;
    }

    pub(crate) fn poll_nap(&mut self, cx: &Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.asleep) {
            return Poll::Ready(());
        }
        match self.rng.below(5) {
            0 => cx.waker().wake_by_ref(),
            1 => self.bed.sleep(cx.waker().clone()),
            _ => return Poll::Ready(()),
        }
        self.asleep = true;
        Poll::Pending
    }

    /// Awaits `future`, sometimes as a part with a waker of its own.
    pub(crate) async fn awaiting<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.maybe().await;
        if self.rng.below(3) == 0 { part(future).await } else { future.await }
    }
}

/// Polls `future` only if the waker it was given has fired, as `FuturesUnordered` does.
async fn part<T>(future: impl Future<Output = T>) -> T {
    struct PartWaker {
        woken: AtomicBool,
        whole: Mutex<Option<Waker>>,
    }
    impl Wake for PartWaker {
        fn wake(self: Arc<Self>) {
            self.woken.store(true, SeqCst);
            let whole = self.whole.lock().expect("a waker").clone();
            if let Some(whole) = whole {
                whole.wake();
            }
        }
    }
    let mut future = pin!(future);
    let own = Arc::new(PartWaker { woken: AtomicBool::new(true), whole: Mutex::default() });
    let waker = Waker::from(Arc::clone(&own));
    poll_fn(|cx| {
        *own.whole.lock().expect("a waker") = Some(cx.waker().clone());
        if !own.woken.swap(false, SeqCst) {
            return Poll::Pending;
        }
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}
