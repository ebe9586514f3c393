//! A chain behind `http_body`, around a service, and behind hyper.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version, request, response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tidegate::body::{Driver, ExchangeLayer, FilteredBody, RequestBody, Timeouts};
use tidegate::exchange::mailbox;
use tidegate::{
    Capability, Declaration, Error, ErrorKind, Head, Interest, LocalReply, Marks, Origin, Output,
    Plan, Verdict,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{
    Broken, Call, Closed, PlanExt, Source, Step, Task, block_on, chain, check_trailers, collect,
    head_of, no_filters, outcome_name, request_head, response_head,
};

const SECOND: Duration = Duration::from_secs(1);

fn next_data<B, H>(body: &mut FilteredBody<B, H>) -> Bytes
where
    B: Body<Data = Bytes, Error = Broken> + Unpin,
    H: Head,
{
    let frame = Task::new().finish(|cx| Pin::new(&mut *body).poll_frame(cx));
    frame.unwrap().unwrap().into_data().unwrap()
}

/// A chain alone took its spent budget for work left; a body did not, and must not, wait for that.
#[test]
fn a_body_whose_budget_was_spent_goes_on_to_its_source() {
    static BUDGET: [u8; 16 * 1024] = [7; 16 * 1024];
    let watches = Declaration::new().interest(Interest::DATA);
    let plan = Plan::<request::Parts>::builder()
        .probe("passes", watches, &Closed::default(), || |_, _| Verdict::PASS)
        .max_frame_bytes(16)
        .build()
        .unwrap();
    let source = Source::new([Step::Data(&BUDGET), Step::Data(b"x")]);
    let all = collect(&mut FilteredBody::new(chain(&plan), request_head(), source));
    assert_eq!(all.data.len(), BUDGET.len() + 1);
}

/// No more was read from the source while a filter asked for itself, even if it waited for more.
#[test]
fn a_filter_that_asks_again_does_not_stop_the_source() {
    let plan = Plan::<request::Parts>::builder()
        .probe("asks", Declaration::new(), &Closed::default(), || {
            |call, view| {
                let passes = call == Call::Head || view.input_ended();
                if passes { Verdict::PASS } else { Verdict::HOLD.again() }
            }
        })
        .build()
        .unwrap();
    let source = Source::new([Step::Data(b"a"), Step::Data(b"b")]);
    let all = collect(&mut FilteredBody::new(chain(&plan), request_head(), source));
    assert_eq!(all.text(), "ab");
}

/// `is_end_stream` had said that nothing follows, and then the error of the timeout did.
#[tokio::test(start_paused = true)]
async fn no_timeout_follows_a_visible_end() {
    let mut body = FilteredBody::new(chain(&no_filters()), request_head(), Source::of("all"))
        .timeouts(Timeouts::new().total(SECOND));
    head_of(&mut body);
    assert_eq!(next_data(&mut body), "all");
    assert!(body.is_end_stream());
    tokio::time::sleep(5 * SECOND).await;
    let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
    assert!(next.is_none(), "{next:?}");
}

/// The same with a reply of the request's filters, which came too late for the response.
#[test]
fn no_reply_follows_a_visible_end() {
    let (request, response) = mailbox();
    let mut body = FilteredBody::new(chain(&no_filters()), response_head(), Source::of("all"))
        .response_half(response);
    head_of(&mut body);
    assert_eq!(next_data(&mut body), "all");
    assert!(body.is_end_stream());
    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    let next = Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx));
    assert!(next.is_none(), "{next:?}");
}

/// A body cut off behind the end of its source was told as cancelled, and its edge got no reset.
#[test]
fn a_cut_behind_the_end_of_the_source_is_a_reset() {
    let plan = Plan::<request::Parts>::builder()
        .output_marks(Marks::from_high(1))
        .max_frame_bytes(1)
        .build()
        .unwrap();
    let mut driver = Driver::<Source, _>::new(chain(&plan));
    Pin::new(&mut driver).start(request_head(), Some(Source::of("abcdef")));
    let task = Task::new();
    let next = |driver: &mut Driver<_, _>| task.finish(|cx| Pin::new(&mut *driver).poll_output(cx));
    assert!(matches!(next(&mut driver), Some(Output::Head { .. })));
    assert!(matches!(next(&mut driver), Some(Output::Data(_))));
    Pin::new(&mut driver).cut(Error::new(ErrorKind::Reset, Origin::Downstream));
    let last = next(&mut driver);
    assert!(matches!(last, Some(Output::Reset(_))), "{last:?}");
    assert_eq!(driver.chain().outcome().map(outcome_name).as_deref(), Some("reset"));
}

/// The exact size was 0 before the end was visible: hyper made `content-length: 0` of it.
#[test]
fn a_304_before_its_end_has_no_exact_size() {
    let mut head = response_head();
    head.status = StatusCode::NOT_MODIFIED;
    let mut body = FilteredBody::new(chain(&no_filters()), head, Source::new([]));
    head_of(&mut body);
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), None);
}

