//! Filters that change, hold back or refuse what passes.

use std::time::{Duration, Instant};

use tidegate::{Outcome, body::Direction};

use super::{
    rig::{Proxy, case},
    wire::{RawOrigin, Wire, ask, chunked},
};

/// An origin that sends back what it is sent, with the length it has.
async fn echo() -> RawOrigin {
    RawOrigin::start(|mut wire| async move {
        loop {
            let request = wire.message().await;
            if request.head.is_empty() {
                return;
            }
            assert!(request.complete, "{request:?}");
            let length = request.body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            wire.send(head).await.unwrap();
            wire.send(&request.body).await.unwrap();
        }
    })
    .await
}

fn post(body: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn h34_replaced_text_changes_the_length_on_both_sides() {
    for (filter, sent, back) in [
        ("--filter=replace=ab:longer", "..ab..ab", "..longer..longer"),
        ("--filter=replace=ab:", "..ab..ab", "...."),
        ("--filter=replace=abab:", "abab", ""),
        // The text that comes back is replaced again.
        ("--filter=replace=a:aa", "xay", "xaaaay"),
    ] {
        case(async {
            let origin = echo().await;
            let proxy = Proxy::start(origin.addr, &[filter]).await;
            let mut wire = Wire::to(proxy.addr).await;
            for _ in 0..3 {
                wire.send(post(sent)).await.unwrap();
                let got = wire.message().await;
                assert!(got.complete && got.status() == 200, "{got:?}");
                let length = if back.is_empty() { Some("0") } else { None };
                assert_eq!(got.field("content-length"), length, "{got:?}");
                assert_eq!(got.text(), back);
            }
            proxy.finish().await;
        });
    }
}

#[test]
fn h37_the_cut_on_the_wire_does_not_matter() {
    let body = b"..abcabcabd..abcabd..ab";
    let expected = body.len() + 2;
    for size in [1, 2, 3, 5, 23] {
        case(async {
            let origin = echo().await;
            let args = ["--filter=hold=4", "--filter=replace=abcabd:ABCABD!"];
            let proxy = Proxy::start(origin.addr, &args).await;
            let mut wire = Wire::to(proxy.addr).await;
            let head = "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
            wire.send(head).await.unwrap();
            for piece in body.chunks(size) {
                wire.send(chunked(&[piece])).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            wire.send("0\r\n\r\n").await.unwrap();
            let got = wire.message().await;
            assert_eq!(got.text(), "..abcABCABD!..ABCABD!..ab");
            assert_eq!(got.body.len(), expected);
            proxy.finish().await;
        });
    }
}

#[test]
fn growth_without_room_goes_on_when_the_reader_does() {
    case(async {
        let origin = echo().await;
        let proxy = Proxy::start(origin.addr, &["--filter=replace=a:bbbb"]).await;
        let body = "a".repeat(600_000);
        let got = ask(proxy.addr, post(&body)).await;
        assert!(got.complete, "{} bytes", got.body.len());
        assert!(got.body.len() == 2_400_000 && got.body.iter().all(|&byte| byte == b'b'));
        proxy.finish().await;
    });
}

#[test]
fn a_program_is_refused_before_the_origin_hears_of_it() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            assert_eq!(wire.rest().await, b"", "the origin hears nothing");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &["--filter=hold=4"]).await;
        let got = ask(proxy.addr, post("MZ and more")).await;
        assert_eq!((got.status(), got.complete), (403, true));
        proxy.settled().await;
        let outcome = proxy.watch.outcome(Direction::Request);
        assert!(matches!(outcome, Outcome::Replaced { .. }), "{outcome:?}");
        proxy.finish().await;
    });
}

#[test]
fn a_program_is_refused_before_the_client_hears_of_it() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            wire.head().await;
            let head = "HTTP/1.1 200 OK\r\nx-secret: 1\r\ncontent-length: 4000000\r\n\r\n\x7fELF";
            wire.send(head).await.unwrap();
            let left = vec![0; 4_000_000 - 4];
            assert!(wire.send(&left).await.is_err(), "the origin is cut off");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &["--filter=hold=100"]).await;
        let got = ask(proxy.addr, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!((got.status(), got.complete), (403, true));
        assert!(!got.names("x-secret"));
        proxy.finish().await;
    });
}

#[test]
fn a_delay_delays_both_directions_once() {
    case(async {
        let origin = echo().await;
        let proxy = Proxy::start(origin.addr, &["--filter=delay=100"]).await;
        let started = Instant::now();
        let got = ask(proxy.addr, post("hello")).await;
        assert_eq!(got.text(), "hello");
        assert!(got.has("content-length: 5"), "{got:?}");
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(200), "{took:?}");
        proxy.finish().await;
    });
}
