//! The origin: it reads a request, checks every byte of it, and answers as the request says.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::figures::Figures;
use crate::pattern::{self, Check};

/// The fields of a request: how its body begins and how long it is, the same of the response, and
/// behind how many bytes the response is cut off.
pub(crate) const UP: [&str; 2] = ["x-up-first", "x-up-bytes"];
pub(crate) const DOWN: [&str; 2] = ["x-down-first", "x-down-bytes"];
pub(crate) const CUT: &str = "x-cut";

/// A body that is known, with a trailer, or cut off.
#[derive(Debug)]
pub(crate) struct Patterned {
    first: usize,
    at: usize,
    bytes: usize,
    piece_bytes: usize,
    cut: Option<usize>,
    trailers: Option<HeaderMap>,
}

impl Patterned {
    pub(crate) fn new(first: usize, bytes: usize, piece_bytes: usize, cut: Option<usize>) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from(bytes));
        let trailers = Some(trailers);
        Self { first, at: 0, bytes, piece_bytes, cut, trailers }
    }
}

impl Body for Patterned {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.cut.is_some_and(|cut| self.at >= cut) {
            return Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())));
        }
        if self.at < self.bytes {
            let most = self.piece_bytes.min(self.bytes - self.at);
            let piece = pattern::piece(self.first, self.at, most);
            self.at += piece.len();
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// The number in a field.
pub(crate) fn number(fields: &HeaderMap, name: &str) -> Option<usize> {
    fields.get(name)?.to_str().ok()?.parse().ok()
}

/// Answers one request.
pub(crate) async fn answer(
    request: Request<Incoming>,
    figures: Arc<Figures>,
) -> Result<Response<Patterned>, Infallible> {
    let (parts, mut body) = request.into_parts();
    let field = |name| number(&parts.headers, name).unwrap_or(0);
    let mut check = Check::new(field(UP[0]));
    loop {
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    check.take(data);
                }
            }
            // Cut off: nobody waits for the answer.
            Some(Err(_)) => return Ok(status(StatusCode::BAD_REQUEST)),
            None => break,
        }
    }
    if !check.is_right || check.came != field(UP[1]) {
        let expected = field(UP[1]);
        figures.problem(format!("a request that looks whole: {check:?} of {expected} bytes"));
    }
    let (first, bytes) = (field(DOWN[0]), field(DOWN[1]));
    let cut = number(&parts.headers, CUT);
    // Not byte by byte: h2 takes many thousand tiny frames for a flood, and ends the connection,
    // with all other exchanges on it.
    let mut response = Response::new(Patterned::new(first, bytes, 64 + first * 97, cut));
    response.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
    Ok(response)
}

fn status(status: StatusCode) -> Response<Patterned> {
    let mut response = Response::new(Patterned::new(0, 0, 1, None));
    *response.status_mut() = status;
    response
}
