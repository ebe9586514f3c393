//! The service without a server of its own: through tower, with bodies of `Bytes`, and polled by
//! hand.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode};
use tidegate::ext_proc::server::{PROCESS_PATH, ProcessBody};
use tidegate::{Capability, Declaration, Filter, Interest, ResumeHandle, Verdict, View};
use tower::{Service, ServiceExt, service_fn};

use crate::answers::line;
use crate::counting::allocations;
use crate::messages::{
    Frames, ProcessingRequest, ProcessingResponse, message_frame, protocol_config, request_body,
    request_headers,
};
use crate::on_hyper::peer::{Peer, grpc};
use crate::stage::{Capitals, POST, processor};

/// What is there of a request: given out, then nothing more comes.
#[derive(Debug, Default)]
struct Script(VecDeque<Bytes>);

impl Body for Script {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

fn head() -> ProcessingRequest {
    let number = BodyMode::FullDuplexStreamed.number();
    request_headers(&POST, false).first(protocol_config(number, number))
}

/// The next frame, without a runtime.
fn next<B: Body<Error: std::fmt::Debug> + Unpin>(body: &mut B) -> Option<B::Data> {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(body).poll_frame(&mut cx) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        Poll::Ready(Some(Err(error))) => panic!("{error:?}"),
        Poll::Ready(None) | Poll::Pending => None,
    }
}

fn open(script: Script) -> ProcessBody<Script> {
    open_in(DirectionMode::full_duplex(), script)
}

fn open_in(mode: DirectionMode, script: Script) -> ProcessBody<Script> {
    let mut service = processor(mode, ExchangePlan::builder());
    let call = service.call(grpc(PROCESS_PATH).body(script).unwrap());
    call.into_inner().unwrap().into_body()
}

#[test]
fn i11_a_chunk_is_passed_without_an_allocation_and_without_a_copy() {
    const PIECES: usize = 256;
    const WARM: usize = 16;
    let piece = Bytes::from(vec![b'x'; 16 * 1024]);
    // Cut where DATA frames would: each message has its prefix in the frame of the one before.
    let message = message_frame(&request_body(piece, false));
    let stream: Bytes = [&message_frame(&head())[..], &message.repeat(PIECES)].concat().into();
    let frames = (0..stream.len()).step_by(16 * 1024);
    let memory = stream.as_ptr_range();
    let script = frames.map(|at| stream.slice(at..stream.len().min(at + 16 * 1024))).collect();
    let mut body = open(Script(script));
    let mut passed_bytes = 0;
    let mut take = |body: &mut ProcessBody<Script>| {
        let Some(mut frame) = next(body) else { return false };
        while frame.has_remaining() {
            let chunk = frame.chunk();
            if memory.contains(&chunk.as_ptr()) {
                passed_bytes += chunk.len();
            } else {
                assert!(chunk.len() < 64, "{} bytes that are not the client's", chunk.len());
            }
            frame.advance(chunk.len());
        }
        true
    };
    for _ in 0..WARM {
        assert!(take(&mut body));
    }
    let mut more = 0;
    let allocated = allocations(|| {
        while take(&mut body) {
            more += 1;
        }
    });
    // Pieces of messages that are cut are answered together, up to four of them.
    assert!(more > 32, "{more} frames");
    assert_eq!(allocated, 0, "in {more} frames");
    assert_eq!(passed_bytes, PIECES * 16 * 1024);
}

/// The frames of a stream whose messages are all there, and the answers in them.
fn answered(mode: DirectionMode, messages: &[ProcessingRequest]) -> (Vec<usize>, Vec<String>) {
    let stream: Vec<u8> = messages.iter().flat_map(message_frame).collect();
    let mut body = open_in(mode, Script([Bytes::from(stream)].into()));
    let (mut sizes, mut bytes) = (Vec::new(), Vec::new());
    while let Some(mut frame) = next(&mut body) {
        sizes.push(frame.remaining());
        bytes.extend_from_slice(&frame.copy_to_bytes(frame.remaining()));
    }
    let answers: Vec<ProcessingResponse> = Frames::all(&bytes);
    (sizes, answers.iter().map(line).collect())
}

#[test]
fn short_answers_that_are_ready_together_share_a_frame() {
    let mut messages = vec![request_headers(&POST, false)];
    messages.resize_with(21, || request_body("abc", false));
    let (sizes, lines) = answered(DirectionMode::streamed(), &messages);
    assert_eq!(lines[0], "request head");
    assert_eq!(lines[1..], vec!["request body as it is"; 20]);
    // Nine bytes each; what has more than 32 takes no more.
    assert_eq!(sizes, [36, 36, 36, 36, 36, 9]);
}

