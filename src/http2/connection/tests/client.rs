use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::http2::protocol::tests::world::frame::{self, Frame};

/// The other end, which does what a test says.
pub(super) struct Client {
    pub(super) stream: DuplexStream,
    bytes: Vec<u8>,
}

impl Client {
    pub(super) const fn new(stream: DuplexStream) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server reads");
    }

    /// Says what comes first, with windows for streams of `window_bytes`.
    pub(super) async fn greet(&mut self, window_bytes: u32) {
        let settings = frame::frame(frame::SETTINGS, 0, 0, &frame::setting(4, window_bytes));
        let ack = frame::frame(frame::SETTINGS, frame::ACK, 0, &[]);
        self.send(&[frame::PREFACE, &settings, &ack].concat()).await;
    }

    pub(super) async fn grow(&mut self, stream: u32, bytes: u32) {
        let payload = bytes.to_be_bytes();
        self.send(&frame::frame(frame::WINDOW_UPDATE, 0, stream, &payload)).await;
    }

    /// The next frame; none behind the last one.
    pub(super) async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = frame::take(&self.bytes) {
                self.bytes.drain(..len);
                return Some(frame);
            }
            if self.stream.read_buf(&mut self.bytes).await.ok()? == 0 {
                assert!(self.bytes.is_empty(), "a frame that is cut");
                return None;
            }
        }
    }

    /// The next frame of a kind.
    pub(super) async fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.frame().await.expect("it goes on");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// The bodies of all answers, until so many have ended. Windows are let grow as they are used
    /// up.
    pub(super) async fn bodies(&mut self, answers: usize) -> BTreeMap<u32, Vec<u8>> {
        let mut bodies: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let mut ended = 0;
        while ended < answers {
            let frame = self.frame().await.expect("it goes on");
            match frame.kind {
                frame::DATA => {
                    bodies.entry(frame.stream).or_default().extend_from_slice(&frame.payload);
                    let len = frame.payload.len() as u32;
                    if len > 0 {
                        self.grow(0, len).await;
                        self.grow(frame.stream, len).await;
                    }
                }
                frame::HEADERS => _ = bodies.entry(frame.stream).or_default(),
                frame::RST_STREAM => assert_eq!(frame.payload, [0; 4], "{frame:?}"),
                _ => continue,
            }
            if frame.kind != frame::RST_STREAM && frame.has(frame::END_STREAM) {
                ended += 1;
            }
        }
        bodies
    }
}
