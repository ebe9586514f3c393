//! The client before Envoy, and the origin behind it.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// As much as Envoy puts into a DATA frame.
const CHUNK_BYTES: usize = 16 * 1024;

/// Large bodies go through without waiting for a window.
const WINDOW_BYTES: u32 = 16 << 20;

/// The body of a small request, in bytes.
const SMALL_BYTES: usize = 1024;

/// How many small requests are under way at once.
const AT_ONCE: usize = 32;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An origin that reads every body, and says how long it was; a short one it sends back.
pub(crate) async fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("a port");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).expect("a socket");
            tokio::spawn(async move {
                let mut server = auto::Builder::new(TokioExecutor::new());
                server
                    .http2()
                    .initial_stream_window_size(WINDOW_BYTES)
                    .initial_connection_window_size(WINDOW_BYTES)
                    .max_concurrent_streams(1000);
                // Envoy closes its connections as it likes.
                let _ = server.serve_connection(TokioIo::new(socket), service_fn(answer)).await;
            });
        }
    });
    address
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let mut body = request.into_body();
    let (mut len, mut last) = (0, Bytes::new());
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            len += data.len();
            last = data;
        }
    }
    let echo = if last.len() == len { last } else { Bytes::new() };
    let response = Response::builder().header("x-len", len);
    Ok(response.body(Full::new(echo)).expect("a response"))
}

/// A connection to Envoy.
pub(crate) struct Client {
    sender: SendRequest<Body>,
    chunk: Bytes,
}

impl Client {
    pub(crate) async fn connect(envoy: SocketAddr) -> Self {
        let socket = TcpStream::connect(envoy).await.expect("Envoy listens");
        socket.set_nodelay(true).expect("a socket");
        let mut client = http2::Builder::new(TokioExecutor::new());
        client
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .initial_max_send_streams(1000);
        let (sender, connection) =
            client.handshake(TokioIo::new(socket)).await.expect("Envoy speaks HTTP/2");
        tokio::spawn(connection);
        Self { sender, chunk: Bytes::from(vec![b'x'; CHUNK_BYTES]) }
    }

    /// Sends `count` bodies of `len`, one behind the other. Each has to arrive.
    pub(crate) async fn upload(&mut self, len: usize, count: usize) {
        for _ in 0..count {
            let chunks = std::iter::repeat_n(self.chunk.clone(), len / CHUNK_BYTES);
            let frames = chunks.map(|chunk| Ok(Frame::data(chunk)));
            let body = BodyExt::boxed_unsync(StreamBody::new(tokio_stream::iter(frames)));
            let response = self.send(body).await;
            let came = response.headers().get("x-len").map(|len| len.as_bytes().to_vec());
            assert_eq!(came, Some(len.to_string().into_bytes()), "all of it arrives");
            response.into_body().collect().await.expect("an answer");
        }
    }

    /// Sends `count` small bodies, some at once. Each has to come back.
    pub(crate) async fn echo(&mut self, count: usize) {
        let small = self.chunk.slice(..SMALL_BYTES);
        let mut tasks = JoinSet::new();
        for n in 0..AT_ONCE {
            let mut client = Self { sender: self.sender.clone(), chunk: small.clone() };
            tasks.spawn(async move {
                for _ in 0..count / AT_ONCE + usize::from(n < count % AT_ONCE) {
                    let body = Full::new(client.chunk.clone()).boxed_unsync();
                    let response = client.send(body).await;
                    let echo = response.into_body().collect().await.expect("an answer");
                    assert_eq!(echo.to_bytes(), client.chunk);
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("every request is answered");
        }
    }

    async fn send(&mut self, body: Body) -> Response<Incoming> {
        let request = Request::post("http://origin/").version(Version::HTTP_2);
        let request = request.body(body).expect("a request");
        self.sender.ready().await.expect("a connection");
        let response = self.sender.send_request(request).await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        response
    }
}
