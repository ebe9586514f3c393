//! What whoever has a body is told.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use super::{Reply, served};
use crate::http2::connection::inbox::Inbox;
use crate::http2::protocol::tests::world::frame;
use crate::http2::{DirectBody, DirectError};
use crate::limits::TRANSPORT_READ_BYTES;
use crate::sync::Arc;

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn body(ends: bool) -> (Arc<Inbox>, DirectBody) {
    let inbox = Arc::new(Inbox::new(Waker::noop().clone(), ends));
    let body = DirectBody::new(Arc::clone(&inbox));
    (inbox, body)
}

fn poll(body: &mut DirectBody, waker: &Waker) -> Poll<Option<Result<Frame<Bytes>, DirectError>>> {
    Pin::new(body).poll_frame(&mut Context::from_waker(waker))
}

/// Whether it is at its end, and the least and the most that is left of it, in bytes.
fn told(body: &DirectBody) -> (bool, u64, Option<u64>) {
    let hint = body.size_hint();
    (body.is_end_stream(), hint.lower(), hint.upper())
}

#[test]
fn a_body_says_what_is_left_of_it() {
    assert_eq!(told(&body(true).1), (true, 0, Some(0)));
    let (inbox, mut body) = body(false);
    assert_eq!(told(&body), (false, 0, None));
    assert_eq!(format!("{body:?}"), "DirectBody { left: AtLeast(0), .. }");
    inbox.push(Bytes::from_static(b"three"), false);
    assert_eq!(told(&body), (false, 5, None));
    inbox.push(Bytes::from_static(b"and four"), true);
    assert_eq!(told(&body), (false, 13, Some(13)));
    assert!(poll(&mut body, Waker::noop()).is_ready());
    assert_eq!(told(&body), (false, 8, Some(8)));
    assert!(poll(&mut body, Waker::noop()).is_ready());
    assert_eq!(told(&body), (true, 0, Some(0)));
}

#[test]
fn trailers_are_still_to_come() {
    let (inbox, mut body) = body(false);
    inbox.end(Box::default());
    assert_eq!(told(&body), (false, 0, None));
    assert!(matches!(poll(&mut body, Waker::noop()), Poll::Ready(Some(Ok(_)))));
    assert_eq!(told(&body), (true, 0, Some(0)));
}

#[test]
fn an_end_by_force_is_told_once_and_not_behind_an_end() {
    let (inbox, mut cut) = body(false);
    inbox.push(Bytes::from_static(b"unread"), true);
    assert!(inbox.fail(DirectError::Disconnected).is_none());
    let told = poll(&mut cut, Waker::noop());
    assert!(matches!(told, Poll::Ready(Some(Err(DirectError::Disconnected)))), "{told:?}");
    assert!(matches!(poll(&mut cut, Waker::noop()), Poll::Ready(None)));
    let (inbox, mut whole) = body(true);
    assert!(matches!(poll(&mut whole, Waker::noop()), Poll::Ready(None)));
    inbox.fail(DirectError::Disconnected);
    assert!(matches!(poll(&mut whole, Waker::noop()), Poll::Ready(None)));
}

/// What lies unread keeps no memory that is twice as long.
#[test]
fn a_piece_that_lies_is_copied_if_it_is_short() {
    for (len, is_same) in [(TRANSPORT_READ_BYTES / 2 - 1, false), (TRANSPORT_READ_BYTES / 2, true)]
    {
        let (inbox, mut body) = body(false);
        let piece = Bytes::from(vec![7; len]);
        let lay = piece.as_ptr();
        inbox.push(piece, false);
        assert_eq!(inbox.look().read_bytes, 0);
        let Poll::Ready(Some(Ok(frame))) = poll(&mut body, Waker::noop()) else { panic!("{len}") };
        let piece = frame.into_data().expect("a piece");
        assert_eq!((piece.len(), piece.as_ptr() == lay), (len, is_same));
    }
}

#[test]
fn the_connection_hears_of_what_is_read_in_another_task() {
    let place = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&place));
    let inbox = Arc::new(Inbox::new(waker.clone(), false));
    let mut body = DirectBody::new(Arc::clone(&inbox));
    for (reader, woken) in [(&waker, 0), (Waker::noop(), 1)] {
        inbox.push(Bytes::from_static(b"piece"), false);
        assert!(poll(&mut body, reader).is_ready());
        assert_eq!(place.0.load(Ordering::Relaxed), woken);
    }
}

/// What whoever has waited for the body of a request in another task hears when the client sends
/// `frame`: by then he has been woken.
async fn heard(frame: &[u8]) -> DirectError {
    let (sender, mut bodies) = mpsc::unbounded_channel();
    let (mut client, ended) = served(65_536, core::future::pending(), move |request| {
        let _ = sender.send(Request::into_body(request));
        core::future::pending::<Reply>()
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, false)).await;
    let mut body = bodies.recv().await.expect("the stream begins");
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    assert!(poll(&mut body, &waker).is_pending());
    client.send(&[frame, &frame::frame(frame::PING, 0, 0, &[0; 8])].concat()).await;
    while !matches!(client.frame().await.expect("it goes on").kind, frame::PING | frame::GOAWAY) {}
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    // Before the connection itself is over: one whose client has broken the rules lingers.
    assert!(!ended.is_finished());
    match poll(&mut body, &waker) {
        Poll::Ready(Some(Err(error))) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_reads_in_another_task_hears_at_once_how_it_ends() {
    let broken = frame::data(0, b"of no stream", false);
    assert!(matches!(heard(&broken).await, DirectError::Disconnected));
    let reset = frame::frame(frame::RST_STREAM, 0, 1, &8_u32.to_be_bytes());
    assert!(matches!(heard(&reset).await, DirectError::Reset { code: 8 }));
}
