//! Stopping: what is under way ends, nothing new begins, and the end comes in time.

use std::time::{Duration, Instant};

use tokio::{net::TcpStream, time::sleep};

use super::{
    rig::{Proxy, case},
    wire::{RawOrigin, Wire, chunked},
};

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

async fn reading() -> RawOrigin {
    RawOrigin::start(|mut wire| async move {
        let request = wire.message().await;
        if request.complete {
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
        wire.rest().await;
    })
    .await
}

#[test]
fn an_exchange_under_way_ends_as_it_would() {
    case(async {
        let origin = reading().await;
        let proxy = Proxy::start(origin.addr, &["--filter=hold=3", "--filter=delay=100"]).await;
        let addr = proxy.addr;
        let mut wire = Wire::to(addr).await;
        wire.send(CHUNKED).await.unwrap();
        wire.send(chunked(&[b"ab"])).await.unwrap();
        sleep(Duration::from_millis(30)).await;
        let stopped = proxy.stop();
        sleep(Duration::from_millis(30)).await;
        assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
        wire.send(chunked(&[b"cd"])).await.unwrap();
        wire.send("0\r\n\r\n").await.unwrap();
        let got = wire.message().await;
        assert!(got.complete && got.text() == "ok", "{got:?}");
        assert_eq!(wire.rest().await, b"", "the connection is closed behind it");
        stopped.await.unwrap().unwrap();
    });
}

#[test]
fn an_exchange_that_does_not_end_is_cut_off() {
    case(async {
        let origin = reading().await;
        let proxy = Proxy::start(origin.addr, &["--filter=hold=3", "--drain-timeout-ms=200"]).await;
        let mut wire = Wire::to(proxy.addr).await;
        wire.send(CHUNKED).await.unwrap();
        sleep(Duration::from_millis(30)).await;
        let started = Instant::now();
        proxy.stop().await.unwrap().unwrap();
        let took = started.elapsed();
        assert!((200..9000).contains(&took.as_millis()), "{took:?}");
        drop(wire);
    });
}
