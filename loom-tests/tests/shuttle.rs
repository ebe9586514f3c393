//! Whole exchanges, too large for loom: random schedules of every thread of them.
//!
//! A request and its response, each on a thread of its own, with three filters each that hold; each
//! filter is resumed from a thread of its own. The peer may reset, a filter may reply, the client may
//! go away. Shuttle knows only sequential consistency: weak orders are loom's part, here it is what
//! the parts do together. A lost wake is a deadlock, which it finds.
//!
//! `cargo test --release --features shuttle --test shuttle`; `SCHEDULES=100000` for more.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request, response};
use shuttle::future::block_on;
use shuttle::rand::Rng;
use shuttle::sync::mpsc::{Sender, channel};
use shuttle::thread;
use tidegate_loom_tests::chain::{Chain, MessageTraits, Output, Plan};
use tidegate_loom_tests::error::{Error, ErrorKind, Origin};
use tidegate_loom_tests::exchange::{Mail, RequestHalf, ResponseHalf, mailbox};
use tidegate_loom_tests::filter::{Capabilities, Filter, Head, LocalReply, Verdict, View};
use tidegate_loom_tests::frame::Outcome;
use tidegate_loom_tests::resume::ResumeHandle;
use tidegate_loom_tests::watermark::Marks;

const FILTERS: usize = 3;
const BODY: &[u8] = b"abcdefghijklmnop";
const REPLY: &[u8] = b"no";

fn one_in(n: u32) -> bool {
    shuttle::rand::thread_rng().gen_range(0..n) == 0
}

/// What the filters of one message did.
#[derive(Default)]
struct Log {
    closed: [AtomicUsize; FILTERS],
    /// Local replies, its own and those of the other direction.
    replies: AtomicUsize,
    outcomes: Mutex<Vec<String>>,
}

/// Holds as chance will have it, and sends its handle to its thread; replies once in a while.
struct Holder {
    k: usize,
    log: Arc<Log>,
    resumer: Sender<ResumeHandle>,
    may_reply: bool,
}

impl Holder {
    fn verdict<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        assert_eq!(self.log.closed[self.k].load(Relaxed), 0, "called after close");
        if self.may_reply && one_in(60) {
            self.log.replies.fetch_add(1, Relaxed);
            return view.reply(LocalReply::text(StatusCode::FORBIDDEN, REPLY));
        }
        if !one_in(2) {
            return Verdict::PASS;
        }
        // Usable before the verdict: the thread may be faster than this callback.
        self.resumer.send(view.resume_handle()).expect("the thread waits for handles");
        match shuttle::rand::thread_rng().gen_range(0..3) {
            0 => Verdict::HOLD,
            1 => Verdict::HOLD.quiet(),
            _ => Verdict::pass_first(view.body().len() / 2),
        }
    }
}

