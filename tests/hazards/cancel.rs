//! H25, H47: whoever drops a future, or a body, after any number of polls loses nothing but what
//! the future itself says; and who is left learns that it was cut.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response, request, response};
use http_body::Body;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::body::{ExchangeLayer, FilteredBody, RequestBody, pipe_body};
use tidegate::pipe::{Next, pipe};
use tidegate::{Capability, Declaration, Error, Marks, Origin, Plan, Verdict};
use tower::{Layer, Service, service_fn};

use crate::edge::{
    Call, Closed, Collected, PlanExt, Source, Step, Task, chain, no_filters, outcome_name,
    request_head,
};
use crate::kit::{PASS, Rng};

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// hyper #4070, #4156 (what is lost when a future is dropped): both futures of a pipe are dropped
/// whenever they wait. What was accepted arrives, in order; what was not stays with its owner.
#[test]
fn h47_a_wait_on_a_pipe_that_is_dropped_loses_nothing() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let (mut sender, mut receiver) = pipe::<Bytes, (), ()>(Marks::from_high(rng.word() % 300));
        let (mut sent, mut taken) = (0_u8, 0_u8);
        while taken < 50 {
            if rng.below(2) == 0 && sent < 50 {
                // The wait for room is given up, and the item is still here.
                let ready = pin!(sender.ready()).poll(&mut noop());
                if ready.is_ready() {
                    sender.try_send(Bytes::from(vec![sent])).expect("there was room");
                    sent += 1;
                } else if rng.below(4) == 0 {
                    // Given up with its item, as it says: it was not sent.
                    let lost = Bytes::from_static(b"never");
                    assert!(pin!(sender.send(lost)).poll(&mut noop()).is_pending());
                }
            } else {
                match pin!(receiver.next()).poll(&mut noop()) {
                    Poll::Ready(Next::Item(item)) => {
                        assert_eq!(item, [taken][..], "seed {seed}");
                        taken += 1;
                    }
                    Poll::Ready(other) => panic!("seed {seed}: {other:?}"),
                    Poll::Pending => assert_eq!(sent, taken, "seed {seed}: it lies there"),
                }
            }
        }
    }
}

/// Polls `future` once, and gives it up if it is not ready.
async fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Gives up each wait for input once, in turn with waiting for the whole body, before it waits in
/// earnest.
async fn hesitates(mut input: Input, mut output: Output) -> Result<(), Error> {
    loop {
        if let Some(body) = once(input.collect(1 << 20)).await {
            return output.send_all(body?).await;
        }
        let next = match once(input.next()).await {
            Some(next) => next?,
            None => input.next().await?,
        };
        match next {
            Some(chunk) => output.send(chunk).await?,
            None => return Ok(()),
        }
    }
}

/// The same for the waits of async filters, behind each other, with a source that waits as well.
#[test]
fn h47_a_wait_for_input_that_is_dropped_has_taken_nothing() {
    for filters in 1..4 {
        for pattern in 0..1_u32 << 6 {
            let plan = (0..filters).fold(Plan::<request::Parts>::builder(), |plan, k| {
                plan.filter(format!("hesitates {k}"), async_filter(Declaration::new(), hesitates))
            });
            let mut steps = Vec::new();
            for (at, data) in [&b"a"[..], b"bb", b"ccc", b"d", b"e", b"ff"].into_iter().enumerate()
            {
                if pattern & (1 << at) != 0 {
                    steps.push(Step::Yield);
                }
                steps.push(Step::Data(data));
            }
            let plan = plan.build().expect("a plan");
            let mut body = FilteredBody::new(chain(&plan), request_head(), Source::new(steps));
            let all = crate::edge::collect(&mut body);
            assert!(all.error.is_none(), "{filters} filters, {pattern:b}: {:?}", all.error);
            assert_eq!(all.text(), "abbcccdeff", "{filters} filters, {pattern:b}");
        }
    }
}

/// A response filter and a request filter that hold until they have seen the end.
fn holds<H: tidegate::Head>(closed: &Closed) -> Plan<H> {
    let declaration = Declaration::new().require(Capability::HoldHead);
    Plan::builder()
        .probe("holds", declaration, closed, || {
            |call, view| {
                let early = call != Call::Resume && !view.input_ended();
                if early { Verdict::HOLD } else { PASS }
            }
        })
        .build()
        .expect("a plan")
}

/// One exchange through the layer whose future, and then whose body, is polled `polls` times in
/// all and dropped. What was told.
fn give_up_after(polls: usize, filtered: bool) -> (Vec<String>, usize, bool) {
    let (told, closed) = (Closed::default(), Closed::default());
    let observer = told.clone();
    let layer = if filtered {
        ExchangeLayer::new(holds(&closed), holds(&closed))
    } else {
        ExchangeLayer::new(no_filters(), no_filters())
    };
    let layer = layer.expect("a layer").on_finish(Arc::new(move |direction, outcome, _| {
        observer.push(format!("{direction} {}", outcome_name(outcome)));
    }));
    let source = Source::new([Step::Yield, Step::Data(b"up"), Step::Yield, Step::Data(b"load")]);
    let source_state = source.state();
    let answer: Arc<Mutex<Option<Arc<crate::edge::SourceState>>>> = Arc::default();
    let noted = Arc::clone(&answer);
    let mut service = layer.layer(service_fn(move |request: Request<RequestBody<Source>>| {
        let noted = Arc::clone(&noted);
        async move {
            let mut body = request.into_body();
            let mut all = Collected::default();
            poll_fn(|cx| all.poll(&mut body, cx)).await;
            let source = Source::new([Step::Data(b"down"), Step::Yield, Step::Data(b"load")]);
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(source.state());
            Ok::<_, Infallible>(Response::new(source))
        }
    }));
    let mut left = polls;
    let mut whole = false;
    {
        let mut call = Box::pin(service.call(Request::new(source)));
        let mut response: Option<Response<_>> = None;
        while left > 0 && response.is_none() {
            left -= 1;
            if let Poll::Ready(ready) = call.as_mut().poll(&mut noop()) {
                response = Some(ready.expect("the inner service does not fail"));
            }
        }
        drop(call);
        if let Some(response) = response {
            let mut body = response.into_body();
            while left > 0 && !whole {
                left -= 1;
                let ended =
                    matches!(Pin::new(&mut body).poll_frame(&mut noop()), Poll::Ready(None));
                // An end that is in sight is all there is to have (I9).
                whole = ended || body.is_end_stream();
            }
        }
    }
    assert!(source_state.is_dropped(), "{polls} polls: the client's body is kept");
    let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    assert!(answer.is_none_or(|state| state.is_dropped()), "{polls} polls: the answer is kept");
    (told.all(), closed.all().len(), whole)
}

