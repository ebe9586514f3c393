use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Pool, PoolStats};
use crate::sync::Arc;

#[derive(Clone)]
struct Counted(Arc<()>);

#[test]
fn the_last_to_come_back_is_the_first_to_go() {
    let pool = Pool::new(3);
    for value in 0..5 {
        pool.put(value);
    }
    assert_eq!(
        [pool.take(), pool.take(), pool.take(), pool.take()],
        [Some(2), Some(1), Some(0), None]
    );
    let expected = PoolStats { reused: 3, missed: 1, returned: 3, refused: 2, kept: 0 };
    assert_eq!(pool.stats(), expected);
}

#[test]
fn the_first_to_come_back_can_be_taken_as_well() {
    let pool = Pool::new(3);
    (0..3).for_each(|value| drop(pool.lend(value)));
    assert_eq!([pool.take_oldest(), pool.take(), pool.take_oldest()], [Some(0), Some(2), Some(1)]);
    assert_eq!(pool.take_oldest(), None);
    pool.put(3);
    pool.put_oldest(4);
    assert_eq!([pool.take_oldest(), pool.take_oldest()], [Some(4), Some(3)]);
}

#[test]
fn no_more_than_the_capacity_is_kept_and_the_rest_is_dropped() {
    for capacity in 0..4 {
        let life = Arc::new(());
        let pool = Pool::new(capacity);
        for _ in 0..8 {
            pool.put(Counted(Arc::clone(&life)));
        }
        assert_eq!(Arc::strong_count(&life), 1 + capacity);
        assert_eq!(pool.stats().kept, capacity);
        drop(pool);
        assert_eq!(Arc::strong_count(&life), 1);
    }
}

#[test]
fn a_lease_comes_back_unless_it_is_kept_for_good() {
    let pool = Pool::new(2);
    let mut lease = pool.lease(Vec::new);
    lease.push(1);
    assert_eq!(*lease, [1]);
    drop(lease);
    let lease = pool.lease(|| panic!("one is kept"));
    assert_eq!(lease.into_inner(), [1]);
    assert_eq!(pool.take(), None);
}

#[test]
fn a_lease_outlives_its_pool() {
    let life = Arc::new(());
    let pool = Pool::new(2);
    let lease = pool.lease(|| Counted(Arc::clone(&life)));
    drop(pool);
    assert_eq!(Arc::strong_count(&lease.0), 2, "the value is alive");
    drop(lease);
    assert_eq!(Arc::strong_count(&life), 1);
}

#[test]
fn a_closed_pool_keeps_nothing() {
    let life = Arc::new(());
    let pool = Pool::new(2);
    pool.put(Counted(Arc::clone(&life)));
    pool.close();
    pool.put(Counted(Arc::clone(&life)));
    assert_eq!(Arc::strong_count(&life), 1);
    assert!(pool.take().is_none());
    pool.close();
    let PoolStats { kept, refused, .. } = pool.stats();
    assert_eq!((kept, refused), (0, 1));
}

/// Uses the pool that drops it: a lock that was held would hang.
struct Nests(Arc<Pool<Self>>, usize);

impl Drop for Nests {
    fn drop(&mut self) {
        if self.1 > 0 {
            self.0.put(Self(Arc::clone(&self.0), self.1 - 1));
        }
    }
}

#[test]
fn values_are_dropped_with_the_lock_given_back() {
    let pool = Arc::new(Pool::new(0));
    pool.put(Nests(Arc::clone(&pool), 3));
    assert_eq!(pool.stats().refused, 4);
    let pool = Arc::new(Pool::new(1));
    pool.put(Nests(Arc::clone(&pool), 3));
    pool.close();
    assert_eq!(pool.stats().refused, 3);
}

#[test]
fn a_drop_that_panics_leaves_the_pool_whole() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("a drop that panics");
            }
        }
    }
    let pool = Pool::new(0);
    let put = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.put(Panics)));
    assert!(put.is_err());
    assert!(pool.take().is_none());
    assert_eq!(pool.stats().refused, 1);
}

#[test]
fn threads_never_share_a_value() {
    const THREADS: usize = 4;
    const TURNS: usize = 2_000;
    let pool = Arc::new(Pool::new(2));
    let made = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (pool, made, start) = (Arc::clone(&pool), Arc::clone(&made), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                for _ in 0..TURNS {
                    let users = pool.lease(|| {
                        made.fetch_add(1, Ordering::Relaxed);
                        Arc::new(AtomicUsize::new(0))
                    });
                    assert_eq!(users.fetch_add(1, Ordering::Relaxed), 0, "one user at a time");
                    users.fetch_sub(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread panics");
    }
    let stats = pool.stats();
    assert_eq!(stats.missed, made.load(Ordering::Relaxed) as u64);
    assert_eq!(stats.reused + stats.missed, (THREADS * TURNS) as u64);
    assert_eq!(stats.returned + stats.refused, stats.reused + stats.missed);
    assert_eq!(stats.kept as u64, stats.returned - stats.reused);
    assert!(stats.kept <= 2);
}
