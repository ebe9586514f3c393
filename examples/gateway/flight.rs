//! An exchange on its way: it keeps the plan it started on until both of its bodies are gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tidegate::table;

use super::plan::Plan;
use super::tally::Tally;

/// What an exchange holds.
pub(crate) struct Flight {
    pin: table::Pin<String, Plan>,
    tally: Arc<Tally>,
}

impl Flight {
    /// An exchange that starts on what `pin` has found.
    pub(crate) fn new(pin: table::Pin<String, Plan>, tally: &Arc<Tally>) -> Arc<Self> {
        tally.start(pin.epoch().number);
        Arc::new(Self { pin, tally: Arc::clone(tally) })
    }

    pub(crate) fn pin(&self) -> &table::Pin<String, Plan> {
        &self.pin
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.tally.end(self.pin.epoch().number);
    }
}

pin_project! {
    /// A body that keeps its exchange.
    pub(crate) struct Held<B> {
        #[pin]
        body: B,
        flight: Arc<Flight>,
    }
}

impl<B> Held<B> {
    pub(crate) fn new(body: B, flight: &Arc<Flight>) -> Self {
        Self { body, flight: Arc::clone(flight) }
    }
}

impl<B: Body<Data = Bytes>> Body for Held<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
