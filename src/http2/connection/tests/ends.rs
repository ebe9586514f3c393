//! How a response ends.

use core::future::pending;

use bytes::Bytes;

use super::{Reply, served};
use crate::http2::protocol::tests::world::frame::{self, Frame};

/// The frames of an answer of these pieces, which `tells_end`.
async fn answer(pieces: &[&'static [u8]], tells_end: bool) -> Vec<Frame> {
    let pieces: Vec<_> = pieces.iter().map(|&piece| Bytes::from_static(piece)).collect();
    let (mut client, _ended) = served(65_536, pending(), move |_| {
        let mut reply = Reply::new(pieces.clone());
        reply.tells_end = tells_end;
        async { reply }
    });
    client.greet(4).await;
    client.send(&frame::request(1, true)).await;
    let mut frames = Vec::new();
    loop {
        let frame = client.frame().await.expect("it goes on");
        if frame.stream == 1 {
            frames.push(frame.clone());
            if frame.has(frame::END_STREAM) {
                return frames;
            }
        }
    }
}

/// What is in its DATA.
fn bodies(frames: &[Frame]) -> Vec<&[u8]> {
    frames[1..].iter().map(|frame| &frame.payload[..]).collect()
}

#[tokio::test]
async fn the_last_piece_ends_a_body_that_says_so() {
    assert_eq!(bodies(&answer(&[], true).await), [b""; 0]);
    assert_eq!(bodies(&answer(&[b"one"], true).await), [b"one"]);
    assert_eq!(bodies(&answer(&[b"a", b"b"], true).await), [b"a", b"b"]);
}

/// The window has no room by then, and nothing needs none.
#[tokio::test]
async fn an_end_of_nothing_needs_no_window() {
    assert_eq!(bodies(&answer(&[b"four", b""], true).await), [&b"four"[..], b""]);
    assert_eq!(bodies(&answer(&[b"four"], false).await), [&b"four"[..], b""]);
}

#[tokio::test]
async fn pieces_of_nothing_are_no_frames() {
    assert_eq!(bodies(&answer(&[b"", b"one", b""], false).await), [&b"one"[..], b""]);
}
