//! Models of `pool`, and of what chains keep in it.

use tidegate_loom_tests::chain::{MessageTraits, Plan};
use tidegate_loom_tests::filter::{Capabilities, Filter, Head, Verdict, View};
use tidegate_loom_tests::kit::{Model, Payload, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::pool::{Lease, Pool, PoolStats};
use tidegate_loom_tests::resume::{ResumeHandle, Resumed};

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

pub const MODELS: &[Model] = models!("pool";
    h49_return_racing_take: 4 Exhaustive;
    two_returns_to_one_place: 24 Exhaustive;
    h49_return_racing_drop_of_the_pool: 11 Exhaustive;
    take_racing_close: 5 Exhaustive;
    chain_behind_a_resume: 1000 Bounded;
    h49_chain_on_another_thread: 100 Bounded;
);

/// A value with what its user writes, which says when it is dropped.
struct Value {
    payload: Payload,
    dropped: Arc<AtomicUsize>,
}

impl Value {
    fn new(dropped: &Arc<AtomicUsize>) -> Self {
        Self { payload: Payload::new(), dropped: Arc::clone(dropped) }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Relaxed);
    }
}

/// A value that comes back while another thread takes is in one place: on the shelf, or with the
/// taker, who then sees all that its last user wrote.
fn h49_return_racing_take() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let pool = Pool::new(1);
    let lease = pool.lease(|| Value::new(&dropped));
    let user = spawn(move || {
        lease.payload.write(7);
        drop(lease);
    });
    let taken = pool.take();
    if let Some(value) = &taken {
        assert_eq!(value.payload.read(), 7);
        value.payload.write(8);
    }
    user.join().unwrap();
    let PoolStats { reused, kept, .. } = pool.stats();
    assert_eq!((reused as usize, kept), if taken.is_some() { (1, 0) } else { (0, 1) });
    drop(taken);
    drop(pool);
    assert_eq!(dropped.load(Relaxed), 1);
}

/// Of two values that come back at once to one place, one is kept and one dropped.
fn two_returns_to_one_place() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let pool = Pool::new(1);
    let lease = || pool.lease(|| Value::new(&dropped));
    let users = [lease(), lease()].map(|lease: Lease<Value>| {
        spawn(move || {
            lease.payload.write(7);
            drop(lease);
        })
    });
    for user in users {
        user.join().unwrap();
    }
    let PoolStats { returned, refused, kept, .. } = pool.stats();
    assert_eq!((returned, refused, kept), (1, 1, 1));
    assert_eq!(dropped.load(Relaxed), 1);
    assert_eq!(pool.take().map(|value| value.payload.read()), Some(7));
}

/// A pool that goes while a value comes back: the value is dropped, once, by whoever is later.
fn h49_return_racing_drop_of_the_pool() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let pool = Pool::new(1);
    let lease = pool.lease(|| Value::new(&dropped));
    let user = spawn(move || drop(lease));
    drop(pool);
    user.join().unwrap();
    assert_eq!(dropped.load(Relaxed), 1);
}

/// A pool that is closed while somebody takes and gives back: nothing is kept, nothing is lost.
fn take_racing_close() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let pool = Arc::new(Pool::new(2));
    pool.put(Value::new(&dropped));
    let user = spawn({
        let pool = Arc::clone(&pool);
        move || {
            if let Some(value) = pool.take_oldest() {
                pool.put_oldest(value);
            }
        }
    });
    pool.close();
    user.join().unwrap();
    assert_eq!(dropped.load(Relaxed), 1);
    assert_eq!(pool.stats().kept, 0);
}

/// Gives its handles away; counts how often it is asked again.
struct Hands {
    handles: Arc<Mutex<Vec<ResumeHandle>>>,
    asked: Arc<AtomicUsize>,
}

impl<H: Head> Filter<H> for Hands {
    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.handles.lock().unwrap().push(view.resume_handle());
        Verdict::pass_first(0)
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.asked.fetch_add(1, Relaxed);
        Verdict::pass_first(0)
    }

    fn recycle(&mut self) -> bool {
        true
    }
}

type Handles = Arc<Mutex<Vec<ResumeHandle>>>;

fn plan() -> (Plan<http::request::Parts>, Handles, Arc<AtomicUsize>) {
    let (handles, asked) = (Handles::default(), Arc::new(AtomicUsize::new(0)));
    let (given, counted) = (Arc::clone(&handles), Arc::clone(&asked));
    let plan = Plan::builder().keep_chains(1).filter("hands", move || Hands {
        handles: Arc::clone(&given),
        asked: Arc::clone(&counted),
    });
    (plan.build().unwrap(), handles, asked)
}

fn head() -> http::request::Parts {
    http::Request::new(()).into_parts().0
}

/// A resume of the message before, through a handle that then goes, races the end of that message
/// and the next one on the same chain: it never reaches the next one, whose own handle works.
fn chain_behind_a_resume() {
    let (plan, handles, asked) = plan();
    let plan = plan.bind(Capabilities::ALL).unwrap();
    let mut first = plan.chain(MessageTraits::new()).unwrap();
    first.handle_head(head(), false).unwrap();
    let stale = handles.lock().unwrap().pop().unwrap();
    let resumer = spawn(move || {
        // `Gone` as soon as the message is over; before, it is that message's.
        let _ = stale.resume();
    });
    drop(first);
    let mut second = plan.chain(MessageTraits::new()).unwrap();
    second.handle_head(head(), false).unwrap();
    let own = handles.lock().unwrap().pop().unwrap();
    second.handle_resumes();
    resumer.join().unwrap();
    second.handle_resumes();
    assert_eq!(asked.load(Relaxed), 0, "a resume of the message before");
    assert_eq!(own.resume(), Resumed::Queued);
    second.handle_resumes();
    assert_eq!(asked.load(Relaxed), 1);
}

/// A chain that ends on one thread while the next message begins on another: the second has a chain
/// of its own, or the first one's whole; both have their own handles.
fn h49_chain_on_another_thread() {
    let (plan, handles, asked) = plan();
    let plan = plan.bind(Capabilities::ALL).unwrap();
    let mut first = plan.chain(MessageTraits::new()).unwrap();
    first.handle_head(head(), false).unwrap();
    let stale = handles.lock().unwrap().pop().unwrap();
    let ender = spawn(move || drop(first));
    let mut second = plan.chain(MessageTraits::new()).unwrap();
    second.handle_head(head(), false).unwrap();
    let own = handles.lock().unwrap().pop().unwrap();
    let _ = stale.resume();
    second.handle_resumes();
    assert_eq!(asked.load(Relaxed), 0, "a resume of the other message");
    assert_eq!(own.resume(), Resumed::Queued);
    second.handle_resumes();
    assert_eq!(asked.load(Relaxed), 1);
    ender.join().unwrap();
    assert_eq!(stale.resume(), Resumed::Gone);
    let PoolStats { reused, missed, kept, .. } = plan.recycling();
    assert_eq!((reused + missed, kept as u64), (2, missed - 1));
}
