//! The server behind Envoy: does for each request what its test has asked for, and remembers what
//! came.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::pattern::Content;
use super::received::{Reads, Received};
use super::sending::{SUM, Sending, SendingBody};

/// The field that names the case.
pub(crate) const CASE: HeaderName = HeaderName::from_static("x-case");

const STREAM_WINDOW_BYTES: u32 = 1 << 20;

/// When the origin answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Answers {
    /// When the request has ended.
    #[default]
    AtTheEnd,
    /// At once; the request is read beside that.
    AtOnce,
}

/// What the origin does with one request.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) reads: Reads,
    /// Against what a long request is checked.
    pub(crate) expects: Option<Content>,
    pub(crate) answers: Answers,
    pub(crate) delay: Duration,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Option<Sending>,
}

impl Default for Plan {
    /// Reads all, answers 200 with no body.
    fn default() -> Self {
        Self {
            reads: Reads::All,
            expects: None,
            answers: Answers::AtTheEnd,
            delay: Duration::ZERO,
            status: 200,
            headers: Vec::new(),
            body: None,
        }
    }
}

impl Plan {
    pub(crate) fn sends(body: Sending) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn expects(self, content: Content) -> Self {
        Self { expects: Some(content), ..self }
    }

    pub(crate) fn reads(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }

    pub(crate) fn answers(self, answers: Answers) -> Self {
        Self { answers, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn response(&self) -> Response<SendingBody> {
        let body = self.body.clone();
        let trailers = body.as_ref().is_some_and(Sending::has_trailers);
        let mut response = Response::new(body.map_or_else(SendingBody::none, Sending::body));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        if trailers {
            response.headers_mut().append(header::TRAILER, HeaderValue::from_name(SUM));
            response.headers_mut().append(header::TRAILER, HeaderValue::from_static("x-more"));
        }
        for (name, value) in &self.headers {
            let value = HeaderValue::from_static(value);
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
        response
    }
}

/// The request that came.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) head: request::Parts,
    pub(crate) body: Received,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }
}

/// What is known of one case.
struct Case {
    plan: Plan,
    /// Whether the request has come.
    came: bool,
    /// Whether its end has.
    ended: bool,
    /// Takes what came of it.
    seen: Option<oneshot::Sender<Seen>>,
}

/// The origin.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    cases: Arc<Mutex<HashMap<u64, Case>>>,
}

impl Origin {
    /// Listens, and serves on this runtime.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("a socket");
        let origin = Self { address, cases: Arc::default() };
        let server = origin.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                socket.set_nodelay(true).expect("a socket option");
                let origin = server.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| origin.clone().serve(request));
                    let mut builder = auto::Builder::new(TokioExecutor::new());
                    // A stream that is not read is not to stop the others of its connection.
                    builder
                        .http2()
                        .initial_stream_window_size(STREAM_WINDOW_BYTES)
                        .initial_connection_window_size(64 * STREAM_WINDOW_BYTES);
                    // What goes wrong here is seen in the bodies.
                    let _ = builder.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        origin
    }

    /// Says what to do with the request of `case`. The receiver gets what came when the request has
    /// ended, in whichever way.
    pub(crate) fn expect(&self, case: u64, plan: Plan) -> oneshot::Receiver<Seen> {
        let (seen, receiver) = oneshot::channel();
        let case_of = Case { plan, came: false, ended: false, seen: Some(seen) };
        self.cases.lock().expect("no panic").insert(case, case_of);
        receiver
    }

    /// Whether the request of `case` has come. Forgets the case.
    pub(crate) fn forget(&self, case: u64) -> bool {
        self.cases.lock().expect("no panic").remove(&case).is_some_and(|case| case.came)
    }

    /// Whether the request of `case` has come by now.
    pub(crate) fn has_come(&self, case: u64) -> bool {
        self.cases.lock().expect("no panic").get(&case).is_some_and(|case| case.came)
    }

    /// Whether the request of `case` has ended by now.
    pub(crate) fn has_ended(&self, case: u64) -> bool {
        self.cases.lock().expect("no panic").get(&case).is_some_and(|case| case.ended)
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<SendingBody>, Infallible> {
        let (head, body) = request.into_parts();
        let number = head.headers.get(CASE).and_then(|case| case.to_str().ok()?.parse().ok());
        let taken = number.and_then(|number| {
            let mut cases = self.cases.lock().expect("no panic");
            let case: &mut Case = cases.get_mut(&number)?;
            case.came = true;
            Some((number, case.plan.clone(), case.seen.take()?))
        });
        let Some((number, plan, seen)) = taken else {
            let mut response = Response::new(Sending::text("no such case").body());
            *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
            return Ok(response);
        };
        let (reads, expects) = (plan.reads, plan.expects);
        let cases = Arc::clone(&self.cases);
        // A task of its own: hyper drops this future when the connection is lost.
        let reading = tokio::spawn(async move {
            let body = Received::read(body, reads, expects).await;
            if let Some(case) = cases.lock().expect("no panic").get_mut(&number) {
                case.ended = true;
            }
            // Nobody waits for it if its test has failed.
            let _ = seen.send(Seen { head, body });
        });
        match plan.answers {
            Answers::AtTheEnd => reading.await.expect("no panic"),
            Answers::AtOnce => {}
        }
        tokio::time::sleep(plan.delay).await;
        Ok(plan.response())
    }
}
