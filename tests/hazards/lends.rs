//! H46, H48, H49: who keeps whom alive, what a message sees of a change of configuration, and that
//! all that was lent comes back.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use bytes::{BufMut, Bytes};
use http::request;
use tidegate::block::BlockPool;
use tidegate::pool::Pool;
use tidegate::{
    BoundPlan, Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter,
    MessageTraits, Origin, Outcome, Output, Plan, ResumeHandle, Resumed, Verdict, View,
};

use crate::kit::{Dir, Rng};

/// Counts what is alive.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn one(&self) -> One {
        self.0.fetch_add(1, Relaxed);
        One(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Relaxed)
    }
}

struct One(Alive);

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// A task that owns its message, as a future does; its waker owns the task.
struct Task {
    chain: Mutex<Option<Chain<request::Parts>>>,
    _one: One,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

/// Keeps a handle of its own, and puts one into the head that it holds.
struct Selfish {
    own: Option<ResumeHandle>,
    _one: One,
}

/// What lies in the extensions of a head.
#[derive(Clone)]
struct Kept {
    handle: ResumeHandle,
    _task: Arc<Mutex<Vec<One>>>,
}

impl Filter<request::Parts> for Selfish {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead)
    }

    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        let handle = view.resume_handle();
        self.own = Some(handle.clone());
        let ones = Arc::new(Mutex::new(vec![self._one.0.one()]));
        let kept = Kept { handle, _task: ones };
        view.head_mut().expect("it is here").extensions.insert(kept);
        Verdict::HOLD
    }
}

fn bound(plan: Plan<request::Parts>) -> BoundPlan<request::Parts> {
    plan.bind(Capabilities::ALL).expect("an edge")
}

/// h2 0.3.4 (a stream in the extensions of its own request: a circle of references, and a hang): a
/// handle that is kept in its own message, and by its own filter, keeps nothing alive. Nor does a
/// message that is over keep its task, which owns it.
#[test]
fn h46_a_handle_in_its_own_message_keeps_nothing_alive() {
    for recycled in [0, 2] {
        for cut in [false, true] {
            let alive = Alive::default();
            let filters = alive.clone();
            let plan = Plan::builder()
                .filter("selfish", move || Selfish { own: None, _one: filters.one() })
                .keep_chains(recycled);
            let bound = bound(plan.build().expect("a plan"));
            let chain = bound.chain(MessageTraits::new()).expect("a chain");
            let task = Arc::new(Task { chain: Mutex::new(Some(chain)), _one: alive.one() });
            {
                let mut place = task.chain.lock().expect("no panic");
                let chain = place.as_mut().expect("it is there");
                chain.handle_head(Dir::plain(), false).expect("the head is taken");
                let set = chain.resume_set().expect("a handle was asked for");
                set.register(&Waker::from(Arc::clone(&task)));
                // As long as somebody has a handle, this is no stall.
                assert!(chain.poll_output().is_none() && chain.outcome().is_none());
                if cut {
                    chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
                } else {
                    // The task is over, and drops its future.
                    drop(place.take());
                }
            }
            assert_eq!(Arc::strong_count(&task), 1, "a message that is over keeps its task");
            drop(task);
            drop(bound);
            assert_eq!(alive.count(), 0, "recycled: {recycled}, cut: {cut}");
        }
    }
}

/// A handle that left in its head, and outlives everything, does nothing.
#[test]
fn h46_a_handle_that_left_in_a_head_outlives_its_message() {
    let alive = Alive::default();
    let filters = alive.clone();
    let plan =
        Plan::builder().filter("selfish", move || Selfish { own: None, _one: filters.one() });
    let bound = bound(plan.build().expect("a plan"));
    let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(Dir::plain(), true).expect("the head is taken");
    chain.handle_resume(0);
    let Some(Output::Head { head, .. }) = chain.poll_output() else { panic!("no head") };
    assert!(chain.outcome().is_some_and(Outcome::is_complete));
    drop((chain, bound));
    let kept = head.extensions.get::<Kept>().expect("it was put there").clone();
    assert_eq!(kept.handle.resume(), Resumed::Gone);
    drop(head);
    assert_eq!(alive.count(), 1, "what is left is in the hand of this test");
    drop(kept);
    assert_eq!(alive.count(), 0);
}

/// Writes the number of its configuration behind each piece.
struct Versioned {
    version: u8,
    recycles: bool,
    _one: One,
}

impl Filter<request::Parts> for Versioned {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        view.push(Bytes::from(vec![self.version])).expect("room for an edit");
        Verdict::PASS
    }

    fn recycle(&mut self) -> bool {
        self.recycles
    }
}

