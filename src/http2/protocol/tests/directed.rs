//! What a client cannot see or cannot time.

use super::Server;
use super::world::frame::{self, Frame};
use crate::http2::Reason;
use crate::http2::protocol::Event;
use crate::limits::{MAX_REMEMBERED_STREAMS, MAX_SPOILT_STREAMS};

/// What WINDOW_UPDATEs give back, of the connection.
fn given_back(frames: &[Frame]) -> u32 {
    let updates = frames.iter().filter(|frame| frame.kind == frame::WINDOW_UPDATE);
    updates.filter(|frame| frame.stream == 0).map(|frame| frame::number(&frame.payload)).sum()
}

fn reset(id: u32) -> Vec<u8> {
    frame::frame(frame::RST_STREAM, 0, id, &8u32.to_be_bytes())
}

#[test]
fn the_rest_of_a_frame_goes_to_nobody_when_its_stream_is_over() {
    let mut server = Server::new(4, 65_535);
    let slot = server.open(1);
    let frame = frame::data(1, &[7; 16_384], false);
    let (first, rest) = frame.split_at(4009);
    let events = server.gets(first);
    assert!(matches!(&events[..], [Event::Data { bytes, .. }] if bytes.len() == 4000));
    server.protocol.release(slot, 4000);
    server.protocol.forget(slot, Reason::INTERNAL_ERROR);
    assert!(server.gets(rest).is_empty());
    let other = server.open(3);
    assert_eq!(other, slot, "the slot is another's by now");
    let whole = frame::data(1, &[7; 16_384], true);
    for piece in whole.chunks(1000) {
        assert!(server.gets(piece).is_empty());
    }
    let events = server.gets(&frame::data(3, b"its own", false));
    assert!(matches!(&events[..], [Event::Data { slot: 0, bytes, .. }] if bytes == "its own"));
    server.protocol.release(other, 7);
    // The window of the connection is wide: nobody has to be told yet.
    assert_eq!(given_back(&server.written()), 0);
    assert_eq!(server.protocol.untold_bytes(), 2 * 16_384 + 7);
}

#[test]
fn streams_that_nobody_reads_do_not_stop_one_that_is_read() {
    let mut server = Server::new(3, 60_000);
    server.acknowledged();
    let piece = |id| frame::data(id, &[0; 15_000], false);
    for id in [1, 3] {
        server.open(id);
        (0..4).for_each(|_| drop(server.gets(&piece(id))));
    }
    let slot = server.open(5);
    let mut left = 60_000;
    for round in 0..40 {
        assert!(left >= 15_000, "the client may send no more in round {round}");
        server.gets(&piece(5));
        server.protocol.release(slot, 15_000);
        left += given_back(&server.written());
        left -= 15_000;
    }
}

#[test]
fn a_small_window_is_the_larger_one_until_the_client_has_heard_of_it() {
    let mut server = Server::new(4, 100);
    let slot = server.open(1);
    let body = |bytes: usize| frame::data(1, &vec![0; bytes], false);
    assert_eq!(server.gets(&body(1000)).len(), 1, "the client has 65,535 bytes");
    server.acknowledged();
    server.acknowledged();
    // The window is 900 below nothing.
    server.protocol.release(slot, 900);
    let events = server.gets(&body(1));
    let [Event::Reset { slot: 0, reason }] = events[..] else { panic!("{events:?}") };
    assert_eq!(reason, Reason::FLOW_CONTROL_ERROR);
}

#[test]
fn what_is_read_opens_a_small_window_again() {
    let mut server = Server::new(4, 100);
    let slot = server.open(1);
    server.gets(&frame::data(1, &[0; 1000], false));
    server.acknowledged();
    server.acknowledged();
    server.protocol.release(slot, 1000);
    assert_eq!(server.gets(&frame::data(1, &[0; 100], false)).len(), 1);
    let events = server.gets(&frame::data(1, &[0], false));
    assert!(matches!(events[..], [Event::Reset { .. }]), "{events:?}");
}

#[test]
fn a_large_window_is_open_before_the_client_says_that_it_has_heard() {
    let mut server = Server::new(1, 100_000);
    server.open(1);
    for _ in 0..5 {
        assert_eq!(server.gets(&frame::data(1, &[0; 16_000], false)).len(), 1);
    }
}

#[test]
fn the_oldest_of_the_closed_streams_are_forgotten() {
    let mut server = Server::new(1, 65_535);
    let last = 2 * MAX_REMEMBERED_STREAMS as u32 + 1;
    for id in (1..=last).step_by(2) {
        let slot = server.open(id);
        server.protocol.finish(slot);
    }
    // Of the last ones something may be under way, and of the first one nobody knows any more.
    for id in [1, 3, last] {
        assert!(server.gets(&frame::data(id, b"late", false)).is_empty());
        assert!(server.gets(&reset(id)).is_empty());
    }
    assert!(server.gets(&frame::data(1, b"late", false)).is_empty());
    let broken = server.read(&frame::data(last, b"late", false)).expect_err("reset by the client");
    assert_eq!(broken.reason, Reason::STREAM_CLOSED);
}

#[test]
fn streams_that_come_to_nothing_are_counted_less_those_that_do_not() {
    let mut server = Server::new(1, 65_535);
    let mut ids = (1..).step_by(2);
    let mut next = || ids.next().expect("there is always one more");
    let reset = |server: &mut Server, id| {
        let slot = server.open(id);
        server.read(&reset(id)).inspect(|_| server.protocol.forget(slot, Reason::NO_ERROR))
    };
    for _ in 0..MAX_SPOILT_STREAMS {
        reset(&mut server, next()).expect("not too many");
    }
    let slot = server.open(next());
    server.protocol.finish(slot);
    reset(&mut server, next()).expect("one has not");
    let broken = reset(&mut server, next()).expect_err("too many");
    assert_eq!(broken.reason, Reason::ENHANCE_YOUR_CALM);
}

#[test]
fn a_connection_that_leaves_and_breaks_names_no_later_stream_than_before() {
    let mut server = Server::new(4, 65_535);
    server.open(1);
    server.protocol.leave();
    server.gets(&frame::frame(frame::PING, frame::ACK, 0, b"going\0\0\0"));
    assert!(server.gets(&frame::request(3, false)).is_empty(), "it is not served");
    let broken = server.read(&frame::data(0, b"", false)).expect_err("of no stream");
    server.protocol.break_off(broken);
    let frames = server.written();
    let said = frames.iter().filter(|frame| frame.kind == frame::GOAWAY);
    let last: Vec<u32> = said.map(|frame| frame::number(&frame.payload)).collect();
    assert_eq!(last, [0x7fff_ffff, 1, 1]);
}
