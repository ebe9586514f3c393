//! Input that is no HTTP, or contradicts itself.

use tidegate::body::Direction;

use super::{
    rig::{Proxy, case},
    wire::{RawOrigin, Wire, ask},
};

const ARGS: [&str; 3] = ["--filter=hold=2", "--filter=replace=ab:c", "--filter=sha256"];

const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\n";

/// An origin that answers complete requests only, and says so in its answer.
async fn strict() -> RawOrigin {
    RawOrigin::start(|mut wire| async move {
        let request = wire.message().await;
        if request.complete {
            wire.send("HTTP/1.1 299 Complete\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            wire.rest().await;
        }
    })
    .await
}

#[test]
fn requests_that_are_no_http_are_400_and_go_nowhere() {
    let heads = [
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ten\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
    ];
    for head in heads {
        case(async {
            let origin = strict().await;
            let proxy = Proxy::start(origin.addr, &ARGS).await;
            let got = ask(proxy.addr, head).await;
            assert_eq!(got.status(), 400, "{head:?} {got:?}");
            proxy.settled().await;
            assert!(proxy.watch.told(Direction::Request).is_empty());
            proxy.finish().await;
        });
    }
}

#[test]
fn h32_bodies_that_break_off_their_framing_are_no_end_for_the_origin() {
    let bodies = [
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        "transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nffffffffffffffffff\r\n",
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nno colon\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
    ];
    for body in bodies {
        case(async {
            let origin = strict().await;
            let proxy = Proxy::start(origin.addr, &ARGS).await;
            let got = ask(proxy.addr, format!("{POST}{body}")).await;
            assert_eq!(got.status(), 400, "{body:?} {got:?}");
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Request);
            assert!(!outcome.is_complete(), "{outcome:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn a_length_beside_chunks_is_not_passed_on() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            let request = wire.message().await;
            assert!(request.complete && !request.names("content-length"), "{request:?}");
            assert_eq!(request.text(), "xyz");
            wire.send("HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            assert_eq!(wire.rest().await, b"", "nothing was smuggled");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let text = "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n";
        let got = ask(proxy.addr, format!("{POST}{text}")).await;
        assert_eq!(got.status(), 204);
        proxy.finish().await;
    });
}

#[test]
fn garbage_behind_the_preface_of_http2_ends_the_connection() {
    case(async {
        let origin = strict().await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let mut wire = Wire::to(proxy.addr).await;
        wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame at all").await.unwrap();
        // Settings, perhaps a GOAWAY, then the end.
        assert!(!wire.rest().await.starts_with(b"HTTP/"));
        proxy.finish().await;
    });
}

#[test]
fn heads_without_end_are_refused() {
    case(async {
        let origin = strict().await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let got = ask(proxy.addr, format!("{POST}x: {}", "y".repeat(1 << 20))).await;
        assert_eq!(got.status(), 431);
        proxy.finish().await;
    });
}

#[test]
fn answers_that_are_no_http_are_a_502() {
    let answers = [
        "HELO there\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ];
    for answer in answers {
        case(async {
            let origin = RawOrigin::start(move |mut wire| async move {
                wire.head().await;
                wire.send(answer).await.unwrap();
                wire.rest().await;
            })
            .await;
            let proxy = Proxy::start(origin.addr, &ARGS).await;
            let mut wire = Wire::to(proxy.addr).await;
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            let head = wire.head().await;
            assert!(head.starts_with("HTTP/1.1 502"), "{answer:?} {head:?}");
            assert!(wire.body(head).await.complete);
            drop(wire);
            proxy.finish().await;
        });
    }
}

#[test]
fn h32_answers_that_break_off_their_framing_are_no_end() {
    let answers = [
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        "transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nno colon\r\n\r\n",
    ];
    for answer in answers {
        case(async {
            let origin = RawOrigin::start(move |mut wire| async move {
                wire.head().await;
                wire.send(format!("HTTP/1.1 200 OK\r\n{answer}")).await.unwrap();
                wire.rest().await;
            })
            .await;
            let proxy = Proxy::start(origin.addr, &ARGS).await;
            let got = ask(proxy.addr, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
            assert!(got.status() == 502 || !got.complete, "{answer:?} {got:?}");
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Response);
            assert!(!outcome.is_complete(), "{outcome:?}");
            proxy.finish().await;
        });
    }
}
