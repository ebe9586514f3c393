//! Readers that do not read: what is held stays bounded, and nothing is lost.

use std::{sync::Arc, time::Duration};

use tidegate::body::Direction;
use tokio::sync::Notify;

use super::{
    rig::{Proxy, case},
    wire::{RawOrigin, Wire},
};

/// Much more than the kernel and hyper buffer on two connections.
const BYTES: usize = 80 << 20;

/// What they may buffer.
const BUFFERED: usize = 50 << 20;

/// A pause this long means that nothing is taken any more.
const PAUSE: Duration = Duration::from_millis(400);

const ARGS: [&str; 3] = ["--filter=log", "--filter=hold=9K", "--filter=limit=1G"];

/// Nothing is taken for a while.
async fn nothing_more(wire: &mut Wire, left: &[u8]) -> usize {
    let sent = wire.send_until_stuck(left, PAUSE).await;
    assert!(sent < BUFFERED, "{sent} bytes were taken that nobody has read");
    sent
}

#[test]
fn a_client_that_does_not_read_stops_the_origin() {
    case(async {
        let full = Arc::new(Notify::new());
        let told = Arc::clone(&full);
        let origin = RawOrigin::start(move |mut wire| {
            let told = Arc::clone(&told);
            async move {
                wire.head().await;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BYTES}\r\n\r\n");
                wire.send(head).await.unwrap();
                let body = vec![b'x'; BYTES];
                let sent = nothing_more(&mut wire, &body).await;
                told.notify_one();
                wire.send(&body[sent..]).await.unwrap();
            }
        })
        .await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let mut wire = Wire::to(proxy.addr).await;
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        full.notified().await;
        let got = wire.message().await;
        assert!(got.complete && got.body.len() == BYTES);
        drop(wire);
        proxy.settled().await;
        let told = proxy.watch.told(Direction::Response);
        assert!(told[0].outcome.is_complete(), "{told:?}");
        proxy.finish().await;
    });
}

#[test]
fn an_origin_that_does_not_read_stops_the_client() {
    case(async {
        let full = Arc::new(Notify::new());
        let told = Arc::clone(&full);
        let origin = RawOrigin::start(move |mut wire| {
            let told = Arc::clone(&told);
            async move {
                let head = wire.head().await;
                told.notified().await;
                let request = wire.body(head).await;
                assert!(request.complete && request.body.len() == BYTES);
                wire.send("HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            }
        })
        .await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let mut wire = Wire::to(proxy.addr).await;
        let head = format!("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {BYTES}\r\n\r\n");
        wire.send(head).await.unwrap();
        let body = vec![b'x'; BYTES];
        let sent = nothing_more(&mut wire, &body).await;
        full.notify_one();
        wire.send(&body[sent..]).await.unwrap();
        assert_eq!(wire.message().await.status(), 204);
        drop(wire);
        proxy.finish().await;
    });
}
