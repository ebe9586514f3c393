//! Bodies to put layers around: one that never ends, and one that does.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::vec;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::{Message, Script, Source};

type Polled = Poll<Option<Result<Frame<Bytes>, Infallible>>>;

/// Always ready, never at its end.
pub(crate) struct Endless(pub(crate) Source);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Poll::Ready(Some(Ok(Frame::data(black_box(self.0.next())))))
    }
}

/// Always ready, until it is at its end.
pub(crate) struct Scripted {
    chunks: vec::IntoIter<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Scripted {
    pub(crate) fn new(script: Script) -> Self {
        Self { chunks: script.chunks.into_iter(), trailers: Some(script.trailers) }
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        let data = self.chunks.next().map(Frame::data);
        let frame = data.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }
}

/// Takes `body`, which is always ready, to its end.
pub(crate) fn whole<B>(mut body: B) -> Message
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut message = Message::default();
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut cx) {
        let Ok(frame) = frame else { panic!("no error") };
        match frame.into_data() {
            Ok(data) => message.data(&data),
            Err(frame) => message.end(frame.into_trailers().expect("data or trailers")),
        }
    }
    message
}
