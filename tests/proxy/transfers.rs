//! What goes well: uploads and downloads through all filters, in every pair of versions.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use sha2::{Digest, Sha256};
use tidegate::body::Direction;

use super::{
    client::{self, Whole},
    origin::Origin,
    rig::{Proxy, case},
};
use crate::proxy::filters::{CONTENT_DIGEST, digest_field};

/// All of them. The random bodies do not contain what is replaced.
const ALL: [&str; 6] = [
    "--filter=log",
    "--filter=delay=5",
    "--filter=hold=4K",
    "--filter=replace=tidegate:TIDEGATE!",
    "--filter=sha256",
    "--filter=limit=1M",
];

/// Every pair of versions: (client, upstream) speak HTTP/2.
const PAIRS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

pub(super) async fn proxied(http2_upstream: bool, more: &[&str]) -> (Origin, Proxy) {
    let origin = Origin::start().await;
    let mut args = ALL.to_vec();
    args.extend(more);
    if http2_upstream {
        args.push("--http2-upstream");
    }
    let proxy = Proxy::start(origin.addr, &args).await;
    (origin, proxy)
}

/// A request that welcomes trailers.
pub(super) fn request(method: Method, path: &str, http2: bool) -> http::request::Builder {
    let builder = Request::builder().method(method).uri(path).header("te", "trailers");
    if http2 { builder } else { builder.header("connection", "te") }
}

pub(super) fn check_download(got: &Whole, bytes: usize) {
    assert_eq!((got.status, got.body.len()), (200, bytes));
    let digest = Sha256::digest(&got.body);
    let sum: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(got.trailers["x-body-sha256"], *sum);
    assert_eq!(got.trailers[CONTENT_DIGEST], digest_field(&digest));
}

#[test]
fn downloads_come_with_both_trailers() {
    for (client, upstream) in PAIRS {
        case(async {
            let (_origin, proxy) = proxied(upstream, &[]).await;
            for bytes in [0, 1, 5000, 1 << 20] {
                let get = request(Method::GET, &format!("/bytes/{bytes}"), client);
                let get = get.body(client::full(Bytes::new())).unwrap();
                check_download(&client::fetch(proxy.addr, client, get).await.unwrap(), bytes);
            }
            proxy.settled().await;
            for direction in [Direction::Request, Direction::Response] {
                let told = proxy.watch.told(direction);
                assert_eq!(told.len(), 4);
                assert!(told.iter().all(|told| told.outcome.is_complete()), "{told:?}");
            }
            proxy.finish().await;
        });
    }
}

#[test]
fn uploads_arrive_with_both_trailers() {
    for (client, upstream) in PAIRS {
        case(async {
            let (_origin, proxy) = proxied(upstream, &[]).await;
            let body: Vec<u8> = (0..700_001u64).map(|i| ((i * i) >> 7) as u8).collect();
            let mut trailers = HeaderMap::new();
            trailers.insert("x-mine", HeaderValue::from_static("kept"));
            let post = request(Method::POST, "/sink", client).header("trailer", "x-mine");
            let post = post.body(client::frames(&body, 10_007, trailers)).unwrap();
            let got = client::fetch(proxy.addr, client, post).await.unwrap();
            let said = String::from_utf8_lossy(&got.body);
            assert_eq!(got.status, 200, "{said}");
            let digest = digest_field(&Sha256::digest(&body));
            assert!(said.contains("bytes: 700001\n"), "{said}");
            assert!(said.contains("trailer x-mine: kept\n"), "{said}");
            let line = format!("trailer content-digest: {}\n", digest.to_str().unwrap());
            assert!(said.contains(&line), "{said}");
            proxy.settled().await;
            assert!(proxy.watch.outcome(Direction::Request).is_complete());
            proxy.finish().await;
        });
    }
}

#[test]
fn tiny_marks_change_nothing() {
    let marks = ["--watermark-high-bytes=1", "--watermark-low-bytes=0"];
    for (client, upstream) in [(false, false), (true, true)] {
        case(async {
            let (_origin, proxy) = proxied(upstream, &marks).await;
            let get = request(Method::GET, "/bytes/300000", client);
            let get = get.body(client::full(Bytes::new())).unwrap();
            check_download(&client::fetch(proxy.addr, client, get).await.unwrap(), 300_000);
            let body = vec![7; 300_000];
            let post = request(Method::POST, "/sink", client);
            let post = post.body(client::frames(&body, 65_000, HeaderMap::new())).unwrap();
            let got = client::fetch(proxy.addr, client, post).await.unwrap();
            assert!(got.body.starts_with(b"bytes: 300000\n"), "{:?}", got.body);
            proxy.settled().await;
            let told = proxy.watch.told(Direction::Response);
            assert!(told.iter().any(|told| told.stats.pauses > 0), "{told:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn many_streams_at_once_do_not_mix() {
    case(async {
        let (_origin, proxy) = proxied(true, &[]).await;
        let mut streams = tokio::task::JoinSet::new();
        for i in 0..40 {
            let addr = proxy.addr;
            streams.spawn(async move {
                let http2 = i % 2 == 0;
                let get = request(Method::GET, &format!("/bytes/{}", i * 5003), http2);
                let get = get.body(client::full(Bytes::new())).unwrap();
                check_download(&client::fetch(addr, http2, get).await.unwrap(), i * 5003);
            });
        }
        while let Some(done) = streams.join_next().await {
            done.unwrap();
        }
        proxy.finish().await;
    });
}

#[test]
fn answers_without_body_keep_their_length() {
    for client in [false, true] {
        case(async {
            let (_origin, proxy) = proxied(false, &["--filter=limit=10"]).await;
            let head = request(Method::HEAD, "/bytes/5000", client);
            let head = head.body(client::full(Bytes::new())).unwrap();
            let got = client::fetch(proxy.addr, client, head).await.unwrap();
            assert_eq!((got.status, got.body.len(), got.trailers.len()), (200, 0, 0));
            assert_eq!(got.headers["content-length"], "5000");
            for status in [204, 304] {
                let get = request(Method::GET, &format!("/status/{status}"), client);
                let get = get.body(client::full(Bytes::new())).unwrap();
                let got = client::fetch(proxy.addr, client, get).await.unwrap();
                assert_eq!((got.status, got.body.len()), (status, 0));
            }
            proxy.settled().await;
            for told in proxy.watch.told(Direction::Response) {
                assert!(told.outcome.is_complete(), "{told:?}");
            }
            proxy.finish().await;
        });
    }
}
