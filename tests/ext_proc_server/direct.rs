//! What is the direct carrier's own: how a connection ends that its client has broken.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tidegate::ext_proc::server::{ServeSettings, serve_direct_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

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
