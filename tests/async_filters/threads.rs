//! Wakes that race with the poll, the handle, the last clone and the end, on real threads.

use std::future::poll_fn;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{Capabilities, Chain, Error, MessageTraits, Outcome, Output as Given, Plan};

use crate::kit::Rng;
use crate::stage::editor;

/// Too large to be packed with others while it waits.
static CHUNK: [u8; 600] = [b'x'; 600];

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What the other thread is to do with a waker.
enum Order {
    Wake(Waker, Arc<Mutex<bool>>),
    /// Drop it: nobody will wake.
    Forget(Waker),
}

/// Waits until the other thread has been here. It may be faster than this poll.
async fn errand(orders: Sender<Order>, forget: bool) {
    let done = Arc::new(Mutex::new(false));
    let mut given = false;
    poll_fn(|cx| {
        if *done.lock().expect("a flag") {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut given, true) {
            let waker = cx.waker().clone();
            let order =
                if forget { Order::Forget(waker) } else { Order::Wake(waker, Arc::clone(&done)) };
            orders.send(order).expect("the other thread lives");
        }
        Poll::Pending
    })
    .await;
}

fn run_errands(orders: &Receiver<Order>) {
    let mut rng = Rng::new(7);
    while let Ok(order) = orders.recv() {
        for _ in 0..rng.below(4) {
            thread::yield_now();
        }
        match order {
            Order::Wake(waker, done) => {
                *done.lock().expect("a flag") = true;
                if rng.below(2) == 0 {
                    waker.wake_by_ref();
                }
                waker.wake();
            }
            Order::Forget(waker) => drop(waker),
        }
    }
}

/// Drives the chain on this thread, parked while nothing can be done.
fn drive(mut chain: Chain<request::Parts>, chunks: usize) -> Outcome {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut left = chunks;
    chain.handle_head(http::Request::new(()).into_parts().0, false).expect("a head");
    loop {
        if let Some(resumes) = chain.resume_set() {
            resumes.register(&waker);
        }
        chain.handle_resumes();
        while let Some(output) = chain.poll_output() {
            drop::<Given<_>>(output);
        }
        if let Some(outcome) = chain.outcome() {
            return outcome.clone();
        }
        if chain.has_work() {
            continue;
        }
        if chain.wants_input() {
            match left {
                0 => chain.handle_end().expect("an end"),
                _ => chain.handle_data(Bytes::from_static(&CHUNK), false).expect("data"),
            }
            left = left.saturating_sub(1);
            continue;
        }
        if chain.resume_set().is_none_or(|resumes| resumes.may_resume(0)) {
            let before = std::time::Instant::now();
            thread::park_timeout(Duration::from_secs(20));
            assert!(before.elapsed() < Duration::from_secs(20), "a wake was lost");
        }
    }
}

/// Each chunk waits for the other thread. Every message ends; where a waker is forgotten, as a
/// stall.
#[test]
fn wakes_that_race_with_everything() {
    let (orders, received) = channel();
    let other = thread::spawn(move || run_errands(&received));
    let mut rng = Rng::new(3);
    for round in 0..300 {
        let forget_at = if rng.below(3) == 0 { rng.below(8) } else { usize::MAX };
        let orders = orders.clone();
        let work = move |mut input: Input, mut output: Output| {
            let orders = orders.clone();
            async move {
                let mut at = 0;
                while let Some(chunk) = input.next().await? {
                    errand(orders.clone(), at == forget_at).await;
                    output.send(chunk).await?;
                    at += 1;
                }
                Ok::<(), Error>(())
            }
        };
        let plan = Plan::builder().filter("work", async_filter(editor(), work)).build();
        let plan = plan.expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let outcome = drive(plan.chain(MessageTraits::new()).expect("a chain"), 8);
        match outcome {
            Outcome::Complete { .. } => assert_eq!(forget_at, usize::MAX, "round {round}"),
            Outcome::Stalled(_) => assert_ne!(forget_at, usize::MAX, "round {round}"),
            other => panic!("round {round}: {other:?}"),
        }
    }
    drop(orders);
    other.join().expect("the other thread ends");
}
