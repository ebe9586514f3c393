//! What was read, or never will be, is given back to the window of all streams.

use core::future::{pending, poll_fn};
use core::pin::Pin;

use http_body::Body;
use tokio::sync::mpsc::unbounded_channel;

use super::client::Client;
use super::reply::bytes;
use super::{Reply, served_at_once};
use crate::http2::protocol::tests::world::frame;

const CANCEL: u32 = 8;
const PIECE_BYTES: usize = 10_000;
/// In all more than the window has.
const PIECES: u32 = 12;
/// Of less than half of it nobody is told: in the end that much may be left.
const TOLD_BYTES: usize = PIECES as usize * PIECE_BYTES - 65_535 / 2;

/// By how much the server lets the window of all streams grow, until it has answered a ping.
async fn grown(client: &mut Client) -> usize {
    client.send(&frame::frame(frame::PING, 0, 0, &[0; 8])).await;
    let mut grown = 0;
    loop {
        let frame = client.frame().await.expect("it goes on");
        match frame.kind {
            frame::WINDOW_UPDATE if frame.stream == 0 => {
                grown += frame::number(&frame.payload) as usize;
            }
            frame::PING => return grown,
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_the_task_of_the_connection_has_read() {
    let (mut client, _ended) = served_at_once(1, 1000, pending(), |request| async move {
        let mut body = request.into_body();
        while poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_some() {}
        pending().await
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, false)).await;
    let mut all = 0;
    for _ in 0..PIECES {
        client.send(&frame::data(1, &bytes(PIECE_BYTES), false)).await;
        all += grown(&mut client).await;
    }
    assert!(all >= TOLD_BYTES, "{all}");
}

#[tokio::test]
async fn what_nobody_has_read_of_a_stream_that_was_reset() {
    let (gives, mut given) = unbounded_channel();
    let (mut client, _ended) = served_at_once(1, 1000, pending(), move |request| {
        gives.send(request.into_body()).expect("the test listens");
        pending::<Reply>()
    });
    client.greet(65_535).await;
    let mut all = 0;
    for id in (0..PIECES).map(|number| number * 2 + 1) {
        client.send(&frame::request(id, false)).await;
        client.send(&frame::data(id, &bytes(PIECE_BYTES), false)).await;
        assert_eq!(grown(&mut client).await, 0, "it may still be read");
        client.send(&frame::frame(frame::RST_STREAM, 0, id, &CANCEL.to_be_bytes())).await;
        all += grown(&mut client).await;
    }
    assert!(all >= TOLD_BYTES, "{all}");
    while let Ok(mut body) = given.try_recv() {
        let last = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert!(last.expect("an end by force").is_err());
    }
}

#[tokio::test]
async fn what_comes_for_a_body_that_was_dropped() {
    let (mut client, _ended) = served_at_once(1, 1000, pending(), |request| {
        drop(request);
        pending::<Reply>()
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, false)).await;
    let mut all = 0;
    for _ in 0..PIECES {
        client.send(&frame::data(1, &bytes(PIECE_BYTES), false)).await;
        all += grown(&mut client).await;
    }
    assert!(all >= TOLD_BYTES, "{all}");
}
