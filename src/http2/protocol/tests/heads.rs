//! Heads that say one thing, and what they are taken for.

use http::{Method, Request};

use super::Server;
use super::world::frame::{self, Frame};
use crate::http2::Reason;
use crate::http2::protocol::Event;
use crate::limits::MAX_HEADER_LIST_BYTES;

/// What every request of these tests has.
const GET: [(&str, &str); 3] = [(":method", "GET"), (":scheme", "http"), (":path", "/")];

/// A length of a string that is written as it is: RFC 7541, section 5.1.
fn length(len: usize) -> Vec<u8> {
    let Some(mut rest) = len.checked_sub(0x7f) else { return vec![len as u8] };
    let mut bytes = vec![0x7f];
    while rest >= 0x80 {
        bytes.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&length(text.len())[..], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn headers(id: u32, fields: &[(&str, &str)], ends: bool) -> Vec<u8> {
    let flags = frame::END_HEADERS | if ends { frame::END_STREAM } else { 0 };
    frame::frame(frame::HEADERS, flags, id, &block(fields))
}

/// `GET` with more.
fn with<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&GET, fields].concat()
}

fn request(server: &mut Server, bytes: &[u8]) -> Option<Request<()>> {
    match server.gets(bytes).pop() {
        Some(Event::Request { .. }) => server.protocol.take_request(),
        None => None,
        other => panic!("{other:?}"),
    }
}

/// The request that the head is taken for; none if its stream is reset.
fn taken(fields: &[(&str, &str)], ends: bool) -> Option<Request<()>> {
    let mut server = Server::new(1, 65_535);
    let request = request(&mut server, &headers(1, fields, ends));
    assert_eq!(resets(&server.written()), [1].repeat(usize::from(request.is_none())));
    request
}

/// Why streams are reset.
fn resets(frames: &[Frame]) -> Vec<u32> {
    let resets = frames.iter().filter(|frame| frame.kind == frame::RST_STREAM);
    resets.map(|frame| frame::number(&frame.payload)).collect()
}

#[test]
fn the_length_of_a_body_is_one_number() {
    for (values, ends, is_request) in [
        (&["0"][..], true, true),
        (&["1"], true, false),
        (&["1"], false, true),
        (&["7", "7"], false, true),
        (&["7", "8"], false, false),
        (&[""], false, false),
        (&["+7"], false, false),
        (&["-7"], false, false),
        (&["0x7"], false, false),
        (&["18446744073709551616"], false, false),
    ] {
        let fields: Vec<_> = values.iter().map(|&value| ("content-length", value)).collect();
        assert_eq!(taken(&with(&fields), ends).is_some(), is_request, "{values:?}");
    }
}

