//! Real threads hammer what runs across threads, and check sums of plain memory that goes with it.
//!
//! Runs as it is (`cargo test`) and under ThreadSanitizer (`bash .ci/tsan`), which reports an access
//! to a [`Plain`] that nothing orders. `STRESS_MILLISECONDS` is the time for each part (500).
//! `STRESS=planted` makes one such mistake: the sanitizer has to find it.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http::StatusCode;
use tidegate_stress_tests::error::{Error, ErrorKind, Origin};
use tidegate_stress_tests::exchange::{Mail, RequestHalf, mailbox};
use tidegate_stress_tests::filter::LocalReply;
use tidegate_stress_tests::frame::Outcome;
use tidegate_stress_tests::pipe::{self, Next};
use tidegate_stress_tests::pool::Pool;
use tidegate_stress_tests::queue::Queue;
use tidegate_stress_tests::resume::{ResumeHandle, ResumeSet};
use tidegate_stress_tests::table::{Changes, Entry, Pin, Table};
use tidegate_stress_tests::watermark::{Marks, Weigh};

/// A number with no atomic about it.
#[derive(Default)]
struct Plain(UnsafeCell<u64>);

// Safety: none. That its accesses are ordered is what is tried here, and is the sanitizer's to say.
unsafe impl Sync for Plain {}

impl Plain {
    fn write(&self, value: u64) {
        unsafe { *self.0.get() = value }
    }

    fn read(&self) -> u64 {
        unsafe { *self.0.get() }
    }
}

/// Says that a thread was woken, and orders nothing: what a wake orders is the executor's.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls until it is ready, and only when it was woken. A lost wake is a time-out.
fn block_on<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut waited: Option<Instant> = None;
    loop {
        if woken.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(value) = poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            waited = None;
        }
        let waited = waited.get_or_insert_with(Instant::now);
        assert!(waited.elapsed() < Duration::from_secs(20), "a wake was lost");
        thread::yield_now();
    }
}

/// A thread that does jobs. What it did before one is ordered before the next only by the job.
struct Worker<J>(Arc<Queue<J>>, Option<JoinHandle<()>>);

impl<J: Send + 'static> Worker<J> {
    fn new(work: impl Fn(J) + Send + 'static) -> Self {
        let queue = Arc::new(Queue::default());
        let jobs = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            while let Some(job) = jobs.take() {
                work(job);
            }
        });
        Self(queue, Some(thread))
    }

    fn give(&self, job: J) {
        self.0.give(job);
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        self.0.close();
        self.1.take().expect("joined once").join().expect("no worker panics");
    }
}

/// Runs `round` with numbers from 1 until the time is over.
fn rounds(name: &str, mut round: impl FnMut(u64)) {
    let text = std::env::var("STRESS_MILLISECONDS");
    let time = Duration::from_millis(text.map_or(500, |text| text.parse().expect("a number")));
    let (started, mut rounds) = (Instant::now(), 0);
    while started.elapsed() < time {
        rounds += 1;
        round(rounds);
    }
    println!("{name:<10} {rounds:>8} rounds");
}

/// Two stations are resumed by two threads, one of which gives its handle up; a third handle is
/// cloned and goes. The set is recycled where it can be.
fn resume() {
    type Job = (ResumeHandle, Arc<[Plain; 2]>, usize, u64);
    let work = |(handle, plain, k, value): Job| {
        plain[k].write(value);
        let clone = handle.clone();
        drop(handle);
        clone.resume();
    };
    let workers = [Worker::new(work), Worker::new(work)];
    let (mut set, mut recycled) = (ResumeSet::new(2), 0_u64);
    rounds("resume", |round| {
        let plain = Arc::new([Plain::default(), Plain::default()]);
        let mut seen = 0;
        for (k, worker) in workers.iter().enumerate() {
            let station = u8::try_from(k).expect("0 or 1");
            worker.give((set.handle(station), Arc::clone(&plain), k, round));
        }
        let mut take = |pending: u64| {
            for (k, plain) in plain.iter().enumerate() {
                assert!(pending & 1 << k == 0 || plain.read() == round);
            }
            assert_eq!(seen & pending, 0, "a resume was taken twice");
            seen |= pending;
            seen == 0b11
        };
        // A driver that is busy looks without registering: then only the word orders anything.
        while round % 2 == 0 && !take(set.take_pending()) {
            thread::yield_now();
        }
        if round % 2 != 0 {
            block_on(|cx| {
                set.register(cx.waker());
                if take(set.take_pending()) { Poll::Ready(()) } else { Poll::Pending }
            });
        }
        if set.recycle(2) {
            recycled += 1;
        } else {
            set = ResumeSet::new(2);
        }
    });
    println!("           {recycled:>8} sets recycled");
}

/// The last handle goes: the driver sees nobody left, and what its thread did before.
fn stall() {
    let worker = Worker::new(|(handle, plain, value): (ResumeHandle, Arc<Plain>, u64)| {
        plain.write(value);
        drop(handle);
    });
    rounds("stall", |round| {
        let (set, plain) = (ResumeSet::new(1), Arc::new(Plain::default()));
        worker.give((set.handle(0), Arc::clone(&plain), round));
        block_on(|cx| {
            set.register(cx.waker());
            if set.may_resume(0) { Poll::Pending } else { Poll::Ready(()) }
        });
        assert_eq!(plain.read(), round);
    });
}

