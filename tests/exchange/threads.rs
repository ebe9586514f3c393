//! Both sides on threads of their own.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

use bytes::Bytes;
use http::{StatusCode, request, response};
use tidegate::exchange::{EarlyResponse, ExchangePlan, RequestSide, ResponseSide};
use tidegate::{
    Capabilities, Filter, Head, LocalReply, MessageTraits, Outcome, Output, Verdict, View,
};

use crate::kit::{Dir, Rng};

const ROUNDS: u64 = 3_000;

/// Replies at the n-th piece of a request, if it comes that far.
struct Replies {
    left: u64,
    closes: Arc<AtomicU64>,
}

impl Filter<request::Parts> for Replies {
    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no")),
        }
        Verdict::PASS
    }

    fn close(&mut self, _: &Outcome) {
        self.closes.fetch_add(1, SeqCst);
    }
}

struct Counts(Arc<AtomicU64>);

impl<H: Head> Filter<H> for Counts {
    fn close(&mut self, _: &Outcome) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Sends pieces until the side is over; whether the upstream saw an end.
async fn upload(mut side: RequestSide) -> bool {
    side.handle_head(Dir::plain(), false).unwrap();
    let (mut pieces, mut complete) = (0, false);
    loop {
        let output = poll_fn(|cx| match side.poll_next(cx) {
            Poll::Pending if side.wants_input() && pieces < 8 => {
                pieces += 1;
                side.handle_data(Bytes::from_static(b"piece"), pieces == 8).unwrap();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending if side.drain_time().is_some() => {
                side.stop_draining();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            polled => polled,
        });
        match output.await {
            Some(Output::End | Output::Head { end_of_stream: true, .. }) => complete = true,
            Some(_) => {}
            None => return complete,
        }
    }
}

/// Answers at once; the status, the body, and whether the client saw an end.
async fn answer(mut side: ResponseSide) -> (StatusCode, Vec<u8>, bool) {
    // A reply may be faster: then this head comes too late, which is no error of ours.
    let _ = side.handle_head(<response::Parts as Dir>::plain(), false);
    let _ = side.handle_data(Bytes::from_static(b"fine"), true);
    let (mut status, mut body, mut complete) = (StatusCode::OK, Vec::new(), false);
    while let Some(output) = poll_fn(|cx| side.poll_next(cx)).await {
        match output {
            Output::Head { head, end_of_stream } => {
                status = head.status;
                complete = end_of_stream;
            }
            Output::Data(data) => body.extend_from_slice(&data),
            Output::End => complete = true,
            _ => {}
        }
    }
    (status, body, complete)
}

/// A reply races the response head and its end; the response's end races the request's. Nobody
/// waits for ever, and each side ends in one of the ways that the rules allow.
#[test]
fn replies_and_early_responses_race_on_two_threads() {
    let closes = Arc::new(AtomicU64::new(0));
    let mut rng = Rng::new(11);
    let [mut replied, mut answered, mut stopped] = [0; 3];
    for round in 0..ROUNDS {
        let (count, other, left) = (Arc::clone(&closes), Arc::clone(&closes), rng.below(10) as u64);
        let early = match round % 3 {
            0 => EarlyResponse::Forward,
            1 => EarlyResponse::Stop,
            _ => EarlyResponse::Drain { max_bytes: 12, max_time: std::time::Duration::ZERO },
        };
        let plan = ExchangePlan::builder()
            .request("replies", move || Replies { left, closes: Arc::clone(&count) })
            .response("counts", move || Counts(Arc::clone(&other)))
            .build()
            .unwrap();
        let plan = plan.bind(Capabilities::ALL, Capabilities::ALL).unwrap().early_response(early);
        let traits = MessageTraits::new();
        let (request, response) = plan.exchange(traits, traits).unwrap();
        closes.store(0, SeqCst);
        let up = thread::spawn(move || block_on(upload(request)));
        let (status, body, complete) = block_on(answer(response));
        let whole = up.join().unwrap();
        if status == StatusCode::FORBIDDEN {
            assert_eq!((body.as_slice(), complete, whole), (&b"no"[..], true, false));
            replied += 1;
        } else {
            // The response, or as much of it as had gone when the reply came too late.
            assert!(!complete || body == b"fine", "{body:?}");
            answered += 1;
        }
        stopped += u64::from(!whole && status == StatusCode::OK);
        assert_eq!(closes.load(SeqCst), 2, "round {round}: each filter is closed once");
    }
    assert!(replied + answered == ROUNDS && answered > 0 && stopped > 0);
}

/// Polls on this thread, which sleeps in between.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = std::task::Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
