//! H45: a panic in user code, at each of its calls in turn. User code is what filters do, wakers,
//! and the drop of a payload: a `Bytes` may own anything.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter, LocalReply, Marks,
    MessageTraits, Origin, Outcome, Output, Plan, ResumeHandle, Timeout, Verdict, View,
};

use crate::kit::{Dir, both};

/// Counts calls of user code, and panics in one of them.
#[derive(Default)]
struct Fuse {
    left: AtomicI64,
    /// Payloads that have not been dropped.
    payloads: AtomicU64,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    /// The filter in whose callback it panicked, other than `close`.
    panicked: Option<&'static str>,
    started: BTreeMap<&'static str, ()>,
    closes: BTreeMap<&'static str, u32>,
    handles: Vec<ResumeHandle>,
}

impl Fuse {
    fn burn(&self) {
        // A second panic while a thread unwinds aborts any program: not ours to contain.
        if !std::thread::panicking() && self.left.fetch_sub(1, Relaxed) == 1 {
            panic!("the fuse");
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn payload(self: &Arc<Self>, len: usize) -> Bytes {
        self.payloads.fetch_add(1, Relaxed);
        Bytes::from_owner(Payload { fuse: Arc::clone(self), bytes: vec![b'x'; len] })
    }
}

struct Payload {
    fuse: Arc<Fuse>,
    bytes: Vec<u8>,
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.fuse.payloads.fetch_sub(1, Relaxed);
        self.fuse.burn();
    }
}

/// Panics when it is woken, or when the last of its wakers is dropped.
struct Task(Arc<Fuse>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.burn();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.burn();
    }
}

/// How the message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    Trailers,
    Reset,
    Timeout,
    Cancel,
    Drop,
    Reply,
    ReplyFromOutside,
    Declared,
    Fails,
    TooLong,
    Limit,
    LostHandle,
}

const ENDINGS: [Ending; 13] = [
    Ending::Whole,
    Ending::Trailers,
    Ending::Reset,
    Ending::Timeout,
    Ending::Cancel,
    Ending::Drop,
    Ending::Reply,
    Ending::ReplyFromOutside,
    Ending::Declared,
    Ending::Fails,
    Ending::TooLong,
    Ending::Limit,
    Ending::LostHandle,
];

/// Holds the head until data comes; then passes.
/// The second of three holds all data until it is resumed or the input has ended, and edits then.
struct Actor {
    name: &'static str,
    fuse: Arc<Fuse>,
    ending: Ending,
    datas: u32,
}

impl Actor {
    fn call(&self) {
        let name = self.name;
        self.fuse.notes().started.insert(name, ());
        self.fuse.notes().panicked = Some(name);
        self.fuse.burn();
        self.fuse.notes().panicked = None;
    }

    fn end<H: Dir>(&self, view: &mut View<'_, H>) -> Verdict {
        match self.ending {
            Ending::Reply => {
                view.reply(LocalReply::text(StatusCode::FORBIDDEN, self.fuse.payload(5)))
            }
            Ending::Declared => Verdict::END,
            Ending::Fails => view.fail(Error::filter_failed("as it was told")),
            _ => Verdict::HOLD,
        }
    }

    fn hold<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let handle = view.resume_handle();
        let before = std::mem::replace(&mut self.fuse.notes().handles, vec![handle]);
        drop(before);
        self.datas += 1;
        if self.datas == 4 {
            return self.end(view);
        }
        if view.input_ended() { self.release(view) } else { self.verdict() }
    }

    fn verdict(&self) -> Verdict {
        if self.ending == Ending::Limit { Verdict::HOLD.or_reject() } else { Verdict::HOLD }
    }

    fn release<H: Dir>(&self, view: &mut View<'_, H>) -> Verdict {
        view.push(self.fuse.payload(3)).expect("room for an edit");
        view.replace(0..1, self.fuse.payload(2)).expect("room for an edit");
        Verdict::PASS
    }
}

