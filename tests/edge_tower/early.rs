//! Responses that are complete before their requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tidegate::ErrorKind;
use tidegate::body::{EarlyResponse, ExchangeLayer, HttpEdge, RequestBody};
use tidegate::exchange::ExchangePlan;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Closed, Source, SourceState, Step, collect, no_filters};

const fn drain(max_bytes: u64, millis: u64) -> EarlyResponse {
    EarlyResponse::Drain { max_bytes, max_time: Duration::from_millis(millis) }
}

/// Answers at once, while another task reads the request: what that one came to, and the source.
async fn answered(
    early: EarlyResponse,
    steps: impl IntoIterator<Item = Step>,
    told: &Closed,
) -> (oneshot::Receiver<(Bytes, Option<ErrorKind>)>, Arc<SourceState>) {
    let (done, read) = oneshot::channel();
    let done = Arc::new(Mutex::new(Some(done)));
    let layer = crate::exchange::layer(no_filters(), no_filters(), told).early_response(early);
    let service = layer.layer(service_fn(move |request: Request<RequestBody<Source>>| {
        let done = done.lock().unwrap().take().unwrap();
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut bytes = Vec::new();
            let error = loop {
                match body.frame().await {
                    Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().unwrap()),
                    Some(Err(error)) => break Some(error.kind()),
                    None => break None,
                }
            };
            drop(done.send((Bytes::from(bytes), error)));
        });
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("early")))) }
    }));
    let source = Source::new(steps);
    let state = source.state();
    let response = service.oneshot(Request::post("/").body(source).unwrap()).await.unwrap();
    // The upload is under way.
    tokio::task::yield_now().await;
    assert_eq!(collect(&mut response.into_body()).text(), "early");
    (read, state)
}

#[tokio::test]
async fn forward_reads_on_to_the_end() {
    let told = Closed::default();
    let steps = [Step::Data(b"one"), Step::Gate, Step::Data(b"two")];
    let (read, state) = answered(EarlyResponse::default(), steps, &told).await;
    assert_eq!(told.all(), ["response complete"]);
    state.open_gate();
    assert_eq!(read.await.unwrap(), (Bytes::from("onetwo"), None));
    assert_eq!(told.all(), ["response complete", "request complete"]);
}

#[tokio::test]
async fn stop_lets_the_source_go_and_the_service_sees_an_error() {
    let told = Closed::default();
    let steps = [Step::Data(b"one"), Step::Gate, Step::Data(b"two")];
    let (read, state) = answered(EarlyResponse::Stop, steps, &told).await;
    // Nobody opens the gate.
    assert_eq!(read.await.unwrap(), (Bytes::from("one"), Some(ErrorKind::AnsweredEarly)));
    assert!(state.is_dropped());
    assert_eq!(told.all(), ["response complete", "request reset"]);
}

#[tokio::test]
async fn drain_reads_to_the_end_and_the_service_sees_an_error_then() {
    let told = Closed::default();
    let steps = [Step::Data(b"one"), Step::Gate, Step::Data(b"two"), Step::Yield, Step::Data(b"3")];
    let (mut read, state) = answered(drain(100, 60_000), steps, &told).await;
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    assert!(read.try_recv().is_err() && !state.is_dropped(), "it is being drained");
    state.open_gate();
    assert_eq!(read.await.unwrap(), (Bytes::from("one"), Some(ErrorKind::AnsweredEarly)));
    assert!(state.is_dropped());
}

#[tokio::test]
async fn drain_ends_beyond_its_bytes() {
    let steps = [Step::Data(b"one"), Step::Gate, Step::Data(b"two"), Step::Gate];
    let (read, state) = answered(drain(2, 60_000), steps, &Closed::default()).await;
    state.open_gate();
    // The second gate stays shut.
    assert_eq!(read.await.unwrap(), (Bytes::from("one"), Some(ErrorKind::AnsweredEarly)));
    assert!(state.is_dropped());
}

