//! The ext_proc example, which runs the filters of the proxy, in this process: what it serves, what
//! it prints, what it refuses, how it goes. With a real Envoy it is `examples/envoy-demo.sh`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use clap::Parser;
use http::Request;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::ext_proc::{Processor, options::Options, stop};

type Client = http2::SendRequest<BoxBody<Bytes, Infallible>>;

fn options(args: &[&str]) -> Options {
    Options::parse_from([&["ext_proc", "--listen", "127.0.0.1:0"], args].concat())
}

async fn connect(address: std::net::SocketAddr) -> Client {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    client
}

/// One gRPC call with one message; the answer's messages, one behind the other, and its status.
async fn call(client: &mut Client, path: &str, message: &[u8]) -> (Bytes, String) {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(message.len().try_into().unwrap());
    frame.put_slice(message);
    let request = Request::post(format!("http://127.0.0.1{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(frame.freeze()).boxed())
        .unwrap();
    let answer = client.send_request(request).await.unwrap().collect().await.unwrap();
    let status = answer.trailers().unwrap()["grpc-status"].to_str().unwrap().to_owned();
    (answer.to_bytes(), status)
}

/// A `request_headers` message that announces full duplex, of `GET /` with nothing behind it.
fn get() -> Vec<u8> {
    let field = |name: &str, value: &str| {
        let mut pair = vec![0x0a, name.len() as u8];
        pair.extend_from_slice(name.as_bytes());
        pair.extend_from_slice(&[0x1a, value.len() as u8]);
        pair.extend_from_slice(value.as_bytes());
        [vec![0x0a, pair.len() as u8], pair].concat()
    };
    let fields = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "a")];
    let map = fields.map(|(name, value)| field(name, value)).concat();
    let mut headers = [vec![0x0a, map.len() as u8], map].concat();
    headers.extend_from_slice(&[0x18, 1]);
    let mut message = [vec![0x12, headers.len() as u8], headers].concat();
    message.extend_from_slice(&[0x5a, 4, 0x08, 4, 0x10, 4]);
    message
}

#[test]
fn it_answers_says_that_it_is_healthy_and_goes_when_it_is_asked_to() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = options(&["--filter", "log", "--filter", "replace=cat:tiger"]);
        let processor = Processor::new(&options).unwrap();
        let (listener, _) = processor.listen(&options).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let serving = tokio::spawn(async move {
            processor.serve(listener, &options, shutdown).await.map_err(|error| error.to_string())
        });
        let mut client = connect(address).await;
        let (answer, status) = call(&mut client, "/grpc.health.v1.Health/Check", b"").await;
        // A `HealthCheckResponse` that says SERVING.
        assert_eq!((&answer[..], status.as_str()), (&[0, 0, 0, 0, 2, 0x08, 1][..], "0"));

        let path = tidegate::ext_proc::server::PROCESS_PATH;
        let (answer, status) = call(&mut client, path, &get()).await;
        // `request_headers`, which is field 1, without any change.
        assert_eq!(answer[5], 0x0a, "{answer:?}");
        assert_eq!(status, "0", "nothing is owed when the client ends");

        stop.send(()).unwrap();
        let served = tokio::time::timeout(Duration::from_secs(30), serving).await;
        assert_eq!(served.expect("it goes").unwrap(), Ok(()));
    });
}

#[test]
fn the_bootstrap_says_the_mode_that_is_served_and_where() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = options(&["--mode", "BUFFERED", "--response-mode", "STREAMED"]);
        let processor = Processor::new(&options).unwrap();
        let (listener, bootstrap) = processor.listen(&options).await.unwrap();
        let read: Value = serde_saphyr::from_str(&bootstrap).unwrap();
        let listening = &read["static_resources"]["listeners"][0];
        assert_eq!(listening["address"]["socket_address"]["port_value"], json!(10_000));
        let manager = &listening["filter_chains"][0]["filters"][0]["typed_config"];
        let filters: Vec<&Value> =
            manager["http_filters"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
        assert_eq!(filters, ["envoy.filters.http.ext_proc", "envoy.filters.http.router"]);
        let expected = json!({
            "request_header_mode": "SEND",
            "response_header_mode": "SEND",
            "request_body_mode": "BUFFERED",
            "response_body_mode": "STREAMED",
            "request_trailer_mode": "SEND",
            "response_trailer_mode": "SEND",
        });
        assert_eq!(manager["http_filters"][0]["typed_config"]["processing_mode"], expected);
        let cluster = &read["static_resources"]["clusters"][1];
        let endpoint = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
        let port = listener.local_addr().unwrap().port();
        assert_eq!(cluster["name"], "ext_proc");
        assert_eq!(endpoint["address"]["socket_address"]["port_value"], json!(port));
    });
}

/// P1, P37 and the capabilities of the modes: what cannot be is not served.
#[test]
fn what_cannot_be_is_refused_by_name() {
    for (args, reason) in [
        (&["--trailers", "SKIP"][..], "set request_trailer_mode to SEND"),
        (&["--mode", "STREAMED", "--filter", "hold=1K"][..], "filter `hold` of the request"),
        (&["--mode", "NONE", "--filter", "log"][..], "is interested in body"),
        (&["--message-timeout-ms", "0"][..], "fires at once"),
        (&["--mode", "STREAMED", "--filter", "delay=1"][..], "`hold the head for body`"),
    ] {
        let error = Processor::new(&options(args)).err().expect(reason).to_string();
        assert!(error.contains(reason), "{args:?}: {error}");
    }
}

#[test]
fn it_goes_on_until_it_is_asked_to_stop() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut asked = pin!(stop::asked().unwrap());
        let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "nobody has asked");
    });
}