impl<H: Head> Filter<H> for Holder {
    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.verdict(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.verdict(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.verdict(view)
    }

    fn declare(&self) -> tidegate_loom_tests::filter::Declaration {
        tidegate_loom_tests::filter::Declaration::new()
            .require(tidegate_loom_tests::filter::Capability::HoldHead)
            .marks(Marks::new(2, 6).expect("low is below high"))
    }

    fn close(&mut self, outcome: &Outcome) {
        self.log.closed[self.k].fetch_add(1, Relaxed);
        self.log.outcomes.lock().unwrap().push(format!("{outcome:?}"));
    }
}

/// A chain of holders, and the threads that resume them.
fn chain<H: Head>(log: &Arc<Log>, may_reply: bool) -> (Chain<H>, Vec<thread::JoinHandle<()>>) {
    let mut plan = Plan::builder().output_marks(Marks::new(2, 6).expect("low is below high"));
    let mut threads = Vec::new();
    for k in 0..FILTERS {
        let (resumer, handles) = channel::<ResumeHandle>();
        threads.push(thread::spawn(move || {
            while let Ok(handle) = handles.recv() {
                if one_in(2) {
                    thread::yield_now();
                }
                // It goes behind its resume, often as the last one.
                handle.resume();
            }
        }));
        // The plan makes one for its declaration, and one for the message. A plan lives as long as
        // its chain; the sender goes with the filter.
        let resumer = Mutex::new(vec![resumer]);
        let log = Arc::clone(log);
        plan = plan.filter(format!("{k}"), {
            let calls = AtomicUsize::new(0);
            move || Holder {
                k,
                log: Arc::clone(&log),
                resumer: if calls.fetch_add(1, Relaxed) == 0 {
                    resumer.lock().unwrap()[0].clone()
                } else {
                    resumer.lock().unwrap().pop().expect("made twice")
                },
                may_reply,
            }
        });
    }
    let plan = plan.build().unwrap().bind(Capabilities::ALL).unwrap();
    (plan.chain(MessageTraits::new()).unwrap(), threads)
}

/// One direction: feeds the chain a piece a poll, takes what comes out.
struct Side<H: Head> {
    chain: Chain<H>,
    head: Option<H>,
    fed: usize,
    ended: bool,
    resets_at: Option<usize>,
    out: Vec<u8>,
    last: Option<Output<H>>,
}

impl<H: Head> Side<H> {
    fn new(chain: Chain<H>, head: H, origin_resets: bool) -> Self {
        let at = shuttle::rand::thread_rng().gen_range(0..BODY.len());
        Self {
            chain,
            head: Some(head),
            fed: 0,
            ended: false,
            resets_at: origin_resets.then_some(at),
            out: Vec::new(),
            last: None,
        }
    }

    /// Gives the chain one more piece; false if it wants none.
    fn feed(&mut self) -> bool {
        if let Some(head) = self.head.take() {
            self.chain.handle_head(head, false).unwrap();
            return true;
        }
        if !self.chain.wants_input() || self.ended {
            return false;
        }
        if self.resets_at.is_some_and(|at| self.fed >= at) {
            self.ended = true;
            self.chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream));
        } else if self.fed == BODY.len() {
            self.ended = true;
            self.chain.handle_end().unwrap();
        } else {
            let to = BODY.len().min(self.fed + shuttle::rand::thread_rng().gen_range(1..6));
            let piece = Bytes::from_static(&BODY[self.fed..to]);
            self.fed = to;
            self.chain.handle_data(piece, false).unwrap();
        }
        true
    }

    /// Ready with the end of the direction; `mail` answers whether it did something.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mail: &mut dyn FnMut(&mut Chain<H>, &mut Context<'_>) -> bool,
    ) -> Poll<()> {
        let mut registered = false;
        loop {
            self.chain.handle_resumes();
            while let Some(output) = self.chain.poll_output() {
                assert!(self.last.is_none(), "an output behind the end");
                match output {
                    Output::Head { end_of_stream: false, .. } => {}
                    Output::Data(bytes) => self.out.extend_from_slice(&bytes),
                    last => self.last = Some(last),
                }
            }
            if self.chain.outcome().is_some() {
                return Poll::Ready(());
            }
            if self.feed() || mail(&mut self.chain, cx) {
                thread::yield_now();
                continue;
            }
            if self.chain.has_work() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // The waker first, then everything once more: as `body` does.
            match self.chain.resume_set() {
                Some(set) if !registered => set.register(cx.waker()),
                _ => return Poll::Pending,
            }
            registered = true;
        }
    }

    /// What came out is what went in, as far as it came; one outcome, told once to each filter.
    fn check(&self, log: &Log) {
        let outcome = self.chain.outcome().expect("it is over");
        assert!(!matches!(outcome, Outcome::Stalled(_)), "no handle was lost: {outcome:?}");
        // A reply may have taken the message's place before anything of it was sent.
        let replied = log.replies.load(Relaxed) != 0;
        let whole = if replied && self.out.first() == Some(&REPLY[0]) { REPLY } else { BODY };
        assert_eq!(self.out, whole[..self.out.len()], "{outcome:?}");
        if outcome.is_complete() {
            assert_eq!(self.out, BODY);
            assert!(matches!(self.last, Some(Output::End)));
        }
        for closed in &log.closed {
            assert!(closed.load(Relaxed) <= 1, "closed twice");
        }
        let told = log.outcomes.lock().unwrap();
        let own = format!("{outcome:?}");
        assert!(replied || told.iter().all(|told| *told == own), "{own} and {told:?}");
    }
}

