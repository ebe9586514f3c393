//! One request over a connection of its own, and what came back.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use hyper::client::conn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::origin::CASE;
use super::pattern::Content;
use super::received::{End, Reads, Received, text};
use super::sending::{SUM, Sending, SendingBody};

/// Before this a stalled case must have been ended by somebody else.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Http {
    One,
    Two,
}

impl Http {
    pub(crate) const BOTH: [Self; 2] = [Self::One, Self::Two];
}

/// A request, and how its answer is read.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) http: Http,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Sending>,
    pub(crate) reads: Reads,
    /// Against what a long response is checked.
    pub(crate) expects: Option<Content>,
}

impl Call {
    pub(crate) fn get(http: Http) -> Self {
        Self {
            http,
            method: Method::GET,
            path: "/",
            headers: Vec::new(),
            body: None,
            reads: Reads::All,
            expects: None,
        }
    }

    pub(crate) fn post(http: Http, body: Sending) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(http) }
    }

    pub(crate) fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// Envoy is to speak this to the origin. By itself it speaks HTTP/1.1.
    pub(crate) fn via(self, http: Http) -> Self {
        match http {
            Http::One => self,
            Http::Two => self.header("x-origin", "h2"),
        }
    }

    pub(crate) fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn reads(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }

    pub(crate) fn expects(self, content: Content) -> Self {
        Self { expects: Some(content), ..self }
    }

    /// The head, for the case with this number.
    fn request(&self, case: u64) -> Request<SendingBody> {
        let body = self.body.clone();
        let trailers = body.as_ref().is_some_and(Sending::has_trailers);
        let body = body.map_or_else(SendingBody::none, Sending::body);
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        let headers = request.headers_mut();
        headers.insert(CASE, HeaderValue::from(case));
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        if self.http == Http::One {
            headers.insert(header::HOST, HeaderValue::from_static("test"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
        if trailers {
            // hyper sends those that it has announced.
            headers.append(header::TRAILER, HeaderValue::from_name(SUM));
            headers.append(header::TRAILER, HeaderValue::from_static("x-more"));
        }
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(value).expect("a field value");
            headers.append(HeaderName::from_static(name), value);
        }
        let path = format!("{}?case={case}", self.path);
        let uri = match self.http {
            Http::One => path,
            Http::Two => format!("http://test{path}"),
        };
        *request.uri_mut() = uri.parse().expect("a path");
        request
    }

    /// Sends it to `address` and reads the answer. A fault of the connection is part of that.
    pub(crate) async fn send(self, address: SocketAddr, case: u64) -> Answer {
        match tokio::time::timeout(PATIENCE, self.exchange(address, case)).await {
            Ok(answer) => answer,
            Err(_) => Answer::failed(format!("nothing has ended within {PATIENCE:?}")),
        }
    }

    async fn exchange(self, address: SocketAddr, case: u64) -> Answer {
        let socket = match TcpStream::connect(address).await {
            Ok(socket) => socket,
            Err(error) => return Answer::failed(error.to_string()),
        };
        socket.set_nodelay(true).expect("a socket option");
        let io = TokioIo::new(socket);
        let request = self.request(case);
        let response = match self.http {
            Http::One => {
                let (mut sender, connection) = match conn::http1::handshake(io).await {
                    Ok(pair) => pair,
                    Err(error) => return Answer::failed(text(&error)),
                };
                tokio::spawn(connection);
                sender.send_request(request).await
            }
            Http::Two => {
                let built = conn::http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .handshake(io)
                    .await;
                let (mut sender, connection) = match built {
                    Ok(pair) => pair,
                    Err(error) => return Answer::failed(text(&error)),
                };
                tokio::spawn(connection);
                sender.send_request(request).await
            }
        };
        match response {
            Err(error) => Answer::failed(text(&error)),
            Ok(response) => {
                let (head, body) = response.into_parts();
                let body = Received::read(body, self.reads, self.expects).await;
                Answer { head: Ok((head.status, head.headers)), body: Some(body) }
            }
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Or why there is none.
    head: Result<(StatusCode, HeaderMap), String>,
    body: Option<Received>,
}

impl Answer {
    fn failed(why: String) -> Self {
        Self { head: Err(why), body: None }
    }

    /// `None` if no head came.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.as_ref().ok().map(|(status, _)| status.as_u16())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, headers) = self.head.as_ref().ok()?;
        headers.get(name)?.to_str().ok()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.as_ref().expect("a response").1
    }

    pub(crate) fn body(&self) -> &Received {
        match &self.body {
            Some(body) => body,
            None => panic!("no response: {:?}", self.head),
        }
    }

    /// How much of the body came, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.body.as_ref().map_or(0, |body| body.bytes)
    }

    /// Whether the response broke off, before its head or behind it.
    pub(crate) fn broke_off(&self) -> bool {
        self.body.as_ref().is_none_or(|body| matches!(body.end, End::Failed(_)))
    }
}
