use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;

use crate::sync::{Arc, Mutex, lock};
use crate::unwind::{contained, drop_contained};

/// When connections have to go, for all of a server.
///
/// The lock is held to move a waker; wakers are cloned, woken and dropped outside.
pub(super) struct Departure(Mutex<State>);

enum State {
    /// Not yet. Who waits for it, by number.
    Ahead {
        waiting: BTreeMap<u64, Waker>,
        next: u64,
    },
    Now,
}

/// Ready when connections have to go.
pub(super) struct Departing {
    departure: Arc<Departure>,
    number: Option<u64>,
}

impl Departure {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::Ahead { waiting: BTreeMap::new(), next: 0 })))
    }

    /// For one connection.
    pub(super) fn wait(departure: &Arc<Self>) -> Departing {
        Departing { departure: Arc::clone(departure), number: None }
    }

    /// They have to go.
    pub(super) fn tell(&self) {
        let before = mem::replace(&mut *lock(&self.0), State::Now);
        if let State::Ahead { waiting, .. } = before {
            for waker in waiting.into_values() {
                // One connection's: its panic is no business of the others.
                contained(move || waker.wake());
            }
        }
    }
}

impl Future for Departing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let this = &mut *self;
        let mut state = lock(&this.departure.0);
        let State::Ahead { waiting, next } = &mut *state else { return Poll::Ready(()) };
        let number = *this.number.get_or_insert_with(|| {
            *next += 1;
            *next
        });
        let before = waiting.insert(number, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Departing {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = lock(&self.departure.0);
        let State::Ahead { waiting, .. } = &mut *state else { return };
        let waiting = waiting.remove(&number);
        drop(state);
        drop_contained(waiting);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(core::sync::atomic::AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waits_is_woken_once_and_who_is_gone_is_not() {
        let departure = Departure::new();
        let counts = [(); 2].map(|()| Arc::new(Count::default()));
        let [stays, goes] = counts.clone().map(Waker::from);
        let mut first = Departure::wait(&departure);
        let mut second = Departure::wait(&departure);
        for _ in 0..2 {
            assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&stays)).is_pending());
        }
        assert!(Pin::new(&mut second).poll(&mut Context::from_waker(&goes)).is_pending());
        drop(second);
        departure.tell();
        departure.tell();
        assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&stays)).is_ready());
        let late = core::pin::pin!(Departure::wait(&departure));
        assert!(late.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        let woken = counts.map(|count| count.0.load(core::sync::atomic::Ordering::Relaxed));
        assert_eq!(woken, [1, 0]);
    }
}
