//! Frames of the connection, and of streams what is neither head nor body.

use bytes::{Buf, BytesMut};

use super::Event;
use super::closed::By;
use super::going::Going;
use super::protocol::{PING_GOING, Protocol, Step};
use super::reading::Reading;
use super::stream::{Local, Remote, Stream};
use crate::http2::frame::{Flags, FrameHead, Kind};
use crate::http2::window::{FIRST_WINDOW_BYTES, MAX_WINDOW_BYTES};
use crate::http2::{Broken, Reason};

impl Protocol {
    /// A short frame.
    pub(super) fn read_control(&mut self, head: FrameHead, payload: &[u8]) -> Result<Step, Broken> {
        match head.kind {
            Kind::Settings => self
                .read_settings(head, payload)
                .map(|has_room| if has_room { Step::Event(Event::RoomForAll) } else { Step::On }),
            Kind::Ping => self.read_ping(head, payload).map(|()| Step::On),
            Kind::WindowUpdate => self.read_window_update(head, payload),
            Kind::ResetStream => self.read_reset(head, payload),
            Kind::Priority => self.read_priority(head, payload),
            // They have been taken before.
            Kind::Data
            | Kind::Headers
            | Kind::PushPromise
            | Kind::GoAway
            | Kind::Continuation
            | Kind::Unknown(_) => Ok(Step::On),
        }
    }

    /// Answers whether streams may have more room.
    fn read_settings(&mut self, head: FrameHead, payload: &[u8]) -> Result<bool, Broken> {
        if head.stream != 0 {
            return Err(Broken::protocol("SETTINGS of a stream"));
        }
        if head.flags.has(Flags::ACK) {
            if !payload.is_empty() {
                return Err(Broken::frame_size("SETTINGS that acknowledge and say something"));
            }
            self.acknowledged();
            return Ok(false);
        }
        let before = self.peer.initial_window_bytes;
        self.peer.read(payload)?;
        self.write_frame(Kind::Settings, Flags::ACK, 0, &[]);
        let grown = i64::from(self.peer.initial_window_bytes) - i64::from(before);
        if grown == 0 {
            return Ok(false);
        }
        for stream in self.streams.all_mut() {
            if !stream.send.change(grown) {
                let what = "SETTINGS that make a window larger than 2^31 - 1";
                return Err(Broken::flow_control(what));
            }
        }
        Ok(grown > 0)
    }

    /// The peer has heard of our settings: its windows are what they say.
    fn acknowledged(&mut self) {
        let smaller = FIRST_WINDOW_BYTES.saturating_sub(self.settings.window_bytes);
        if !core::mem::replace(&mut self.is_acknowledged, true) && smaller > 0 {
            for stream in self.streams.all_mut() {
                stream.receive.shrink(smaller);
            }
        }
    }

