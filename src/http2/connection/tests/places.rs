//! A place outlives its streams, however they go, and whoever has something of them still.

use core::future::{pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};

use http_body::Body;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::reply::bytes;
use super::{Client, Ended, Reply, served};
use crate::http2::protocol::tests::world::frame;
use crate::http2::{DirectBody, DirectError};

const CANCEL: u32 = 8;

async fn is_served(client: &mut Client, id: u32) {
    client.send(&frame::request(id, true)).await;
    assert_eq!(client.bodies(1).await[&id], bytes(10), "stream {id}");
}

async fn reset(client: &mut Client, id: u32) {
    client.send(&frame::frame(frame::RST_STREAM, 0, id, &CANCEL.to_be_bytes())).await;
}

/// All that `body` gives until it ends or fails.
async fn rest(body: &mut DirectBody) -> Result<Vec<u8>, DirectError> {
    let mut all = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        all.extend(frame?.into_data().expect("no trailers"));
    }
    Ok(all)
}

#[tokio::test]
async fn it_is_free_when_a_call_has_panicked_and_the_body_is_elsewhere() {
    let held: Arc<Mutex<Option<DirectBody>>> = Arc::default();
    let holds = Arc::clone(&held);
    let (mut client, ended) = served(1000, pending(), move |request| {
        if request.uri().path() == "/3" {
            *holds.lock().unwrap() = Some(request.into_body());
            panic!("as it was told");
        }
        async { Reply::of(10) }
    });
    client.greet(65_535).await;
    is_served(&mut client, 1).await;
    client.send(&frame::request(3, false)).await;
    let reset = client.next(frame::RST_STREAM).await;
    assert_eq!((reset.stream, frame::number(&reset.payload)), (3, 2), "INTERNAL_ERROR");
    is_served(&mut client, 5).await;
    // Wakes a place that another stream has had.
    *held.lock().unwrap() = None;
    is_served(&mut client, 7).await;
    assert!(!ended.is_finished());
}

/// What a stream that clings to its body says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Polled,
    /// What it read when it went.
    Gone(Option<DirectError>),
}

/// When it goes it reads its body, wakes its place, and panics.
struct Clings {
    body: DirectBody,
    waker: Waker,
    says: UnboundedSender<Said>,
}

impl Future for Clings {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        self.waker = cx.waker().clone();
        assert!(Pin::new(&mut self.body).poll_frame(cx).is_pending());
        self.says.send(Said::Polled).expect("the test listens");
        Poll::Pending
    }
}

impl Drop for Clings {
    fn drop(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        let error = match Pin::new(&mut self.body).poll_frame(&mut cx) {
            Poll::Ready(Some(Err(error))) => Some(error),
            Poll::Ready(Some(Ok(_)) | None) | Poll::Pending => None,
        };
        self.waker.wake_by_ref();
        let _ = self.says.send(Said::Gone(error));
        panic!("as it was told");
    }
}

/// Streams 1 and 3 cling, and have been polled.
async fn two_cling() -> (Client, Ended, UnboundedReceiver<Said>) {
    let (says, mut said) = unbounded_channel();
    let (mut client, ended) = served(1000, pending(), move |request| {
        let says = says.clone();
        async move {
            if !matches!(request.uri().path(), "/1" | "/3") {
                return Reply::of(10);
            }
            Clings { body: request.into_body(), waker: Waker::noop().clone(), says }.await
        }
    });
    client.greet(65_535).await;
    for id in [1, 3] {
        client.send(&frame::request(id, false)).await;
        assert_eq!(said.recv().await, Some(Said::Polled));
    }
    (client, ended, said)
}

#[tokio::test]
async fn it_is_free_when_a_stream_that_is_reset_clings() {
    let (mut client, ended, mut said) = two_cling().await;
    for (clings, next) in [(3, 5), (1, 7)] {
        reset(&mut client, clings).await;
        let error = DirectError::Reset { code: CANCEL };
        assert_eq!(said.recv().await, Some(Said::Gone(Some(error))));
        is_served(&mut client, next).await;
    }
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn all_that_cling_go_with_the_client() {
    let (client, ended, mut said) = two_cling().await;
    drop(client);
    ended.await.expect("no panic").expect("it ends well");
    for _ in 0..2 {
        assert_eq!(said.recv().await, Some(Said::Gone(Some(DirectError::Disconnected))));
    }
    assert_eq!(said.recv().await, None);
}

#[tokio::test]
async fn all_that_cling_go_with_the_connection() {
    let (_client, ended, mut said) = two_cling().await;
    ended.abort();
    assert!(ended.await.expect_err("it was cut off").is_cancelled());
    for _ in 0..2 {
        assert_eq!(said.recv().await, Some(Said::Gone(Some(DirectError::Disconnected))));
    }
    assert_eq!(said.recv().await, None);
}

/// All are answered at once; what stream 1 was asked is the test's to read.
async fn answered_and_unread() -> (Client, Ended, DirectBody) {
    let (gives, mut given) = unbounded_channel();
    let (mut client, ended) = served(1000, pending(), move |request| {
        if request.uri().path() == "/1" {
            gives.send(request.into_body()).expect("the test reads");
        }
        async { Reply::of(10) }
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, false)).await;
    assert_eq!(client.bodies(1).await[&1], bytes(10));
    let body = given.recv().await.expect("it was asked");
    (client, ended, body)
}

#[tokio::test]
async fn it_is_taken_while_the_request_of_what_is_sent_is_read() {
    let (mut client, ended, mut body) = answered_and_unread().await;
    is_served(&mut client, 3).await;
    client.send(&frame::data(1, &bytes(500), true)).await;
    assert_eq!(rest(&mut body).await, Ok(bytes(500)));
    is_served(&mut client, 5).await;
    drop(body);
    for id in [7, 9] {
        is_served(&mut client, id).await;
    }
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn it_is_the_next_streams_when_what_is_sent_is_reset() {
    let (mut client, ended, mut body) = answered_and_unread().await;
    client.send(&frame::data(1, &bytes(500), false)).await;
    reset(&mut client, 1).await;
    is_served(&mut client, 3).await;
    assert_eq!(rest(&mut body).await, Err(DirectError::Reset { code: CANCEL }));
    is_served(&mut client, 5).await;
    // Wakes a place that others have had.
    drop(body);
    is_served(&mut client, 7).await;
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn who_reads_when_there_are_no_places_any_more_is_told() {
    let (mut client, ended, mut body) = answered_and_unread().await;
    is_served(&mut client, 3).await;
    drop(client);
    ended.await.expect("no panic").expect("it ends well");
    assert_eq!(rest(&mut body).await, Err(DirectError::Disconnected));
    assert_eq!(rest(&mut body).await, Ok(Vec::new()), "once");
    drop(body);
}
