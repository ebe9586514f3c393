//! An external processor by hand: what a server made with the crate cannot write.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::messages::{Frames, ProcessingRequest, ProcessingResponse, message_frame};
use super::transcript::{Transcripts, case_of};

/// What a raw processor does with one stream, and the gRPC status with which it ends it.
pub(crate) type Script = fn(Wire) -> Pin<Box<dyn Future<Output = u16> + Send>>;

/// A processor of the harness: the name of its cluster, and what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawProcessor {
    pub(crate) name: &'static str,
    pub(crate) script: Script,
}

/// One gRPC stream.
pub(crate) struct Wire {
    body: Incoming,
    frames: Frames,
    replies: UnboundedSender<Frame<Bytes>>,
    transcripts: Transcripts,
    /// Known from the head of the request.
    case: Option<u64>,
}

impl Wire {
    /// The next message; `None` when there will be none, whatever the reason.
    pub(crate) async fn next(&mut self) -> Option<ProcessingRequest> {
        loop {
            if let Some(message) = self.frames.next::<ProcessingRequest>() {
                self.case = self.case.or_else(|| case_of(&message));
                if let Some(case) = self.case {
                    self.transcripts.requested(case, message.clone());
                }
                return Some(message);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.frames.push(&data);
                    }
                }
                other => {
                    if let Some(case) = self.case {
                        let how = if other.is_some() { "reset" } else { "half-closed" };
                        self.transcripts.happened(case, how);
                    }
                    return None;
                }
            }
        }
    }

    /// The number of its case, once a head has named it.
    pub(crate) fn case(&self) -> Option<u64> {
        self.case
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: ProcessingResponse) {
        // The stream may have gone.
        let _ = self.replies.send(Frame::data(message_frame(&message)));
        if let Some(case) = self.case {
            self.transcripts.replied(case, message);
        }
    }
}

/// Listens, and serves `processors` on this runtime, each to the cluster of its name.
pub(crate) async fn start(processors: Vec<RawProcessor>, transcripts: Transcripts) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("a socket");
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            socket.set_nodelay(true).expect("a socket option");
            let (processors, transcripts) = (processors.clone(), transcripts.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                // Envoy's `:authority` is the name of the cluster.
                let name = request.uri().host().unwrap_or_default();
                let processor = processors.iter().find(|processor| processor.name == name);
                let Some(processor) = processor.copied() else { panic!("no processor {name:?}") };
                let transcripts = transcripts.clone();
                async move { Ok::<_, Infallible>(serve(processor.script, request, transcripts)) }
            });
            let builder = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                // The end of a connection is Envoy's business.
                let _ = builder.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

fn serve(
    script: Script,
    request: Request<Incoming>,
    transcripts: Transcripts,
) -> Response<Replies> {
    let (replies, receiver) = unbounded_channel();
    let wire = Wire {
        body: request.into_body(),
        frames: Frames::default(),
        replies: replies.clone(),
        transcripts,
        case: None,
    };
    tokio::spawn(async move {
        let status = script(wire).await;
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from(status));
        let _ = replies.send(Frame::trailers(trailers));
    });
    let mut response = Response::new(Replies(receiver));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    response
}

/// What a raw processor answers.
#[derive(Debug)]
struct Replies(UnboundedReceiver<Frame<Bytes>>);

impl Body for Replies {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}
