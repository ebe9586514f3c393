//! What people use today to do something with each chunk.

pub(crate) mod layers;
#[cfg(feature = "comparisons-pingora")]
mod modules;
pub(crate) mod streams;

#[path = "../rows/endless.rs"]
mod endless;

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::stream::Stream;
use http_body::{Body, Frame};

use crate::rows::{Message, Script, Source};
use crate::{Turn, Way};
use endless::{Endless, Scripted, whole};
use layers::nested;
use streams::nested_stream;

/// All peers.
pub(crate) const WAYS: &[Way] = &[
    Way {
        name: "http_body_util_static",
        note: "http-body-util's `map_frame`, a type a layer: filters known when the program is \
               built. No holding, no limits, no back-pressure; frames of 96 bytes are moved",
        endless: |filters, source| nested!(filters, Endless(source), turn),
        whole: |filters, script| nested!(filters, Scripted::new(script), whole),
    },
    Way {
        name: "http_body_util_boxed",
        note: "the same with each layer boxed: filters chosen at run time",
        endless: |filters, source| turn(layers::boxed(filters, Endless(source))),
        whole: |filters, script| whole(layers::boxed(filters, Scripted::new(script))),
    },
    Way {
        name: "futures_static",
        note: "futures' `Stream::map` over frames, a type a layer. A stream of bare `Bytes` would \
               move less, and have no trailers",
        endless: |filters, source| nested_stream!(filters, streams::endless(source), stream_turn),
        whole: |filters, script| nested_stream!(filters, streams::scripted(script), streams::whole),
    },
    Way {
        name: "futures_boxed",
        note: "the same with each layer boxed",
        endless: |filters, source| stream_turn(streams::boxed(filters, streams::endless(source))),
        whole: |filters, script| streams::whole(streams::boxed(filters, streams::scripted(script))),
    },
    #[cfg(feature = "comparisons-pingora")]
    Way {
        name: "pingora_request",
        note: "Pingora's modules, request body: an async call a module, which may wait, and \
               allocates. No holding of what others hold, no trailers of requests",
        endless: |filters, source| modules::endless(filters, source, modules::request),
        whole: |filters, script| modules::whole(filters, script, modules::request),
    },
    #[cfg(feature = "comparisons-pingora")]
    Way {
        name: "pingora_response",
        note: "Pingora's modules, response body: a plain call a module, which cannot wait",
        endless: |filters, source| modules::endless(filters, source, modules::response),
        whole: |filters, script| modules::whole(filters, script, modules::response),
    },
];

fn turn<B>(mut body: B) -> Turn
where
    B: Body<Data = Bytes> + Unpin + 'static,
{
    Box::new(move |chunks| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut out = Out::default();
        for _ in 0..chunks {
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else {
                panic!("the source is always ready")
            };
            out.take(frame);
        }
        out.check(chunks);
    })
}

fn stream_turn<S>(mut stream: S) -> Turn
where
    S: Stream<Item = Frame<Bytes>> + Unpin + 'static,
{
    Box::new(move |chunks| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut out = Out::default();
        for _ in 0..chunks {
            let Poll::Ready(Some(frame)) = Pin::new(&mut stream).poll_next(&mut cx) else {
                panic!("the source is always ready")
            };
            out.take(frame);
        }
        out.check(chunks);
    })
}

/// What has come out. Every chunk is as long as the first.
#[derive(Default)]
struct Out {
    bytes: u64,
    last_bytes: u64,
}

impl Out {
    fn take(&mut self, frame: Frame<Bytes>) {
        self.last_bytes = black_box(frame).data_ref().map_or(0, Bytes::len) as u64;
        self.bytes += self.last_bytes;
    }

    fn check(&self, chunks: u64) {
        assert!(self.last_bytes > 0);
        assert_eq!(self.bytes, chunks * self.last_bytes);
    }
}
