use std::error::Error as StdError;
use std::io;

use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite, split};

use super::{DirectBody, ServeSettings};
use crate::http2::Connection;

/// Serves one connection as [`serve_direct`](super::serve_direct()) does, for those who accept
/// connections themselves: from a socket of another kind, or behind TLS. It has HTTP/2 with prior
/// knowledge on `transport` until the client goes, or `leave` is ready and the streams under way
/// have ended. How long that may take, and how many connections there are, is up to the caller.
///
/// # Errors
///
/// What `transport` says; [`InvalidData`](io::ErrorKind::InvalidData) where the client breaks the
/// rules, and [`TimedOut`](io::ErrorKind::TimedOut) where it says nothing.
///
/// # Panics
///
/// Outside of a tokio runtime with time.
///
/// # Cancel safety
///
/// Dropping the future cuts the connection off.
pub async fn serve_direct_connection<T, S, R>(
    transport: T,
    service: S,
    settings: &ServeSettings,
    leave: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite,
    S: Service<Request<DirectBody>, Response = Response<R>>,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Body,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let connection = Connection::new(split(transport), service, &settings.direct(), leave);
    connection.await.map_err(io::Error::from)
}
