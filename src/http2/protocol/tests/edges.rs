//! Where one more byte, or one less, means something else.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::Server;
use super::world::frame;
use crate::http2::Reason;
use crate::http2::protocol::{Event, ProtocolSettings};
use crate::limits::{
    MAX_HEADER_BLOCK_BYTES, MAX_SETTINGS_FRAME_BYTES, MIN_LENT_BYTES, MIN_SLICED_BYTES,
};

fn reset(id: u32) -> Vec<u8> {
    frame::frame(frame::RST_STREAM, 0, id, &8u32.to_be_bytes())
}

fn grown(id: u32) -> Vec<u8> {
    frame::frame(frame::WINDOW_UPDATE, 0, id, &1u32.to_be_bytes())
}

/// Why the connection ends for `bytes`.
fn breaks(server: &mut Server, bytes: &[u8]) -> Reason {
    server.read(bytes).expect_err("against the rules").reason
}

#[test]
fn a_body_ends_behind_its_last_byte() {
    let mut server = Server::new(1, 65_535);
    server.open(1);
    let frame = frame::data(1, b"its end", true);
    let (first, rest) = frame.split_at(frame.len() - 3);
    let events = server.gets(first);
    assert!(
        matches!(&events[..], [Event::Data { bytes, ends: false, .. }] if bytes == "its "),
        "{events:?}"
    );
    let events = server.gets(rest);
    assert!(
        matches!(&events[..], [Event::Data { bytes, ends: true, .. }] if bytes == "end"),
        "{events:?}"
    );
}

#[test]
fn a_short_piece_does_not_keep_what_was_read_with_it() {
    for (len, is_slice) in [(MIN_SLICED_BYTES - 1, false), (MIN_SLICED_BYTES, true)] {
        let mut server = Server::new(1, 65_535);
        server.open(1);
        server.input.extend_from_slice(&frame::data(1, &vec![7; len], false));
        let payload = server.input[frame::HEAD_BYTES..].as_ptr();
        let event = server.protocol.read(&mut server.input).expect("legal frames");
        let Some(Event::Data { bytes, .. }) = event else { panic!("{event:?}") };
        assert_eq!((bytes.len(), bytes.as_ptr() == payload), (len, is_slice));
    }
}

#[test]
fn a_block_may_cost_so_much_and_no_more() {
    const FIRST: usize = 16_384;
    let mut server = Server::new(1, 65_535);
    let rest = MAX_HEADER_BLOCK_BYTES - FIRST - 2 * frame::HEAD_BYTES;
    server.gets(&frame::frame(frame::HEADERS, 0, 1, &[0; FIRST]));
    server.gets(&frame::frame(frame::CONTINUATION, 0, 1, &vec![0; rest]));
    let nothing = frame::frame(frame::CONTINUATION, 0, 1, &[]);
    assert_eq!(breaks(&mut server, &nothing), Reason::ENHANCE_YOUR_CALM);
}

/// Their payloads are not waited for.
#[test]
fn frames_that_are_too_long_are_refused_by_their_heads() {
    let settings = ProtocolSettings { max_streams: 1, window_bytes: 100, max_frame_bytes: 65_536 };
    for (kind, most, reason) in [
        (frame::HEADERS, MAX_HEADER_BLOCK_BYTES, Reason::ENHANCE_YOUR_CALM),
        (frame::SETTINGS, MAX_SETTINGS_FRAME_BYTES, Reason::ENHANCE_YOUR_CALM),
        (frame::PING, 8, Reason::FRAME_SIZE_ERROR),
    ] {
        let head = |len: usize| {
            let mut frame = frame::frame(kind, 0, 0, &vec![0; len]);
            frame.truncate(frame::HEAD_BYTES);
            frame
        };
        assert!(Server::with(settings).gets(&head(most)).is_empty());
        assert_eq!(breaks(&mut Server::with(settings), &head(most + 1)), reason);
    }
}

#[test]
fn who_ended_a_stream_is_known_when_others_have_ended() {
    let mut server = Server::new(1, 65_535);
    for id in [1, 3, 5] {
        let slot = server.open(id);
        server.gets(&reset(id));
        server.protocol.forget(slot, Reason::NO_ERROR);
    }
    assert_eq!(breaks(&mut server, &frame::data(1, b"late", false)), Reason::STREAM_CLOSED);
}

#[test]
fn room_where_there_was_room_is_no_news() {
    let mut server = Server::new(1, 65_535);
    server.open(1);
    assert!(server.gets(&grown(0)).is_empty());
    assert!(server.gets(&grown(1)).is_empty());
}

#[test]
fn a_short_piece_is_copied_into_what_is_written() {
    for (len, copied) in [(MIN_LENT_BYTES - 1, MIN_LENT_BYTES - 1), (MIN_LENT_BYTES, 0)] {
        let mut server = Server::new(1, 65_535);
        let slot = server.open(1);
        server.protocol.send_head(slot, StatusCode::OK, &HeaderMap::new(), false);
        let before = server.protocol.output().copied_bytes() + frame::HEAD_BYTES;
        let mut data = Bytes::from(vec![7; len]);
        assert!(server.protocol.send_data(slot, &mut data, len, false));
        assert_eq!(server.protocol.output().copied_bytes() - before, copied);
    }
}
