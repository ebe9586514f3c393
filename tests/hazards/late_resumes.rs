//! H23: answers that arrive when what they were for is gone, also where its chain serves the next
//! message already.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use tidegate::{
    BoundPlan, Capabilities, Chain, Error, ErrorKind, Filter, LocalReply, MessageTraits, Origin,
    Outcome, Output, Plan, ResumeHandle, Resumed, Timeout, View,
};

use crate::kit::*;

/// What the filters of all messages of a plan share with the test.
#[derive(Default)]
struct Shared {
    handles: Mutex<Vec<ResumeHandle>>,
    resumes: AtomicU64,
    /// Whether filters give handles away.
    gives: AtomicBool,
}

/// Holds, and gives its handle to the test; lets go when it is asked again.
struct Holds {
    shared: Arc<Shared>,
    recycles: bool,
}

impl<H: Dir> Filter<H> for Holds {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.shared.gives.load(SeqCst) {
            self.shared.handles.lock().unwrap().push(view.resume_handle());
        }
        if view.is_local_reply() { PASS } else { HOLD }
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.shared.resumes.fetch_add(1, SeqCst);
        PASS
    }

    fn recycle(&mut self) -> bool {
        self.recycles
    }
}

fn plan_of<H: Dir>(shared: &Arc<Shared>, recycles: bool, keep_chains: usize) -> BoundPlan<H> {
    let mut plan = Plan::builder().keep_chains(keep_chains);
    for name in ["A", "B"] {
        let shared = Arc::clone(shared);
        plan = plan.filter(name, move || Holds { shared: Arc::clone(&shared), recycles });
    }
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge that can do it")
}

/// A message with "ab" held by A.
fn begun<H: Dir>(plan: &BoundPlan<H>) -> Chain<H> {
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(H::plain(), false).expect("the head is taken");
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    chain.handle_data(Bytes::from_static(b"ab"), false).expect("data is taken");
    chain
}

/// The ways in which the message of a handle is over.
const ENDS: [&str; 7] =
    ["complete", "reset", "cancelled", "timed out", "replied", "stalled", "dropped"];

fn end<H: Dir>(mut chain: Chain<H>, how: &str) {
    match how {
        "complete" => {
            chain.handle_end().expect("the end is taken");
            for _ in 0..2 {
                chain.handle_resume(0);
                chain.handle_resume(1);
            }
            while chain.poll_output().is_some() {}
            assert!(chain.outcome().is_some_and(Outcome::is_complete));
        }
        "reset" => chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream)),
        "cancelled" => chain.cancel(),
        "timed out" => chain.handle_timeout(Timeout::Hold),
        "replied" => {
            chain.handle_reply(LocalReply::new(http::StatusCode::FORBIDDEN));
            while chain.poll_output().is_some() {}
        }
        _ => {}
    }
}

/// Envoy CVE-2026-48090, CVE-2026-47205, CVE-2026-50572, CVE-2026-26330 (a client that was used
/// again with the state of the request before), 1.39.1 (use after free on late callbacks): a handle
/// is used, cloned and dropped after its message has ended in every way, while a second message
/// runs on the same chain. The handle says `Gone`, nobody is asked, and the second message is not
/// kept from its own stall by handles of the first, nor stalled by their drop.
fn h23_a_late_resume_reaches_no_message<H: Dir>() {
    for recycles in [true, false] {
        for keep_chains in [0, 1] {
            for how in ENDS {
                for second_has_handle in [true, false] {
                    let shared = Arc::<Shared>::default();
                    shared.gives.store(true, SeqCst);
                    let plan = plan_of::<H>(&shared, recycles, keep_chains);
                    let mut first = begun(&plan);
                    let late = std::mem::take(&mut *shared.handles.lock().unwrap());
                    assert_eq!(late.len(), 1);
                    if how == "stalled" {
                        // Resumed before, and not taken up: it is queued when the message ends.
                        assert_eq!(late[0].resume(), Resumed::Queued);
                        first.cancel();
                    }
                    end(first, how);
                    let calls = shared.resumes.load(SeqCst);

                    shared.gives.store(second_has_handle, SeqCst);
                    let mut second = begun(&plan);
                    let shown = format!(
                        "{how}, recycles {recycles}, kept {keep_chains}, {second_has_handle}"
                    );
                    for handle in &late {
                        assert_eq!(handle.resume(), Resumed::Gone, "{shown}");
                        assert_eq!(handle.clone().resume(), Resumed::Gone, "{shown}");
                    }
                    second.handle_resumes();
                    assert_eq!(shared.resumes.load(SeqCst), calls, "{shown}");
                    assert_eq!(second.held_bytes(), 2, "{shown}");
                    // The source may still give: no stall yet. With the end, nobody else can.
                    assert!(second.poll_output().is_none(), "{shown}");
                    second.handle_end().expect("the end is taken");
                    if second_has_handle {
                        assert!(second.poll_output().is_none(), "{shown}");
                        drop(late);
                        second.handle_resumes();
                        assert!(second.poll_output().is_none(), "{shown}");
                        assert!(second.outcome().is_none(), "{shown}: it has a handle");
                        let own = shared.handles.lock().unwrap().pop().expect("its own");
                        assert_eq!(own.resume(), Resumed::Queued, "{shown}");
                        second.handle_resumes();
                        assert_eq!(shared.resumes.load(SeqCst), calls + 1, "{shown}");
                    } else {
                        let stalled = second.poll_output();
                        assert!(matches!(stalled, Some(Output::Reset(_))), "{shown}");
                        let outcome = second.outcome();
                        assert!(matches!(outcome, Some(Outcome::Stalled(_))), "{shown}");
                    }
                }
            }
        }
    }
}

/// The same with threads that use every handle there ever was, all the time, while ten thousand
/// messages come and go on recycled chains. A message is asked only by handles of its own: what is
/// resumed is what was queued while it was there.
#[test]
fn h23_late_resumes_from_other_threads_reach_no_message() {
    let shared = Arc::<Shared>::default();
    shared.gives.store(true, SeqCst);
    let plan = plan_of::<http::request::Parts>(&shared, true, 4);
    let late = Arc::new(Mutex::new(Vec::<ResumeHandle>::new()));
    let over = Arc::new(AtomicBool::new(false));
    let resumers: Vec<_> = (0..2)
        .map(|_| {
            let (late, over) = (Arc::clone(&late), Arc::clone(&over));
            thread::spawn(move || {
                let mut told = 0_u64;
                loop {
                    let last = over.load(SeqCst);
                    let handles: Vec<_> = late.lock().unwrap().iter().cloned().collect();
                    for handle in handles {
                        assert_eq!(handle.resume(), Resumed::Gone);
                        told += 1;
                    }
                    if last {
                        return told;
                    }
                }
            })
        })
        .collect();
    for round in 0..10_000 {
        let mut chain = begun(&plan);
        chain.handle_resumes();
        assert_eq!(chain.held_bytes(), 2, "round {round}: nobody asked");
        assert_eq!(shared.resumes.load(SeqCst), 0, "round {round}");
        drop(chain);
        let mut late = late.lock().unwrap();
        late.append(&mut shared.handles.lock().unwrap());
        if late.len() > 16 {
            drop(late.drain(..8));
        }
    }
    over.store(true, SeqCst);
    let told: u64 = resumers.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    assert!(told > 0, "handles were used");
}

both!(h23_a_late_resume_reaches_no_message);
