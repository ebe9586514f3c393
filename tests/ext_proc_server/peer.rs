//! A client of the service: one HTTP/2 connection over a pipe, and calls on it.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tidegate::ext_proc::server::{
    Carrier, ExternalProcessor, PROCESS_PATH, ServeSettings, serve_direct_connection,
};
use tidegate::ext_proc::wire::GrpcCode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::CARRIER;
use crate::messages::{Frames, ProcessingRequest, ProcessingResponse, message_frame};
use crate::queue::{Gone, Pieces, queue};

type RequestBody = BoxBody<Bytes, Gone>;

/// One connection.
pub(crate) struct Peer {
    sender: SendRequest<RequestBody>,
}

/// How much lies in the pipe between the two, in bytes.
pub(crate) const PIPE_BYTES: usize = 64 * 1024;

/// How many messages wait in a call before the connection takes them.
pub(crate) const SENDER_SLOTS: usize = 16;

impl Peer {
    pub(crate) async fn connect(processor: &ExternalProcessor) -> Self {
        Self::connect_with(processor, &ServeSettings::new(), |_| {}).await
    }

    /// The same, with settings of both sides.
    pub(crate) async fn connect_with(
        processor: &ExternalProcessor,
        settings: &ServeSettings,
        client: impl FnOnce(&mut http2::Builder<TokioExecutor>),
    ) -> Self {
        Self::connect_through(PIPE_BYTES, processor, settings, client).await
    }

    /// The same through a pipe of so many bytes.
    pub(crate) async fn connect_through(
        pipe_bytes: usize,
        processor: &ExternalProcessor,
        settings: &ServeSettings,
        client: impl FnOnce(&mut http2::Builder<TokioExecutor>),
    ) -> Self {
        let (near, far) = tokio::io::duplex(pipe_bytes);
        let processor = processor.clone();
        match CARRIER {
            Carrier::Direct => {
                let settings = settings.clone();
                tokio::spawn(async move {
                    serve_direct_connection(far, processor, &settings, pending()).await
                });
            }
            _ => {
                tokio::spawn(settings.http2().serve_connection(TokioIo::new(far), processor));
            }
        }
        Self::over(near, client).await
    }

    /// Over a socket.
    pub(crate) async fn dial(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), |_| {}).await
    }

    pub(crate) async fn over(
        near: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: impl FnOnce(&mut http2::Builder<TokioExecutor>),
    ) -> Self {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        client(&mut builder);
        let (sender, connection) = builder.handshake(TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    /// Opens a stream of the external processor.
    pub(crate) async fn open(&mut self) -> Call {
        self.call(PROCESS_PATH).await
    }

    /// Opens a call of any method.
    pub(crate) async fn call(&mut self, path: &str) -> Call {
        let (requests, body) = queue(SENDER_SLOTS);
        let response = self.request(grpc(path).body(body.boxed()).unwrap()).await;
        Call {
            requests: Some(requests),
            head: response.headers().clone(),
            response: response.into_body(),
            frames: Frames::default(),
            trailers: None,
        }
    }

    pub(crate) async fn request(&mut self, request: Request<RequestBody>) -> Response<Incoming> {
        self.sender.ready().await.unwrap();
        soon(self.sender.send_request(request)).await.unwrap()
    }
}

/// The head of a call.
pub(crate) fn grpc(path: &str) -> http::request::Builder {
    Request::post(format!("http://processor{path}"))
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

/// A body that is known.
pub(crate) fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed()
}

/// One call under way.
pub(crate) struct Call {
    requests: Option<Pieces>,
    pub(crate) head: HeaderMap,
    response: Incoming,
    frames: Frames,
    trailers: Option<HeaderMap>,
}

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a status.
    Status(GrpcCode, String),
    /// Without one.
    Reset,
}

impl Ended {
    pub(crate) fn ok() -> Self {
        Self::Status(GrpcCode::Ok, String::new())
    }

    pub(crate) fn code(&self) -> Option<GrpcCode> {
        match self {
            Self::Status(code, _) => Some(*code),
            Self::Reset => None,
        }
    }
}

impl Call {
    pub(crate) async fn send(&mut self, message: ProcessingRequest) {
        self.send_bytes(message_frame(&message)).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: impl Into<Bytes>) {
        let requests = self.requests.as_ref().expect("the request is open");
        // The server may have ended the call.
        let _ = requests.send(bytes.into()).await;
    }

    /// Half-closes.
    pub(crate) fn close(&mut self) {
        self.requests = None;
    }

    /// Resets the stream.
    pub(crate) fn reset(mut self) {
        if let Some(requests) = self.requests.take() {
            requests.reset();
        }
    }

    /// The next message; `None` when there is none any more, and then there are trailers, or not.
    pub(crate) async fn next<M: prost::Message + Default>(&mut self) -> Option<M> {
        loop {
            if let Some(message) = self.frames.next() {
                return Some(message);
            }
            match soon(self.response.frame()).await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => self.frames.push(&data),
                    Err(other) => self.trailers = other.into_trailers().ok(),
                },
                Err(_) => return None,
            }
        }
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> ProcessingResponse {
        match self.next().await {
            Some(answer) => answer,
            None => panic!("the call ended: {:?}", self.ended().await),
        }
    }

    /// How the call ended, once it has no more messages.
    pub(crate) async fn ended(&mut self) -> Ended {
        if let Some(message) = self.next::<ProcessingResponse>().await {
            panic!("{message:?}");
        }
        assert_eq!(self.frames.rest_bytes(), 0, "the last message is cut");
        self.ended_raw()
    }

    /// The same, where the last message may be cut.
    pub(crate) fn ended_raw(&self) -> Ended {
        let trailers = self.trailers.as_ref().unwrap_or(&self.head);
        let Some(status) = trailers.get("grpc-status") else { return Ended::Reset };
        let number = status.to_str().unwrap().parse().unwrap();
        let code = GrpcCode::from_number(number).expect("a code of gRPC");
        let message = trailers.get("grpc-message").map_or("", |value| value.to_str().unwrap());
        Ended::Status(code, message.to_owned())
    }
}

/// What has to come: a test that waits for ever says less than one that fails. Longer than the
/// stall timeouts of the tests, whose time is paused.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it comes in 30 seconds")
}
