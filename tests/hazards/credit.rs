//! H4 and H5: what is kept anywhere is charged until it is gone, and never after.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidegate::pipe::{Next, Receiver, Sender, pipe};
use tidegate::watermark::Weigh;
use tidegate::{
    BodyBuf, BoundPlan, Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter,
    LocalReply, Marks, MessageTraits, Origin, Output, Plan, Timeout, View,
};

use crate::counting::live_bytes;
use crate::kit::*;

/// What a filter does with data, and in a resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Passes,
    Holds,
    HoldsQuietly,
    Rejects,
    /// Passes the first byte of the view.
    PassesOne,
    /// Takes all into its own storage, and says so; gives it back when it is resumed.
    Keeps,
    /// Takes all, and drops it.
    Consumes,
    /// Doubles what is new, if there is room.
    Doubles,
}

const DOES: [Does; 8] = [
    Does::Passes,
    Does::Holds,
    Does::HoldsQuietly,
    Does::Rejects,
    Does::PassesOne,
    Does::Keeps,
    Does::Consumes,
    Does::Doubles,
];

const HIGH_BYTES: u64 = 4;

struct Holder {
    does: Does,
    kept: BodyBuf,
    /// What it has consumed less what it has added, for the sum.
    consumed: Arc<std::sync::atomic::AtomicI64>,
}

impl Holder {
    fn count(&self, bytes: i64) {
        self.consumed.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    }

    fn keep<H: Dir>(&mut self, view: &mut View<'_, H>) {
        self.kept.append(&mut view.take().expect("granted"));
        view.set_kept_bytes(self.kept.len() as u64).expect("it was taken");
    }

    fn give_back<H: Dir>(&mut self, view: &mut View<'_, H>) {
        view.set_kept_bytes(0).expect("less is never refused");
        while let Some(bytes) = self.kept.pop_front() {
            view.push(bytes).expect("it was in the view before");
        }
    }
}

impl<H: Dir> Filter<H> for Holder {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .require(Capability::ChangeLength)
            .marks(Marks::new(1, HIGH_BYTES).expect("marks"))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.does {
            Does::Passes => return PASS,
            Does::Holds => return HOLD,
            Does::HoldsQuietly => return SAW,
            Does::Rejects => return BUF,
            Does::PassesOne => return Verdict::pass_first(1),
            Does::Keeps => self.keep(view),
            Does::Consumes => {
                let taken = view.take().expect("granted");
                self.count(taken.len() as i64);
                return PASS;
            }
            Does::Doubles => {
                let copy = vec![b'2'; view.new_bytes()];
                let added = copy.len() as i64;
                if view.push(Bytes::from(copy)).is_ok() {
                    self.count(-added);
                }
                return PASS;
            }
        }
        HOLD
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.does == Does::Keeps {
            self.give_back(view);
        }
        PASS
    }
}

/// A plan of holders, and what they consumed less what they added, in bytes.
fn plan_of<H: Dir>(does: &[Does]) -> (BoundPlan<H>, Arc<std::sync::atomic::AtomicI64>) {
    let consumed = Arc::<std::sync::atomic::AtomicI64>::default();
    let mut plan = Plan::builder().output_marks(Marks::from_high(HIGH_BYTES)).keep_chains(0);
    for (&does, name) in does.iter().zip(["A", "B"]) {
        let consumed = Arc::clone(&consumed);
        let make = move || Holder { does, kept: BodyBuf::new(), consumed: Arc::clone(&consumed) };
        plan = plan.filter(name, make);
    }
    let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
    (plan, consumed)
}

/// One step of a message: the sink takes nothing before the last.
const STEPS: usize = 7;

fn step<H: Dir>(chain: &mut Chain<H>, step: usize) {
    let data = |chain: &mut Chain<H>| drop(chain.handle_data(Bytes::from(vec![b'x'; 3]), false));
    match step {
        0 => drop(chain.handle_head(H::plain(), false)),
        1 | 2 | 4 => data(chain),
        3 => chain.handle_resume(0),
        5 => {
            chain.handle_resume(1);
            chain.handle_resume(0);
        }
        _ => drop(chain.poll_output()),
    }
}

/// Every byte that came in is held, was given out, dropped and counted, or consumed; or it waits at
/// the entrance, which it only does while the source is not wanted.
fn check_sum<H: Dir>(chain: &Chain<H>, consumed: i64, shown: &str) {
    let stats = chain.stats();
    let input = stats.input_bytes as i64;
    let known = (stats.output_bytes + stats.discarded_bytes + chain.held_bytes()) as i64;
    let outside = input - known - consumed;
    let frames = [0, 3];
    assert!(frames.contains(&outside), "{shown}: {outside} bytes are nowhere: {stats:?}");
    let waits = !chain.wants_input() && chain.outcome().is_none();
    assert!(outside == 0 || waits, "{shown}: {outside} bytes are nowhere: {stats:?}");
}

