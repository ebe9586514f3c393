//! How the halves of an exchange end, each for itself or both together.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request, response};
use http_body::Body;
use http_body_util::Full;
use tidegate::body::{ExchangeLayer, RequestBody, ResponseBody};
use tidegate::{Capability, Declaration, Error, ErrorKind, LocalReply, Plan, Verdict};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{
    Broken, Call, Closed, Collected, PlanExt, Source, Step, Task, block_on, collect, no_filters,
    outcome_name,
};

pub(crate) fn layer(
    request: Plan<request::Parts>,
    response: Plan<response::Parts>,
    told: &Closed,
) -> ExchangeLayer {
    let told = told.clone();
    ExchangeLayer::new(request, response).unwrap().on_finish(Arc::new(
        move |direction, outcome, _| {
            told.push(format!("{direction} {}", outcome_name(outcome)));
        },
    ))
}

/// Answers with `reply` at the first data, or at the head.
fn denies<H: tidegate::Head>(at: Call) -> Plan<H> {
    Plan::builder()
        .probe("denies", Declaration::new(), &Closed::default(), move || {
            move |call, view| {
                if call == at {
                    view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"))
                } else {
                    Verdict::PASS
                }
            }
        })
        .build()
        .unwrap()
}

/// Marks heads, and notes whether they were made locally.
fn marks(local: &Closed) -> Plan<response::Parts> {
    let local = local.clone();
    Plan::<response::Parts>::builder()
        .probe("marks", Declaration::new(), &Closed::default(), move || {
            let local = local.clone();
            move |call, view| {
                if call == Call::Head {
                    local.push(format!("local {}", view.is_local_reply()));
                    let head = view.head_mut().unwrap();
                    head.headers.insert("x-marked", "yes".parse().unwrap());
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap()
}

/// Holds the head until the handle is used (never, here), and the bytes behind it.
fn holds_the_head() -> Plan<response::Parts> {
    let declaration = || Declaration::new().require(Capability::HoldHead);
    Plan::<response::Parts>::builder()
        .probe("first", Declaration::new(), &Closed::default(), || |_, _| Verdict::PASS)
        .probe("holds", declaration(), &Closed::default(), || {
            let mut handles = Vec::new();
            move |_, view| {
                handles.push(view.resume_handle());
                Verdict::HOLD
            }
        })
        .probe("marks", Declaration::new(), &Closed::default(), || {
            |call, view| {
                if call == Call::Head {
                    let head = view.head_mut().unwrap();
                    head.headers.insert("x-marked", "yes".parse().unwrap());
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap()
}

/// Polls a body for nothing but its end, wherever it is.
async fn read<B>(mut body: B) -> Collected
where
    B: Body<Data = Bytes, Error = Error> + Unpin,
{
    let mut all = Collected::default();
    poll_fn(|cx| all.poll(&mut body, cx)).await;
    all
}

#[test]
fn an_exchange_goes_through_both_chains() {
    let (told, local) = (Closed::default(), Closed::default());
    let service = layer(no_filters(), marks(&local), &told).layer(service_fn(
        |request: Request<RequestBody<Source>>| async {
            let text = read(request.into_body()).await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text.data))))
        },
    ));
    let source = Source::new([Step::Data(b"hel"), Step::Yield, Step::Data(b"lo")]);
    let response = block_on(service.oneshot(Request::post("/").body(source).unwrap())).unwrap();
    assert_eq!(response.headers()["x-marked"], "yes");
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(collect(&mut response.into_body()).text(), "hello");
    assert_eq!(local.all(), ["local false"]);
    assert_eq!(told.all(), ["request complete", "response complete"]);
}

#[test]
fn an_error_of_the_inner_service_is_returned_as_it_is() {
    let told = Closed::default();
    let service = layer(no_filters(), no_filters(), &told).layer(service_fn(
        |_: Request<RequestBody<Source>>| async { Err::<Response<Source>, _>("as it is") },
    ));
    let error = block_on(service.oneshot(Request::new(Source::of("unread")))).unwrap_err();
    assert_eq!(error, "as it is");
    assert_eq!(told.all(), ["request cancelled"]);
}

#[test]
fn a_reply_at_the_request_head_spares_the_inner_service() {
    let (told, local) = (Closed::default(), Closed::default());
    let service = layer(denies(Call::Head), marks(&local), &told).layer(service_fn(
        |_: Request<RequestBody<Source>>| async {
            panic!("called") as Result<Response<Source>, Infallible>
        },
    ));
    let response = block_on(service.oneshot(Request::new(Source::of("unread")))).unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["x-marked"], "yes");
    assert_eq!(collect(&mut response.into_body()).text(), "no");
    assert_eq!(local.all(), ["local true"]);
    assert_eq!(told.all(), ["request replaced", "response replaced"]);
}

#[test]
fn a_reply_to_head_has_no_body_and_tells_its_length() {
    for at_request in [true, false] {
        let (request, response) = if at_request {
            (denies(Call::Head), no_filters())
        } else {
            (no_filters(), denies(Call::Head))
        };
        let service = layer(request, response, &Closed::default()).layer(service_fn(
            |_: Request<RequestBody<Source>>| async {
                Ok::<_, Infallible>(Response::new(Source::of("as to GET")))
            },
        ));
        let request = Request::head("/").body(Source::empty()).unwrap();
        let response = block_on(service.oneshot(request)).unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["content-length"], "2");
        assert!(response.body().is_end_stream());
        let all = collect(&mut response.into_body());
        assert!(all.data.is_empty() && all.error.is_none());
    }
}

/// Is set when dropped: the call of the inner service.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn a_reply_in_the_body_drops_the_call_of_the_inner_service() {
    let (told, local) = (Closed::default(), Closed::default());
    let (dropped, seen) = (Arc::new(AtomicBool::new(false)), Closed::default());
    let (flag, errors) = (Arc::clone(&dropped), seen.clone());
    let service = layer(denies(Call::Data), marks(&local), &told).layer(service_fn(
        move |request: Request<RequestBody<Source>>| {
            let (dropped, errors) = (Dropped(Arc::clone(&flag)), errors.clone());
            async move {
                let all = read(request.into_body()).await;
                errors.push(format!("{:?}", all.error.unwrap().kind()));
                // The upstream does not care, and would wait for ever.
                let response = pending::<Result<Response<Source>, Infallible>>().await;
                drop(dropped);
                response
            }
        },
    ));
    let response = block_on(service.oneshot(Request::new(Source::of("denied")))).unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(seen.all(), ["Reset"], "the request never looks complete");
    assert!(dropped.load(SeqCst));
    assert_eq!(local.all(), ["local true"]);
    assert_eq!(collect(&mut response.into_body()).text(), "no");
    assert_eq!(told.all(), ["request replaced", "response replaced"]);
}

#[test]
fn a_reply_wins_over_what_the_inner_service_makes_of_it() {
    for fails in [false, true] {
        let told = Closed::default();
        let service = layer(denies(Call::Data), no_filters(), &told).layer(service_fn(
            move |request: Request<RequestBody<Source>>| async move {
                assert!(read(request.into_body()).await.error.is_some());
                if fails { Err("upstream") } else { Ok(Response::new(Source::of("bad gateway"))) }
            },
        ));
        let response = block_on(service.oneshot(Request::new(Source::of("denied")))).unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(told.all(), ["request replaced"]);
        collect(&mut response.into_body());
        assert_eq!(told.all(), ["request replaced", "response replaced"]);
    }
}

/// An inner service that gives the request body away and answers at once.
struct Early {
    request: Arc<std::sync::Mutex<Option<RequestBody<Source>>>>,
    answer: Arc<std::sync::Mutex<Option<Source>>>,
}

impl Early {
    fn new(answer: Source) -> Self {
        Self { request: Arc::default(), answer: Arc::new(std::sync::Mutex::new(Some(answer))) }
    }

    fn service(
        &self,
    ) -> impl Service<
        Request<RequestBody<Source>>,
        Response = Response<Source>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<Source>, Infallible>>,
    > + Clone {
        let (request, answer) = (Arc::clone(&self.request), Arc::clone(&self.answer));
        service_fn(move |incoming: Request<RequestBody<Source>>| {
            *request.lock().unwrap() = Some(incoming.into_body());
            let answer = answer.lock().unwrap().take().unwrap();
            async { Ok(Response::new(answer)) }
        })
    }

    fn request(&self) -> RequestBody<Source> {
        self.request.lock().unwrap().take().unwrap()
    }
}

#[test]
fn a_reply_while_a_response_filter_holds_the_head_goes_on_from_there() {
    let told = Closed::default();
    let answer = Source::new([Step::Data(b"dropped"), Step::Gate]);
    let answer_state = answer.state();
    let early = Early::new(answer);
    let service = layer(denies(Call::Data), holds_the_head(), &told).layer(early.service());
    let mut future = pin!(service.oneshot(Request::new(Source::of("denied"))));
    let task = Task::new();
    assert!(task.run(|cx| future.as_mut().poll(cx)).is_pending());
    assert!(!task.is_woken());

    let mut request = early.request();
    assert!(collect(&mut request).error.is_some());
    assert!(task.is_woken(), "the reply wakes the response");
    let response = task.finish(|cx| future.as_mut().poll(cx)).unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["x-marked"], "yes", "later filters see it");
    assert!(answer_state.is_dropped(), "the upstream is reset");
    assert_eq!(collect(&mut response.into_body()).text(), "no");
    assert_eq!(told.all(), ["request replaced", "response replaced"]);
}

