use core::future::pending;

use bytes::Bytes;

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

/// A piece that panics when it goes.
struct Sharp([u8; 100]);

impl AsRef<[u8]> for Sharp {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Sharp {
    fn drop(&mut self) {
        panic!("as it was told");
    }
}

#[tokio::test]
async fn nor_do_two_of_what_goes_at_once() {
    let (mut client, ended) = served(1000, pending(), |request| async move {
        if request.uri().path() != "/1" {
            return Reply::of(10);
        }
        let mut reply = Reply::new([Bytes::from_owner(Sharp([0; 100]))]);
        reply.panics = Panics::Dropped;
        reply
    });
    // There is no room for all of the piece.
    client.greet(4).await;
    client.send(&frame::request(1, true)).await;
    client.next(frame::DATA).await;
    client.send(&frame::frame(frame::RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await;
    the_next_is_served(&mut client).await;
    assert!(!ended.is_finished());
}
