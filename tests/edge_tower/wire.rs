//! hyper on both ends, in memory: what is really on the wire.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request, response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tidegate::body::{ExchangeLayer, RequestBody};
use tidegate::{Declaration, Plan, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tower::{Layer, service_fn};

use crate::needs::adds;
use crate::support::{Call, Closed, PlanExt, Source, Step, no_filters};

/// What a server with the layer answers to raw bytes, on one connection that is then closed.
async fn raw(
    input: &str,
    request: Plan<request::Parts>,
    response: Plan<response::Parts>,
    answer: fn() -> Response<Source>,
) -> String {
    raw_through(ExchangeLayer::new(request, response).unwrap(), input, answer).await
}

async fn raw_through(
    layer: ExchangeLayer,
    input: &str,
    answer: fn() -> Response<Source>,
) -> String {
    let service =
        layer.layer(service_fn(move |request: Request<RequestBody<Incoming>>| async move {
            // Read it all, as a handler would.
            let _ = request.into_body().collect().await;
            Ok::<_, Infallible>(answer())
        }));
    let (mut client, server) = duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        let mut http1 = hyper::server::conn::http1::Builder::new();
        let connection =
            http1.auto_date_header(false).serve_connection(TokioIo::new(server), service);
        let _ = connection.await;
    });
    client.write_all(input.as_bytes()).await.unwrap();
    let mut output = String::new();
    client.read_to_string(&mut output).await.unwrap();
    server.await.unwrap();
    output
}

fn body() -> Response<Source> {
    Response::new(Source::of("body").exact(4))
}

#[tokio::test]
async fn h33_http1_trailers_are_announced_and_sent() {
    let request = "GET / HTTP/1.1\r\nconnection: close\r\nte: trailers\r\n\r\n";
    assert_eq!(
        raw(request, no_filters(), adds(true), body).await,
        "HTTP/1.1 200 OK\r\ntrailer: x-digest\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n\
         4\r\nbody\r\n0\r\nx-digest: abc\r\n\r\n"
    );
}

#[tokio::test]
async fn http1_without_te_keeps_its_length() {
    let request = "GET / HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert_eq!(
        raw(request, no_filters(), adds(false), body).await,
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody"
    );
}

#[tokio::test]
async fn http1_required_trailers_without_te_are_refused() {
    let request = "GET / HTTP/1.1\r\nconnection: close\r\n\r\n";
    let answer = raw(request, no_filters(), adds(true), body).await;
    assert!(answer.starts_with("HTTP/1.1 406 Not Acceptable\r\n"), "{answer}");
}

#[tokio::test]
async fn h25_http1_a_response_that_is_cut_does_not_look_complete() {
    let cut = || Response::new(Source::new([Step::Data(b"some"), Step::Yield, Step::Error]));
    let answer =
        raw("GET / HTTP/1.1\r\nconnection: close\r\n\r\n", no_filters(), no_filters(), cut).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn h30_http1_a_body_that_hyper_drops_at_its_length_is_complete() {
    // The source does not tell its end, so hyper never hears of it.
    let told = Closed::default();
    let layer = crate::exchange::layer(no_filters(), no_filters(), &told);
    let unsaid = || Response::new(Source::new([Step::Data(b"body")]).exact(4));
    let answer = raw_through(layer, "GET / HTTP/1.1\r\nconnection: close\r\n\r\n", unsaid).await;
    assert!(answer.ends_with("\r\n\r\nbody"), "{answer}");
    assert_eq!(told.all(), ["request complete", "response complete"]);
}

#[tokio::test]
async fn http1_head_is_answered_as_get_without_its_body() {
    let answer =
        raw("HEAD / HTTP/1.1\r\nconnection: close\r\n\r\n", no_filters(), adds(false), body).await;
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n");
}

#[tokio::test]
async fn http1_an_upload_over_the_limit_is_answered_413() {
    let plan = Plan::builder()
        .probe(
            "limits",
            Declaration::new().marks(tidegate::Marks::new(2, 4).unwrap()),
            &Closed::default(),
            || |call, _| if call == Call::Head { Verdict::PASS } else { Verdict::HOLD.or_reject() },
        )
        .build()
        .unwrap();
    let request = "POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: 10\r\n\r\n0123456789";
    let answer = raw(request, plan, no_filters(), body).await;
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
}

/// Asks a server with the layer over HTTP/2.
async fn http2(
    te: Option<&str>,
    response: Plan<response::Parts>,
    trailers: Option<HeaderMap>,
) -> (response::Parts, Bytes, Option<HeaderMap>) {
    let service = ExchangeLayer::new(no_filters(), response).unwrap().layer(service_fn(
        move |_: Request<RequestBody<Incoming>>| {
            let trailers = trailers.clone().map(Ok);
            async {
                let body = Full::<Bytes>::from("body").with_trailers(std::future::ready(trailers));
                Ok::<_, Infallible>(Response::new(Box::pin(body)))
            }
        },
    ));
    let (client, server) = duplex(64 * 1024);
    tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(server), service)
            .await
    });
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client))
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut request = Request::get("http://test/");
    if let Some(te) = te {
        request = request.header("te", te);
    }
    let request = request.body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    (head, body.to_bytes(), trailers)
}