#[test]
fn a_reply_after_the_response_head_cuts_the_response() {
    let told = Closed::default();
    let early = Early::new(Source::new([Step::Data(b"some"), Step::Gate]));
    let service = layer(denies(Call::Data), no_filters(), &told).layer(early.service());
    let response = block_on(service.oneshot(Request::new(Source::of("denied")))).unwrap();
    let mut body = response.into_body();
    let (task, mut all) = (Task::new(), Collected::default());
    assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
    let mut request = early.request();
    assert!(collect(&mut request).error.is_some());
    assert!(task.is_woken());
    task.finish(|cx| all.poll(&mut body, cx));
    assert_eq!((all.text(), all.error.as_ref().unwrap().kind()), ("some", ErrorKind::ReplyTooLate));
    assert_eq!(told.all(), ["request replaced", "response failed"]);
}

#[test]
fn h28_an_early_response_leaves_the_request_alone() {
    let told = Closed::default();
    let early = Early::new(Source::of("done"));
    let service = layer(no_filters(), no_filters(), &told).layer(early.service());
    let source = Source::new([Step::Data(b"long"), Step::Gate, Step::Data(b"upload")]);
    let state = source.state();
    let response = block_on(service.oneshot(Request::new(source))).unwrap();
    let mut request = early.request();
    let (task, mut upload) = (Task::new(), Collected::default());
    assert!(task.run(|cx| upload.poll(&mut request, cx)).is_pending());
    assert_eq!(collect(&mut response.into_body()).text(), "done");
    assert_eq!(told.all(), ["response complete"]);
    assert!(!task.is_woken());
    state.open_gate();
    task.finish(|cx| upload.poll(&mut request, cx));
    assert_eq!(upload.text(), "longupload");
    assert_eq!(told.all(), ["response complete", "request complete"]);
}