/// A client that sends as fast as it is read gets its turn, and so do others (rule I13).
#[tokio::test]
async fn a_poll_drains_a_bounded_number_of_frames() {
    let per_poll = tidegate::limits::MAX_FRAMES_PER_POLL as usize;
    let (sender, mut bodies) = tokio::sync::mpsc::unbounded_channel();
    let layer = crate::exchange::layer(no_filters(), no_filters(), &Closed::default());
    let service = layer.early_response(drain(1_000_000, 60_000)).layer(service_fn(
        move |request: Request<RequestBody<Source>>| {
            drop(sender.send(request.into_body()));
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("early")))) }
        },
    ));
    let source = Source::new((0..3 * per_poll).map(|_| Step::Data(b"x")));
    let state = source.state();
    let response = service.oneshot(Request::post("/").body(source).unwrap()).await.unwrap();
    assert_eq!(collect(&mut response.into_body()).text(), "early");
    let mut body = bodies.recv().await.unwrap();
    let mut polls = 0;
    let ended = loop {
        let before = state.polls.load(SeqCst);
        let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        assert!(state.polls.load(SeqCst) - before <= per_poll);
        match frame {
            Poll::Pending => polls += 1,
            Poll::Ready(frame) => break frame,
        }
    };
    assert_eq!(polls, 3);
    assert_eq!(ended.unwrap().unwrap_err().kind(), ErrorKind::AnsweredEarly);
}

#[tokio::test(start_paused = true)]
async fn drain_ends_when_its_time_is_over() {
    let before = tokio::time::Instant::now();
    let steps = [Step::Data(b"one"), Step::Gate];
    let (read, state) = answered(drain(100, 250), steps, &Closed::default()).await;
    assert_eq!(read.await.unwrap(), (Bytes::from("one"), Some(ErrorKind::AnsweredEarly)));
    assert!(state.is_dropped());
    assert_eq!(before.elapsed(), Duration::from_millis(250));
}

#[tokio::test]
async fn a_body_that_the_service_dropped_is_not_drained() {
    let told = Closed::default();
    let layer = crate::exchange::layer(no_filters(), no_filters(), &told);
    let mut service = layer.early_response(drain(100, 60_000)).layer(service_fn(
        |request: Request<RequestBody<Source>>| async {
            drop(request);
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("early"))))
        },
    ));
    let source = Source::new([Step::Data(b"never read")]);
    let state = source.state();
    let request = Request::post("/").body(source).unwrap();
    let response = service.ready().await.unwrap().call(request).await.unwrap();
    assert!(state.is_dropped());
    assert_eq!(collect(&mut response.into_body()).text(), "early");
    assert_eq!(told.all(), ["request cancelled", "response complete"]);
}

/// A server of hyper with the layer before a handler that answers at once and reads on.
fn serve(early: EarlyResponse) -> (DuplexStream, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let plan = ExchangePlan::builder().build().unwrap();
    let layer = ExchangeLayer::of_plan(HttpEdge::HYPER, &plan).unwrap().early_response(early);
    let service = layer.layer(service_fn(move |request: Request<RequestBody<Incoming>>| {
        let sender = sender.clone();
        tokio::spawn(async move {
            let read = match request.into_body().collect().await {
                Ok(all) => String::from_utf8(all.to_bytes().to_vec()).unwrap(),
                Err(error) => format!("{:?}", error.kind()),
            };
            drop(sender.send(read));
        });
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("early")))) }
    }));
    let (client, server) = duplex(64 * 1024);
    tokio::spawn(async move {
        let mut http1 = hyper::server::conn::http1::Builder::new();
        let service = TowerToHyperService::new(service);
        http1.auto_date_header(false).serve_connection(TokioIo::new(server), service).await
    });
    (client, receiver)
}

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly";

/// Sends half an upload, reads the answer, sends the rest and another request; what comes then.
async fn upload(client: &mut DuplexStream) -> String {
    client.write_all(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\n01234").await.unwrap();
    let mut answer = [0; ANSWER.len()];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(std::str::from_utf8(&answer).unwrap(), ANSWER);
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    // The connection may be closed by now.
    let _ = client.write_all(b"56789").await;
    let _ = client.write_all(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let mut rest = String::new();
    let _ = client.read_to_string(&mut rest).await;
    rest
}

#[tokio::test]
async fn h31_http1_forward_gives_the_handler_all_and_keeps_the_connection() {
    let (mut client, mut read) = serve(EarlyResponse::Forward);
    let rest = upload(&mut client).await;
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
    assert_eq!(read.recv().await.unwrap(), "0123456789");
}

#[tokio::test]
async fn h31_http1_drain_gives_the_handler_an_error_and_keeps_the_connection() {
    let (mut client, mut read) = serve(drain(1000, 60_000));
    let rest = upload(&mut client).await;
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
    assert_eq!(read.recv().await.unwrap(), "AnsweredEarly");
}

#[tokio::test]
async fn h31_http1_stop_gives_the_handler_an_error_and_hyper_closes() {
    let (mut client, mut read) = serve(EarlyResponse::Stop);
    let rest = upload(&mut client).await;
    assert_eq!(rest, "", "the upload is not taken for a request");
    assert_eq!(read.recv().await.unwrap(), "AnsweredEarly");
}
