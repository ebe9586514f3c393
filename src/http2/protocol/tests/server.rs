use bytes::BytesMut;

use super::world::frame::{self, Frame};
use super::world::world_of_both::drained;
use crate::http2::Broken;
use crate::http2::protocol::{Event, Protocol, ProtocolSettings};

/// A connection that has been greeted.
pub(super) struct Server {
    pub(super) protocol: Protocol,
    pub(super) input: BytesMut,
}

impl Server {
    /// With streams of `window_bytes`, of which the client has not heard.
    pub(super) fn new(max_streams: u32, window_bytes: u32) -> Self {
        Self::with(ProtocolSettings { max_streams, window_bytes, max_frame_bytes: 16_384 })
    }

    pub(super) fn with(settings: ProtocolSettings) -> Self {
        let mut server = Self { protocol: Protocol::new(settings), input: BytesMut::new() };
        server.gets(&[frame::PREFACE, &frame::frame(frame::SETTINGS, 0, 0, &[])].concat());
        server.written();
        server
    }

    /// All events of some more bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Broken> {
        self.input.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(event) = self.protocol.read(&mut self.input)? {
            events.push(event);
        }
        Ok(events)
    }

    pub(super) fn gets(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.read(bytes).expect("legal frames")
    }

    pub(super) fn acknowledged(&mut self) {
        self.gets(&frame::frame(frame::SETTINGS, frame::ACK, 0, &[]));
    }

    /// A new stream. Answers its slot.
    pub(super) fn open(&mut self, id: u32) -> usize {
        match &self.gets(&frame::request(id, false))[..] {
            [Event::Request { slot, .. }] => *slot,
            events => panic!("{events:?}"),
        }
    }

    pub(super) fn written(&mut self) -> Vec<Frame> {
        frame::all(&drained(&mut self.protocol))
    }
}
