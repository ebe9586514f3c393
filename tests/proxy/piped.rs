//! `--pipe`: bodies that move from task to task come as they do without.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tidegate::body::Direction;

use super::{
    client,
    rig::case,
    transfers::{check_download, proxied, request},
};

/// The pipe of a large room, and of room for one chunk.
const ROOMS: [&[&str]; 2] =
    [&["--pipe"], &["--pipe", "--watermark-high-bytes=1", "--watermark-low-bytes=0"]];

#[test]
fn downloads_come_whole() {
    for (http2, args) in [(false, ROOMS[0]), (true, ROOMS[0]), (true, ROOMS[1])] {
        case(async {
            let (_origin, proxy) = proxied(http2, args).await;
            for bytes in [0, 1, 5000, 300_000] {
                let get = request(Method::GET, &format!("/bytes/{bytes}"), http2);
                let get = get.body(client::full(Bytes::new())).unwrap();
                check_download(&client::fetch(proxy.addr, http2, get).await.unwrap(), bytes);
            }
            proxy.settled().await;
            let told = proxy.watch.told(Direction::Response);
            assert!(told.iter().all(|told| told.outcome.is_complete()), "{told:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn uploads_arrive_whole() {
    for (http2, args) in [(false, ROOMS[1]), (true, ROOMS[0])] {
        case(async {
            let (_origin, proxy) = proxied(http2, args).await;
            let body: Vec<u8> = (0..300_001u64).map(|i| ((i * i) >> 7) as u8).collect();
            let mut trailers = HeaderMap::new();
            trailers.insert("x-mine", HeaderValue::from_static("kept"));
            let post = request(Method::POST, "/sink", http2).header("trailer", "x-mine");
            let post = post.body(client::frames(&body, 10_007, trailers)).unwrap();
            let got = client::fetch(proxy.addr, http2, post).await.unwrap();
            let said = String::from_utf8_lossy(&got.body);
            let digest = crate::proxy::filters::digest_field(&Sha256::digest(&body));
            let line = format!("trailer content-digest: {}\n", digest.to_str().unwrap());
            assert!(said.contains("bytes: 300001\n") && said.contains(&line), "{said}");
            assert!(said.contains("trailer x-mine: kept\n"), "{said}");
            proxy.finish().await;
        });
    }
}

/// No task is left behind (`case`), and every chain was told.
#[test]
fn a_client_that_goes_ends_the_pump() {
    for http2 in [false, true] {
        case(async {
            let (_origin, proxy) = proxied(http2, ROOMS[0]).await;
            let get = request(Method::GET, "/bytes/100000000", http2);
            let get = get.body(client::full(Bytes::new())).unwrap();
            let mut response = client::send(proxy.addr, http2, get).await.unwrap();
            let mut read_bytes = 0;
            while read_bytes < 1_000_000 {
                let frame = response.frame().await.expect("more of the body").unwrap();
                read_bytes += frame.into_data().expect("no trailers yet").len();
            }
            drop(response);
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Response);
            assert!(!outcome.is_complete(), "{outcome:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn answers_without_body_stay_so() {
    case(async {
        let (_origin, proxy) = proxied(false, ROOMS[0]).await;
        let head = request(Method::HEAD, "/bytes/5000", false);
        let head = head.body(client::full(Bytes::new())).unwrap();
        let got = client::fetch(proxy.addr, false, head).await.unwrap();
        assert_eq!((got.status, got.body.len()), (200, 0));
        for status in [204, 304] {
            let get = request(Method::GET, &format!("/status/{status}"), false);
            let get = get.body(client::full(Bytes::new())).unwrap();
            let got = client::fetch(proxy.addr, false, get).await.unwrap();
            assert_eq!((got.status, got.body.len()), (status, 0));
        }
        proxy.finish().await;
    });
}
