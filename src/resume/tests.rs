use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::{ResumeSet, Resumed};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counted() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    (count, waker)
}

#[test]
fn a_burst_of_resumes_costs_one_wake() {
    let set = ResumeSet::new(3);
    let (count, waker) = counted();
    let (first, second) = (set.handle(0), set.handle(2));
    set.register(&waker);
    assert_eq!(first.resume(), Resumed::Queued);
    assert_eq!(first.resume(), Resumed::AlreadyQueued);
    assert_eq!(second.resume(), Resumed::Queued);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(set.take_pending(), 0b101);
    assert_eq!(set.take_pending(), 0);
}

#[test]
fn a_resume_before_the_first_registration_is_found_by_the_swap() {
    let set = ResumeSet::new(1);
    let handle = set.handle(0);
    assert_eq!(handle.resume(), Resumed::Queued);
    let (count, waker) = counted();
    set.register(&waker);
    assert_eq!(set.take_pending(), 1);
    assert_eq!(handle.resume(), Resumed::Queued);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

#[test]
fn the_last_handle_wakes_and_is_no_longer_live() {
    let set = ResumeSet::new(2);
    let (count, waker) = counted();
    set.register(&waker);
    let handle = set.handle(1);
    let twin = handle.clone();
    drop(handle);
    assert!(set.may_resume(1));
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    drop(twin);
    assert!(!set.may_resume(1));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

#[test]
fn a_queued_resume_counts_as_live_when_its_handle_is_gone() {
    let set = ResumeSet::new(64);
    for station in [0, 5, 63] {
        let handle = set.handle(station);
        assert_eq!(handle.resume(), Resumed::Queued);
        drop(handle);
        assert!(set.may_resume(station));
    }
    assert!(!set.may_resume(4));
}

#[test]
fn the_last_handle_of_a_closed_station_wakes_nobody() {
    let set = ResumeSet::new(2);
    let (count, waker) = counted();
    set.register(&waker);
    let handle = set.handle(1);
    set.close_stations(0b10);
    drop(handle);
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
}

#[test]
fn closed_stations_and_dropped_sets_are_gone() {
    let set = ResumeSet::new(64);
    let (closed, open) = (set.handle(63), set.handle(0));
    set.close_stations(1 << 63);
    assert_eq!(closed.resume(), Resumed::Gone);
    assert_eq!(open.resume(), Resumed::Queued);
    drop(set);
    assert_eq!(open.resume(), Resumed::Gone);
    assert_eq!(open.clone().resume(), Resumed::Gone);
}

#[test]
fn a_dropped_set_lets_go_of_the_waker() {
    let set = ResumeSet::new(1);
    let (count, waker) = counted();
    set.register(&waker);
    let handle = set.handle(0);
    drop(set);
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 1);
    drop(handle);
}

#[test]
fn a_set_without_handles_is_recycled_as_new() {
    let mut set = ResumeSet::new(2);
    let (old, waker) = counted();
    set.register(&waker);
    drop(waker);
    let handle = set.handle(1);
    set.close_stations(0b01);
    assert_eq!(handle.resume(), Resumed::Queued);
    drop(handle);
    assert!(set.recycle(2));
    assert_eq!(Arc::strong_count(&old), 1, "the old task's waker is let go");
    assert_eq!(set.take_pending(), 0, "an old resume does not reach the next message");
    assert!(!set.may_resume(0) && !set.may_resume(1));

    let (count, waker) = counted();
    set.register(&waker);
    let handle = set.handle(0);
    assert_eq!(handle.resume(), Resumed::Queued, "closed stations are open again");
    assert_eq!((old.0.load(Ordering::Relaxed), count.0.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn a_handle_that_is_left_keeps_the_old_message_and_hurts_no_new_one() {
    let mut set = ResumeSet::new(1);
    let (count, waker) = counted();
    set.register(&waker);
    drop(waker);
    let handle = set.handle(0);
    assert!(!set.recycle(1));
    assert_eq!(Arc::strong_count(&count), 1);
    assert_eq!(handle.resume(), Resumed::Gone);
    assert_eq!(handle.clone().resume(), Resumed::Gone);
    assert_eq!(set.take_pending(), 0);

    let next = ResumeSet::new(1);
    let waker = Waker::from(Arc::clone(&count));
    next.register(&waker);
    drop(handle);
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    assert_eq!(next.take_pending(), 0);
}

#[test]
fn a_set_for_another_number_of_stations_is_not_recycled() {
    let mut set = ResumeSet::new(1);
    assert!(!set.recycle(2));
    let mut set = ResumeSet::new(64);
    assert!(set.recycle(64));
    assert_eq!(set.handle(63).resume(), Resumed::Queued);
}

/// Panics when it is woken, and when the last of it is dropped.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the waker panics when dropped");
        }
    }
}

fn panics(work: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
}

#[test]
fn a_waker_that_panics_leaves_the_resume_queued_and_the_set_usable() {
    let set = ResumeSet::new(2);
    let (first, second) = (set.handle(0), set.handle(1));
    set.register(&Waker::from(Arc::new(Panics)));
    assert!(panics(|| _ = first.resume()));
    assert_eq!(second.resume(), Resumed::Queued);
    let (count, waker) = counted();
    set.register(&waker);
    assert_eq!(set.take_pending(), 0b11);
    assert_eq!(second.resume(), Resumed::Queued);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

#[test]
fn a_waker_that_panics_when_replaced_has_been_replaced() {
    let set = ResumeSet::new(1);
    let handle = set.handle(0);
    set.register(&Waker::from(Arc::new(Panics)));
    let (count, waker) = counted();
    assert!(panics(|| set.register(&waker)));
    assert_eq!(handle.resume(), Resumed::Queued);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

/// In a `Drop` a second panic would abort the process.
#[test]
fn no_waker_panics_out_of_a_drop() {
    let set = ResumeSet::new(1);
    let handle = set.handle(0);
    set.register(&Waker::from(Arc::new(Panics)));
    assert!(panics(|| {
        let _dropped_while_unwinding = handle;
        panic!("another panic");
    }));
    assert!(!set.may_resume(0));

    let set = ResumeSet::new(1);
    set.register(&Waker::from(Arc::new(Panics)));
    let handle = set.handle(0);
    drop(set);
    assert_eq!(handle.resume(), Resumed::Gone);

    let mut set = ResumeSet::new(1);
    set.register(&Waker::from(Arc::new(Panics)));
    assert!(set.recycle(1), "a waker that panics is let go all the same");
}