#[test]
fn a_request_body_that_nobody_reads_is_cancelled() {
    let told = Closed::default();
    let service = layer(no_filters(), no_filters(), &told).layer(service_fn(
        |_: Request<RequestBody<Source>>| async {
            Ok::<_, Infallible>(Response::new(Source::of("done")))
        },
    ));
    let response = block_on(service.oneshot(Request::new(Source::of("unread")))).unwrap();
    assert_eq!(told.all(), ["request cancelled"]);
    assert_eq!(collect(&mut response.into_body()).text(), "done");
    assert_eq!(told.all(), ["request cancelled", "response complete"]);
}

#[test]
fn an_upstream_that_breaks_off_cuts_the_response_and_the_request() {
    let told = Closed::default();
    let early = Early::new(Source::new([Step::Data(b"some"), Step::Error]));
    let service = layer(no_filters(), no_filters(), &told).layer(early.service());
    let source = Source::new([Step::Data(b"long"), Step::Gate]);
    let response = block_on(service.oneshot(Request::new(source))).unwrap();
    let all = collect(&mut response.into_body());
    assert_eq!((all.text(), all.error.as_ref().unwrap().kind()), ("some", ErrorKind::Reset));
    let upload = collect(&mut early.request());
    assert_eq!(upload.error.unwrap().kind(), ErrorKind::Reset);
    assert_eq!(told.all(), ["response reset", "request reset"]);
}