#[tokio::test]
async fn http2_trailers_are_added_and_passed() {
    let sent = crate::support::check_trailers("passed");
    let (head, data, trailers) = http2(Some("trailers"), adds(true), Some(sent.clone())).await;
    assert_eq!(head.headers["trailer"], "x-digest");
    let trailers = trailers.unwrap();
    assert_eq!(
        (&data[..], &trailers["x-digest"], &trailers["x-check"]),
        (&b"body"[..], &"abc".parse().unwrap(), &"passed".parse().unwrap())
    );
    // A client that does not say so gets what the server sends, and nothing more.
    let (head, _, trailers) = http2(None, adds(false), Some(sent.clone())).await;
    assert!(!head.headers.contains_key("trailer"));
    assert_eq!(trailers.unwrap(), sent);
}

/// A proxy: hyper's HTTP/1 client behind the layer, and an origin that says what it got.
#[tokio::test]
async fn http1_trailers_go_through_a_proxy_both_ways() {
    let (to_origin, origin) = duplex(64 * 1024);
    let origin = tokio::spawn(async move {
        let service = hyper::service::service_fn(|request: Request<Incoming>| async {
            let te = request.headers().get("te").cloned();
            let framing = request.headers().get("transfer-encoding").cloned();
            let body = request.into_body().collect().await.unwrap();
            let mut trailers = body.trailers().cloned().unwrap_or_default();
            trailers.insert("x-origin", "yes".parse().unwrap());
            let trailers = std::future::ready(Some(Ok(trailers)));
            let body = Chunked(Full::new(body.to_bytes())).with_trailers(trailers);
            let mut response = Response::new(body);
            let headers = response.headers_mut();
            headers.insert("trailer", "x-origin, x-digest, x-check".parse().unwrap());
            headers.insert("x-te", te.unwrap());
            headers.insert("x-framing", framing.unwrap());
            Ok::<_, Infallible>(response)
        });
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(origin), service)
            .await
    });
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(to_origin)).await.unwrap();
    tokio::spawn(connection);
    let sender = std::sync::Arc::new(tokio::sync::Mutex::new(sender));
    let proxy = service_fn(move |request: Request<RequestBody<Incoming>>| {
        let sender = std::sync::Arc::clone(&sender);
        async move { sender.lock().await.send_request(request).await }
    });
    let service = ExchangeLayer::new(adds(true), adds(true)).unwrap().layer(proxy);
    let (mut client, server) = duplex(64 * 1024);
    tokio::spawn(async move {
        hyper::server::conn::http1::Builder::new()
            .auto_date_header(false)
            .serve_connection(TokioIo::new(server), TowerToHyperService::new(service))
            .await
    });
    let request = "POST / HTTP/1.1\r\nconnection: close\r\nhost: test\r\n\
                   te: trailers\r\ntrailer: x-check\r\n\
                   transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nx-check: ok\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut output = String::new();
    client.read_to_string(&mut output).await.unwrap();
    let (head, body) = output.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("x-te: trailers") && head.contains("x-framing: chunked"), "{head}");
    let (data, trailers) = body.split_once("\r\n0\r\n").unwrap();
    assert_eq!(data, "4\r\nbody");
    for field in ["x-check: ok", "x-origin: yes", "x-digest: abc"] {
        assert!(trailers.contains(field), "{trailers}");
    }
    origin.abort();
}

/// A body of unknown length: hyper writes a length for a known one, and then no trailers.
struct Chunked(Full<Bytes>);

impl http_body::Body for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }
}
