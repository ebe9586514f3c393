//! The origin of the demo, and of tests:
//!
//! - `GET /bytes/N`: N pseudo-random bytes, chunked, with a trailer of their SHA-256. `HEAD` too.
//! - `POST /sink[?slow=N]`: reads the body, the first N bytes slowly, and says what it read.
//! - `GET /status/N`: an empty response with this status, and a length for a 304.

use std::{convert::Infallible, future::Future, pin::Pin};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Empty, Full};
use hyper::body::Incoming;
use tower::util::service_fn;

use super::{
    client::Reader,
    pattern::{Pattern, SUM, hex},
};

/// What the origin answers with.
pub(crate) type OriginBody = Either<Pattern, Either<Full<Bytes>, Empty<Bytes>>>;

/// The future of an answer.
type Answer = Pin<Box<dyn Future<Output = Result<Response<OriginBody>, Infallible>> + Send>>;

/// The origin as a service.
pub(crate) fn service() -> impl tower::Service<
    Request<Incoming>,
    Response = Response<OriginBody>,
    Error = Infallible,
    Future = Answer,
> + Clone
+ Send
+ 'static {
    service_fn(|request| -> Answer { Box::pin(async { Ok(answer(request).await) }) })
}

/// Answers one request.
async fn answer(request: Request<Incoming>) -> Response<OriginBody> {
    let path = request.uri().path().to_owned();
    let number = |prefix| path.strip_prefix(prefix).and_then(|rest: &str| rest.parse::<u64>().ok());
    if let Some(bytes) = number("/bytes/") {
        return send(bytes, request.method() == Method::HEAD);
    }
    if let Some(status) = number("/status/") {
        return empty(status);
    }
    if path == "/sink" && request.method() == Method::POST {
        return sink(request).await;
    }
    text(StatusCode::NOT_FOUND, "not found\n".to_owned())
}

/// The answer to `/bytes/N`.
fn send(bytes: u64, head: bool) -> Response<OriginBody> {
    let mut response = if head {
        let mut response = Response::new(Either::Right(Either::Right(Empty::new())));
        response.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
        response
    } else {
        Response::new(Either::Left(Pattern::new(bytes)))
    };
    response.headers_mut().insert(header::TRAILER, HeaderValue::from_name(SUM));
    response
}

/// The answer to `/status/N`.
fn empty(status: u64) -> Response<OriginBody> {
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = Response::new(Either::Right(Either::Right(Empty::new())));
    *response.status_mut() = status.unwrap_or(StatusCode::BAD_REQUEST);
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"v1\""));
    }
    response
}

/// The answer to `/sink`: what was read, one `name: value` to a line.
async fn sink(request: Request<Incoming>) -> Response<OriginBody> {
    let query = request.uri().query().unwrap_or_default();
    let slow = query.strip_prefix("slow=").and_then(|n| n.parse().ok()).unwrap_or(0);
    let expect = request.headers().get(header::EXPECT).is_some();
    let mut reader = Reader::new(slow);
    let mut body = request.into_body();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return text(StatusCode::BAD_REQUEST, format!("error: {error}\n")),
        };
        match frame.into_data() {
            Ok(data) => reader.read(&data).await,
            Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
        }
    }
    let (bytes, sum) = reader.finish();
    let sum = hex(&sum);
    let mut said = format!("bytes: {bytes}\nsha256: {sum}\nexpect: {expect}\n");
    said.push_str(&lines(trailers.as_ref()));
    text(StatusCode::OK, said)
}

/// Trailers, one to a line.
fn lines(trailers: Option<&HeaderMap>) -> String {
    let Some(trailers) = trailers else { return "trailers: none\n".to_owned() };
    let line = |(name, value): (&header::HeaderName, &HeaderValue)| {
        format!("trailer {name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    trailers.iter().map(line).collect()
}

/// A text response.
fn text(status: StatusCode, text: String) -> Response<OriginBody> {
    let mut response = Response::new(Either::Right(Either::Left(Full::from(text))));
    *response.status_mut() = status;
    response
}
