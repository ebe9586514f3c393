use std::error::Error as StdError;

use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use tokio::net::{TcpListener, TcpStream};

use super::accept::accept;
use super::departure::Departure;
use super::transport::keep_memory;
use super::{DirectBody, ServeSettings, Served};
use crate::http2::Connection;

/// Serves as [`serve`](super::serve()) does, with HTTP/2 of the crate's own in the place of hyper
/// and h2.
///
/// What it is for: DATA is handed on as slices of what was read, segments of replies are written as
/// they are, and a stream is no task. So nothing of a body is copied but pieces below
/// [`MIN_SLICED_BYTES`](crate::limits::MIN_SLICED_BYTES), and what is read and not taken. The
/// price: it is code that reads what strangers send, and fewer have tested it. It is checked by the
/// same tests as hyper is, by a suite for the rules of RFC 9113 and by fuzzing; who does not need
/// it leaves the feature `ext-proc-direct` out.
///
/// What it does not have: server push, priorities, extended CONNECT, and compression of the fields
/// that it writes.
///
/// A client that breaks the rules gets GOAWAY with the reason in words, and its connection ends.
/// One that has said nothing for [`keep_alive`](ServeSettings::keep_alive) while it has streams is
/// asked whether it is there.
///
/// # Panics
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn serve_direct<S, R>(
    listener: TcpListener,
    service: S,
    settings: ServeSettings,
    shutdown: impl Future<Output = ()>,
) -> Served
where
    S: Service<Request<DirectBody>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    keep_memory();
    let departure = Departure::new();
    let http2 = settings.direct();
    let connect = |stream: TcpStream| {
        let leave = Departure::wait(&departure);
        Connection::new(stream.into_split(), service.clone(), &http2, leave)
    };
    let accepted = accept(listener, &settings, shutdown, connect).await;
    accepted.drain(settings.drain, async { departure.tell() }).await
}
