//! The rows of the body benchmarks: messages behind the face that hyper polls.
//!
//! Every row takes frames from an [`http_body::Body`] over a source that is always ready, counts
//! the bytes that come out, and panics if they are not those that went in. What is unfair to the
//! chain: the others keep no length, hold nothing, know no end but the source's.
#![allow(dead_code, unused_imports, reason = "each binary uses its part")]

#[path = "endless.rs"]
mod endless;
#[path = "source.rs"]
mod source;

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::request;
use http_body::{Body, Frame};
use tidegate::body::{FilteredBody, Opening};
use tidegate::{Capabilities, Filter, Head, MessageTraits, Plan, Verdict, View};

pub(crate) use endless::{Endless, Scripted, whole};
pub(crate) use source::{CHUNK_BYTES, Message, SIZES, SOURCES, Script, Source};

/// The floor: the source, and a virtual call per filter on its chunk.
pub(crate) struct Floor<B> {
    source: B,
    hooks: Vec<Box<dyn Hook>>,
}

impl<B> Floor<B> {
    /// A body that makes `hooks` calls per chunk.
    pub(crate) fn new(hooks: usize, source: B) -> Self {
        Self { source, hooks: (0..hooks).map(|_| Box::new(Count(0)) as Box<dyn Hook>).collect() }
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

impl<B: Body<Data = Bytes> + Unpin> Body for Floor<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.source).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = frame else { return frame };
        Poll::Ready(Some(Ok(frame.map_data(|mut chunk| {
            this.hooks.iter_mut().for_each(|hook| hook.data(&mut chunk));
            chunk
        }))))
    }
}

/// A filter that counts and passes.
struct Pass(u64);

impl<H: Head> Filter<H> for Pass {
    #[inline(never)]
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.new_bytes() as u64;
        Verdict::PASS
    }
}

/// `filters` passing filters behind the face of a body, with back-pressure on.
pub(crate) fn filtered<B>(filters: usize, source: B) -> FilteredBody<B, request::Parts>
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    let mut builder = Plan::builder();
    for _ in 0..filters {
        builder = builder.filter("pass", || Pass(0));
    }
    let plan = builder.build().expect("few filters").bind(Capabilities::ALL).expect("no needs");
    let chain = plan.chain(MessageTraits::new()).expect("no needs");
    let (head, ()) = http::Request::new(()).into_parts();
    let mut body = FilteredBody::new(chain, head, source);
    let opening = Pin::new(&mut body).poll_head(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(opening, Poll::Ready(Ok(Opening::Head(_)))));
    body
}

/// Takes `chunks` chunks of that many bytes.
pub(crate) fn take<B>(body: &mut B, chunks: u64, chunk_bytes: usize)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut out_bytes = 0;
    for _ in 0..chunks {
        let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *body).poll_frame(&mut cx) else {
            panic!("the source is always ready")
        };
        // A server asks this of every frame.
        assert!(!black_box(body.is_end_stream()));
        out_bytes += black_box(frame).data_ref().map_or(0, Bytes::len) as u64;
    }
    assert_eq!(out_bytes, chunks * chunk_bytes as u64);
}
