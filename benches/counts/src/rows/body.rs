//! A chunk behind the `http_body` face, as a server polls it (T4).

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::request;
use http_body::{Body, Frame};
use tidegate::body::{FilteredBody, Opening};
use tidegate::{Capabilities, MessageTraits, Plan};

use crate::chain::{CHUNK_BYTES, Source};

use super::exchange::Pass;
use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_body_8", "floor_body_8", "chunk", 6400, || run(Floor::new(8))),
    row("body_8", "floor_body_8", "chunk", 6400, || run(filtered(8))),
];

/// Always ready, never at its end.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(black_box(Source::Static.next())))))
    }
}

/// The source, and a virtual call per filter on its chunk.
struct Floor(Vec<Box<dyn Hook>>);

impl Floor {
    fn new(hooks: usize) -> Self {
        Self((0..hooks).map(|_| Box::new(Count(0)) as Box<dyn Hook>).collect())
    }
}

trait Hook {
    fn data(&mut self, chunk: &mut Bytes);
}

struct Count(u64);

impl Hook for Count {
    #[inline(never)]
    fn data(&mut self, chunk: &mut Bytes) {
        self.0 += chunk.len() as u64;
        black_box(self.0);
    }
}

impl Body for Floor {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = Pin::new(&mut Endless).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = frame else { return frame };
        Poll::Ready(Some(Ok(frame.map_data(|mut chunk| {
            self.0.iter_mut().for_each(|hook| hook.data(&mut chunk));
            chunk
        }))))
    }
}

fn filtered(filters: usize) -> FilteredBody<Endless, request::Parts> {
    let builder = Plan::builder();
    let builder = (0..filters).fold(builder, |builder, _| builder.filter("pass", Pass::default));
    let plan = builder.build().expect("few filters").bind(Capabilities::ALL).expect("no needs");
    let chain = plan.chain(MessageTraits::new()).expect("no needs");
    let (head, ()) = http::Request::new(()).into_parts();
    let mut body = FilteredBody::new(chain, head, Endless);
    let opening = Pin::new(&mut body).poll_head(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(opening, Poll::Ready(Ok(Opening::Head(_)))));
    body
}

fn run(mut body: impl Body<Data = Bytes> + Unpin + 'static) -> Run {
    Box::new(move |chunks| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut out_bytes = 0;
        for _ in 0..chunks {
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else {
                panic!("the source is always ready")
            };
            // A server asks this of every frame.
            assert!(!black_box(body.is_end_stream()));
            out_bytes += black_box(frame).data_ref().map_or(0, Bytes::len) as u64;
        }
        assert_eq!(out_bytes, chunks * CHUNK_BYTES as u64);
    })
}
