//! Idle, hold and total, on a clock that the test moves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::request;
use tidegate::body::{FilteredBody, Timeouts};
use tidegate::{Declaration, ErrorKind, Plan, ResumeHandle, Timeout, Verdict};
use tokio::time::{Instant, sleep};

use crate::support::{
    Call, Closed, Collected, PlanExt, Source, Step, Task, chain, collect, collect_async,
    no_filters, request_head,
};

const SECOND: Duration = Duration::from_secs(1);

fn body(
    plan: &Plan<request::Parts>,
    source: Source,
    timeouts: Timeouts,
) -> FilteredBody<Source, request::Parts> {
    FilteredBody::new(chain(plan), request_head(), source).timeouts(timeouts)
}

fn timed_out(all: &Collected) -> Option<Timeout> {
    match all.error.as_ref()?.kind() {
        ErrorKind::TimedOut(timeout) => Some(timeout),
        other => panic!("{other}"),
    }
}

/// Holds everything; hands its handle out.
fn holder(handle: &Arc<Mutex<Option<ResumeHandle>>>) -> Plan<request::Parts> {
    let handle = Arc::clone(handle);
    Plan::builder()
        .probe("holds", Declaration::new(), &Closed::default(), move || {
            let handle = Arc::clone(&handle);
            move |call, view| {
                if call == Call::Head {
                    return Verdict::PASS;
                }
                let mut handle = handle.lock().unwrap();
                if handle.is_none() {
                    *handle = Some(view.resume_handle());
                }
                Verdict::HOLD.quiet()
            }
        })
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_source_that_says_nothing_is_idle() {
    let start = Instant::now();
    let source = Source::new([Step::Data(b"some"), Step::Gate]);
    let state = source.state();
    let mut body = body(&no_filters(), source, Timeouts::new().idle(SECOND));
    let all = collect_async(&mut body).await;
    assert_eq!((all.text(), timed_out(&all)), ("some", Some(Timeout::Idle)));
    assert_eq!(start.elapsed(), SECOND);
    assert!(state.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn bytes_start_the_idle_time_anew() {
    let start = Instant::now();
    let steps = [Step::Gate, Step::Data(b"a"), Step::Gate, Step::Data(b"b"), Step::Gate];
    let source = Source::new(steps);
    let state = source.state();
    tokio::spawn(async move {
        for _ in 0..2 {
            sleep(SECOND * 3 / 4).await;
            state.open_gate();
        }
    });
    let mut body = body(&no_filters(), source, Timeouts::new().idle(SECOND));
    let all = collect_async(&mut body).await;
    assert_eq!((all.text(), timed_out(&all)), ("ab", Some(Timeout::Idle)));
    assert_eq!(start.elapsed(), SECOND * 3 / 2 + SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_does_not_ask_makes_nobody_idle() {
    let source = Source::new([Step::Data(b"a"), Step::Gate, Step::Data(b"b")]);
    let state = source.state();
    let mut body = body(&no_filters(), source, Timeouts::new().idle(SECOND));
    let task = Task::new();
    let mut all = Collected::default();
    assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
    state.open_gate();
    // The bytes are there in time, and nobody asks.
    sleep(SECOND * 10).await;
    task.finish(|cx| all.poll(&mut body, cx));
    assert_eq!((all.text(), timed_out(&all)), ("ab", None));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_wanted_is_not_idle() {
    let handle = Arc::default();
    let plan = holder(&handle);
    let source = Source::of("held");
    let mut body = body(&plan, source, Timeouts::new().idle(SECOND));
    tokio::spawn(async move {
        sleep(SECOND * 10).await;
        *handle.lock().unwrap() = None;
    });
    let start = Instant::now();
    let all = collect_async(&mut body).await;
    assert_eq!(all.error.unwrap().kind(), ErrorKind::Stalled);
    assert_eq!(start.elapsed(), SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_holds_too_long_is_timed_out() {
    let handle = Arc::default();
    let plan = holder(&handle);
    let again = Arc::clone(&handle);
    tokio::spawn(async move {
        // To be asked again and hold again is no movement.
        loop {
            sleep(SECOND / 4).await;
            let Some(handle) = again.lock().unwrap().clone() else { continue };
            handle.resume();
        }
    });
    let start = Instant::now();
    let mut body = body(&plan, Source::of("held"), Timeouts::new().hold(SECOND));
    let all = collect_async(&mut body).await;
    assert_eq!(timed_out(&all), Some(Timeout::Hold));
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_come_to_a_holder_start_its_time_anew() {
    let handle = Arc::default();
    let plan = holder(&handle);
    let source = Source::new([Step::Data(b"a"), Step::Gate, Step::Data(b"b"), Step::Gate]);
    let state = source.state();
    tokio::spawn(async move {
        sleep(SECOND / 2).await;
        state.open_gate();
    });
    let start = Instant::now();
    let mut body = body(&plan, source, Timeouts::new().hold(SECOND));
    let all = collect_async(&mut body).await;
    assert_eq!(timed_out(&all), Some(Timeout::Hold));
    assert_eq!(start.elapsed(), SECOND * 3 / 2);
}

#[tokio::test(start_paused = true)]
async fn the_total_counts_while_bytes_move() {
    let steps = (0..100).flat_map(|_| [Step::Gate, Step::Data(b"x")]);
    let source = Source::new(steps);
    let state = source.state();
    tokio::spawn(async move {
        loop {
            sleep(SECOND / 4).await;
            state.open_gate();
        }
    });
    let start = Instant::now();
    let mut body = body(&no_filters(), source, Timeouts::new().total(SECOND * 3).idle(SECOND));
    let all = collect_async(&mut body).await;
    assert_eq!(timed_out(&all), Some(Timeout::Total));
    assert_eq!(start.elapsed(), SECOND * 3);
    assert!(all.data.len() >= 11);
}

#[tokio::test(start_paused = true)]
async fn the_total_counts_while_the_consumer_is_slow_and_the_source_is_ready() {
    let source = Source::new((0..100).map(|_| Step::Data(b"x")));
    let mut body = body(&no_filters(), source, Timeouts::new().total(SECOND * 3));
    let mut bytes = 0;
    let error = loop {
        let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap();
        match frame {
            Ok(frame) => bytes += frame.into_data().unwrap().len(),
            Err(error) => break error,
        }
        sleep(SECOND).await;
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut(Timeout::Total));
    assert_eq!(bytes, 3);
}

#[tokio::test(start_paused = true)]
async fn the_timer_is_not_touched_by_every_chunk() {
    // 1000 waits in 1 s, with an idle time of 1 s: the timer may fire early once or twice, not
    // once a chunk.
    let source = Source::new((0..1000).flat_map(|_| [Step::Gate, Step::Data(b"x")]));
    let state = source.state();
    let mut body = body(&no_filters(), source, Timeouts::new().idle(SECOND));
    let task = Task::new();
    let mut all = Collected::default();
    for _ in 0..1000 {
        assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
        let polls = task.polls();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(task.polls(), polls);
        state.open_gate();
    }
    task.finish(|cx| all.poll(&mut body, cx));
    assert_eq!((all.data.len(), timed_out(&all)), (1000, None));
}

#[test]
fn without_timeouts_no_runtime_is_needed() {
    let source = Source::new([Step::Data(b"a"), Step::Yield, Step::Data(b"b")]);
    let mut body = body(&no_filters(), source, Timeouts::new());
    assert_eq!(collect(&mut body).text(), "ab");
}

#[tokio::test(start_paused = true)]
async fn durations_beyond_the_clock_never_come() {
    let forever = Timeouts::new().idle(Duration::MAX).total(Duration::MAX).hold(Duration::MAX);
    let source = Source::new([Step::Data(b"a"), Step::Yield, Step::Data(b"b")]);
    let all = collect_async(&mut body(&no_filters(), source, forever)).await;
    assert_eq!((all.text(), timed_out(&all)), ("ab", None));
}
