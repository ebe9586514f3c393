use core::future::{pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Waker};

use bytes::Bytes;
use http_body::Body;

use super::{Reply, served};
use crate::http2::DirectBody;
use crate::http2::connection::inbox::Inbox;
use crate::http2::protocol::tests::world::frame;
use crate::sync::Arc;

fn stream() -> (Arc<Inbox>, DirectBody) {
    let inbox = Arc::new(Inbox::new(Waker::noop().clone(), false));
    let body = DirectBody::new(Arc::clone(&inbox));
    (inbox, body)
}

/// What `body` gives now, in pieces, and whether it has ended.
fn read(body: &mut DirectBody) -> (Vec<Bytes>, bool) {
    let mut pieces = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut *body).poll_frame(&mut cx) {
            core::task::Poll::Ready(Some(frame)) => {
                pieces.extend(frame.expect("nothing is broken").into_data());
            }
            core::task::Poll::Ready(None) => return (pieces, true),
            core::task::Poll::Pending => return (pieces, false),
        }
    }
}

#[test]
fn the_room_of_what_was_read_is_the_next_streams() {
    let (inbox, mut body) = stream();
    inbox.push(Bytes::from_static(b"one"), true);
    assert_eq!(read(&mut body), (vec![Bytes::from_static(b"one")], true));
    let room = inbox.room();
    drop(body);
    let next = Inbox::retired(inbox).expect("nobody has it");
    assert!(room > 0 && next.room() == room, "{room} and {}", next.room());
}

#[test]
fn a_large_room_is_not_kept() {
    let (inbox, mut body) = stream();
    for _ in 0..100 {
        inbox.push(Bytes::from(vec![7; 600]), false);
    }
    assert_eq!(read(&mut body).0.len(), 100);
    drop(body);
    assert_eq!(inbox.room(), 0, "nor while the response goes on");
    assert_eq!(Inbox::retired(inbox).expect("nobody has it").room(), 0);
}

/// Nothing of a stream comes to the next: pieces, their sum, an end, trailers, that it was left.
#[test]
fn the_next_stream_begins_anew() {
    let left: [fn(&Inbox); 4] = [
        |inbox| _ = inbox.push(Bytes::from_static(b"unread"), true),
        |inbox| {
            inbox.push(Bytes::from_static(b"short"), false);
            inbox.push(Bytes::from_static(b"and joined"), false);
        },
        |inbox| _ = inbox.end(Box::default()),
        |_| {},
    ];
    for (before, behind) in left.into_iter().flat_map(|a| left.map(|b| (a, b))) {
        let (inbox, mut body) = stream();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        before(&inbox);
        drop(body);
        behind(&inbox);
        let next = Inbox::retired(inbox).expect("nobody has it");
        let looked = next.look();
        assert_eq!((looked.read_bytes, looked.is_gone), (0, false));
        let mut body = DirectBody::new(Arc::clone(&next));
        assert_eq!(read(&mut body), (Vec::new(), false));
        assert!(next.push(Bytes::from_static(b"new"), true).is_some(), "it waits");
        assert_eq!(read(&mut body), (vec![Bytes::from_static(b"new")], true));
        assert_eq!(next.look().read_bytes, 3);
    }
}

#[test]
fn who_has_a_body_still_keeps_its_inbox() {
    let (inbox, body) = stream();
    assert!(Inbox::retired(inbox).is_none());
    drop(body);
}

/// Requests with and without bodies, left unread or read, one behind the other in one place.
#[tokio::test]
async fn a_place_serves_one_request_as_another() {
    let (mut client, _ended) = served(65_536, pending(), |request| async move {
        let leaves = request.uri().path().len() % 2 == 0;
        let mut body = request.into_body();
        let mut all = Vec::new();
        while !leaves && let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            all.extend(frame.expect("nothing is broken").into_data());
        }
        Reply::new(all)
    });
    client.greet(65_535).await;
    for id in (1..200).step_by(2) {
        let ends = id % 3 == 0;
        client.send(&frame::request(id, ends)).await;
        let sent: Vec<u8> = (0..id).map(|at| at as u8).collect();
        if !ends {
            client.send(&frame::data(id, &sent, true)).await;
        }
        let leaves = format!("/{id}").len() % 2 == 0;
        let expected = if ends || leaves { Vec::new() } else { sent };
        assert_eq!(client.bodies(1).await[&id], expected, "stream {id}");
    }
}
