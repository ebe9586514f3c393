use std::collections::BTreeMap;

use super::frame::{self, Frame};
use super::heard::Heard;

/// What the connection has written: whether it was allowed.
pub(crate) struct Written {
    /// How much the window of the connection has at most, in bytes.
    window: i64,
    /// The stream whose block of fields is not whole.
    block: Option<u32>,
    streams: BTreeMap<u32, Stream>,
    /// Of DATA, in bytes.
    sent: i64,
    /// By how much the windows have been let grow, by stream; 0 is the connection.
    told: BTreeMap<u32, i64>,
    last_stream: u32,
    frames: usize,
}

#[derive(Default)]
struct Stream {
    has_head: bool,
    is_ended: bool,
    is_reset: bool,
    /// Of DATA, in bytes.
    sent: i64,
}

impl Written {
    pub(super) fn new(window: u32) -> Self {
        Self {
            window: window.into(),
            block: None,
            streams: BTreeMap::new(),
            sent: 0,
            told: BTreeMap::new(),
            last_stream: u32::MAX,
            frames: 0,
        }
    }

    pub(super) fn check(&mut self, bytes: &[u8], heard: &Heard) -> Vec<Frame> {
        let frames = frame::all(bytes);
        for frame in &frames {
            self.check_frame(frame, heard);
        }
        assert_eq!(self.block, None, "a block that is not whole");
        frames
    }

    fn check_frame(&mut self, frame: &Frame, heard: &Heard) {
        if self.frames == 0 {
            assert_eq!((frame.kind, frame.flags), (frame::SETTINGS, 0), "what comes first");
        }
        self.frames += 1;
        assert!(frame.payload.len() <= heard.max_frame, "{frame:?}");
        let continued = self.block.take();
        assert_eq!(continued.is_some(), frame.kind == frame::CONTINUATION, "{frame:?}");
        assert!(continued.is_none_or(|of| of == frame.stream), "{frame:?}");
        match frame.kind {
            frame::DATA | frame::HEADERS | frame::CONTINUATION | frame::RST_STREAM => {
                assert!(heard.opened.contains(&frame.stream), "never opened: {frame:?}");
                self.check_stream(frame, heard);
            }
            frame::WINDOW_UPDATE => self.check_window(frame, heard),
            frame::SETTINGS | frame::PING => assert_eq!(frame.stream, 0),
            frame::GOAWAY => {
                let last = frame::number(&frame.payload);
                assert!(last <= self.last_stream, "{last} behind {}", self.last_stream);
                self.last_stream = last;
            }
            _ => panic!("{frame:?}"),
        }
    }

    fn check_stream(&mut self, frame: &Frame, heard: &Heard) {
        let stream = self.streams.entry(frame.stream).or_default();
        assert!(!stream.is_reset, "behind a reset: {frame:?}");
        match frame.kind {
            frame::RST_STREAM => {
                assert_eq!(frame.payload.len(), 4);
                stream.is_reset = true;
                return;
            }
            frame::HEADERS => {
                assert!(!stream.is_ended, "behind the end: {frame:?}");
                assert!(!stream.has_head || frame.has(frame::END_STREAM), "a second head");
                stream.has_head = true;
            }
            frame::DATA => {
                assert!(stream.has_head && !stream.is_ended, "{frame:?}");
                let len = frame.payload.len() as i64;
                stream.sent += len;
                self.sent += len;
                if len > 0 {
                    assert!(stream.sent <= heard.allowed(frame.stream), "stream {}", frame.stream);
                    assert!(self.sent <= heard.allowed(0), "{} bytes in all", self.sent);
                }
            }
            _ => {}
        }
        if frame.kind != frame::CONTINUATION && frame.has(frame::END_STREAM) {
            stream.is_ended = true;
        }
        if frame.kind != frame::DATA && !frame.has(frame::END_HEADERS) {
            self.block = Some(frame.stream);
        }
    }

    /// No more is given back than has come.
    fn check_window(&mut self, frame: &Frame, heard: &Heard) {
        let grown = frame::number(&frame.payload);
        assert!((1..1 << 31).contains(&grown), "{frame:?}");
        let told = self.told.entry(frame.stream).or_default();
        *told += i64::from(grown);
        let received = heard.received.get(&frame.stream).copied().unwrap_or(0);
        let more = if frame.stream == 0 { self.window - 65_535 } else { 0 };
        assert!(*told <= received + more, "{told} told of {received}: {frame:?}");
        let reset = self.streams.get(&frame.stream).is_some_and(|stream| stream.is_reset);
        assert!(!reset, "behind a reset: {frame:?}");
    }

    /// How much of the window of the connection the peer has, in bytes.
    pub(super) fn left(&self, heard: &Heard) -> i64 {
        let told = self.told.get(&0).copied().unwrap_or(0);
        65_535 + told - heard.received.get(&0).copied().unwrap_or(0)
    }
}
