//! What people use today to carry a small message through layers that are made for it.

pub(crate) mod layers;
#[cfg(feature = "comparisons-pingora")]
mod modules;
pub(crate) mod streams;

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::stream::{self, Stream};
use http_body::{Body, Frame};
use http_body_util::Channel;
#[cfg(feature = "comparisons-pingora")]
use pingora_http::{RequestHeader, ResponseHeader};

use crate::Way;
use crate::rows::{CHUNKS, Counted, Sink, chunk, fields, head};
use layers::nested;
use streams::nested_stream;

/// All peers. The layers see no head: there is nothing in these crates that would show it.
pub(crate) const WAYS: &[Way] = &[
    Way {
        name: "http_body_util_static",
        note: "http-body-util's `map_frame`, a type a layer. No holding, no limits; the head is \
               made and goes past",
        messages: |filters| Box::new(move || static_message::<Counted>(filters).check()),
        kept: static_message,
    },
    Way {
        name: "http_body_util_boxed",
        note: "the same with each layer boxed",
        messages: |filters| Box::new(move || boxed_message::<Counted>(filters).check()),
        kept: boxed_message,
    },
    Way {
        name: "http_body_util_channel_boxed",
        note: "the boxed layers behind a `Channel` with room for 16 frames",
        messages: |filters| Box::new(move || channel_message::<Counted>(filters).check()),
        kept: channel_message,
    },
    Way {
        name: "futures_static",
        note: "futures' `Stream::map` over frames, a type a layer; the head goes past",
        messages: |filters| Box::new(move || stream_message::<Counted>(filters).check()),
        kept: stream_message,
    },
    Way {
        name: "futures_boxed",
        note: "the same with each layer boxed",
        messages: |filters| Box::new(move || boxed_stream_message::<Counted>(filters).check()),
        kept: boxed_stream_message,
    },
    #[cfg(feature = "comparisons-pingora")]
    Way {
        name: "pingora_request",
        note: "Pingora's modules made for the message, which see its head and its body. Trailers \
               of requests go past",
        messages: |filters| {
            let plan = modules::modules(filters);
            Box::new(move || request_message::<Counted>(&plan).check())
        },
        kept: |filters| request_message(&modules::modules(filters)),
    },
    #[cfg(feature = "comparisons-pingora")]
    Way {
        name: "pingora_response",
        note: "Pingora's modules made for the message, which see its head, its body and trailers, \
               and cannot wait for a body",
        messages: |filters| {
            let plan = modules::modules(filters);
            Box::new(move || response_message::<Counted>(&plan).check())
        },
        kept: |filters| response_message(&modules::modules(filters)),
    },
];

/// Frame `n` of a message.
fn frame(n: usize) -> Option<Frame<Bytes>> {
    match n {
        0..CHUNKS => Some(Frame::data(chunk(n))),
        CHUNKS => Some(Frame::trailers(black_box(fields()))),
        _ => None,
    }
}

/// A message as a body.
struct Small(usize);

impl Body for Small {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0 += 1;
        Poll::Ready(frame(self.0 - 1).map(Ok))
    }
}

/// The same as a stream.
fn small() -> impl Stream<Item = Frame<Bytes>> + Send + Unpin {
    let mut n = 0;
    stream::poll_fn(move |_| {
        n += 1;
        Poll::Ready(frame(n - 1))
    })
}

fn arrive(sink: &mut impl Sink, frame: Frame<Bytes>) {
    match black_box(frame).into_data() {
        Ok(data) => sink.data(data),
        Err(frame) => sink.end(frame.into_trailers().expect("data or trailers")),
    }
}

fn drain<S: Sink>(mut body: impl Body<Data = Bytes, Error = Infallible> + Unpin) -> S {
    let mut cx = Context::from_waker(Waker::noop());
    let mut sink = S::default();
    while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) {
        arrive(&mut sink, frame);
    }
    sink
}

fn drain_stream<S: Sink>(mut stream: impl Stream<Item = Frame<Bytes>> + Unpin) -> S {
    let mut cx = Context::from_waker(Waker::noop());
    let mut sink = S::default();
    while let Poll::Ready(Some(frame)) = Pin::new(&mut stream).poll_next(&mut cx) {
        arrive(&mut sink, frame);
    }
    sink
}

fn static_message<S: Sink>(layers: usize) -> S {
    black_box(head());
    nested!(layers, Small(0), drain)
}

fn boxed_message<S: Sink>(layers: usize) -> S {
    black_box(head());
    drain(layers::boxed(layers, Small(0)))
}

fn channel_message<S: Sink>(layers: usize) -> S {
    black_box(head());
    let (mut sender, channel) = Channel::<Bytes>::new(16);
    let body = layers::boxed(layers, channel);
    for frame in (0..=CHUNKS).filter_map(frame) {
        assert!(sender.try_send(frame).is_ok(), "there is room for 16");
    }
    drop(sender);
    drain(body)
}

fn stream_message<S: Sink>(layers: usize) -> S {
    black_box(head());
    nested_stream!(layers, small(), drain_stream)
}

fn boxed_stream_message<S: Sink>(layers: usize) -> S {
    black_box(head());
    drain_stream(streams::boxed(layers, small()))
}

#[cfg(feature = "comparisons-pingora")]
fn request_message<S: Sink>(plan: &pingora_core::modules::http::HttpModules) -> S {
    let mut context = plan.build_ctx();
    let mut head = RequestHeader::build("GET", b"/", Some(1)).expect("a head");
    head.insert_header("x-field", "1").expect("a field");
    modules::passed(modules::ready(context.request_header_filter(&mut head)));
    black_box(head);
    let mut sink = S::default();
    (0..CHUNKS).for_each(|n| sink.data(modules::request(&mut context, chunk(n))));
    sink.end(black_box(fields()));
    sink
}

#[cfg(feature = "comparisons-pingora")]
fn response_message<S: Sink>(plan: &pingora_core::modules::http::HttpModules) -> S {
    let mut context = plan.build_ctx();
    let mut head = ResponseHeader::build(200, Some(1)).expect("a head");
    head.insert_header("x-field", "1").expect("a field");
    modules::passed(modules::ready(context.response_header_filter(&mut head, false)));
    black_box(head);
    let mut sink = S::default();
    (0..CHUNKS).for_each(|n| sink.data(modules::response(&mut context, chunk(n))));
    let mut trailers = Some(Box::new(black_box(fields())));
    let written = context.response_trailer_filter(&mut trailers);
    assert!(matches!(written, Ok(None)), "the modules pass");
    sink.end(*trailers.expect("the modules pass"));
    sink
}
