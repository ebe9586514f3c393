//! Channels that people use today.

use std::future::poll_fn;
use std::pin::Pin;

use futures::{SinkExt, StreamExt};
use http_body::{Body, Frame};

use crate::rows::{Feed, Item, Receiving, Sending, Sink, Way};

/// All peers.
pub(crate) const WAYS: &[Way] = &[
    Way { name: "kanal", note: "kanal's bounded channel", counted: kanal, kept: kanal },
    Way { name: "flume", note: "flume's bounded channel", counted: flume, kept: flume },
    Way {
        name: "tokio_mpsc",
        note: "tokio's mpsc. On one thread it is polled outside of a runtime, without its budget",
        counted: tokio_mpsc,
        kept: tokio_mpsc,
    },
    Way {
        name: "futures_mpsc",
        note: "futures' mpsc, which has room for one more than it is told; told one less",
        counted: futures,
        kept: futures,
    },
    Way {
        name: "async_channel",
        note: "async-channel's bounded channel",
        counted: async_channel,
        kept: async_channel,
    },
    Way {
        name: "thingbuf",
        note: "thingbuf's mpsc, which keeps its slots: an item is swapped with a default",
        counted: thingbuf,
        kept: thingbuf,
    },
    Way {
        name: "http_body_util_channel",
        note: "http-body-util's `Channel`: tokio's mpsc of frames, and another for errors",
        counted: http_body_util,
        kept: http_body_util,
    },
];

fn kanal<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (sender, receiver) = kanal::bounded_async::<Item>(room);
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            sender.send(item).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Ok(item) = receiver.recv().await {
            item.arrive(&mut sink);
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn flume<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (sender, receiver) = flume::bounded::<Item>(room);
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            sender.send_async(item).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Ok(item) = receiver.recv_async().await {
            item.arrive(&mut sink);
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn tokio_mpsc<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Item>(room);
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            sender.send(item).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Some(item) = receiver.recv().await {
            item.arrive(&mut sink);
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn futures<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (mut sender, mut receiver) =
        futures::channel::mpsc::channel::<Item>(room.saturating_sub(1));
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            sender.send(item).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Some(item) = receiver.next().await {
            item.arrive(&mut sink);
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn async_channel<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (sender, receiver) = async_channel::bounded::<Item>(room);
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            sender.send(item).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Ok(item) = receiver.recv().await {
            item.arrive(&mut sink);
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn thingbuf<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (sender, receiver) = thingbuf::mpsc::channel::<Item>(room);
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            sender.send(item).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Some(item) = receiver.recv().await {
            item.arrive(&mut sink);
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn http_body_util<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (mut sender, mut body) = http_body_util::Channel::<bytes::Bytes>::new(room);
    let sending = async move {
        while let Some(chunk) = feed.next() {
            sender.send(Frame::data(chunk)).await.expect("the receiver is there");
        }
        let trailers = Frame::trailers(feed.trailers());
        sender.send(trailers).await.expect("the receiver is there");
    };
    let receiving = async move {
        let mut sink = S::default();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            match frame.expect("no error").into_data() {
                Ok(data) => sink.data(data),
                Err(frame) => sink.end(frame.into_trailers().expect("data or trailers")),
            }
        }
        sink
    };
    (Box::pin(sending), Box::pin(receiving))
}