#[test]
fn a_client_that_goes_away_resets_the_request() {
    // While the inner service is called, and while the response body is read.
    for answers in [false, true] {
        let told = Closed::default();
        let answer = Source::new([Step::Data(b"some"), Step::Gate]);
        let early = Early::new(answer);
        let inner = early.service();
        let service = layer(no_filters(), no_filters(), &told).layer(service_fn(
            move |request: Request<RequestBody<Source>>| {
                let mut inner = inner.clone();
                async move {
                    let response = inner.call(request).await;
                    if !answers {
                        pending::<()>().await;
                    }
                    response
                }
            },
        ));
        let mut future = Box::pin(service.oneshot(Request::new(Source::new([Step::Gate]))));
        let response = Task::new().run(|cx| future.as_mut().poll(cx));
        assert_eq!(response.is_ready(), answers);
        let mut request = early.request();
        let (task, mut upload) = (Task::new(), Collected::default());
        assert!(task.run(|cx| upload.poll(&mut request, cx)).is_pending());
        drop((future, response));
        assert!(task.is_woken());
        task.finish(|cx| upload.poll(&mut request, cx));
        assert!(upload.error.is_some());
        let expected: &[&str] = if answers {
            &["response cancelled", "request reset"]
        } else {
            // There was no response that could have been cancelled.
            &["request reset"]
        };
        assert_eq!(told.all(), expected);
    }
}

#[test]
fn the_inner_service_that_was_made_ready_is_the_one_called() {
    #[derive(Debug)]
    struct Counts {
        ready: bool,
        calls: Arc<AtomicUsize>,
    }

    impl Clone for Counts {
        fn clone(&self) -> Self {
            Self { ready: false, calls: Arc::clone(&self.calls) }
        }
    }

    impl Service<Request<RequestBody<Source>>> for Counts {
        type Response = Response<Source>;
        type Error = Broken;
        type Future = std::future::Ready<Result<Response<Source>, Broken>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.ready = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<RequestBody<Source>>) -> Self::Future {
            assert!(self.ready);
            self.calls.fetch_add(1, SeqCst);
            std::future::ready(Ok(Response::new(Source::empty())))
        }
    }

    let calls = Arc::new(AtomicUsize::new(0));
    let counts = Counts { ready: false, calls: Arc::clone(&calls) };
    let mut service = layer(no_filters(), no_filters(), &Closed::default()).layer(counts);
    for _ in 0..3 {
        block_on(async {
            service.ready().await.unwrap().call(Request::new(Source::empty())).await.unwrap()
        });
    }
    assert_eq!(calls.load(SeqCst), 3);
}

#[test]
fn the_future_and_its_bodies_can_be_sent() {
    fn check<T: Send>(_: &T) {}
    let service = layer(no_filters(), no_filters(), &Closed::default()).layer(service_fn(
        |request: Request<RequestBody<Source>>| async {
            Ok::<_, Infallible>(Response::new(request.into_body()))
        },
    ));
    check(&service);
    check(&service.clone().oneshot(Request::new(Source::empty())));
    fn body<T: Send + Unpin>() {}
    body::<ResponseBody<RequestBody<Source>>>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_race_with_responses_on_threads() {
    // The request is read on a task of its own, as hyper's client does; its filter replies while
    // the response comes. Whatever wins, both sides end, and nothing cut looks complete.
    let told = Closed::default();
    let layer = layer(denies(Call::Data), no_filters(), &told);
    let mut tasks = Vec::new();
    for round in 0..500 {
        let layer = layer.clone();
        tasks.push(tokio::spawn(async move {
            let service =
                layer.layer(service_fn(move |request: Request<RequestBody<Source>>| async move {
                    let upload = tokio::spawn(read(request.into_body()));
                    if round % 3 == 0 {
                        tokio::task::yield_now().await;
                    }
                    if round % 5 == 0 {
                        let all = upload.await.unwrap();
                        assert!(all.error.is_some());
                    }
                    let steps = [Step::Data(b"a"), Step::Yield, Step::Yield, Step::Data(b"b")];
                    Ok::<_, Infallible>(Response::new(Source::new(steps)))
                }));
            let response = service.oneshot(Request::new(Source::of("denied"))).await.unwrap();
            let status = response.status();
            let mut body = response.into_body();
            let mut all = Collected::default();
            poll_fn(|cx| all.poll(&mut body, cx)).await;
            match (status, all.error.as_ref().map(Error::kind)) {
                (StatusCode::FORBIDDEN, None) => assert_eq!(all.text(), "no"),
                (StatusCode::OK, None) => assert_eq!(all.text(), "ab"),
                (StatusCode::OK, Some(ErrorKind::ReplyTooLate)) => {}
                other => panic!("{other:?}"),
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // Uploads end on tasks of their own, perhaps after their responses.
    let all_told = async {
        while told.all().len() < 1000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), all_told).await.unwrap();
    assert_eq!(told.all().len(), 1000);
}