fn request(mut half: RequestHalf, log: &Arc<Log>) -> (bool, Vec<thread::JoinHandle<()>>) {
    let (chain, threads) = chain::<request::Parts>(log, one_in(3));
    let head = Request::new(()).into_parts().0;
    let mut side = Side::new(chain, head, one_in(6));
    block_on(poll_fn(|cx| {
        let mut mail = |chain: &mut Chain<request::Parts>, cx: &mut Context<'_>| {
            let Poll::Ready(error) = half.poll_reset(cx) else { return false };
            chain.abort(error);
            true
        };
        side.poll(cx, &mut mail)
    }));
    side.check(log);
    if let Some(Output::Reply(_)) = &side.last {
        let Some(Output::Reply(reply)) = side.last.take() else { unreachable!() };
        drop(half.reply(reply));
    }
    half.finish(side.chain.outcome().expect("it is over"));
    let complete = side.chain.outcome().is_some_and(Outcome::is_complete);
    (complete, threads)
}

fn response(mut half: ResponseHalf, log: &Arc<Log>) -> (bool, Vec<thread::JoinHandle<()>>) {
    let (chain, threads) = chain::<response::Parts>(log, one_in(3));
    let head = Response::new(()).into_parts().0;
    let mut side = Side::new(chain, head, one_in(6));
    // The client may go away at any step.
    let mut steps =
        if one_in(6) { shuttle::rand::thread_rng().gen_range(1..20) } else { usize::MAX };
    let over = block_on(poll_fn(|cx| {
        let mut mail = |chain: &mut Chain<response::Parts>, cx: &mut Context<'_>| {
            match half.poll_mail(cx) {
                Poll::Ready(Mail::Reply(reply)) => {
                    log.replies.fetch_add(1, Relaxed);
                    chain.handle_reply(reply);
                }
                Poll::Ready(_) => {}
                Poll::Pending => return false,
            }
            true
        };
        steps -= 1;
        if steps == 0 {
            return Poll::Ready(false);
        }
        side.poll(cx, &mut mail).map(|()| true)
    }));
    if !over {
        side.chain.cancel();
    }
    side.check(log);
    if over {
        half.finish(side.chain.outcome().expect("it is over"));
    }
    let complete = side.chain.outcome().is_some_and(Outcome::is_complete);
    (complete, threads)
}

fn exchange(complete: &AtomicUsize) {
    let (request_half, response_half) = mailbox();
    let (up, down) = (Arc::new(Log::default()), Arc::new(Log::default()));
    let upstream = thread::spawn({
        let up = Arc::clone(&up);
        move || request(request_half, &up)
    });
    let (response, mut threads) = response(response_half, &down);
    let (request, more) = upstream.join().unwrap();
    threads.extend(more);
    for thread in threads {
        thread.join().unwrap();
    }
    complete.fetch_add(usize::from(request && response), Relaxed);
}

#[test]
fn whole_exchanges_under_random_schedules() {
    let schedules = std::env::var("SCHEDULES").map_or(10_000, |n| n.parse().unwrap());
    let (started, complete) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&complete);
    shuttle::check_random(move || exchange(&counter), schedules);
    let (seconds, complete) = (started.elapsed().as_secs_f64(), complete.load(Relaxed));
    println!("{schedules} schedules in {seconds:.1} s, {complete} complete in both directions");
    // Neither all nor none: the faults happen, and do not hide the rest.
    assert!(complete > schedules / 20 && complete < schedules, "{complete} of {schedules}");
}