#[test]
fn trailers_come_behind_all_of_a_body_whose_length_is_known() {
    for (body, reason) in [(&b"body"[..], None), (b"bod", Some(Reason::PROTOCOL_ERROR))] {
        let mut server = Server::new(1, 65_535);
        server.gets(&headers(1, &with(&[("content-length", "4")]), false));
        server.gets(&frame::data(1, body, false));
        match (&server.gets(&headers(1, &[("x", "y")], true))[..], reason) {
            ([Event::Trailers { trailers, .. }], None) => assert_eq!(trailers["x"], "y"),
            ([Event::Reset { reason, .. }], Some(expected)) => assert_eq!(*reason, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_request_has_its_own_target() {
    let mut server = Server::new(6, 65_535);
    let targets = [("a", "/1"), ("b", "/1"), ("b", "/2"), ("b", "/2"), ("a", "/1")];
    for (id, (authority, path)) in (1..).step_by(2).zip(targets) {
        let method = (":method", "GET");
        let fields = [method, (":scheme", "http"), (":authority", authority), (":path", path)];
        let request = request(&mut server, &headers(id, &fields, true)).expect("a request");
        assert_eq!(request.uri().to_string(), format!("http://{authority}{path}"));
    }
}

/// As long as the table says the same of it.
#[test]
fn a_head_that_comes_again_means_the_same() {
    let mut server = Server::new(100, 65_535);
    let mut ids = (1..).step_by(2);
    let mut x_of = |block: &[u8]| {
        let id = ids.next().expect("a number");
        let head = frame::frame(frame::HEADERS, frame::END_HEADERS, id, block);
        let request = request(&mut server, &head).expect("a request");
        (request.uri().path().to_owned(), request.headers()["x"].as_bytes().to_owned())
    };
    // `GET`, `http`, `/`, and a field that goes to the table, or its first one.
    let says = |value: u8| [0x82, 0x86, 0x84, 0x40, 1, b'x', 1, value];
    let again = [0x82, 0x86, 0x84, 0xbe];
    for value in *b"abb" {
        assert_eq!(x_of(&says(value)).1, [value]);
        for _ in 0..3 {
            assert_eq!(x_of(&again), ("/".to_owned(), vec![value]));
        }
        let index = [0x82, 0x86, 0x85, 0xbe];
        assert_eq!(x_of(&index).0, "/index.html", "the same length, and another path");
        // Sizes of the table change nothing that it has.
        assert_eq!(x_of(&[&[0x3f, 0xe1, 0x1f], &again[..]].concat()).1, [value]);
        // It is remembered while the table changes.
        for _ in 0..3 {
            assert_eq!(x_of(&again).1, [value]);
        }
    }
}

/// Its stream may end where the others' did not.
#[test]
fn a_head_that_comes_again_is_looked_at_beside_its_end() {
    let mut server = Server::new(100, 65_535);
    let fields = with(&[("content-length", "1")]);
    for id in [1, 3, 5] {
        assert!(request(&mut server, &headers(id, &fields, false)).is_some());
    }
    assert!(request(&mut server, &headers(7, &fields, true)).is_none());
    assert_eq!(resets(&server.written()), [1]);
    assert!(request(&mut server, &headers(9, &fields, false)).is_some());
    assert_eq!(server.gets(&frame::data(9, b"four", true)).len(), 1, "a reset");
    assert_eq!(resets(&server.written()), [1], "the length is known each time");
}

#[test]
fn a_target_is_of_its_method() {
    let (scheme, authority) = ((":scheme", "http"), (":authority", "a:1"));
    let (root, all) = ((":path", "/"), (":path", "*"));
    let of = |method, fields: &[(&'static str, &'static str)]| {
        taken(&[&[(":method", method)], fields].concat(), true)
    };
    let connect = of("CONNECT", &[authority]).expect("a request");
    assert_eq!((connect.method(), &*connect.uri().to_string()), (&Method::CONNECT, "a:1"));
    assert!(of("CONNECT", &[]).is_none());
    assert!(of("CONNECT", &[authority, scheme]).is_none());
    assert!(of("CONNECT", &[authority, root]).is_none());
    assert!(of("CONNECT", &[scheme, root]).is_none());
    assert_eq!(of("OPTIONS", &[scheme, all]).expect("a request").uri().path(), "*");
    assert!(of("GET", &[scheme, all]).is_none());
    assert!(of("OPTIONS", &[scheme, (":path", "x")]).is_none());
    assert!(of("GET", &[scheme]).is_none());
    assert!(of("GET", &[root]).is_none());
}

#[test]
fn a_list_may_be_so_long_and_no_longer() {
    let usual: usize = GET.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    let most = "y".repeat(MAX_HEADER_LIST_BYTES as usize - usual - 1 - 32);
    assert!(taken(&with(&[("x", &most)]), true).is_some());
    let more = most + "y";
    for ends in [true, false] {
        let mut server = Server::new(1, 65_535);
        assert!(server.gets(&headers(1, &with(&[("x", &more)]), ends)).is_empty());
        let written = server.written();
        let answers = written.iter().filter(|frame| frame.kind == frame::HEADERS);
        assert!(answers.map(|frame| frame.has(frame::END_STREAM)).eq([true]));
        // One whose body is coming need not send it.
        assert_eq!(resets(&written), [0].repeat(usize::from(!ends)));
    }
}

#[test]
fn what_follows_a_request_that_was_none_means_nothing_before_its_end() {
    let mut server = Server::new(1, 65_535);
    server.gets(&headers(1, &[], false));
    server.gets(&frame::data(1, b"late", false));
    server.gets(&headers(1, &[("x", "y")], true));
    let broken = server.read(&frame::data(1, b"later", false)).expect_err("it had ended");
    assert_eq!(broken.reason, Reason::STREAM_CLOSED);
}