/// The last wait for the client was remembered, and a server that hung was answered for with 408.
#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_reads_does_not_wait_for_its_client() {
    let source =
        Source::new([Step::Yield, Step::Data(b"part"), Step::Data(b"more"), Step::Data(b"rest")]);
    let layer = ExchangeLayer::new(no_filters(), no_filters())
        .unwrap()
        .response_timeouts(Timeouts::new().total(SECOND));
    let service = layer.layer(service_fn(|request: Request<RequestBody<Source>>| async move {
        let mut body = request.into_body();
        let _ = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        pending::<()>().await;
        drop(body);
        Ok::<_, Infallible>(Response::new(Source::empty()))
    }));
    let response = service.oneshot(Request::new(source)).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
}

/// The status of an empty exchange with `plan` on its request.
fn status(plan: Plan<request::Parts>) -> StatusCode {
    let layer = ExchangeLayer::new(plan, no_filters()).unwrap();
    let service = layer.layer(service_fn(|_: Request<RequestBody<Source>>| async {
        Ok::<_, Infallible>(Response::new(Source::empty()))
    }));
    block_on(service.oneshot(Request::new(Source::empty()))).unwrap().status()
}

/// The panic of a filter's maker unwound through the service.
#[test]
fn a_maker_that_panics_is_answered_500() {
    // The plan makes one filter to ask for its declaration.
    let declared = AtomicBool::new(false);
    let plan = Plan::builder()
        .probe("made", Declaration::new(), &Closed::default(), move || {
            assert!(!declared.swap(true, Ordering::SeqCst), "the maker panics");
            |_, _| Verdict::PASS
        })
        .build()
        .unwrap();
    assert_eq!(status(plan), StatusCode::INTERNAL_SERVER_ERROR);
}

/// A limit of a filter's own, put down to the client, was answered 500.
#[test]
fn a_limit_the_client_went_over_is_answered_413() {
    let plan = Plan::builder()
        .probe("limits", Declaration::new(), &Closed::default(), || {
            |_, view| {
                let kind = ErrorKind::Limit { limit: "mine", limit_bytes: 1 };
                view.fail(Error::new(kind, Origin::Downstream))
            }
        })
        .build()
        .unwrap();
    assert_eq!(status(plan), StatusCode::PAYLOAD_TOO_LARGE);
}

/// What an HTTP/1 client that takes trailers reads, and the outcomes the layer tells.
async fn http1(
    plan: Plan<response::Parts>,
    answer: fn() -> Response<Source>,
) -> (String, Vec<String>) {
    let told = Closed::default();
    let log = told.clone();
    let layer = ExchangeLayer::new(no_filters(), plan).unwrap().on_finish(Arc::new(
        move |direction, outcome, _| log.push(format!("{direction} {outcome:?}")),
    ));
    let service = layer.layer(service_fn(move |_: Request<RequestBody<Incoming>>| async move {
        Ok::<_, Infallible>(answer())
    }));
    let (mut client, server) = duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let http1 = hyper::server::conn::http1::Builder::new();
        let service = TowerToHyperService::new(service);
        http1.serve_connection(TokioIo::new(server), service).await.unwrap();
    });
    let request = b"GET / HTTP/1.1\r\nte: trailers\r\nconnection: te, close\r\n\r\n";
    client.write_all(request).await.unwrap();
    let mut output = String::new();
    client.read_to_string(&mut output).await.unwrap();
    server.await.unwrap();
    (output, told.all())
}

/// Asserts that the client got the body without trailers, and that the outcome says so.
fn assert_unsent((output, told): (String, Vec<String>)) {
    assert!(output.ends_with("\r\n\r\n4\r\ndata\r\n0\r\n\r\n"), "{output}");
    assert!(told.iter().any(|outcome| outcome.contains("unsent_trailers: 1")), "{told:?}");
}

/// hyper dropped the trailers of an HTTP/2 server, and the outcome was complete with all of them.
#[tokio::test]
async fn http1_trailers_that_no_head_announced_are_counted_as_unsent() {
    let answer = || {
        let source = Source::new([Step::Data(b"data"), Step::Trailers("lost")]);
        let mut response = Response::new(source);
        *response.version_mut() = Version::HTTP_2;
        response
    };
    assert_unsent(http1(no_filters(), answer).await);
}

/// The same with trailers of a filter that may add some, and did not declare which.
#[tokio::test]
async fn http1_trailers_that_a_filter_did_not_declare_are_counted_as_unsent() {
    let adds = Declaration::new().require(Capability::AddTrailers);
    let plan = Plan::builder()
        .probe("adds", adds, &Closed::default(), || {
            |call, view| {
                if call == Call::Trailers {
                    view.set_trailers(check_trailers("lost")).unwrap();
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    assert_unsent(http1(plan, || Response::new(Source::new([Step::Data(b"data")]))).await);
}
