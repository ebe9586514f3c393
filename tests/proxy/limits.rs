//! Bodies over the limit: 413 before the response head has gone, a reset after.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::BodyExt;
use tidegate::{ErrorKind, Outcome, body::Direction};
use tokio::time::sleep;

use super::{
    client,
    origin::Origin,
    rig::{Proxy, case},
    wire::{RawOrigin, Wire, ask, chunked},
};

const LIMIT: &str = "--filter=limit=10";

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn is_413(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Replaced { by: Some(by), status }
        if **by == *"limit" && *status == 413)
}

#[test]
fn a_declared_length_over_the_limit_is_answered_at_once() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            assert_eq!(wire.rest().await, b"", "the origin hears nothing");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &[LIMIT]).await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\n";
        let got = ask(proxy.addr, head).await;
        assert_eq!((got.status(), got.complete), (413, true));
        assert_eq!(got.text(), "the body is over the limit of 10 bytes\n");
        proxy.settled().await;
        assert!(is_413(&proxy.watch.outcome(Direction::Request)));
        proxy.finish().await;
    });
}

#[test]
fn exactly_the_limit_passes() {
    case(async {
        let (origin, mut told) = Origin::reading().await;
        let proxy = Proxy::start(origin.addr, &[LIMIT]).await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789";
        assert_eq!(ask(proxy.addr, head).await.status(), 200);
        assert_eq!(told.recv().await.unwrap(), Ok(10));
        let body = [CHUNKED.as_bytes(), &chunked(&[b"01234", b"56789"]), b"0\r\n\r\n"].concat();
        assert_eq!(ask(proxy.addr, body).await.status(), 200);
        assert_eq!(told.recv().await.unwrap(), Ok(10));
        proxy.finish().await;
    });
}

#[test]
fn one_byte_more_is_413_and_no_end_for_the_origin() {
    for upstream in [&[LIMIT][..], &[LIMIT, "--http2-upstream"]] {
        for http2 in [false, true] {
            case(async {
                let (origin, mut told) = Origin::reading().await;
                let proxy = Proxy::start(origin.addr, upstream).await;
                let (feed, body) = client::fed();
                let post = Request::post("/").body(body).unwrap();
                let got = tokio::spawn(client::fetch(proxy.addr, http2, post));
                feed.send(Ok(Frame::data("0123456789".into()))).await.unwrap();
                sleep(Duration::from_millis(30)).await;
                feed.send(Ok(Frame::data("!".into()))).await.unwrap();
                assert_eq!(got.await.unwrap().unwrap().status, 413);
                told.recv().await.unwrap().unwrap_err();
                drop(feed);
                proxy.settled().await;
                assert!(is_413(&proxy.watch.outcome(Direction::Request)));
                proxy.finish().await;
            });
        }
    }
}

#[test]
fn behind_the_response_head_it_is_a_reset_for_both() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            let head = wire.head().await;
            let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nearly\r\n";
            wire.send(answer).await.unwrap();
            assert!(!wire.body(head).await.complete, "the request is cut off");
        })
        .await;
        let proxy = Proxy::start(origin.addr, &[LIMIT]).await;
        let mut wire = Wire::to(proxy.addr).await;
        wire.send(CHUNKED).await.unwrap();
        wire.send(chunked(&[b"0123456789"])).await.unwrap();
        let head = wire.head().await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        wire.send(chunked(&[b"!"])).await.unwrap();
        let got = wire.body(head).await;
        assert!(!got.complete && b"early".starts_with(&got.body), "{got:?}");
        proxy.settled().await;
        assert!(is_413(&proxy.watch.outcome(Direction::Request)));
        let response = proxy.watch.outcome(Direction::Response);
        let kind = response.error().map(tidegate::Error::kind);
        assert_eq!(kind, Some(ErrorKind::ReplyTooLate), "{response:?}");
        proxy.finish().await;
    });
}

#[test]
fn a_response_that_declares_too_much_is_a_502() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n").await.unwrap();
            wire.rest().await;
        })
        .await;
        let proxy = Proxy::start(origin.addr, &[LIMIT]).await;
        let got = ask(proxy.addr, GET).await;
        assert_eq!((got.status(), got.complete), (502, true));
        assert_eq!(got.text(), "the body is over the limit of 10 bytes\n");
        proxy.finish().await;
    });
}

#[test]
fn a_response_that_turns_out_too_long_is_a_reset_for_both() {
    for http2 in [false, true] {
        case(async {
            let origin = RawOrigin::start(|mut wire| async move {
                wire.head().await;
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                wire.send(head).await.unwrap();
                wire.send(chunked(&[b"0123456789"])).await.unwrap();
                sleep(Duration::from_millis(30)).await;
                wire.send(chunked(&[b"!"])).await.unwrap();
                assert_eq!(wire.rest().await, b"", "the origin is cut off");
            })
            .await;
            let proxy = Proxy::start(origin.addr, &[LIMIT]).await;
            let get = Request::get("/").body(client::full(Bytes::new())).unwrap();
            let response = client::send(proxy.addr, http2, get).await.unwrap();
            assert_eq!(response.status(), 200);
            let mut body = response.into_body();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "0123456789");
            body.frame().await.unwrap().unwrap_err();
            drop(body);
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Response);
            let kind = ErrorKind::Limit { limit: "limit", limit_bytes: 10 };
            assert_eq!(outcome.error().map(tidegate::Error::kind), Some(kind), "{outcome:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn a_response_too_long_before_its_head_has_gone_is_a_502() {
    case(async {
        let origin = RawOrigin::start(|mut wire| async move {
            wire.head().await;
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            wire.send([head.as_bytes(), &chunked(&[b"0123456789!"])].concat()).await.unwrap();
            wire.rest().await;
        })
        .await;
        // The head waits behind the limit, so nothing has gone when the limit is passed.
        let proxy = Proxy::start(origin.addr, &[LIMIT, "--filter=hold=100"]).await;
        let got = ask(proxy.addr, GET).await;
        assert_eq!((got.status(), got.complete), (502, true), "{got:?}");
        proxy.finish().await;
    });
}