impl<H: Dir> Filter<H> for Actor {
    fn declare(&self) -> Declaration {
        let marks = if self.ending == Ending::Limit { 1500 } else { 1 << 20 };
        Declaration::new()
            .require(Capability::HoldHead)
            .require(Capability::ChangeLength)
            .require(Capability::AddTrailers)
            .marks(Marks::from_high(marks))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call();
        if self.name == "A" && !view.input_ended() { Verdict::HOLD } else { Verdict::PASS }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call();
        if self.name == "B" { self.hold(view) } else { Verdict::PASS }
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call();
        if self.name == "B" {
            return self.release(view);
        }
        Verdict::PASS
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call();
        if self.name == "B" { self.release(view) } else { Verdict::PASS }
    }

    fn recycle(&mut self) -> bool {
        self.fuse.burn();
        self.datas = 0;
        true
    }

    fn close(&mut self, _: &Outcome) {
        *self.fuse.notes().closes.entry(self.name).or_default() += 1;
        self.fuse.burn();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.fuse.burn();
    }
}

fn plan<H: Dir>(fuse: &Arc<Fuse>, ending: Ending) -> Plan<H> {
    let plan = ["A", "B", "C"].into_iter().fold(Plan::builder(), |plan, name| {
        let fuse = Arc::clone(fuse);
        plan.filter(name, move || Actor { name, fuse: Arc::clone(&fuse), ending, datas: 0 })
    });
    plan.keep_chains(2).build().expect("a plan")
}

fn chain<H: Dir>(plan: &Plan<H>) -> Chain<H> {
    let bound = plan.bind(Capabilities::ALL).expect("an edge that can do it");
    bound.chain(MessageTraits::new()).expect("a message that can do it")
}

/// A field value that is a payload too.
fn value(fuse: &Arc<Fuse>) -> HeaderValue {
    HeaderValue::from_maybe_shared(fuse.payload(4)).expect("a field value")
}

/// Takes all output.
fn take<H: Dir>(chain: &mut Chain<H>) {
    while chain.poll_output().is_some() || chain.has_work() {}
}

/// One step of the edge; answers whether the message goes on.
fn step<H: Dir>(chain: &mut Chain<H>, fuse: &Arc<Fuse>, ending: Ending, at: u32) -> bool {
    if let Some(set) = chain.resume_set() {
        set.register(&Waker::from(Arc::new(Task(Arc::clone(fuse)))));
    }
    // Some are copied when they come to rest, and some are not.
    let data = |chain: &mut Chain<H>, len| {
        let payload = fuse.payload(len);
        let _ = chain.handle_data(payload, false);
    };
    match at {
        0 => {
            let mut head = if ending == Ending::TooLong { H::declaring(700) } else { H::plain() };
            head.headers_mut().insert("x-owned", value(fuse));
            let _ = chain.handle_head(head, false);
        }
        1 => data(chain, 7),
        2 => data(chain, 600),
        3 => data(chain, 9),
        4 => data(chain, 600),
        5 => data(chain, 600),
        6 => return end(chain, fuse, ending),
        _ => return false,
    }
    if at > 2 {
        take(chain);
    }
    true
}

/// The end that the message was given; answers whether there is more to do.
fn end<H: Dir>(chain: &mut Chain<H>, fuse: &Arc<Fuse>, ending: Ending) -> bool {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-owned", value(fuse));
    match ending {
        Ending::Trailers => drop(chain.handle_trailers(trailers)),
        Ending::Reset => chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream)),
        Ending::Timeout => chain.handle_timeout(Timeout::Total),
        Ending::Cancel => chain.cancel(),
        Ending::Drop => return false,
        Ending::ReplyFromOutside => {
            let reply = LocalReply::text(StatusCode::FORBIDDEN, fuse.payload(600));
            chain.handle_reply(reply);
        }
        Ending::LostHandle => {
            let handles = std::mem::take(&mut fuse.notes().handles);
            drop(handles);
            let _ = chain.handle_end();
        }
        _ => {
            let handles = std::mem::take(&mut fuse.notes().handles);
            for handle in &handles {
                let _ = handle.resume();
            }
            chain.handle_resumes();
            let _ = chain.handle_end();
        }
    }
    take(chain);
    false
}