#[test]
fn an_answer_without_a_body_goes_before_one_that_has_one() {
    let messages = [head(), request_body("abc", false), request_body("def", true)];
    let (sizes, lines) = answered(DirectionMode::full_duplex(), &messages);
    assert_eq!(lines, ["request head", "request body + abcdef, end"]);
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[test]
fn pieces_of_bytes_are_those_of_the_client() {
    let piece = Bytes::from(vec![b'x'; 16 * 1024]);
    let frame = message_frame(&request_body(piece, false));
    let memory = frame.as_ptr_range();
    let script = Script([message_frame(&head()), frame.clone()].into());
    let processor = processor(DirectionMode::full_duplex(), ExchangePlan::builder());
    let call = processor.bytes().call(grpc(PROCESS_PATH).body(script).unwrap());
    let mut body = call.into_inner().unwrap().into_body();
    let mut frames = Frames::default();
    let mut shared_bytes = 0;
    while let Some(bytes) = next(&mut body) {
        if memory.contains(&bytes.as_ptr()) {
            shared_bytes += bytes.len();
        }
        frames.push(&bytes);
    }
    assert_eq!(shared_bytes, 16 * 1024, "none was copied");
    let answers: Vec<ProcessingResponse> = std::iter::from_fn(|| frames.next()).collect();
    let lines: Vec<String> = answers.iter().map(line).collect();
    assert_eq!(lines, ["request head", "request body + 16384 bytes"]);
}

type AnyBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::test]
async fn it_is_mounted_beside_another_service_through_tower() {
    let filters = ExchangePlan::builder().pair("capitals", || (Capitals, Capitals));
    let mounted = processor(DirectionMode::full_duplex(), filters).bytes();
    let router = service_fn(move |request: Request<Incoming>| {
        let mounted = mounted.clone();
        async move {
            if request.uri().path() != PROCESS_PATH {
                let body: AnyBody = Full::from("another").map_err(Into::into).boxed_unsync();
                return Ok::<_, Infallible>(Response::new(body));
            }
            let response = mounted.oneshot(request).await?;
            Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
        }
    });
    let (near, far) = tokio::io::duplex(64 * 1024);
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    tokio::spawn(server.serve_connection(TokioIo::new(far), TowerToHyperService::new(router)));
    let mut peer = Peer::over(near, |_| {}).await;
    let other = peer.request(grpc("/other").body(crate::on_hyper::peer::full("")).unwrap()).await;
    assert_eq!(other.into_body().collect().await.unwrap().to_bytes(), "another");
    let mut call = peer.open().await;
    call.send(head()).await;
    assert_eq!(line(&call.answer().await), "request head");
    call.send(request_body("abc", true)).await;
    assert_eq!(line(&call.answer().await), "request body + ABC, end");
}

/// What is there of a request, and then a reset.
struct Reset(Script);

impl Body for Reset {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match Pin::new(&mut self.0).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(frame))),
            _ => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
        }
    }
}

/// Keeps the head, with a handle so that it could go on.
struct KeepsHead(Option<ResumeHandle>);

impl Filter<http::request::Parts> for KeepsHead {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD).require(Capability::HoldHead)
    }

    fn head(&mut self, view: &mut View<'_, http::request::Parts>) -> Verdict {
        self.0 = Some(view.resume_handle());
        Verdict::HOLD
    }
}

/// A half-close would leave it to the filter, whose answer somebody still reads.
#[test]
fn a_reset_gives_up_what_a_filter_is_at() {
    let number = BodyMode::FullDuplexStreamed.number();
    let head = request_headers(&POST, true).first(protocol_config(number, number));
    let filters = ExchangePlan::builder().request("keeps", || KeepsHead(None));
    let mut service = processor(DirectionMode::full_duplex(), filters);
    let request = Reset(Script([message_frame(&head)].into()));
    let call = service.call(grpc(PROCESS_PATH).body(request).unwrap());
    let mut body = call.into_inner().unwrap().into_body();
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else {
        panic!("it waits for a filter that nobody waits for");
    };
    let code = frame.into_trailers().ok().and_then(|it| it.get("grpc-status").cloned());
    assert_eq!(code.unwrap(), "1", "CANCELLED");
}

#[tokio::test]
async fn a_stream_that_is_dropped_unpolled_is_no_longer_live() {
    let mut service = processor(DirectionMode::full_duplex(), ExchangePlan::builder());
    poll_fn(|cx| Service::<Request<Script>>::poll_ready(&mut service, cx)).await.unwrap();
    let response = service.call(grpc(PROCESS_PATH).body(Script::default()).unwrap()).await.unwrap();
    assert_eq!(service.drain().live_streams(), 1);
    drop(response);
    assert_eq!(service.drain().live_streams(), 0);
}