/// H47, and linkerd2 #210: the call, or the body it came to, is dropped after every number of polls
/// there can be. Sources and the inner call are let go, each side's outcome is told once, and each
/// filter that was called is closed once.
#[test]
fn h47_an_exchange_may_be_given_up_after_any_poll() {
    for filtered in [false, true] {
        let mut polls = 0;
        loop {
            let (told, closes, whole) = give_up_after(polls, filtered);
            let case = format!("{polls} polls, filters: {filtered}: {told:?}");
            let of =
                |direction: &str| told.iter().filter(|told| told.starts_with(direction)).count();
            assert!(of("request") <= 1 && of("response") <= 1, "{case}");
            // The request has begun by the call. No response begins without one.
            assert_eq!(of("request"), 1, "{case}");
            assert_eq!(whole, told.contains(&"response complete".to_owned()), "{case}");
            if filtered {
                let started = 1 + usize::from(of("response") == 1);
                assert!(closes == started || closes == 1, "{case}: {closes} closes");
            }
            if whole {
                assert_eq!(told, ["request complete", "response complete"], "{case}");
                break;
            }
            polls += 1;
            assert!(polls < 100, "{case}: it does not end");
        }
        assert!(polls > 4, "filters: {filtered}: {polls} polls are no test");
    }
}

/// hyper #4069, h2 #810 (`is_end_stream` was true of an error): a body in another task, whose pump
/// is dropped after every number of polls. Its reader gets a part of it and then an error, or all.
#[test]
fn h25_a_pump_that_is_dropped_is_never_an_end() {
    for end in [&[][..], &[Step::Trailers("t")][..], &[Step::Yield][..]] {
        let mut whole = 0;
        for polls in 0..12 {
            let steps = [
                Step::Data(b"one"),
                Step::Yield,
                Step::Data(b"two"),
                Step::Yield,
                Step::Data(b"three"),
            ];
            let source = Source::new([&steps, end].concat());
            let (mut pump, mut body) = pipe_body(source, Marks::from_high(0), Origin::Upstream);
            let mut all = Collected::default();
            let mut finished = false;
            for _ in 0..polls {
                finished = finished || Pin::new(&mut pump).poll(&mut noop()).is_ready();
                let _ = all.poll(&mut body, &mut noop());
                assert!(!body.is_end_stream() || all.text() == "onetwothree", "{polls} polls");
            }
            drop(pump);
            Task::new().finish(|cx| all.poll(&mut body, cx));
            let case = format!("{end:?}, {polls} polls: {all:?}");
            assert_eq!(all.error.is_none(), finished, "{case}");
            assert_eq!(body.is_end_stream(), finished, "{case}");
            assert!("onetwothree".starts_with(all.text()), "{case}");
            if finished {
                assert_eq!(all.text(), "onetwothree", "{case}");
                whole += 1;
            }
        }
        assert!(whole > 0, "{end:?}: it was never whole");
    }
}

/// A body behind filters that is dropped after every number of frames: its source is let go, and
/// the filter is told once, and not that it was complete.
#[test]
fn h25_a_body_that_is_dropped_is_cancelled() {
    for filtered in [false, true] {
        for polls in 0..8 {
            let closed = Closed::default();
            let observed = Closed::default();
            let observer = observed.clone();
            let plan: Plan<response::Parts> = if filtered { holds(&closed) } else { no_filters() };
            let source = Source::new([
                Step::Data(b"one"),
                Step::Yield,
                Step::Data(b"two"),
                Step::Trailers("t"),
            ]);
            let state = source.state();
            let head = crate::edge::response_head();
            let body = FilteredBody::new(chain(&plan), head, source);
            let mut body = body.on_finish(Arc::new(move |_, outcome, _| observer.note(outcome)));
            let mut ended = false;
            for _ in 0..polls {
                ended |= matches!(
                    Pin::new(&mut body).poll_frame(&mut noop()),
                    Poll::Ready(Some(Ok(frame))) if frame.is_trailers()
                );
            }
            drop(body);
            let told = if ended { "complete" } else { "cancelled" };
            assert_eq!(observed.all(), [told], "{polls} polls, filters: {filtered}");
            let closes = if filtered { vec![told.to_owned()] } else { Vec::new() };
            assert_eq!(closed.all(), closes, "{polls} polls");
            assert!(state.is_dropped(), "{polls} polls");
        }
    }
}
