use core::future::{pending, poll_fn};
use core::pin::Pin;
use std::collections::VecDeque;

use bytes::Bytes;
use http_body::Body;
use tokio::sync::mpsc::unbounded_channel;

use super::reply::bytes;
use super::{Reply, served};
use crate::http2::DirectBody;
use crate::http2::protocol::tests::world::frame;

/// All of a body.
async fn all(mut body: DirectBody) -> VecDeque<Bytes> {
    let mut pieces = VecDeque::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        pieces.extend(frame.expect("nothing is broken").into_data());
    }
    pieces
}

/// A request with a body of so many bytes.
fn request(id: u32, len: usize) -> Vec<u8> {
    let body = bytes(len);
    let frames = body.chunks(10_000).map(|chunk| frame::data(id, chunk, false));
    let mut all = frame::request(id, false);
    frames.for_each(|frame| all.extend(frame));
    all.extend(frame::data(id, b"", true));
    all
}

#[tokio::test]
async fn bytes_come_back_through_pipes_of_any_size() {
    for (size, len) in [(1, 1000), (7, 6000), (65_536, 40_000)] {
        let (mut client, ended) =
            served(
                size,
                pending(),
                |request| async move { Reply::new(all(request.into_body()).await) },
            );
        client.greet(65_535).await;
        client.send(&request(1, len)).await;
        assert!(client.bodies(1).await[&1] == bytes(len), "{size}");
        drop(client);
        ended.await.expect("no panic").expect("it ends well");
    }
}

#[tokio::test]
async fn what_nobody_reads_does_not_keep_what_it_was_read_into() {
    let (gives, mut given) = unbounded_channel();
    let (mut client, _ended) = served(1000, pending(), move |request| {
        gives.send(request.into_body()).expect("the test listens");
        pending::<Reply>()
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, false)).await;
    let mut body = given.recv().await.expect("a body");
    for _ in 0..2 {
        client.send(&frame::data(1, &bytes(700), false)).await;
        client.send(&frame::frame(frame::PING, 0, 0, &[0; 8])).await;
        client.next(frame::PING).await;
        let piece = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.expect("a piece");
        let piece = piece.expect("nothing is broken").into_data().expect("data");
        assert!(piece == bytes(700));
        assert!(piece.is_unique(), "the connection reads into the same memory");
    }
}

#[tokio::test]
async fn another_task_may_read_the_body() {
    let (mut client, _ended) = served(1000, pending(), |request| async move {
        let reading = tokio::spawn(all(request.into_body()));
        Reply::new(reading.await.expect("no panic"))
    });
    client.greet(65_535).await;
    for id in [1, 3, 5, 7, 9] {
        // In all more than the window of a stream, and of a connection that has not been told.
        client.send(&request(id, 40_000)).await;
        assert!(client.bodies(1).await[&id] == bytes(40_000), "stream {id}");
    }
}

#[tokio::test]
async fn a_response_larger_than_windows_does_not_wait_for_its_request() {
    let (mut client, _ended) = served(1000, pending(), |request| async move {
        let mut reply = Reply::of(300_000);
        reply.kept = Some(request.into_body());
        reply
    });
    client.greet(100).await;
    client.send(&frame::request(1, false)).await;
    client.send(&frame::data(1, &bytes(10_000), false)).await;
    assert!(client.bodies(1).await[&1] == bytes(300_000));
    let reset = client.next(frame::RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (1, &[0; 4][..]), "it need not go on");
}

#[tokio::test]
async fn all_of_300_streams_have_their_turn_when_the_queue_is_full() {
    let (mut client, _ended) = served(65_536, pending(), |_| async {
        Reply::new(bytes(20_000).chunks(3000).map(Bytes::copy_from_slice))
    });
    client.greet(65_535).await;
    client.grow(0, 300 * 20_000).await;
    for id in 0..300 {
        client.send(&frame::request(2 * id + 1, true)).await;
    }
    let bodies = client.bodies(300).await;
    assert_eq!(bodies.len(), 300);
    assert!(bodies.values().all(|body| *body == bytes(20_000)));
}
