//! I10: what is asked for inside a callback is done after it, and no user code runs under a lock.
//! I13: one entry into the engine makes a bounded number of calls.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, request, response};
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, Filter, Head, Interest, LocalReply, Marks,
    MessageTraits, Output, Plan, ResumeHandle, Verdict, View, limits,
};

/// What all filters of a chain, its waker and the test share.
#[derive(Default)]
struct Shared {
    handles: Mutex<Vec<ResumeHandle>>,
    /// How many callbacks are running: never more than one.
    running: AtomicUsize,
    nested: AtomicBool,
    calls: AtomicUsize,
    /// Wakers run with their effects only while the message is under way.
    wild: AtomicBool,
}

impl Shared {
    /// Resumes everybody. Never with the list locked: waking runs user code.
    fn resume_all(&self) {
        let handles: Vec<ResumeHandle> = self.locked().clone();
        for handle in &handles {
            let _ = handle.resume();
        }
    }

    /// Drops every second handle.
    fn drop_some(&self) {
        let mut dropped = Vec::new();
        {
            let mut handles = self.locked();
            let keep = handles.len() / 2;
            dropped.extend(handles.drain(keep..));
        }
        drop(dropped);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<ResumeHandle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.running.fetch_add(1, Ordering::Relaxed) != 0 {
            self.nested.store(true, Ordering::Relaxed);
        }
    }

