//! User code that uses the pipe: it runs with no lock held, or these would hang.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, TryLockError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidegate::pipe::{Next, Receiver, Sender, pipe};
use tidegate::watermark::{Marks, Weigh};

type Tx = Arc<Mutex<Sender<Looks, (), ()>>>;
type Rx = Arc<Mutex<Receiver<Looks, (), ()>>>;

/// Looks at both halves when it is weighed, woken and dropped: takes the pipe's lock for it.
#[derive(Clone)]
struct Looks(Tx, Rx);

impl Looks {
    fn look(&self) {
        // One half is busy with this call, the other is free.
        let mut looks = 0;
        match self.0.try_lock() {
            Ok(sender) => {
                _ = sender.stats();
                looks += 1;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Poisoned(_)) => panic!("a look has panicked"),
        }
        match self.1.try_lock() {
            Ok(receiver) => {
                _ = receiver.stats();
                looks += 1;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Poisoned(_)) => panic!("a look has panicked"),
        }
        assert!(looks > 0, "nobody has looked");
    }
}

impl Weigh for Looks {
    fn weight_bytes(&self) -> u64 {
        self.look();
        0
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.look();
    }
}

struct Waking(Looks);

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.0.look();
    }
}

/// Fails if `work` hangs.
fn within_seconds(work: impl FnOnce(&Tx, &Rx, &Looks) + Send + 'static) {
    let (done, is_done) = channel();
    thread::spawn(move || {
        let (sender, receiver) = pipe(Marks::new(0, 0).unwrap());
        let (tx, rx) = (Arc::new(Mutex::new(sender)), Arc::new(Mutex::new(receiver)));
        work(&tx, &rx, &Looks(Arc::clone(&tx), Arc::clone(&rx)));
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(20)).expect("user code runs under the lock");
}

fn waker(looks: &Looks) -> Waker {
    Waker::from(Arc::new(Waking(looks.clone())))
}

#[test]
fn h44_wakers_run_with_no_lock_held() {
    within_seconds(|tx, rx, looks| {
        // Registered, replaced, woken; then the sender's.
        for _ in 0..2 {
            let waker = waker(looks);
            assert!(rx.lock().unwrap().poll_next(&mut Context::from_waker(&waker)).is_pending());
        }
        assert!(tx.lock().unwrap().try_send(looks.clone()).is_ok());
        for _ in 0..2 {
            let waker = waker(looks);
            assert!(tx.lock().unwrap().poll_ready(&mut Context::from_waker(&waker)).is_pending());
        }
        let next = rx.lock().unwrap().poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(next, Poll::Ready(Next::Item(_))));
        drop(next);
        let waker = waker(looks);
        assert!(tx.lock().unwrap().poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        rx.lock().unwrap().close(());
    });
}

#[test]
fn h44_items_are_dropped_with_no_lock_held() {
    within_seconds(|tx, _, looks| {
        assert!(tx.lock().unwrap().try_send(looks.clone()).is_ok());
        tx.lock().unwrap().abort(()).unwrap();
    });
    within_seconds(|tx, rx, looks| {
        assert!(tx.lock().unwrap().try_send(looks.clone()).is_ok());
        rx.lock().unwrap().close(());
        let refused = tx.lock().unwrap().try_send(looks.clone());
        drop(refused.unwrap_err());
    });
}