/// Plays one message; the `at`-th call of user code panics.
///
/// `caught_each`: the edge goes on with a chain after a panic that came through; else its task is
/// over, and the chain is dropped as the thread unwinds.
fn play<H: Dir>(ending: Ending, at: i64, caught_each: bool) -> (Arc<Fuse>, Plan<H>) {
    let fuse = Arc::<Fuse>::default();
    let plan = plan::<H>(&fuse, ending);
    fuse.left.store(at, Relaxed);
    let task = || {
        let mut chain = chain(&plan);
        let mut next = 0;
        loop {
            let mut work = || step(&mut chain, &fuse, ending, next);
            let goes_on = if caught_each {
                catch_unwind(AssertUnwindSafe(work)).unwrap_or(true)
            } else {
                work()
            };
            next += 1;
            if !goes_on {
                return chain;
            }
        }
    };
    drop(catch_unwind(AssertUnwindSafe(|| drop(task()))));
    (fuse, plan)
}

/// What has to be true afterwards.
fn check<H: Dir>(case: &str, fuse: &Arc<Fuse>, plan: &Plan<H>) {
    let handles = std::mem::take(&mut fuse.notes().handles);
    for handle in &handles {
        let resumed = handle.resume();
        assert_eq!(resumed, tidegate::Resumed::Gone, "{case}: a handle of a message that is over");
    }
    drop(handles);
    {
        let notes = fuse.notes();
        for name in notes.started.keys() {
            let closes = notes.closes.get(name).copied().unwrap_or_default();
            let expected = u32::from(notes.panicked != Some(name));
            assert_eq!(closes, expected, "{case}: closes of {name}");
        }
        assert!(notes.closes.keys().all(|name| notes.started.contains_key(name)), "{case}");
    }
    assert_eq!(fuse.payloads.load(Relaxed), 0, "{case}: payloads that nobody dropped");
    // The next message of the same plan, with what the pool has kept, is not touched by it.
    *fuse.notes() = Notes::default();
    let mut chain = chain(plan);
    chain.handle_head(H::plain(), false).expect("the head is taken");
    chain.handle_data(Bytes::from_static(b"next"), true).expect("data is taken");
    let mut sunk = Vec::new();
    while let Some(output) = chain.poll_output() {
        if let Output::Data(data) = output {
            sunk.extend_from_slice(&data);
        }
    }
    assert_eq!(sunk, b"xxextxxx", "{case}: the next message");
    assert!(chain.outcome().is_some_and(Outcome::is_complete), "{case}: the next message");
}

/// bytes 1.12.1 (a panic inside `Box::new`), tokio's `test_panicky_waker`: whichever call of user
/// code panics, nothing aborts, everybody else is closed once, every payload is dropped once, and
/// the plan's next message is whole.
fn h45_any_call_of_user_code_may_panic<H: Dir>() {
    for ending in ENDINGS {
        for caught_each in [false, true] {
            let mut at = 1;
            loop {
                let case = format!("{ending:?}, call {at}, caught each: {caught_each}");
                let (fuse, plan) = play::<H>(ending, at, caught_each);
                // No more of them from here on.
                let fired = fuse.left.swap(0, Relaxed) <= 0;
                check(&case, &fuse, &plan);
                if !fired {
                    break;
                }
                at += 1;
            }
            assert!(at > 20, "{ending:?}: only {at} calls of user code");
        }
    }
}

both!(h45_any_call_of_user_code_may_panic);
