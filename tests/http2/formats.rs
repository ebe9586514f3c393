//! Sections 4.1, 5.5 and 6: frames of every kind, on streams they belong to and on others.

use crate::case::{Case, LIVES, PROTOCOL, run};
use crate::frames::code::PROTOCOL_ERROR;
use crate::frames::{
    GET, GOT, code, continuation, data, flag, frame, get, goaway, headers, kind, open, padded,
    priority, reset, weight,
};
use crate::hpack::block;
use crate::outcome::Expect;

const SERVED: &[Expect] = &[Expect::Status(GOT)];

/// RFC 9113 no longer has priorities; for RFC 7540 a stream that depends on itself is an error.
const SELFISH: &[Expect] = &[
    Expect::Status(GOT),
    Expect::Lives,
    Expect::Reset(PROTOCOL_ERROR),
    Expect::Goaway(PROTOCOL_ERROR),
];

/// The highest bit of an identifier, which says nothing.
const RESERVED: u32 = 1 << 31;

pub(crate) fn cases() -> Vec<Case> {
    [formats(), of_streams(), of_connections()].into_iter().flatten().collect()
}

fn formats() -> Vec<Case> {
    let request = block(&GET);
    let all = flag::WHOLE | flag::PADDED | flag::PRIORITY;
    vec![
        Case::new("4.1 an unknown type on the connection", LIVES).send(frame(
            kind::UNKNOWN,
            0xff,
            0,
            b"anything",
        )),
        Case::new("4.1 an unknown type on an idle stream", LIVES).send(frame(
            kind::UNKNOWN,
            0xff,
            1,
            b"anything",
        )),
        Case::opened("5.5 an unknown type on an open stream", LIVES).send(frame(
            kind::UNKNOWN,
            0,
            1,
            b"",
        )),
        Case::new("5.5 an unknown type inside of a field block", PROTOCOL)
            .send(headers(1, flag::END_STREAM, &request))
            .send(frame(kind::UNKNOWN, 0, 0, b"anything")),
        Case::new("4.1 undefined flags of PING", LIVES).send(frame(kind::PING, 0xfe, 0, &[0; 8])),
        Case::new("4.1 undefined flags of HEADERS", SERVED).send(headers(
            1,
            !all | flag::WHOLE,
            &request,
        )),
        Case::opened("4.1 undefined flags of DATA", LIVES).send(data(1, 0xf6, b"")),
        Case::opened("4.1 undefined flags of RST_STREAM", LIVES).send(frame(
            kind::RST_STREAM,
            0xff,
            1,
            &8_u32.to_be_bytes(),
        )),
        Case::new("4.1 undefined flags of SETTINGS", LIVES)
            .ask_in(&[], frame(kind::SETTINGS, 0xfe, 0, b"")),
        Case::new("4.1 the reserved bit of PING", LIVES).send(frame(
            kind::PING,
            0,
            RESERVED,
            &[0; 8],
        )),
        Case::new("4.1 the reserved bit of HEADERS", SERVED).send(headers(
            1 | RESERVED,
            flag::WHOLE,
            &request,
        )),
        Case::opened("6.9 the reserved bit of an increment", LIVES).send(frame(
            kind::WINDOW_UPDATE,
            0,
            1,
            &(1 | RESERVED).to_be_bytes(),
        )),
    ]
}

fn of_streams() -> Vec<Case> {
    let request = block(&GET);
    let with = |flags: u8, payload: &[u8]| headers(1, flag::WHOLE | flags, payload);
    let too_padded = |content: &[u8]| [&[255], content].concat();
    vec![
        Case::opened("6.1 DATA on the connection", PROTOCOL).send(data(0, 0, b"x")),
        Case::opened("6.1 as much padding as payload", PROTOCOL).send(data(
            1,
            flag::PADDED,
            &[3, 0, 0],
        )),
        Case::opened("6.1 more padding than payload", PROTOCOL).send(data(
            1,
            flag::PADDED,
            &too_padded(b"abc"),
        )),
        Case::opened("6.1 padding alone", LIVES).send(data(1, flag::PADDED, &padded(b"", 255))),
        Case::opened("6.1 padding of no bytes", LIVES).send(data(1, flag::PADDED, &[0])),
        Case::opened("6.1 the end in DATA of no bytes", &[Expect::Grpc(0)]).send(data(
            1,
            flag::END_STREAM,
            b"",
        )),
        Case::new("6.2 HEADERS on the connection", PROTOCOL).send(headers(
            0,
            flag::WHOLE,
            &request,
        )),
        Case::new("6.2 padding beyond the payload", PROTOCOL)
            .send(with(flag::PADDED, &too_padded(&request))),
        Case::new("6.2 padding beyond what priority leaves", PROTOCOL)
            .send(with(flag::PADDED | flag::PRIORITY, &[&[2], &weight(0)[..], &[0]].concat())),
        Case::new("6.2 padding", SERVED).send(with(flag::PADDED, &padded(&request, 200))),
        Case::new("6.2 priority", SERVED)
            .send(with(flag::PRIORITY, &[weight(0), request.clone()].concat())),
        Case::new("6.2 padding and priority", SERVED).send(with(
            flag::PADDED | flag::PRIORITY,
            &padded(&[weight(0), request.clone()].concat(), 7),
        )),
        Case::new("5.3 HEADERS that depend on themselves", SELFISH)
            .send(with(flag::PRIORITY, &[weight(1), request.clone()].concat())),
        Case::new("5.3 PRIORITY that depends on itself", SELFISH).send(priority(1, 1)),
        Case::new("6.3 PRIORITY on the connection", PROTOCOL).send(priority(0, 1)),
        Case::new("6.3 PRIORITY of an idle stream", LIVES).send(priority(1, 0)),
        Case::new("6.3 PRIORITY opens nothing", SERVED).send(priority(9, 0)).send(get(1)),
        Case::new("6.4 RST_STREAM on the connection", PROTOCOL)
            .send(open(1))
            .send(reset(0, code::CANCEL)),
        Case::opened("7 RST_STREAM with an unknown code", LIVES).send(reset(1, 0xdead)),
        Case::opened("6.6, 8.4 PUSH_PROMISE from a client", PROTOCOL).send(frame(
            kind::PUSH_PROMISE,
            flag::END_HEADERS,
            1,
            &[&2_u32.to_be_bytes()[..], &request].concat(),
        )),
        Case::new("6.10 CONTINUATION on the connection", PROTOCOL)
            .send(headers(1, flag::END_STREAM, &request))
            .send(continuation(0, flag::END_HEADERS, b"")),
    ]
}

fn of_connections() -> Vec<Case> {
    vec![
        Case::new("6.7 an answer to no PING", LIVES).send(frame(
            kind::PING,
            flag::ACK,
            0,
            b"whatever",
        )),
        Case::new("6.7 PING on a stream", PROTOCOL).send(open(1)).send(frame(
            kind::PING,
            0,
            1,
            &[0; 8],
        )),
        Case::new("6.8 GOAWAY on a stream", PROTOCOL).send(open(1)).send(frame(
            kind::GOAWAY,
            0,
            1,
            &[0; 8],
        )),
        Case::new("7 GOAWAY with an unknown code", &[Expect::Closed, Expect::Lives])
            .send(goaway(0, 0xdead)),
    ]
}

#[tokio::test]
async fn frames_of_every_kind() {
    run(cases).await;
}
