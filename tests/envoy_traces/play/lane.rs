//! One direction of a run: its source, its side of the exchange, its sink.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidegate::Output;
use tidegate::exchange::Side;

use super::kind::{Kind, all_fields};
use super::source::{Frame, FromFrame};
use crate::moment::Seen;
use crate::trace::Text;

/// One direction.
pub(crate) struct Lane<H: Kind> {
    /// None when it is over.
    pub(crate) side: Option<Side<H>>,
    /// What the source has sent and the side has not taken.
    source: VecDeque<Frame>,
    /// What the side has taken.
    pub(crate) taken: Seen,
    /// What the sink has received.
    pub(crate) sink: Seen,
    /// Taken out, and waiting for the sink's window.
    on_the_way: Bytes,
    /// What the sink's window lets through, in bytes. None: everything.
    window_bytes: Option<u64>,
    /// All outputs were given out.
    pub(crate) over: bool,
}

impl<H: Kind> Lane<H> {
    pub(crate) fn new(side: Side<H>, window_bytes: Option<u64>) -> Self {
        Self {
            side: Some(side),
            source: VecDeque::new(),
            taken: Seen::default(),
            sink: Seen::default(),
            on_the_way: Bytes::new(),
            window_bytes,
            over: false,
        }
    }

    pub(crate) fn send(&mut self, frame: Frame) {
        self.source.push_back(frame);
    }

    pub(crate) fn open_window(&mut self, bytes: u64) {
        self.window_bytes = self.window_bytes.map(|window| window + bytes);
    }

    /// Whether the source was let go before its end.
    pub(crate) fn lets_source_go(&self) -> bool {
        !self.taken.end && self.side.as_ref().is_none_or(|side| side.input_stopped())
    }

    /// Whether the source has something that is not taken.
    pub(crate) fn source_waits(&self) -> bool {
        !self.source.is_empty()
    }

    /// Gives the side one frame, if there is one and it is wanted; what nobody waits for is
    /// dropped. Whether anything happened.
    pub(crate) fn feed(&mut self) -> bool
    where
        H: FromFrame,
    {
        let Some(side) = &mut self.side else {
            return self.source.pop_front().is_some();
        };
        let is_head = matches!(self.source.front(), Some(Frame::Head { .. }));
        if !is_head && !side.wants_input() && !side.input_stopped() {
            return false;
        }
        let Some(frame) = self.source.pop_front() else { return false };
        if side.input_stopped() {
            return true;
        }
        let end = match frame {
            Frame::Head { method, content_length, end } => {
                let head = H::from_frame(method.as_deref(), content_length);
                self.taken.head = Some(head.shown_fields());
                // A local reply may have been faster.
                drop(side.handle_head(head, end));
                end
            }
            Frame::Data(bytes, end) => {
                self.taken.body.0.extend_from_slice(&bytes);
                side.handle_data(bytes, end).expect("it was wanted");
                end
            }
            Frame::End => {
                side.handle_end().expect("it was wanted");
                true
            }
            Frame::Trailers(map) => {
                self.taken.trailers = Some(all_fields(&map));
                side.handle_trailers(map).expect("they were wanted");
                true
            }
            Frame::Reset => unreachable!("the player knows what a reset means"),
        };
        self.taken.end |= end;
        true
    }

    /// Takes all that the side gives out now. Whether anything happened.
    pub(crate) fn drain(&mut self) -> bool {
        let cx = Context::from_waker(Waker::noop());
        let mut moved = self.deliver();
        while self.on_the_way.is_empty() && !self.over {
            let Some(side) = &mut self.side else { return moved };
            match side.poll_next(&cx) {
                Poll::Ready(Some(output)) => self.take(output),
                Poll::Ready(None) => self.over = true,
                Poll::Pending => break,
            }
            moved = true;
        }
        moved
    }

    fn take(&mut self, output: Output<H>) {
        match output {
            Output::Informational(_) => {}
            Output::Head { head, end_of_stream } => {
                self.sink.head = Some(head.received_fields());
                self.sink.end |= end_of_stream;
            }
            Output::Data(bytes) => {
                self.on_the_way = bytes;
                self.deliver();
            }
            Output::Trailers(map) => {
                self.sink.trailers = Some(all_fields(&map));
                self.sink.end = true;
            }
            Output::End => self.sink.end = true,
            Output::Reply(_) => unreachable!("an exchange hands replies on"),
            Output::Reset(_) => self.sink.reset = true,
        }
    }

    /// What the window lets through.
    fn deliver(&mut self) -> bool {
        let len = self.on_the_way.len() as u64;
        let bytes = self.window_bytes.map_or(len, |window| window.min(len));
        self.window_bytes = self.window_bytes.map(|window| window - bytes);
        let bytes = usize::try_from(bytes).expect("a length");
        let Text(body) = &mut self.sink.body;
        body.extend_from_slice(&self.on_the_way.split_to(bytes));
        bytes > 0
    }
}
