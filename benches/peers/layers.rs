//! Layers of http-body-util's `map_frame` around a body, counting and passing.

use std::convert::Infallible;
use std::hint::black_box;

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

/// What a layer does with a frame.
fn count() -> impl FnMut(Frame<Bytes>) -> Frame<Bytes> + Send + Unpin {
    let mut seen_bytes = 0;
    move |frame| {
        seen_bytes += frame.data_ref().map_or(0, Bytes::len);
        black_box(seen_bytes);
        frame
    }
}

/// One layer, of a type of its own.
pub(crate) fn layer<B>(body: B) -> impl Body<Data = Bytes, Error = Infallible> + Unpin
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    body.map_frame(count())
}

/// Four layers, in one type.
pub(crate) fn four_layers<B>(body: B) -> impl Body<Data = Bytes, Error = Infallible> + Unpin
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    layer(layer(layer(layer(body))))
}

/// Each layer boxed, as they are when filters are chosen at run time.
pub(crate) fn boxed<B>(layers: usize, source: B) -> UnsyncBoxBody<Bytes, Infallible>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let body = source.boxed_unsync();
    (0..layers).fold(body, |body, _| body.map_frame(count()).boxed_unsync())
}

/// Calls `$with` with `$layers` layers around `$body`, in one type.
macro_rules! nested {
    ($layers:expr, $body:expr, $with:expr) => {{
        use $crate::peers::layers::{four_layers, layer};
        match $layers {
            0 => $with($body),
            1 => $with(layer($body)),
            4 => $with(four_layers($body)),
            8 => $with(four_layers(four_layers($body))),
            16 => $with(four_layers(four_layers(four_layers(four_layers($body))))),
            layers => panic!("{layers} layers are not built in"),
        }
    }};
}
pub(crate) use nested;
