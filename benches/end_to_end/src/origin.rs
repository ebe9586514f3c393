//! The origin: checks what it is sent, and answers what it is asked for.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::TRAILER;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::body::{self, END, Sent};
use crate::client::WINDOW_BYTES;

/// Where the pattern begins, in both bodies of an exchange.
pub(crate) const START: HeaderName = HeaderName::from_static("x-start");
/// How long the request body is.
pub(crate) const SENT: HeaderName = HeaderName::from_static("x-sent");
/// How long the response body has to be.
pub(crate) const ASKED: HeaderName = HeaderName::from_static("x-asked");

/// Serves HTTP/1.1 and HTTP/2.
pub(crate) async fn serve(listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        socket.set_nodelay(true).expect("a socket");
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            server
                .http2()
                .initial_stream_window_size(WINDOW_BYTES)
                .initial_connection_window_size(WINDOW_BYTES)
                .max_concurrent_streams(1000);
            // Contenders close their connections as they like.
            let _ = server.serve_connection(TokioIo::new(socket), service_fn(answer)).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<Either<Sent, Full<Bytes>>>, Infallible> {
    let number = |name| request.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let (start, sent, asked) = (number(START), number(SENT), number(ASKED));
    let (Some(start), Some(sent), Some(asked)) = (start, sent, asked) else {
        return Ok(refused("the request does not say what it is".to_owned()));
    };
    if let Err(what) = body::check(request.into_body(), start, sent).await {
        return Ok(refused(what));
    }
    let response = Response::builder().header(TRAILER, END);
    Ok(response.body(Either::Left(Sent::new(start, asked))).expect("a response"))
}

/// The client takes this for what it is, and ends the run.
fn refused(what: String) -> Response<Either<Sent, Full<Bytes>>> {
    let text = format!("at the origin: {what}");
    let mut response = Response::new(Either::Right(Full::from(text)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// What the origin, or who is before it, says of a failure.
pub(crate) async fn reason(response: Response<Incoming>) -> String {
    let status = response.status();
    let text = response.into_body().collect().await.map(|text| text.to_bytes());
    format!("{status}: {}", String::from_utf8_lossy(&text.unwrap_or_default()))
}
