use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Draw;
use crate::http2::Reason;
use crate::http2::protocol::{Event, Protocol};

/// Whoever drives the connection, and what it knows of its slots.
#[derive(Default)]
pub(crate) struct Driver {
    streams: BTreeMap<usize, Stream>,
}

#[derive(Debug)]
struct Stream {
    id: u32,
    is_ended: bool,
    answer: Answer,
    /// What has come and was not read, in bytes.
    unread: usize,
    /// It found no room, and has not been told of any.
    is_blocked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Waiting,
    Open,
    Sent,
}

impl Driver {
    /// Checks that an event is one that its slot can have. Answers the stream.
    pub(super) fn take_in(&mut self, protocol: &mut Protocol, event: &Event) -> Option<u32> {
        let (slot, ends) = match event {
            Event::Request { slot, ends } => {
                let request = protocol.take_request().expect("the head of what has begun");
                let id = request.uri().path().trim_start_matches('/').parse().unwrap_or(0);
                let answer = Answer::Waiting;
                let stream = Stream { id, is_ended: *ends, answer, unread: 0, is_blocked: false };
                let before = self.streams.insert(*slot, stream);
                assert!(before.is_none(), "slot {slot} is {before:?}'s");
                return Some(id);
            }
            Event::RoomForAll => {
                self.streams.values_mut().for_each(|stream| stream.is_blocked = false);
                return None;
            }
            Event::Room { slot } => {
                let stream = self.streams.get_mut(slot).expect("room for somebody");
                stream.is_blocked = false;
                return None;
            }
            Event::Reset { slot, reason } => {
                let stream = self.streams.remove(slot).expect("a reset of somebody");
                assert_eq!(protocol.room(*slot), 0, "of a stream that is over");
                protocol.release(*slot, stream.unread);
                protocol.forget(*slot, *reason);
                return Some(stream.id);
            }
            Event::Data { slot, ends, .. } => (slot, *ends),
            Event::Trailers { slot, .. } => (slot, true),
        };
        let stream = self.streams.get_mut(slot).expect("something for somebody");
        assert!(!stream.is_ended, "behind the end: {event:?}");
        stream.is_ended = ends;
        if let Event::Data { bytes, .. } = event {
            stream.unread += bytes.len();
        }
        Some(stream.id)
    }

    /// Who waits for room has been told if there is some.
    pub(super) fn check_room(&self, protocol: &Protocol) {
        assert_eq!(protocol.live_streams(), self.streams.len());
        for (&slot, stream) in &self.streams {
            let room = protocol.room(slot);
            assert!(
                !stream.is_blocked || room == 0,
                "{room} bytes, and nobody has told {stream:?}"
            );
        }
    }

    pub(super) fn live(&self) -> usize {
        self.streams.len()
    }

    /// Does one thing for one stream. Answers which, if it is over by that.
    pub(super) fn step(&mut self, protocol: &mut Protocol, draw: &mut Draw<'_>) -> Option<u32> {
        let which = draw(self.streams.len());
        let (&slot, stream) = self.streams.iter_mut().nth(which)?;
        match (draw(8), stream.answer) {
            (0..3, _) => {
                let bytes = if draw(2) == 0 { stream.unread } else { draw(stream.unread + 1) };
                protocol.release(slot, bytes);
                stream.unread -= bytes;
                None
            }
            (3, _) if draw(4) == 0 => Some(self.forget(slot, protocol)),
            (_, Answer::Waiting) => {
                let ends = draw(6) == 0;
                protocol.send_head(slot, StatusCode::OK, &fields(draw), ends);
                stream.answer = if ends { Answer::Sent } else { Answer::Open };
                None
            }
            (3, Answer::Open) => {
                protocol.send_trailers(slot, &fields(draw));
                stream.answer = Answer::Sent;
                None
            }
            (_, Answer::Open) => {
                stream.send(slot, protocol, draw);
                None
            }
            (_, Answer::Sent) => {
                protocol.release(slot, stream.unread);
                let id = stream.id;
                protocol.finish(slot);
                self.streams.remove(&slot);
                Some(id)
            }
        }
    }

    fn forget(&mut self, slot: usize, protocol: &mut Protocol) -> u32 {
        let stream = self.streams.remove(&slot).expect("a stream");
        protocol.release(slot, stream.unread);
        protocol.forget(slot, Reason::INTERNAL_ERROR);
        stream.id
    }

    /// Ends all streams. Answers them.
    pub(super) fn end(&mut self, protocol: &mut Protocol) -> Vec<u32> {
        let slots: Vec<usize> = self.streams.keys().copied().collect();
        slots.into_iter().map(|slot| self.forget(slot, protocol)).collect()
    }
}

impl Stream {
    fn send(&mut self, slot: usize, protocol: &mut Protocol, draw: &mut Draw<'_>) {
        let room = protocol.room(slot);
        if room == 0 {
            self.is_blocked = true;
        }
        let bytes = match draw(3) {
            0 => room,
            1 => draw(room + 1),
            _ => draw(room.min(3000) + 1),
        };
        let ends = draw(8) == 0;
        let (first, second) = (draw(bytes + 1), 5);
        let data = Bytes::from(vec![slot as u8; first]);
        let mut data = data.chain(Bytes::from(vec![0; bytes - first + second]));
        assert!(protocol.send_data(slot, &mut data, bytes, ends), "there is as much as it says");
        assert_eq!(data.remaining(), second, "what is not sent is left");
        if ends {
            self.answer = Answer::Sent;
        }
    }
}

/// Some that are long enough for more than one frame now and then.
fn fields(draw: &mut Draw<'_>) -> HeaderMap {
    let long = "x".repeat(if draw(8) == 0 { 40_000 } else { draw(30) });
    HeaderMap::from_iter([(http::header::SERVER, HeaderValue::from_str(&long).expect("a value"))])
}
