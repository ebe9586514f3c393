//! Who waits for a publish.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tidegate::table::{Changes, Table, Watch};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

fn table() -> Table<u8, u8> {
    Table::new(9)
}

fn poll(watch: &mut Watch, wakes: &Arc<Wakes>) -> Option<u64> {
    let waker = Waker::from(Arc::clone(wakes));
    match watch.poll_changed(&mut Context::from_waker(&waker)) {
        Poll::Ready(epoch) => {
            assert_eq!(epoch.nonce, 9);
            Some(epoch.number)
        }
        Poll::Pending => None,
    }
}

#[test]
fn the_first_answer_is_the_epoch_that_is_there() {
    let (table, wakes) = (table(), Arc::default());
    table.publish(&Changes::new()).unwrap();
    let mut watch = table.watch();
    assert_eq!(poll(&mut watch, &wakes), Some(1));
    assert_eq!(poll(&mut watch, &wakes), None);
    assert_eq!(wakes.take(), 0);
}

#[test]
fn a_burst_of_publishes_is_one_wake_and_told_as_the_last() {
    let (table, wakes) = (table(), Arc::default());
    let mut watch = table.watch();
    assert_eq!(poll(&mut watch, &wakes), Some(0));
    assert_eq!(poll(&mut watch, &wakes), None);
    for _ in 0..5 {
        table.publish(&Changes::new()).unwrap();
    }
    assert_eq!(wakes.take(), 1);
    assert_eq!(poll(&mut watch, &wakes), Some(5));
    assert_eq!(poll(&mut watch, &wakes), None);
}

#[test]
fn each_watch_is_told_by_itself() {
    let table = table();
    let (first, second) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let mut watches = [table.watch(), table.watch()];
    for (watch, wakes) in watches.iter_mut().zip([&first, &second]) {
        assert_eq!(poll(watch, wakes), Some(0));
        assert_eq!(poll(watch, wakes), None);
    }
    let [mut stays, goes] = watches;
    drop(goes);
    table.publish(&Changes::new()).unwrap();
    assert_eq!((first.take(), second.take()), (1, 0));
    assert_eq!(Arc::strong_count(&second), 1, "its waker is let go");
    assert_eq!(poll(&mut stays, &first), Some(1));
}

#[test]
fn a_refused_publish_wakes_nobody() {
    let (table, wakes) = (Table::<u8, u8>::with_max_live_epochs(9, 1), Arc::default());
    let mut watch = table.watch();
    let mut reader = table.reader();
    reader.epoch();
    assert_eq!(poll(&mut watch, &wakes), Some(0));
    assert_eq!(poll(&mut watch, &wakes), None);
    assert!(table.publish(&Changes::new()).is_err());
    assert_eq!((wakes.take(), poll(&mut watch, &wakes)), (0, None));
}

#[test]
fn a_change_is_awaited() {
    let (table, wakes) = (table(), Arc::new(Wakes::default()));
    let mut watch = table.watch();
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut run = pin!(async { (watch.changed().await.number, watch.changed().await.number) });
    assert!(run.as_mut().poll(&mut cx).is_pending());
    table.publish(&Changes::new()).unwrap();
    assert_eq!(wakes.take(), 1);
    assert_eq!(run.poll(&mut cx), Poll::Ready((0, 1)));
}
