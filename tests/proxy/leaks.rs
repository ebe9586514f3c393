//! Nothing is left in memory, however exchanges end.

use std::{future::Future, time::Duration};

use tokio::time::sleep;

use super::{
    origin::Origin,
    rig::{Proxy, case},
    wire::{Wire, chunked},
};
use crate::proxy::alloc::live_bytes;

/// What a round may leave behind: what grows once in a while, such as the slots of a timer.
const SLACK: i64 = 512;

const ARGS: [&str; 6] = [
    "--filter=log",
    "--filter=delay=1",
    "--filter=hold=4",
    "--filter=replace=ab:longer",
    "--filter=sha256",
    "--filter=limit=100000",
];

const CHUNKED: &str = "POST /sink HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

/// Repeats `round` on one proxy until memory has had time to settle, and then some more. All of
/// it runs on this thread, so that what it allocates less what it frees is what is left.
fn leaves_nothing<F: Future<Output = ()>>(round: impl Fn(std::net::SocketAddr) -> F) {
    case(async {
        let origin = Origin::start().await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let mut before = 0;
        const ROUNDS: i64 = 30;
        for i in 0..3 * ROUNDS {
            if i == 2 * ROUNDS {
                before = live_bytes();
            }
            round(proxy.addr).await;
            proxy.watch.forget().await;
        }
        let left = live_bytes() - before;
        assert!(left < ROUNDS * SLACK, "{left} bytes are left by {ROUNDS} rounds");
        proxy.finish().await;
    });
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
        let get = "GET /bytes/50000000 HTTP/1.1\r\nhost: a\r\n\r\n";
        wire.send(get).await.unwrap();
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