/// A reply or a failure one way, a reset the other way, at the same time.
fn exchange() {
    let worker = Worker::new(|(mut request, plain, value): (RequestHalf, Arc<[Plain; 2]>, u64)| {
        plain[0].write(value);
        if value % 2 == 0 {
            assert!(request.reply(LocalReply::new(StatusCode::FORBIDDEN)).is_ok());
        } else {
            let error = Error::new(ErrorKind::Filter, Origin::Filter);
            request.finish(&Outcome::Failed(error));
        }
        assert_eq!(block_on(|cx| request.poll_reset(cx)).kind(), ErrorKind::Reset);
        assert_eq!(plain[1].read(), value);
    });
    rounds("exchange", |round| {
        let (request, mut response) = mailbox();
        let plain = Arc::new([Plain::default(), Plain::default()]);
        worker.give((request, Arc::clone(&plain), round));
        let mail = block_on(|cx| response.poll_mail(cx));
        assert_eq!(plain[0].read(), round);
        assert_eq!(matches!(mail, Mail::Reply(_)), round % 2 == 0);
        plain[1].write(round);
        if round % 3 == 0 {
            response.finish(&Outcome::Cancelled);
        } else {
            drop(response);
        }
    });
}

struct Item(Box<Plain>);

impl Weigh for Item {
    fn weight_bytes(&self) -> u64 {
        1 + self.0.read() % 64
    }
}

/// Pipes of some thousand items, small enough to fill; ended, aborted and given up in turn.
fn pipes() {
    const ITEMS: u64 = 2_000;
    type Half = pipe::Sender<Item, Box<Plain>, u64>;
    let worker = Worker::new(|(mut sender, round): (Half, u64)| {
        for value in 0..ITEMS {
            let item = Item(Box::default());
            item.0.write(value);
            let mut send = std::pin::pin!(sender.send(item));
            if block_on(|cx| send.as_mut().poll(cx)).is_err() {
                return;
            }
        }
        let end = Box::<Plain>::default();
        end.write(round);
        match round % 3 {
            0 => drop(sender),
            1 => _ = sender.abort(round),
            _ => _ = sender.finish(end),
        }
    });
    rounds("pipe", |round| {
        let marks = Marks::new(64, 512).expect("low is below high");
        let (sender, mut receiver) = pipe::pipe(marks);
        worker.give((sender, round));
        let mut expected = 0;
        loop {
            match block_on(|cx| receiver.poll_next(cx)) {
                Next::Item(item) => {
                    let item: Item = item;
                    assert_eq!(item.0.read(), expected);
                    expected += 1;
                    if round % 5 == 0 && expected == ITEMS / 2 {
                        return;
                    }
                }
                Next::Finished(end) => {
                    assert_eq!((end.read(), expected), (round, ITEMS));
                    return;
                }
                Next::Over => panic!("over before its end"),
                _ => {
                    assert!(round % 3 != 2, "it was finished");
                    return;
                }
            }
        }
    });
}

/// Values go from one thread to another through the pool alone.
fn pools() {
    let pool = Arc::new(Pool::<Box<Plain>>::new(4));
    let worker = Worker::new({
        let pool = Arc::clone(&pool);
        move |round: u64| {
            for _ in 0..50 {
                let lease = pool.lease(Box::default);
                lease.write(lease.read() + round);
            }
        }
    });
    rounds("pool", |round| {
        worker.give(round);
        for _ in 0..50 {
            let value = pool.take().unwrap_or_default();
            value.write(value.read() + round);
            pool.put(value);
        }
    });
    drop(worker);
    pool.close();
}

/// A plan of a table.
#[derive(Default)]
struct Plan(Plain);

/// One thread publishes, one looks up when it is told, one ends messages; a reader that is not told
/// looks up beside it.
fn tables() {
    type Message = (Pin<u8, Plan>, u64);
    let table = Table::<u8, Plan>::new(0);
    let writer = Worker::new({
        let table = table.clone();
        move |round| {
            let plan = Plan::default();
            plan.0.write(round);
            let mut changes = Changes::new();
            changes.set(0, Entry::ready(plan));
            assert_eq!(table.publish(&changes).expect("few epochs").number, round);
        }
    });
    let check = |(pin, least): Message| {
        let value = pin.plan().expect("no failures").0.read();
        assert!(value == pin.version().number && value >= least);
    };
    let ender = Worker::new(check);
    let mut beside = table.reader();
    let (mut reader, mut watch) = (table.reader(), table.watch());
    rounds("table", |round| {
        writer.give(round);
        if let Ok(pin) = beside.pin(&0) {
            ender.give((pin, round - 1));
        }
        while block_on(|cx| watch.poll_changed(cx)).number != round {}
        ender.give((reader.pin(&0).expect("it is told"), round));
    });
    drop((reader, beside, ender));
    assert!(table.epochs().iter().all(|epoch| epoch.live() == 0));
}

/// The mistake that the sanitizer must find: a plain write published with Relaxed.
fn planted() {
    let worker = Worker::new(|(flag, plain): (Arc<AtomicBool>, Arc<Plain>)| {
        plain.write(1);
        flag.store(true, Ordering::Relaxed);
    });
    rounds("planted", |_| {
        let (flag, plain) = (Arc::new(AtomicBool::new(false)), Arc::new(Plain::default()));
        worker.give((Arc::clone(&flag), Arc::clone(&plain)));
        while !flag.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        assert_eq!(plain.read(), 1);
    });
}

fn main() {
    if std::env::var("STRESS").is_ok_and(|what| what == "planted") {
        return planted();
    }
    // The parts, but not their threads, one after another: each has the machine.
    for part in [resume, stall, exchange, pipes, pools, tables] {
        part();
    }
}
