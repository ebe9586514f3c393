//! Layers of futures' `map` around a stream of frames, counting and passing.
#![allow(dead_code, reason = "each binary uses its part")]

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use http_body::Frame;

use crate::rows::{Message, Script, Source};

/// A stream that never ends.
pub(crate) fn endless(source: Source) -> impl Stream<Item = Frame<Bytes>> + Send + Unpin {
    stream::repeat_with(move || Frame::data(black_box(source.next())))
}

/// A message with an end.
pub(crate) fn scripted(script: Script) -> impl Stream<Item = Frame<Bytes>> + Send + Unpin {
    let chunks = script.chunks.into_iter().map(Frame::data);
    stream::iter(chunks.chain([Frame::trailers(script.trailers)]))
}

/// What a layer does with a frame.
fn count() -> impl FnMut(Frame<Bytes>) -> Frame<Bytes> + Send {
    let mut seen_bytes = 0;
    move |frame| {
        seen_bytes += frame.data_ref().map_or(0, Bytes::len);
        black_box(seen_bytes);
        frame
    }
}

/// One layer, of a type of its own.
pub(crate) fn layer<S>(stream: S) -> impl Stream<Item = Frame<Bytes>> + Unpin
where
    S: Stream<Item = Frame<Bytes>> + Unpin,
{
    stream.map(count())
}

/// Four layers, in one type.
pub(crate) fn four_layers<S>(stream: S) -> impl Stream<Item = Frame<Bytes>> + Unpin
where
    S: Stream<Item = Frame<Bytes>> + Unpin,
{
    layer(layer(layer(layer(stream))))
}

/// Each layer boxed.
pub(crate) fn boxed<S>(layers: usize, stream: S) -> BoxStream<'static, Frame<Bytes>>
where
    S: Stream<Item = Frame<Bytes>> + Send + 'static,
{
    (0..layers).fold(stream.boxed(), |stream, _| stream.map(count()).boxed())
}

/// Calls `$with` with `$layers` layers around `$stream`, in one type.
macro_rules! nested_stream {
    ($layers:expr, $stream:expr, $with:expr) => {{
        use $crate::peers::streams::{four_layers, layer};
        match $layers {
            0 => $with($stream),
            1 => $with(layer($stream)),
            4 => $with(four_layers($stream)),
            8 => $with(four_layers(four_layers($stream))),
            16 => $with(four_layers(four_layers(four_layers(four_layers($stream))))),
            layers => panic!("{layers} layers are not built in"),
        }
    }};
}
pub(crate) use nested_stream;

/// Takes a message to its end.
pub(crate) fn whole(mut stream: impl Stream<Item = Frame<Bytes>> + Unpin) -> Message {
    let mut cx = Context::from_waker(Waker::noop());
    let mut message = Message::default();
    while let Poll::Ready(Some(frame)) = Pin::new(&mut stream).poll_next(&mut cx) {
        match frame.into_data() {
            Ok(data) => message.data(&data),
            Err(frame) => message.end(frame.into_trailers().expect("data or trailers")),
        }
    }
    message
}
