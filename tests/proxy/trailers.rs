//! Trailers on the wire, and clients that cannot be sent any.

use sha2::{Digest, Sha256};
use tidegate::body::Direction;

use super::{
    rig::{Proxy, case},
    wire::{Message, RawOrigin, Wire, ask, chunked},
};
use crate::proxy::filters::digest_field;

const SHA: &str = "--filter=sha256";

fn digest_line(body: &[u8]) -> String {
    let value = digest_field(&Sha256::digest(body));
    format!("content-digest: {}\n", value.to_str().unwrap()).to_ascii_lowercase()
}

/// Serves one answer to every request, which it reads whole and hands to `check`.
async fn answering(answer: &'static str, check: fn(&Message)) -> RawOrigin {
    RawOrigin::start(move |mut wire| async move {
        loop {
            let request = wire.message().await;
            if request.head.is_empty() {
                return;
            }
            check(&request);
            wire.send(answer).await.unwrap();
        }
    })
    .await
}

#[test]
fn a_client_that_takes_trailers_is_sent_the_digest() {
    case(async {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
        let origin = answering(answer, |_| {}).await;
        let proxy = Proxy::start(origin.addr, &[SHA]).await;
        let get = "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n";
        let got = ask(proxy.addr, get).await;
        assert!(got.complete && got.status() == 200, "{got:?}");
        assert!(got.has("transfer-encoding: chunked") && !got.names("content-length"));
        assert!(got.has("trailer: content-digest"), "{got:?}");
        assert_eq!((got.text(), &*got.trailers), ("body", &*digest_line(b"body")));
        proxy.finish().await;
    });
}

#[test]
fn plain_clients_are_served_all_the_same() {
    for get in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nte: trailers\r\n\r\n",
    ] {
        case(async {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
            let origin = answering(answer, |_| {}).await;
            let proxy = Proxy::start(origin.addr, &[SHA]).await;
            let got = ask(proxy.addr, get).await;
            assert!(got.complete && got.status() == 200, "{got:?}");
            assert!(got.has("content-length: 4") && !got.names("trailer"), "{got:?}");
            assert_eq!((got.text(), &*got.trailers), ("body", ""));
            proxy.settled().await;
            assert!(proxy.watch.outcome(Direction::Response).is_complete());
            proxy.finish().await;
        });
    }
}

#[test]
fn trailers_of_the_origin_pass_where_they_can() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n\
                  4\r\nbody\r\n0\r\nx-t: 1\r\n\r\n";
    for (te, trailers, unsent) in
        [("te: trailers\r\nconnection: te\r\n", "x-t: 1\n", 0), ("", "", 1)]
    {
        case(async {
            let origin = answering(answer, |_| {}).await;
            let proxy = Proxy::start(origin.addr, &["--filter=log", "--filter=hold=9"]).await;
            let got = ask(proxy.addr, format!("GET / HTTP/1.1\r\nhost: a\r\n{te}\r\n")).await;
            assert!(got.complete, "{got:?}");
            assert_eq!((got.text(), &*got.trailers), ("body", trailers));
            proxy.settled().await;
            let told = proxy.watch.told(Direction::Response);
            assert_eq!(told[0].stats.unsent_trailers, unsent);
            proxy.finish().await;
        });
    }
}

#[test]
fn an_upload_gets_the_digest_behind_its_own_trailers() {
    case(async {
        let origin = answering("HTTP/1.1 204 No Content\r\n\r\n", |request| {
            assert!(request.complete, "{request:?}");
            assert!(request.has("transfer-encoding: chunked"), "{request:?}");
            assert_eq!(request.text(), "some body");
            assert!(request.trailers.contains("x-t: 1\n"), "{request:?}");
            assert!(request.trailers.contains(&digest_line(b"some body")), "{request:?}");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &[SHA]).await;
        let mut wire = Wire::to(proxy.addr).await;
        for _ in 0..2 {
            let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\
                        trailer: x-t\r\n\r\n";
            wire.send(head).await.unwrap();
            wire.send(chunked(&[b"some", b" ", b"body"])).await.unwrap();
            wire.send("0\r\nx-t: 1\r\n\r\n").await.unwrap();
            assert_eq!(wire.message().await.status(), 204);
        }
        proxy.finish().await;
    });
}

#[test]
fn a_request_without_body_stays_one() {
    case(async {
        let origin = answering("HTTP/1.1 204 No Content\r\n\r\n", |request| {
            assert!(!request.names("transfer-encoding"), "{request:?}");
            assert!(!request.names("content-length") && !request.names("trailer"), "{request:?}");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &[SHA, "--filter=replace=a:b"]).await;
        let got = ask(proxy.addr, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(got.status(), 204);
        proxy.finish().await;
    });
}
