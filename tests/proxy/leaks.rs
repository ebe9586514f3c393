//! Nothing is left in memory, however exchanges end.

use std::{future::Future, net::SocketAddr, time::Duration};

use tokio::time::sleep;

use super::{
    rig::{Proxy, case},
    wire::{RawOrigin, Wire, chunked},
};
use crate::proxy::alloc::live_bytes;

/// What a round may leave behind: what grows once in a while, such as the slots of a timer.
const SLACK: i64 = 64;

const ARGS: [&str; 6] = [
    "--filter=log",
    "--filter=delay=1",
    "--filter=hold=4",
    "--filter=replace=ab:longer",
    "--filter=sha256",
    "--filter=limit=100000",
];

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

/// An origin that reads a request and begins a long answer, or ends it, if the request ended.
async fn origin() -> RawOrigin {
    RawOrigin::start(|mut wire| async move {
        let request = wire.message().await;
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        let body = chunked(&[&[b'a'; 50_000]]);
        let end = if request.head.starts_with("GET") { "" } else { "0\r\n\r\n" };
        if request.complete {
            let _ = wire.send([head.as_bytes(), &body, end.as_bytes()].concat()).await;
            wire.rest().await;
        }
    })
    .await
}

/// Repeats `round` on one proxy until memory has had time to settle, and then some more. All of
/// it runs on this thread, so that what it allocates less what it frees is what is left.
fn leaves_nothing<F: Future<Output = ()>>(round: impl Fn(SocketAddr) -> F) {
    const ROUNDS: i64 = 30;
    case(async {
        let origin = origin().await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        for _ in 0..ROUNDS {
            round(proxy.addr).await;
            proxy.watch.forget().await;
        }
        let before = at_rest().await;
        for _ in 0..ROUNDS {
            round(proxy.addr).await;
            proxy.watch.forget().await;
        }
        let left = at_rest().await - before;
        assert!(left < ROUNDS * SLACK, "{left} bytes are left by {ROUNDS} rounds");
        proxy.finish().await;
    });
}

/// What is allocated when the connections of the last rounds have been closed on both sides: no
/// task has ended for a while.
async fn at_rest() -> i64 {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut quiet = 0;
    let mut alive = tasks();
    while quiet < 20 {
        sleep(Duration::from_millis(10)).await;
        quiet = if tasks() == alive { quiet + 1 } else { 0 };
        alive = tasks();
    }
    live_bytes()
}

#[test]
fn by_exchanges_that_end_well() {
    leaves_nothing(|addr| async move {
        let mut wire = Wire::to(addr).await;
        wire.send(CHUNKED).await.unwrap();
        wire.send(chunked(&[&[b'a'; 3000]])).await.unwrap();
        wire.send("0\r\n\r\n").await.unwrap();
        assert_eq!(wire.message().await.status(), 200);
    });
}

#[test]
fn by_uploads_that_are_given_up() {
    leaves_nothing(|addr| async move {
        let mut wire = Wire::to(addr).await;
        wire.send(CHUNKED).await.unwrap();
        wire.send(chunked(&[&[b'a'; 3000]])).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    });
}

#[test]
fn by_downloads_that_are_given_up() {
    leaves_nothing(|addr| async move {
        let mut wire = Wire::to(addr).await;
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        wire.head().await;
    });
}

#[test]
fn by_bodies_over_the_limit() {
    leaves_nothing(|addr| async move {
        let mut wire = Wire::to(addr).await;
        wire.send(CHUNKED).await.unwrap();
        let _ = wire.send(chunked(&[&[b'x'; 100_001]])).await;
        assert_eq!(wire.message().await.status(), 413);
    });
}

#[test]
fn by_input_that_is_no_http() {
    leaves_nothing(|addr| async move {
        let mut wire = Wire::to(addr).await;
        wire.send(format!("{CHUNKED}5\r\nabcde\r\nzz\r\n")).await.unwrap();
        wire.rest().await;
    });
}
