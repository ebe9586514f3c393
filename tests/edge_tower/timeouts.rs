//! Which answer a timeout gets, and that it gets one.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use http::{Request, Response, StatusCode, request, response};
use http_body_util::BodyExt;
use tidegate::body::{ExchangeLayer, RequestBody, Timeouts};
use tidegate::{Capability, Declaration, ErrorKind, Head, Plan, Timeout, Verdict};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Call, Closed, PlanExt, Source, Step, collect_async, no_filters};

const SECOND: Duration = Duration::from_secs(1);

/// Holds from `at` on, with a handle that nobody uses.
fn holds<H: Head>(at: Call) -> Plan<H> {
    let declaration = Declaration::new().require(Capability::HoldHead);
    Plan::builder()
        .probe("holds", declaration, &Closed::default(), move || {
            let mut handles = Vec::new();
            move |call, view| {
                if call == Call::Head && at != Call::Head {
                    return Verdict::PASS;
                }
                handles.push(view.resume_handle());
                Verdict::HOLD
            }
        })
        .build()
        .unwrap()
}

fn layer(request: Plan<request::Parts>, response: Plan<response::Parts>) -> ExchangeLayer {
    ExchangeLayer::new(request, response).unwrap()
}

/// The status of an exchange whose inner service reads the request and answers with `answer`, or
/// never.
async fn status(layer: ExchangeLayer, source: Source, answer: Option<Source>) -> StatusCode {
    let answer = std::sync::Arc::new(std::sync::Mutex::new(answer));
    let service = layer.layer(service_fn(move |request: Request<RequestBody<Source>>| {
        let answer = answer.lock().unwrap().take();
        async move {
            let Some(answer) = answer else {
                collect_async(&mut request.into_body()).await;
                return pending().await;
            };
            Ok::<_, Infallible>(Response::new(answer))
        }
    }));
    let start = Instant::now();
    let response = service.oneshot(Request::new(source)).await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
    let status = response.status();
    assert!(collect_async(&mut response.into_body()).await.error.is_none());
    status
}

fn slow() -> Source {
    Source::new([Step::Data(b"slow"), Step::Gate])
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_awaited_gets_408() {
    let idle = Timeouts::new().idle(SECOND);
    let total = Timeouts::new().total(SECOND);
    for timeouts in [idle, total] {
        let layer = layer(no_filters(), no_filters()).request_timeouts(timeouts);
        assert_eq!(status(layer, slow(), None).await, StatusCode::REQUEST_TIMEOUT);
    }
    // The head is held until more body comes.
    let layer = layer(holds(Call::Head), no_filters()).request_timeouts(idle);
    assert_eq!(status(layer, slow(), None).await, StatusCode::REQUEST_TIMEOUT);
    // The response's own time runs out while the client is sending.
    let layer = self::layer(no_filters(), no_filters()).response_timeouts(total);
    assert_eq!(status(layer, slow(), None).await, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn anything_else_gets_504() {
    let hold = Timeouts::new().hold(SECOND);
    let total = Timeouts::new().total(SECOND);
    let idle = Timeouts::new().idle(SECOND);
    // A request filter holds, and all of the request is there.
    let held = layer(holds(Call::Data), no_filters()).request_timeouts(hold);
    assert_eq!(status(held, Source::of("x"), None).await, StatusCode::GATEWAY_TIMEOUT);
    // The inner service does not answer.
    let silent = layer(no_filters(), no_filters()).response_timeouts(total);
    assert_eq!(status(silent, Source::of("x"), None).await, StatusCode::GATEWAY_TIMEOUT);
    // A response filter has the head and waits for the upstream.
    for timeouts in [hold, total, idle] {
        let stuck = layer(no_filters(), holds(Call::Head)).response_timeouts(timeouts);
        let status = status(stuck, Source::empty(), Some(slow())).await;
        assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    }
}

/// The client was waited for, then it was not: the service has a piece, and takes its time with it.
#[tokio::test(start_paused = true)]
async fn a_client_that_has_sent_gets_504() {
    let layer = layer(no_filters(), no_filters()).response_timeouts(Timeouts::new().total(SECOND));
    let service = layer.layer(service_fn(|request: Request<RequestBody<Source>>| async {
        let mut body = request.into_body();
        body.frame().await.expect("it goes on").expect("it is whole");
        pending::<()>().await;
        Ok::<_, Infallible>(Response::new(Source::empty()))
    }));
    let source = Source::new([Step::Yield, Step::Data(b"x"), Step::Gate]);
    let response = service.oneshot(Request::post("/").body(source).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_a_timeout_has_time_of_its_own() {
    // The total has passed; the filters still get the 504, and the client all of it.
    let plan = Plan::<response::Parts>::builder()
        .probe("marks", Declaration::new(), &Closed::default(), || {
            |call, view| {
                if call == Call::Head {
                    assert!(view.is_local_reply());
                    view.head_mut().unwrap().headers.insert("x-marked", "yes".parse().unwrap());
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    let service = layer(no_filters(), plan).response_timeouts(Timeouts::new().total(SECOND)).layer(
        service_fn(|_: Request<RequestBody<Source>>| {
            pending::<Result<Response<Source>, Infallible>>()
        }),
    );
    let response = service.oneshot(Request::new(Source::empty())).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(response.headers()["x-marked"], "yes");
    assert!(collect_async(&mut response.into_body()).await.error.is_none());
}

#[tokio::test(start_paused = true)]
async fn after_the_head_a_timeout_cuts_the_body() {
    let service = layer(no_filters(), no_filters())
        .response_timeouts(Timeouts::new().idle(SECOND))
        .layer(service_fn(|_: Request<RequestBody<Source>>| async {
            Ok::<_, Infallible>(Response::new(slow()))
        }));
    let response = service.oneshot(Request::new(Source::empty())).await.unwrap();
    let all = collect_async(&mut response.into_body()).await;
    assert_eq!(all.text(), "slow");
    assert_eq!(all.error.unwrap().kind(), ErrorKind::TimedOut(Timeout::Idle));
}
