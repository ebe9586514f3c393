use bytes::BytesMut;
use http::Request;

use super::block::Block;
use super::closed::Closed;
use super::going::Going;
use super::last_head::LastHead;
use super::reading::Reading;
use super::request_head::LastTarget;
use super::stream::{Remote, Stream};
use super::streams::Streams;
use super::{Event, ProtocolSettings};
use crate::http2::frame::{Flags, FrameHead, Kind, Settings, bytes, write_settings};
use crate::http2::hpack::{Decoder, NO_TABLE};
use crate::http2::window::{FIRST_WINDOW_BYTES, MAX_WINDOW_BYTES, ReceiveWindow, SendWindow};
use crate::http2::{Broken, Reason};
use crate::limits::{MAX_HEADER_LIST_BYTES, MAX_SPOILT_STREAMS};
use crate::socket::WriteQueue;

/// A server's end of a connection. See the [module](super).
pub(in crate::http2) struct Protocol {
    pub(super) settings: ProtocolSettings,
    /// Whether the peer has said that it has heard of them.
    pub(super) is_acknowledged: bool,
    pub(super) peer: Settings,
    pub(super) reading: Reading,
    pub(super) block: Option<Block>,
    pub(super) decoder: Decoder,
    pub(super) last_target: LastTarget,
    pub(super) last_head: LastHead,
    /// The head of the stream that has begun last, until it is taken.
    pub(super) request: Option<Request<()>>,
    pub(super) streams: Streams,
    pub(super) closed: Closed,
    pub(super) receive: ReceiveWindow,
    pub(super) send: SendWindow,
    pub(super) going: Going,
    pub(super) output: WriteQueue,
    /// Streams that came to nothing by the peer's doing, less those that did not.
    spoilt: u32,
    /// Where heads are written before they are queued. What it has at first stands before the first
    /// of them.
    pub(super) scratch: Vec<u8>,
}

/// The table of fields that the peer may use, in bytes: what it has if nothing is said.
const TABLE_BYTES: usize = 4096;

/// What goes with a PING that follows GOAWAY, and one that asks whether the peer is there.
pub(super) const PING_GOING: [u8; 8] = *b"going\0\0\0";
const PING_ALIVE: [u8; 8] = *b"alive\0\0\0";

impl Protocol {
    /// A connection on which nothing has come. What it says first is in the queue.
    pub(in crate::http2) fn new(settings: ProtocolSettings) -> Self {
        let all_windows = settings.max_streams.saturating_mul(settings.window_bytes);
        let window = all_windows.clamp(FIRST_WINDOW_BYTES, MAX_WINDOW_BYTES);
        let mut protocol = Self {
            settings,
            is_acknowledged: false,
            peer: Settings::new(),
            reading: Reading::Preface,
            block: None,
            decoder: Decoder::new(TABLE_BYTES),
            last_target: LastTarget::default(),
            last_head: LastHead::default(),
            request: None,
            streams: Streams::default(),
            closed: Closed::default(),
            receive: ReceiveWindow::shared(window, window, settings.window_bytes),
            send: SendWindow::new(FIRST_WINDOW_BYTES),
            going: Going::No,
            output: WriteQueue::default(),
            spoilt: 0,
            scratch: vec![NO_TABLE],
        };
        protocol.output.copy(&write_settings(
            settings.max_streams,
            settings.window_bytes,
            settings.max_frame_bytes,
            MAX_HEADER_LIST_BYTES,
        ));
        if window > FIRST_WINDOW_BYTES {
            protocol.write_window(0, window - FIRST_WINDOW_BYTES);
        }
        protocol
    }

