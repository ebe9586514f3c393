//! The client before who is measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::header::{HOST, TE, TRAILER};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::body::{self, END, Sent};
use crate::load::{AT_ONCE, Load};
use crate::origin::{ASKED, SENT, START, reason};
use crate::protocol::Protocol;

/// Large bodies are read and written without waiting for a window of the client or the origin.
pub(crate) const WINDOW_BYTES: u32 = 16 << 20;

/// Longest time for one exchange: then the run has failed.
const LONGEST: Duration = Duration::from_secs(60);

/// A connection. Exchanges at once share one of HTTP/2, and have one each of HTTP/1.1.
enum Connection {
    Http1(http1::SendRequest<Sent>),
    Http2(http2::SendRequest<Sent>),
}

/// The connections of a load.
pub(crate) struct Client {
    load: Load,
    connections: Vec<Connection>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, protocol: Protocol, load: Load) -> Self {
        let at_once = match load {
            Load::Upload | Load::Download => 1,
            Load::Small => AT_ONCE,
        };
        let mut connections = Vec::new();
        for _ in 0..at_once {
            let connection = match (protocol, connections.last()) {
                (Protocol::Http2, Some(Connection::Http2(shared))) => {
                    Connection::Http2(shared.clone())
                }
                _ => Connection::new(address, protocol).await,
            };
            connections.push(connection);
        }
        Self { load, connections }
    }

    /// `count` exchanges. Returns how long each took, in no order.
    pub(crate) async fn run(&mut self, count: usize) -> Vec<Duration> {
        let (load, at_once) = (self.load, self.connections.len());
        let mut tasks = JoinSet::new();
        for (n, mut connection) in self.connections.drain(..).enumerate() {
            tasks.spawn(async move {
                let mut took = Vec::new();
                for exchange in (n..count).step_by(at_once) {
                    let start = Instant::now();
                    let exchanged = connection.exchange(load, exchange as u64);
                    let done = tokio::time::timeout(LONGEST, exchanged).await;
                    match done {
                        Ok(Ok(())) => took.push(start.elapsed()),
                        Ok(Err(what)) => panic!("exchange {exchange} of {load:?}: {what}"),
                        Err(_) => panic!("exchange {exchange} of {load:?} took over {LONGEST:?}"),
                    }
                }
                (connection, took)
            });
        }
        let mut all = Vec::with_capacity(count);
        while let Some(ended) = tasks.join_next().await {
            let (connection, took) = ended.expect("every exchange is as it should be");
            self.connections.push(connection);
            all.extend(took);
        }
        all
    }
}

impl Connection {
    async fn new(address: SocketAddr, protocol: Protocol) -> Self {
        let socket = TcpStream::connect(address).await.expect("somebody listens");
        socket.set_nodelay(true).expect("a socket");
        let io = TokioIo::new(socket);
        match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await.expect("HTTP/1.1");
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Protocol::Http2 => {
                let mut client = http2::Builder::new(TokioExecutor::new());
                client
                    .initial_stream_window_size(WINDOW_BYTES)
                    .initial_connection_window_size(WINDOW_BYTES)
                    .initial_max_send_streams(1000);
                let (sender, connection) = client.handshake(io).await.expect("HTTP/2");
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        }
    }

    /// One request and its response, both checked to the last byte and the trailers.
    async fn exchange(&mut self, load: Load, number: u64) -> Result<(), String> {
        let (up, down) = load.lengths();
        // A place of its own for each: bodies that are mixed up show.
        let start = number * 7919;
        let request = Request::post("http://origin/")
            .header(TE, "trailers")
            .header(TRAILER, END)
            .header(START, start)
            .header(SENT, up)
            .header(ASKED, down)
            .body(Sent::new(start, up))
            .expect("a request");
        let response = self.send(request).await.map_err(|error| error.to_string())?;
        if response.status() != StatusCode::OK {
            return Err(reason(response).await);
        }
        body::check(response.into_body(), start, down).await
    }

    async fn send(&mut self, mut request: Request<Sent>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                let headers = request.headers_mut();
                headers.insert(HOST, "origin".parse().expect("a value"));
                *request.uri_mut() = "/".parse().expect("a path");
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                *request.version_mut() = Version::HTTP_2;
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}
