//! Peers that go away in the middle.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::BodyExt;
use tidegate::{ErrorKind, Origin as Blame, Outcome, body::Direction};
use tokio::time::sleep;

use super::{
    client,
    origin::Origin,
    rig::{Proxy, case},
    wire::{RawOrigin, Wire, ask, chunked},
};

/// Filters that hold something at one time or another.
const ARGS: [&str; 3] = ["--filter=hold=4", "--filter=replace=wxyz:-", "--filter=sha256"];

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n";

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

fn is_reset(outcome: &Outcome, by: Blame) -> bool {
    matches!(outcome, Outcome::Reset(error)
        if error.origin() == by && error.kind() == ErrorKind::Reset)
}

#[test]
fn h25_a_client_gone_mid_upload_is_no_end_for_the_origin() {
    let declared = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n".to_owned();
    for head in [declared, CHUNKED.to_owned()] {
        for reset in [false, true] {
            case(async {
                let (origin, mut told) = Origin::reading().await;
                let proxy = Proxy::start(origin.addr, &ARGS).await;
                let mut wire = Wire::to(proxy.addr).await;
                wire.send(&head).await.unwrap();
                let piece = if head == CHUNKED {
                    chunked(&[b"0123456789w"])
                } else {
                    b"0123456789w".to_vec()
                };
                wire.send(piece).await.unwrap();
                sleep(Duration::from_millis(30)).await;
                if reset {
                    wire.reset()
                } else {
                    drop(wire)
                }
                told.recv().await.unwrap().unwrap_err();
                proxy.settled().await;
                let outcome = proxy.watch.outcome(Direction::Request);
                assert!(matches!(outcome, Outcome::Reset(_) | Outcome::Cancelled), "{outcome:?}");
                proxy.finish().await;
            });
        }
    }
}

#[test]
fn a_stream_reset_mid_upload_is_no_end_for_the_origin() {
    for upstream in [&[][..], &["--http2-upstream"]] {
        case(async {
            let (origin, mut told) = Origin::reading().await;
            let proxy = Proxy::start(origin.addr, &[&ARGS, upstream].concat()).await;
            let (feed, body) = client::fed();
            let post = Request::post("/").body(body).unwrap();
            let sent = tokio::spawn(client::send(proxy.addr, true, post));
            feed.send(Ok(Frame::data("0123456789w".into()))).await.unwrap();
            sleep(Duration::from_millis(30)).await;
            feed.send(Err("given up".into())).await.unwrap();
            told.recv().await.unwrap().unwrap_err();
            sent.await.unwrap().unwrap_err();
            proxy.settled().await;
            // Whether the stream's end is seen by the body or drops the exchange first.
            let outcome = proxy.watch.outcome(Direction::Request);
            let given_up = matches!(outcome, Outcome::Cancelled);
            assert!(given_up || is_reset(&outcome, Blame::Downstream), "{outcome:?}");
            proxy.finish().await;
        });
    }
}

/// An origin that sends a body until it is cut off.
async fn endless() -> RawOrigin {
    RawOrigin::start(|mut wire| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let piece = chunked(&[&[b'x'; 10_000]]);
        while wire.send(&piece).await.is_ok() {}
    })
    .await
}

#[test]
fn a_client_gone_mid_download_stops_the_origin() {
    for reset in [false, true] {
        case(async {
            let origin = endless().await;
            let proxy = Proxy::start(origin.addr, &ARGS).await;
            let mut wire = Wire::to(proxy.addr).await;
            wire.send(GET).await.unwrap();
            assert!(wire.head().await.starts_with("HTTP/1.1 200"));
            if reset {
                wire.reset()
            } else {
                drop(wire)
            }
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Response);
            assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn a_stream_given_up_mid_download_stops_the_origin() {
    case(async {
        let origin = endless().await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let get = Request::get("/").body(client::full(Bytes::new())).unwrap();
        let mut response = client::send(proxy.addr, true, get).await.unwrap();
        response.frame().await.unwrap().unwrap();
        drop(response);
        proxy.settled().await;
        let outcome = proxy.watch.outcome(Direction::Response);
        assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
        proxy.finish().await;
    });
}

/// An origin that sends these bytes and goes.
async fn sending(answer: &'static str, reset: bool) -> RawOrigin {
    RawOrigin::start(move |mut wire| async move {
        wire.head().await;
        wire.send(answer).await.unwrap();
        sleep(Duration::from_millis(30)).await;
        if reset { wire.reset() } else { drop(wire) }
    })
    .await
}

/// Answers that are cut off, whichever way the connection ends; the last only by a reset.
const CUT_OFF: [&str; 3] = [
    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789w",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n0123456789w\r\n",
    "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n0123456789w",
];

#[test]
fn h25_an_origin_gone_mid_download_is_no_end_for_the_client() {
    for (answer, reset) in CUT_OFF.iter().flat_map(|a| [(*a, true), (*a, false)]).take(5) {
        for args in [&ARGS[..], &[]] {
            case(async {
                let origin = sending(answer, reset).await;
                let proxy = Proxy::start(origin.addr, args).await;
                let got = ask(proxy.addr, GET).await;
                assert_eq!((got.status(), got.complete), (200, false), "{answer} {got:?}");
                assert!(b"0123456789w".starts_with(&got.body), "{got:?}");

                let get = Request::get("/").body(client::full(Bytes::new())).unwrap();
                let response = client::send(proxy.addr, true, get).await.unwrap();
                response.into_body().collect().await.unwrap_err();

                proxy.settled().await;
                for told in proxy.watch.told(Direction::Response) {
                    assert!(is_reset(&told.outcome, Blame::Upstream), "{told:?}");
                }
                proxy.finish().await;
            });
        }
    }
}

#[test]
fn a_body_that_ends_with_its_connection_is_complete() {
    case(async {
        let origin = sending(CUT_OFF[2], false).await;
        let proxy = Proxy::start(origin.addr, &ARGS).await;
        let got = ask(proxy.addr, GET).await;
        assert!(got.complete && got.text() == "0123456789w", "{got:?}");
        proxy.finish().await;
    });
}

#[test]
fn an_origin_gone_before_its_head_is_a_502() {
    for reset in [false, true] {
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-"] {
            case(async {
                let origin = sending(answer, reset).await;
                let proxy = Proxy::start(origin.addr, &ARGS).await;
                let mut wire = Wire::to(proxy.addr).await;
                wire.send(CHUNKED).await.unwrap();
                wire.send(chunked(&[b"some of a body"])).await.unwrap();
                let got = wire.message().await;
                assert_eq!((got.status(), got.complete), (502, true), "{got:?}");
                drop(wire);
                proxy.finish().await;
            });
        }
    }
}

#[test]
fn an_origin_that_is_not_there_is_a_502() {
    case(async {
        let addr = super::rig::listen().await.1;
        let proxy = Proxy::start(addr, &ARGS).await;
        for http2 in [false, true] {
            let post = Request::post("/").body(client::full("some body")).unwrap();
            let got = client::fetch(proxy.addr, http2, post).await.unwrap();
            assert_eq!(got.status, 502);
            assert!(got.body.starts_with(b"cannot connect to upstream"), "{got:?}");
        }
        proxy.finish().await;
    });
}