/// Envoy GHSA-p7c7-7c47-pwch: bytes were released from flow control, and still in the decoder's
/// heap. What a filter takes into storage of its own stays charged until it says otherwise: the
/// source is paused for it, a rejecting verdict counts it, and a resume of another changes nothing.
fn h04_what_a_filter_keeps_itself_stays_charged<H: Dir>() {
    for pieces in 1..6_usize {
        for piece_bytes in 1..8_usize {
            let (plan, _) = plan_of::<H>(&[Does::Keeps, Does::Passes]);
            let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
            chain.handle_head(H::plain(), false).expect("the head is taken");
            assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
            let mut kept = 0;
            for _ in 0..pieces {
                if !chain.wants_input() {
                    break;
                }
                let piece = Bytes::from(vec![b'x'; piece_bytes]);
                chain.handle_data(piece, false).expect("it is wanted");
                kept += piece_bytes as u64;
                chain.handle_resume(1);
                assert_eq!(chain.held_bytes(), kept, "all of it is charged");
                assert_eq!(chain.wants_input(), kept <= HIGH_BYTES, "{kept} bytes are kept");
            }
            chain.handle_resume(0);
            let mut sunk = 0;
            while let Some(Output::Data(data)) = chain.poll_output() {
                sunk += data.len() as u64;
            }
            assert_eq!((sunk, chain.held_bytes()), (kept, 0), "given back once, when it left");
            assert!(chain.wants_input());
        }
    }
}

