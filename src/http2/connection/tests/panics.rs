use core::future::pending;

use super::reply::{Panics, bytes};
use super::{Client, Reply, served};
use crate::http2::protocol::tests::world::frame;

/// The second stream is served whatever becomes of the first.
async fn the_next_is_served(client: &mut Client) {
    client.send(&frame::request(3, true)).await;
    assert_eq!(client.bodies(1).await[&3], bytes(10));
}

async fn first_is_reset(client: &mut Client) {
    client.greet(65_535).await;
    client.send(&frame::request(1, true)).await;
    let reset = client.next(frame::RST_STREAM).await;
    assert_eq!((reset.stream, frame::number(&reset.payload)), (1, 2), "INTERNAL_ERROR");
    the_next_is_served(client).await;
}

#[tokio::test]
async fn a_panic_in_the_call_fails_its_stream_alone() {
    let (mut client, ended) = served(100, pending(), |request| {
        assert_ne!(request.uri().path(), "/1", "as it was told");
        async { Reply::of(10) }
    });
    first_is_reset(&mut client).await;
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn so_does_one_of_its_future() {
    let (mut client, ended) = served(100, pending(), |request| async move {
        assert_ne!(request.uri().path(), "/1", "as it was told");
        Reply::of(10)
    });
    first_is_reset(&mut client).await;
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn and_of_its_body() {
    let (mut client, ended) = served(100, pending(), |request| async move {
        let is_first = request.uri().path() == "/1";
        let panics = if is_first { Panics::Polled } else { Panics::Never };
        let mut reply = Reply::of(10);
        reply.panics = panics;
        reply
    });
    first_is_reset(&mut client).await;
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn one_of_a_body_that_goes_changes_nothing() {
    let (mut client, ended) = served(100, pending(), |request| async move {
        let is_first = request.uri().path() == "/1";
        let panics = if is_first { Panics::Dropped } else { Panics::Never };
        let mut reply = Reply::of(10);
        reply.panics = panics;
        reply
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, true)).await;
    assert_eq!(client.bodies(1).await[&1], bytes(10));
    the_next_is_served(&mut client).await;
    assert!(!ended.is_finished());
}