fn versioned(version: u8, alive: &Alive, keep: usize) -> BoundPlan<request::Parts> {
    let make = |recycles| {
        let alive = alive.clone();
        move || Versioned { version, recycles, _one: alive.one() }
    };
    let plan = Plan::builder().filter("kept", make(true)).filter("made", make(false));
    bound(plan.keep_chains(keep).build().expect("a plan"))
}

fn all_data(chain: &mut Chain<request::Parts>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(output) = chain.poll_output() {
        if let Output::Data(data) = output {
            all.extend_from_slice(&data);
        }
    }
    all
}

/// Envoy CVE-2026-47205 (a per-route override in the middle of a request): plans are published one
/// after the other, at random moments, while messages are under way. Each message is of the plan it
/// began with from its first to its last byte, and a recycled filter serves no other plan.
#[test]
fn h48_a_message_sees_one_configuration() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let alive = Alive::default();
        let mut current = (0, versioned(0, &alive, 4));
        let mut running: Vec<(u8, Chain<request::Parts>)> = Vec::new();
        for _ in 0..100 {
            match rng.below(6) {
                0 => {
                    let next = current.0 + 1;
                    // The one before goes, whatever runs on it.
                    current = (next, versioned(next, &alive, 4));
                }
                1 | 2 => {
                    let mut chain = current.1.chain(MessageTraits::new()).expect("a chain");
                    chain.handle_head(Dir::plain(), false).expect("the head is taken");
                    running.push((current.0, chain));
                }
                3 if !running.is_empty() => drop(running.swap_remove(rng.below(running.len()))),
                _ => {
                    for (version, chain) in &mut running {
                        chain.handle_data(Bytes::from_static(b"-"), false).expect("it is wanted");
                        assert_eq!(all_data(chain), [b'-', *version, *version], "seed {seed}");
                    }
                }
            }
        }
        drop(running);
        drop(current);
        assert_eq!(alive.count(), 0, "seed {seed}: a filter of a plan that is gone");
    }
}

/// Jetty #12862, netty #3905 (buffers lost when a stream was reset): chains, values and blocks that
/// are lent, ended in any way and in any order, also behind the end of who lent them. All of it
/// comes back once, or is freed.
#[test]
fn h49_what_was_lent_comes_back_once() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let alive = Alive::default();
        let keep = rng.below(4);
        let bound = versioned(1, &alive, keep);
        let pool = Pool::new(keep);
        let (mut chains, mut leases) = (Vec::new(), Vec::new());
        let mut lent = 0_u64;
        for _ in 0..60 {
            match rng.below(5) {
                0 | 1 => {
                    let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
                    chain.handle_head(Dir::plain(), rng.below(3) == 0).expect("the head is taken");
                    chains.push(chain);
                    leases.push(pool.lease(|| alive.one()));
                    lent += 1;
                }
                _ if chains.is_empty() => {}
                2 => chains[0].cancel(),
                _ => {
                    let at = rng.below(chains.len());
                    let mut chain = chains.swap_remove(at);
                    let _ = chain.handle_data(Bytes::from_static(b"-"), rng.below(2) == 0);
                    let _ = all_data(&mut chain);
                    drop(leases.swap_remove(at));
                }
            }
            // Two filters a chain that is out, one of each that is kept, and the leased values.
            let stats = pool.stats();
            let out = chains.len();
            assert!(stats.kept <= keep && stats.returned + stats.refused + out as u64 == lent);
            assert!(alive.count() <= 3 * out + 2 * keep, "seed {seed}: {} alive", alive.count());
        }
        if rng.below(2) == 0 {
            // Those who lent go first.
            drop((bound, pool));
            drop((chains, leases));
        } else {
            drop((chains, leases));
            assert!(alive.count() <= 2 * keep, "seed {seed}: more is kept than may be");
            drop((bound, pool));
        }
        assert_eq!(alive.count(), 0, "seed {seed}");
    }
}

/// A block is used again when its last slice is gone, and not before: slices that outlive the
/// block, and the pool, keep their bytes.
#[test]
fn h49_a_block_is_not_used_again_while_it_is_read() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let pool = BlockPool::new(NonZeroUsize::new(64).expect("not zero"), 3);
        let mut slices: Vec<(u8, Bytes)> = Vec::new();
        for number in 0..100_u8 {
            let mut block = pool.take();
            let count = 1 + rng.below(64);
            block.room().put_bytes(number, count);
            slices.push((number, block.split()));
            drop(block);
            if rng.below(2) == 0 {
                drop(slices.swap_remove(rng.below(slices.len())));
            }
            for (number, slice) in &slices {
                assert!(slice.iter().all(|byte| byte == number), "seed {seed}: written over");
            }
            assert!(pool.stats().kept <= 3);
        }
        drop(pool);
        assert!(slices.iter().all(|(number, slice)| slice.iter().all(|byte| byte == number)));
    }
}