    /// Takes the next thing out of `input`, with all that means nothing by itself. `None`: more has
    /// to come.
    ///
    /// # Errors
    ///
    /// The connection is over; then [`break_off`](Self::break_off) says so to the peer.
    pub(in crate::http2) fn read(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Broken> {
        loop {
            let step = match self.reading {
                Reading::Preface => self.read_preface(input)?,
                Reading::First => self.read_first(input)?,
                Reading::Head => self.read_frame_head(input)?,
                Reading::Whole(head) => self.read_whole(head, input)?,
                Reading::Data(_) => self.read_data(input),
                Reading::Skip { left } => self.skip(left, input),
            };
            match step {
                Step::Event(event) => return Ok(Some(event)),
                Step::On => {}
                Step::More => return Ok(None),
            }
        }
    }

    /// The head of the stream that has begun, behind the event that says so.
    pub(in crate::http2) const fn take_request(&mut self) -> Option<Request<()>> {
        self.request.take()
    }

    /// What is to be written.
    pub(in crate::http2) const fn output(&mut self) -> &mut WriteQueue {
        &mut self.output
    }

    /// Whether a client has said all that one says first.
    pub(in crate::http2) const fn is_greeted(&self) -> bool {
        !matches!(self.reading, Reading::Preface | Reading::First)
    }

    /// How many streams are not closed.
    pub(in crate::http2) fn live_streams(&self) -> usize {
        self.streams.live()
    }

    /// Ends a stream for `reason`, if it is not closed. The slot is free.
    pub(in crate::http2) fn forget(&mut self, slot: usize, reason: Reason) {
        self.reset(slot, reason);
        self.streams.free(slot);
    }

    /// So many bytes of a body have been read, or will not be. The stream may be closed.
    pub(in crate::http2) fn release(&mut self, slot: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        // No window is larger.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.release_connection(bytes);
        let Some(stream) = self.streams.get_mut(slot) else { return };
        let id = stream.id;
        if let Remote::Open { .. } = stream.remote
            && let Some(grown) = stream.receive.release(bytes)
        {
            self.write_window(id, grown);
        }
    }

    /// What has been read of the window of all streams, and the peer was not told, in bytes.
    #[cfg_attr(not(test), allow(dead_code, reason = "the model of both ends asks for it"))]
    pub(super) const fn untold_bytes(&self) -> u32 {
        self.receive.untold_bytes()
    }

    pub(super) fn release_connection(&mut self, bytes: u32) {
        if let Some(grown) = self.receive.release(bytes) {
            self.write_window(0, grown);
        }
    }

    /// Asks whether the peer is there: anything that comes says so.
    pub(in crate::http2) fn ping(&mut self) {
        self.write_frame(Kind::Ping, Flags::NONE, 0, &PING_ALIVE);
    }

    /// Tells the peer that it should open no more streams.
    pub(in crate::http2) fn leave(&mut self) {
        if let Going::No | Going::PeerLeft = self.going {
            self.going = Going::Told;
            self.write_go_away(MAX_STREAM, Reason::NO_ERROR, "");
            self.write_frame(Kind::Ping, Flags::NONE, 0, &PING_GOING);
        }
    }

    /// The peer has heard that it should open no more streams.
    pub(super) fn left(&mut self) {
        if self.going == Going::Told {
            let last = self.streams.last();
            self.going = Going::Leaving { last };
            self.write_go_away(last, Reason::NO_ERROR, "");
        }
    }

    /// Whether all that was to be served is.
    pub(in crate::http2) fn is_over(&self) -> bool {
        let is_last = match self.going {
            Going::No | Going::Told => false,
            Going::PeerLeft | Going::Leaving { .. } => true,
        };
        is_last && self.streams.live() == 0
    }

    /// Tells the peer why the connection ends.
    pub(in crate::http2) fn break_off(&mut self, broken: Broken) {
        // What was said of streams that are not served stays true (RFC 9113, section 6.8).
        let last = match self.going {
            Going::Leaving { last } => last,
            Going::No | Going::Told | Going::PeerLeft => self.streams.last(),
        };
        self.write_go_away(last, broken.reason, broken.what);
    }

    /// A stream came to nothing by the peer's doing.
    ///
    /// # Errors
    ///
    /// Too many have: a peer that opens and resets streams has work done and nothing that bounds it
    /// (CVE-2023-44487).
    pub(super) fn spoil(&mut self) -> Result<(), Broken> {
        self.spoilt += 1;
        if self.spoilt > MAX_SPOILT_STREAMS {
            return Err(Broken::calm("too many streams came to nothing"));
        }
        Ok(())
    }

    /// A stream has come to its end.
    pub(super) fn complete(&mut self) {
        self.spoilt = self.spoilt.saturating_sub(1);
    }

    pub(super) fn new_stream(&self, id: u32, remote: Remote) -> Stream {
        let window = self.settings.window_bytes;
        // Until the peer has heard of a window it has the one that it would have without.
        let left = if self.is_acknowledged { window } else { window.max(FIRST_WINDOW_BYTES) };
        Stream {
            id,
            remote,
            local: super::stream::Local::Waiting,
            receive: ReceiveWindow::new(left, window),
            send: SendWindow::new(self.peer.initial_window_bytes),
        }
    }

    pub(super) fn write_frame(&mut self, kind: Kind, flags: Flags, stream: u32, payload: &[u8]) {
        let len = bytes(payload.len());
        self.output.copy_all([&FrameHead { len, kind, flags, stream }.write(), payload]);
    }

    pub(super) fn write_window(&mut self, stream: u32, grown: u32) {
        self.write_frame(Kind::WindowUpdate, Flags::NONE, stream, &grown.to_be_bytes());
    }

    fn write_go_away(&mut self, last: u32, reason: Reason, what: &str) {
        let payload = [&last.to_be_bytes()[..], &reason.0.to_be_bytes(), what.as_bytes()].concat();
        self.write_frame(Kind::GoAway, Flags::NONE, 0, &payload);
    }
}

/// The highest number that a stream can have.
const MAX_STREAM: u32 = (1 << 31) - 1;

/// What reading a part has come to.
pub(super) enum Step {
    Event(Event),
    /// The next part.
    On,
    /// More has to come first.
    More,
}