/// Says it keeps what it never took.
fn h04_keeping_more_than_was_taken_is_growth<H: Dir>() {
    let a = script::<H>("A").high(4).data_with(|view| {
        view.set_kept_bytes(4).expect("as much as its mark");
        view.set_kept_bytes(5).expect_err("more than that is refused");
        drop(view.take().expect("granted"));
        view.set_kept_bytes(6).expect("two bytes were taken");
        BUF
    });
    let mut run = Run::new([a]);
    run.head(false).data("ab").calls(r#"A.H(0) A.D("ab",0)"#);
    let sink = if H::REQUEST { "H(0) reply(413,0)" } else { "H(0) reset(A limit 4)" };
    run.sink(sink).holds(0);
    run.finish(if H::REQUEST { "limit A limit 4" } else { "failed A limit 4" });
}

/// How a message is cut.
const CUTS: [&str; 7] =
    ["dropped", "reset", "cancelled", "timed out", "aborted", "replied", "ended"];

fn cut<H: Dir>(chain: &mut Chain<H>, cut: &str) {
    let error = Error::new(ErrorKind::Reset, Origin::Internal);
    match cut {
        "dropped" => {}
        "reset" => chain.handle_reset(error),
        "cancelled" => chain.cancel(),
        "timed out" => chain.handle_timeout(Timeout::Idle),
        "aborted" => chain.abort(error),
        "replied" => chain.handle_reply(LocalReply::text(http::StatusCode::FORBIDDEN, "no")),
        _ => {
            drop(chain.handle_end());
            for _ in 0..10 {
                while chain.poll_output().is_some() {}
                chain.handle_resume(1);
                chain.handle_resume(0);
            }
        }
    }
}

/// h2 #893, #894, #895, #914, #930: bytes of credit that nobody gave back, until other streams
/// starved. Two filters of every kind, cut at every step in every way: at each step the sum is
/// right, after the end nothing is charged, and when the chain has gone the heap is what it was.
fn h05_no_credit_is_left_after_any_end_at_any_step<H: Dir>() {
    for a in DOES {
        for b in DOES {
            let (plan, consumed) = plan_of::<H>(&[a, b]);
            for how in CUTS {
                for until in 1..=STEPS {
                    let shown = format!("{a:?}, {b:?}, {how} after {until} steps");
                    consumed.store(0, std::sync::atomic::Ordering::Relaxed);
                    let before = live_bytes();
                    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
                    let load = || consumed.load(std::sync::atomic::Ordering::Relaxed);
                    for at in 0..until {
                        step(&mut chain, at);
                        if chain.outcome().is_none() {
                            check_sum(&chain, load(), &shown);
                        }
                    }
                    cut(&mut chain, how);
                    if chain.outcome().is_some() {
                        assert_eq!(chain.held_bytes(), 0, "{shown}");
                    }
                    drop(chain);
                    assert_eq!(live_bytes() - before, 0, "{shown}");
                }
            }
        }
    }
}

/// An item that knows when it has gone.
struct Item(u64, #[allow(dead_code, reason = "counted by its drops")] Arc<()>);

impl Weigh for Item {
    fn weight_bytes(&self) -> u64 {
        self.0
    }
}

type Halves = (Sender<Item, (), &'static str>, Receiver<Item, (), &'static str>);

/// The ways in which a pipe ends, seen from both sides.
const PIPE_ENDS: [&str; 9] = [
    "receiver dropped",
    "receiver closed",
    "sender dropped, then read",
    "sender dropped, then receiver",
    "finished, then read",
    "finished, then receiver dropped",
    "failed, then read",
    "aborted, then read",
    "aborted, then receiver dropped",
];

/// Reads to the end, and says how many items came.
fn read_all(receiver: &mut Receiver<Item, (), &'static str>) -> u64 {
    let mut cx = Context::from_waker(Waker::noop());
    let mut items = 0;
    loop {
        match receiver.poll_next(&mut cx) {
            Poll::Ready(Next::Item(_)) => items += 1,
            Poll::Ready(Next::Over) => return items,
            Poll::Ready(_) => {}
            Poll::Pending => panic!("the sender has ended"),
        }
    }
}

/// Ends a pipe; answers how many items were read meanwhile, and what is charged then.
fn end_pipe(
    (mut sender, mut receiver): Halves,
    how: &str,
) -> (u64, u64, tidegate::pipe::PipeStats) {
    match how {
        "receiver dropped" => drop(receiver),
        "receiver closed" => {
            receiver.close("enough");
            return (0, receiver.held_bytes() + sender.held_bytes(), sender.stats());
        }
        "sender dropped, then read" => {
            drop(sender);
            let read = read_all(&mut receiver);
            return (read, receiver.held_bytes(), receiver.stats());
        }
        "sender dropped, then receiver" => {
            let stats = sender.stats();
            drop(sender);
            drop(receiver);
            return (0, 0, stats);
        }
        _ => {
            let ended = match how.split(',').next() {
                Some("finished") => sender.finish(()).is_ok(),
                Some("failed") => sender.fail("failed").is_ok(),
                _ => sender.abort("aborted").is_ok(),
            };
            assert!(ended);
            if how.ends_with("read") {
                let read = read_all(&mut receiver);
                return (read, receiver.held_bytes() + sender.held_bytes(), sender.stats());
            }
            drop(receiver);
        }
    }
    (0, sender.held_bytes(), sender.stats())
}

/// h2 #930 (a receiver that was dropped) and #914 (bytes that an overflow swallowed), for a pipe:
/// after every end, with everything queued, fetched or read, nothing is charged, every item has
/// gone once, and each is accounted for as read or dropped.
#[test]
fn h05_no_credit_is_left_in_a_pipe_after_any_end() {
    let mut cx = Context::from_waker(Waker::noop());
    for how in PIPE_ENDS {
        for sent in 0..5_u64 {
            for read in 0..=sent {
                for weight in [0, 1, 255, 256, u64::MAX] {
                    let shown = format!("{how}, {sent} sent, {read} read, {weight} bytes each");
                    let alive = Arc::new(());
                    let (mut sender, mut receiver): Halves = pipe(Marks::from_high(u64::MAX));
                    for nth in 0..sent {
                        // Behind the reads, so that some are fetched and some queued.
                        if nth == read {
                            for _ in 0..read {
                                assert!(receiver.poll_next(&mut cx).is_ready(), "{shown}");
                            }
                        }
                        let item = Item(weight, Arc::clone(&alive));
                        sender.try_send(item).unwrap_or_else(|_| panic!("{shown}: full"));
                    }
                    let read = if read == sent { 0 } else { read };
                    let (more, charged, stats) = end_pipe((sender, receiver), how);
                    assert_eq!(charged, 0, "{shown}");
                    assert_eq!(Arc::strong_count(&alive), 1, "{shown}: items are left");
                    assert_eq!(stats.items, sent, "{shown}");
                    if how != "sender dropped, then receiver" {
                        assert_eq!(stats.dropped_items, sent - read - more, "{shown}");
                    }
                }
            }
        }
    }
}

both!(
    h04_what_a_filter_keeps_itself_stays_charged,
    h04_keeping_more_than_was_taken_is_growth,
    h05_no_credit_is_left_after_any_end_at_any_step,
);
