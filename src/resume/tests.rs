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
    let set = ResumeSet::new(1);
    let handle = set.handle(0);
    assert_eq!(handle.resume(), Resumed::Queued);
    drop(handle);
    assert!(set.may_resume(0));
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