    fn read_ping(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Broken> {
        if head.stream != 0 {
            return Err(Broken::protocol("PING of a stream"));
        }
        if payload.len() != 8 {
            return Err(Broken::frame_size("PING that is not 8 bytes long"));
        }
        if !head.flags.has(Flags::ACK) {
            self.write_frame(Kind::Ping, Flags::ACK, 0, payload);
        } else if payload == PING_GOING {
            self.left();
        }
        Ok(())
    }

    fn read_window_update(&mut self, head: FrameHead, payload: &[u8]) -> Result<Step, Broken> {
        let Some(&bytes) = payload.as_array::<4>() else {
            return Err(Broken::frame_size("WINDOW_UPDATE that is not 4 bytes long"));
        };
        let grown = u32::from_be_bytes(bytes) & MAX_WINDOW_BYTES;
        if head.stream == 0 {
            if grown == 0 {
                return Err(Broken::protocol("WINDOW_UPDATE by nothing"));
            }
            let had_room = self.send.room() > 0;
            if !self.send.change(grown.into()) {
                return Err(Broken::flow_control("a window larger than 2^31 - 1"));
            }
            return Ok(if had_room { Step::On } else { Step::Event(Event::RoomForAll) });
        }
        let Some(slot) = self.streams.slot(head.stream) else {
            return self.of_closed(head.stream, "WINDOW_UPDATE of a stream that was never opened");
        };
        let Some(stream) = self.streams.get_mut(slot) else { return Ok(Step::On) };
        if grown == 0 {
            return self.spoil_stream(slot, Reason::PROTOCOL_ERROR).map(Step::Event);
        }
        let had_room = stream.send.room() > 0;
        if !stream.send.change(grown.into()) {
            return self.spoil_stream(slot, Reason::FLOW_CONTROL_ERROR).map(Step::Event);
        }
        Ok(if had_room { Step::On } else { Step::Event(Event::Room { slot }) })
    }

    fn read_reset(&mut self, head: FrameHead, payload: &[u8]) -> Result<Step, Broken> {
        let Some(&bytes) = payload.as_array::<4>() else {
            return Err(Broken::frame_size("RST_STREAM that is not 4 bytes long"));
        };
        let reason = Reason(u32::from_be_bytes(bytes));
        let Some(slot) = self.streams.slot(head.stream) else {
            self.closed.ended_by_peer(head.stream);
            return self.of_closed(head.stream, "RST_STREAM of a stream that was never opened");
        };
        if let Some(stream) = self.streams.close(slot) {
            self.closed.remember(stream.id, By::Peer);
            if stream.local == Local::Waiting {
                self.spoil()?;
            }
        }
        Ok(Step::Event(Event::Reset { slot, reason }))
    }

    fn read_priority(&mut self, head: FrameHead, payload: &[u8]) -> Result<Step, Broken> {
        if head.stream == 0 {
            return Err(Broken::protocol("PRIORITY of no stream"));
        }
        if payload.len() == 5 {
            return Ok(Step::On);
        }
        // An error of the stream, if there is one (RFC 9113, section 6.3).
        match self.streams.slot(head.stream) {
            Some(slot) => self.spoil_stream(slot, Reason::FRAME_SIZE_ERROR).map(Step::Event),
            None => Err(Broken::frame_size("PRIORITY that is not 5 bytes long")),
        }
    }

    /// What means nothing on a stream that is closed, and nothing at all on one that never was.
    fn of_closed(&self, stream: u32, what: &'static str) -> Result<Step, Broken> {
        if self.is_idle(stream) { Err(Broken::protocol(what)) } else { Ok(Step::On) }
    }

    /// The peer goes, when its streams are served. What else it says of that is for who opens
    /// streams, and a server does not.
    pub(super) fn read_go_away(
        &mut self,
        head: FrameHead,
        input: &mut BytesMut,
    ) -> Result<Step, Broken> {
        if head.stream != 0 {
            return Err(Broken::protocol("GOAWAY of a stream"));
        }
        if head.len < 8 {
            return Err(Broken::frame_size("GOAWAY that is shorter than 8 bytes"));
        }
        if let Going::No | Going::Told = self.going {
            self.going = Going::PeerLeft;
        }
        input.advance(FrameHead::BYTES);
        self.reading = Reading::Skip { left: head.len };
        Ok(Step::On)
    }

    /// The peer has done something wrong that ends this stream and no other.
    pub(super) fn spoil_stream(&mut self, slot: usize, reason: Reason) -> Result<Event, Broken> {
        self.reset(slot, reason);
        self.spoil()?;
        Ok(Event::Reset { slot, reason })
    }

    /// Ends a stream that is not closed.
    pub(super) fn reset(&mut self, slot: usize, reason: Reason) {
        let Some(stream) = self.streams.close(slot) else { return };
        self.write_reset(stream.id, reason);
        self.remember_closed(&stream);
    }

    /// We have ended a stream, and perhaps the peer had.
    pub(super) fn remember_closed(&mut self, stream: &Stream) {
        let by = match stream.remote {
            Remote::Open { .. } => By::Us,
            Remote::Ended => By::Peer,
        };
        self.closed.remember(stream.id, by);
    }

    pub(super) fn write_reset(&mut self, stream: u32, reason: Reason) {
        self.write_frame(Kind::ResetStream, Flags::NONE, stream, &reason.0.to_be_bytes());
    }
}
