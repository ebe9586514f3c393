//! Listens to a stream, with another decoder than the crate's.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::super::harness::transcript::{Transcripts, case_of};
use super::super::messages::{Frames, ProcessingRequest, ProcessingResponse};

/// The client will send no more, as the server sees it.
pub(crate) const HALF_CLOSED: &str = "half-closed";

/// The stream is gone, as the server sees it.
pub(crate) const RESET: &str = "reset";

/// The transcript of one stream, for both of its bodies.
#[derive(Debug, Clone)]
pub(crate) struct Tap {
    transcripts: Transcripts,
    case: Arc<Mutex<Option<u64>>>,
}

impl Tap {
    pub(crate) fn new(transcripts: &Transcripts) -> Self {
        Self { transcripts: transcripts.clone(), case: Arc::default() }
    }

    fn requested(&self, message: ProcessingRequest) {
        let mut case = self.case.lock().expect("no panic");
        *case = case.or_else(|| case_of(&message));
        if let Some(case) = *case {
            self.transcripts.requested(case, message);
        }
    }

    /// The status that ends the stream.
    fn ended(&self, trailers: &HeaderMap) {
        let value = |name| trailers.get(name).and_then(|value| value.to_str().ok());
        let text = ["grpc-status", "grpc-message"].map(|name| value(name).unwrap_or_default());
        self.happened(&format!("S ends {}", text.join(" ")));
    }

    fn happened(&self, what: &str) {
        if let Some(case) = *self.case.lock().expect("no panic") {
            self.transcripts.happened(case, what);
        }
    }

    fn replied(&self, message: ProcessingResponse) {
        if let Some(case) = *self.case.lock().expect("no panic") {
            self.transcripts.replied(case, message);
        }
    }
}

pin_project! {
    /// What a data plane sends.
    #[derive(Debug)]
    pub(crate) struct Requests<B> {
        #[pin]
        body: B,
        // `None` where nobody listens.
        tap: Option<(Tap, Frames)>,
    }
}

impl<B> Requests<B> {
    pub(crate) fn new(body: B, tap: Option<Tap>) -> Self {
        Self { body, tap: tap.map(|tap| (tap, Frames::default())) }
    }
}

impl<B: Body<Data = Bytes>> Body for Requests<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let (Some((tap, frames)), Some(Ok(frame))) = (&mut *this.tap, &frame)
            && let Some(data) = frame.data_ref()
        {
            frames.push(data);
            while let Some(message) = frames.next() {
                tap.requested(message);
            }
        }
        if let (Some((tap, _)), None | Some(Err(_))) = (this.tap, &frame) {
            tap.happened(if frame.is_some() { RESET } else { HALF_CLOSED });
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project! {
    /// What a server answers.
    #[derive(Debug)]
    pub(crate) struct Replies<B> {
        #[pin]
        body: B,
        tap: Option<(Tap, Frames)>,
    }
}

impl<B> Replies<B> {
    pub(crate) fn new(body: B, tap: Option<Tap>) -> Self {
        Self { body, tap: tap.map(|tap| (tap, Frames::default())) }
    }
}

impl<B: Body> Body for Replies<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let (Some((tap, frames)), Some(Ok(frame))) = (&mut *this.tap, &frame)
            && let Some(data) = frame.data_ref()
        {
            // All of it without taking it: as many slices as it can have bytes, up to a limit.
            let mut slices = vec![IoSlice::new(&[]); data.remaining().min(1 << 16)];
            let count = data.chunks_vectored(&mut slices);
            let listened: usize = slices[..count].iter().map(|slice| slice.len()).sum();
            assert_eq!(listened, data.remaining(), "a reply of too many pieces to listen to");
            slices[..count].iter().for_each(|slice| frames.push(slice));
            while let Some(message) = frames.next() {
                tap.replied(message);
            }
        } else if let (Some((tap, _)), Some(Ok(frame))) = (&this.tap, &frame)
            && let Some(trailers) = frame.trailers_ref()
        {
            tap.ended(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
