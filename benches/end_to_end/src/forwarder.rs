//! A plain forwarding proxy on hyper: bodies go on as they come, heads too. As short as it can be
//! written: no filters, no timeouts, none of the rules for proxies.

use std::net::SocketAddr;

use http::{Request, Response, StatusCode, Uri, Version, uri};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

type Pool = Client<HttpConnector, Incoming>;

/// Forwards everything to `origin`, in the protocol of the client.
pub(crate) async fn serve(listener: TcpListener, origin: SocketAddr) {
    let pool = |http2| {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        client.http2_only(http2).build::<_, Incoming>(connector)
    };
    let (http1, http2) = (pool(false), pool(true));
    while let Ok((socket, _)) = listener.accept().await {
        socket.set_nodelay(true).expect("a socket");
        let (http1, http2) = (http1.clone(), http2.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let is_http2 = request.version() == Version::HTTP_2;
                let pool = if is_http2 { http2.clone() } else { http1.clone() };
                forward(pool, request, origin)
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn forward(
    pool: Pool,
    mut request: Request<Incoming>,
    origin: SocketAddr,
) -> Result<Response<Either<Incoming, Empty<Bytes>>>, uri::InvalidUriParts> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(uri::Scheme::HTTP);
    parts.authority = origin.to_string().parse().ok();
    parts.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(parts)?;
    match pool.request(request).await {
        Ok(response) => Ok(response.map(Either::Left)),
        Err(error) => {
            eprintln!("hyper: {error:?}");
            let mut response = Response::new(Either::Right(Empty::new()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            Ok(response)
        }
    }
}