    fn leave(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Asks for everything there is, in every callback.
struct Greedy {
    shared: Arc<Shared>,
    calls: usize,
    /// After as many calls it lets everything go.
    patience: usize,
}

impl Greedy {
    fn everything<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.shared.enter();
        self.calls += 1;
        self.handles(view);
        self.edits(view);
        // Made and not returned: dropped.
        let _ = view.reply(LocalReply::text(StatusCode::FORBIDDEN, "not returned"));
        let _ = view.fail(Error::filter_failed("not returned"));
        self.shared.leave();
        if self.calls >= self.patience {
            let _ = view.set_kept_bytes(0);
            return Verdict::PASS;
        }
        match self.calls % 4 {
            0 => Verdict::HOLD.quiet().again(),
            1 => Verdict::pass_first(1).again(),
            2 => Verdict::HOLD.again(),
            _ => Verdict::PASS.again(),
        }
    }

    fn handles<H: Head>(&self, view: &mut View<'_, H>) {
        let mine = view.resume_handle();
        let _ = mine.resume();
        let another = mine.clone();
        self.shared.locked().push(mine);
        self.shared.resume_all();
        drop(another);
        self.shared.drop_some();
    }

    fn edits<H: Head>(&self, view: &mut View<'_, H>) {
        let _ = view.push(Bytes::from_static(b"pushed"));
        let _ = view.prepend(Bytes::from_static(b"first"));
        let len = view.body().len();
        let _ = view.insert(len / 2, Bytes::from_static(b"in"));
        let _ = view.replace(0..len.min(2), Bytes::from_static(b"re"));
        let _ = view.remove(0..view.body().len().min(1));
        let _ = view.take_first(view.body().len() / 2);
        let _ = view.set_kept_bytes(3);
        let _ = view.set_kept_bytes(1);
        let _ = view.set_declared_bytes(1_000_000);
        if let Some(head) = view.head_mut() {
            head.headers_mut().remove(http::header::CONTENT_LENGTH);
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-greedy", HeaderValue::from_static("1"));
        let _ = view.set_trailers(trailers);
        if let Some(trailers) = view.trailers_mut() {
            trailers.insert("x-again", HeaderValue::from_static("1"));
        }
        if self.calls > 6 {
            view.drop_interest(Interest::TRAILERS);
        }
    }
}

impl<H: Head> Filter<H> for Greedy {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new().marks(Marks::from_high(20));
        Capability::ALL.into_iter().fold(declaration, Declaration::prefer)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.everything(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.everything(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.everything(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.everything(view)
    }

    fn close(&mut self, _: &tidegate::Outcome) {
        self.shared.enter();
        self.shared.resume_all();
        self.shared.drop_some();
        self.shared.leave();
    }
}

/// A waker that resumes and drops handles whenever any of its code runs: woken, cloned, dropped.
/// If it ran under the lock of the set, each of them would deadlock.
struct Wild(Arc<Shared>);

impl Wild {
    fn run_wild(&self) {
        if self.0.wild.load(Ordering::Relaxed) {
            self.0.resume_all();
            self.0.drop_some();
        }
    }

    fn waker(shared: &Arc<Shared>) -> Waker {
        let data = Box::into_raw(Box::new(Self(Arc::clone(shared))));
        // SAFETY: `VTABLE` treats `data` as the box it is made from, which each waker owns alone.
        unsafe { Waker::from_raw(RawWaker::new(data.cast_const().cast(), &VTABLE)) }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: `data` is a live box of this waker, see `Wild::waker`.
        let wild = unsafe { &*data.cast::<Wild>() };
        wild.run_wild();
        let data = Box::into_raw(Box::new(Wild(Arc::clone(&wild.0))));
        RawWaker::new(data.cast_const().cast(), &VTABLE)
    },
    |data| {
        // SAFETY: as above; waking by value gives the box up.
        let wild = unsafe { Box::from_raw(data.cast::<Wild>().cast_mut()) };
        wild.run_wild();
    },
    |data| {
        // SAFETY: as above.
        unsafe { &*data.cast::<Wild>() }.run_wild();
    },
    |data| {
        // SAFETY: as above; dropping gives the box up.
        let wild = unsafe { Box::from_raw(data.cast::<Wild>().cast_mut()) };
        wild.run_wild();
    },
);

/// Fails if `test` does not come back: a lock that is held while user code runs never does.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if is_done.recv_timeout(Duration::from_secs(30)).is_err() && !thread.is_finished() {
        panic!("deadlock: user code runs under a lock");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn greedy_chain<H: Head>(shared: &Arc<Shared>, patience: usize) -> Chain<H> {
    let mut builder = Plan::<H>::builder().max_frame_bytes(8).output_marks(Marks::from_high(30));
    for name in ["a", "b", "c"] {
        let shared = Arc::clone(shared);
        builder = builder.filter(name, move || Greedy {
            shared: Arc::clone(&shared),
            calls: 0,
            patience,
        });
    }
    let plan = builder.build().expect("three filters");
    plan.bind(Capabilities::ALL)
        .and_then(|bound| bound.chain(MessageTraits::new()))
        .expect("nothing is required")
}

/// Sends a message through as an edge does; answers with how it ended.
fn drive<H: Head>(mut chain: Chain<H>, head: H, waker: impl Fn() -> Waker) -> bool {
    chain.handle_head(head, false).expect("the first head");
    let mut left: usize = 200;
    for _ in 0..10_000 {
        if let Some(set) = chain.resume_set() {
            set.register(&waker());
        }
        chain.handle_resumes();
        while let Some(output) = chain.poll_output() {
            drop::<Output<H>>(output);
        }
        if let Some(outcome) = chain.outcome() {
            return outcome.is_complete();
        }
        if chain.wants_input() {
            let n = left.min(30);
            left -= n;
            chain.handle_data(Bytes::from(vec![b'x'; n]), left == 0).expect("it was wanted");
        }
    }
    panic!("the message does not come to an end");
}

fn run_greedy<H: Head>(make_head: fn() -> H, patience: usize) {
    let shared = Arc::new(Shared::default());
    shared.wild.store(true, Ordering::Relaxed);
    let chain = greedy_chain::<H>(&shared, patience);
    let complete = drive(chain, make_head(), || Wild::waker(&shared));
    shared.wild.store(false, Ordering::Relaxed);
    assert!(!shared.nested.load(Ordering::Relaxed), "I10: a callback ran inside another");
    assert!(complete, "patience {patience}");
    shared.locked().clear();
}

#[test]
fn i10_everything_asked_for_inside_every_callback_is_done_after_it() {
    for patience in [1, 2, 5, 30, 200] {
        in_time(move || run_greedy(|| http::Request::new(()).into_parts().0, patience));
        in_time(move || {
            run_greedy::<response::Parts>(|| http::Response::new(()).into_parts().0, patience);
        });
    }
}

/// Holds until it has been resumed `resumes` times.
struct Patient {
    shared: Arc<Shared>,
    resumes: usize,
}

impl<H: Head> Filter<H> for Patient {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let handle = view.resume_handle();
        self.shared.locked().push(handle);
        Verdict::HOLD
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.shared.enter();
        self.shared.leave();
        self.resumes = self.resumes.saturating_sub(1);
        if self.resumes == 0 { Verdict::PASS } else { Verdict::HOLD }
    }
}

/// Resumes every filter again as soon as it is woken, and remembers that it was.
struct Inline {
    shared: Arc<Shared>,
    woken: AtomicUsize,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        // Far fewer times than a recursion would need to overflow the stack.
        if self.woken.fetch_add(1, Ordering::Relaxed) < 1_000 {
            self.shared.resume_all();
        }
    }
}

#[test]
fn i10_a_waker_that_resumes_inline_neither_recurses_nor_loses_a_resume() {
    in_time(|| {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let plan = Plan::<request::Parts>::builder()
            .filter("patient", move || Patient { shared: Arc::clone(&theirs), resumes: 5 })
            .build()
            .expect("one filter");
        let bound = plan.bind(Capabilities::ALL).expect("nothing is required");
        let mut chain = bound.chain(MessageTraits::new()).expect("nothing is required");
        let (head, ()) = http::Request::new(()).into_parts();
        chain.handle_head(head, false).expect("the first head");
        chain.handle_data(Bytes::from_static(b"held"), true).expect("it is wanted");
        let inline = Arc::new(Inline { shared: Arc::clone(&shared), woken: AtomicUsize::new(0) });
        for turn in 1..=5 {
            chain.resume_set().expect("a handle was made").register(&Waker::from(inline.clone()));
            shared.resume_all();
            assert_eq!(inline.woken.load(Ordering::Relaxed), turn, "one wake a turn");
            assert_eq!(shared.calls.load(Ordering::Relaxed), turn - 1, "asked by the driver only");
            chain.handle_resumes();
            assert_eq!(shared.calls.load(Ordering::Relaxed), turn);
        }
        while chain.poll_output().is_some() {}
        assert!(chain.outcome().is_some_and(tidegate::Outcome::is_complete));
    });
}

/// Passes everything, and counts its calls; asks itself again if it is told to.
struct Busy {
    shared: Arc<Shared>,
    again: bool,
}

impl<H: Head> Filter<H> for Busy {
    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.shared.enter();
        self.shared.leave();
        if self.again { Verdict::pass_first(usize::MAX).again() } else { Verdict::PASS }
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.data(view)
    }
}

fn busy_chain(filters: usize, again: bool) -> (Chain<request::Parts>, Arc<Shared>) {
    let shared = Arc::new(Shared::default());
    let mut builder = Plan::<request::Parts>::builder().max_frame_bytes(1);
    for k in 0..filters {
        let shared = Arc::clone(&shared);
        let busy = move || Busy { shared: Arc::clone(&shared), again };
        builder = builder.filter(format!("busy {k}"), busy);
    }
    let plan = builder.build().expect("at most 64 filters");
    let bound = plan.bind(Capabilities::ALL).expect("nothing is required");
    let mut chain = bound.chain(MessageTraits::new()).expect("nothing is required");
    let (head, ()) = http::Request::new(()).into_parts();
    chain.handle_head(head, false).expect("the first head");
    (chain, shared)
}

#[test]
fn i13_one_entry_makes_a_bounded_number_of_calls_and_says_that_there_is_more() {
    let bytes: Vec<u8> = (0..1_000_u32).map(|i| (i % 251) as u8).collect();
    let (mut chain, shared) = busy_chain(64, false);
    let most = limits::MAX_CALLS_PER_DRIVE as usize + limits::MAX_FILTERS;
    let mut before = shared.calls.load(Ordering::Relaxed);
    let mut bounded = |what: &str| {
        let now = shared.calls.load(Ordering::Relaxed);
        assert!(now - before <= most, "{what} made {} calls", now - before);
        before = now;
    };
    chain.handle_data(Bytes::from(bytes.clone()), true).expect("it is wanted");
    bounded("handle_data");
    assert!(chain.has_work(), "64 000 calls are not done in one entry");
    let mut given = Vec::new();
    while chain.outcome().is_none() {
        match chain.poll_output() {
            Some(Output::Data(data)) => given.extend_from_slice(&data),
            Some(_) => {}
            None => assert!(chain.has_work() && !chain.wants_input(), "idle with work left"),
        }
        bounded("poll_output");
    }
    assert_eq!(given, bytes);
}

#[test]
fn i13_a_filter_that_keeps_itself_busy_is_asked_once_an_entry() {
    let (mut chain, shared) = busy_chain(3, true);
    chain.handle_data(Bytes::from_static(b"x"), false).expect("it is wanted");
    while chain.poll_output().is_some() {}
    for _ in 0..100 {
        let before = shared.calls.load(Ordering::Relaxed);
        assert!(chain.has_work());
        assert!(chain.poll_output().is_none());
        assert_eq!(shared.calls.load(Ordering::Relaxed), before + 3);
    }
}
