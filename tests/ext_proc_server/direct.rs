//! What is the direct carrier's own: how a connection ends that its client has broken, and what
//! becomes of a request that nobody reads.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use http_body_util::channel::Channel;
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tidegate::ext_proc::server::{DirectBody, ServeSettings, serve_direct_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use crate::stage::passing;

/// What a client says first, and then a PING of a stream, which there is not.
const BROKEN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\
    \0\0\x08\x06\0\0\0\0\x01\0\0\0\0\0\0\0\0";

/// Serves the other end, and answers how that ended, and after how long.
async fn serve(far: DuplexStream) -> (io::Error, Duration) {
    let settings = ServeSettings::new();
    let mut serving = pin!(serve_direct_connection(far, passing(), &settings, pending()));
    let mut polls = 0;
    let begun = tokio::time::Instant::now();
    let ended = poll_fn(|cx| {
        polls += 1;
        assert!(polls < 100, "it is polled again and again");
        match serving.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(ended.unwrap_err()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    (ended, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_broke_the_rules_is_waited_for_without_being_polled_for() {
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    near.write_all(BROKEN).await.unwrap();
    let (ended, waited) = serve(far).await;
    assert_eq!(ended.kind(), io::ErrorKind::InvalidData, "{ended}");
    assert_eq!(waited, Duration::from_secs(1), "the client has not gone");
    let mut said = Vec::new();
    near.read_to_end(&mut said).await.unwrap();
    let said = String::from_utf8_lossy(&said);
    assert!(said.ends_with("PING of a stream"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_broke_the_rules_and_reads_nothing_does_not_stay() {
    // Not even the settings find room.
    let (mut near, far) = tokio::io::duplex(16);
    let writes = async {
        near.write_all(BROKEN).await.unwrap();
        pending::<()>().await;
    };
    let (ended, waited) = tokio::select! {
        served = serve(far) => served,
        () = writes => unreachable!(),
    };
    assert_eq!(ended.kind(), io::ErrorKind::InvalidData, "{ended}");
    assert_eq!(waited, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn what_comes_for_a_body_that_nobody_reads_stays_in_no_window() {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let service = service_fn(|request: Request<DirectBody>| {
        drop(request);
        pending::<Result<Response<Empty<Bytes>>, Infallible>>()
    });
    let settings = ServeSettings::new();
    let serving = serve_direct_connection(far, service, &settings, pending());
    let near = TokioIo::new(near);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), near).await.unwrap();
    let (mut body, request) = Channel::<Bytes>::new(1);
    let response = client.send_request(Request::post("http://tide.test/").body(request).unwrap());
    // Some windows of a stream and of a connection.
    let sends = async {
        for _ in 0..128 {
            body.send_data(Bytes::from_static(&[0; 64 * 1024])).await.unwrap();
        }
    };
    tokio::select! {
        sent = timeout(Duration::from_secs(1), sends) => sent.expect("the client waits for ever"),
        _ = async { tokio::join!(serving, connection, response) } => panic!("it has ended"),
    }
}
