//! Section 4.2: frames that are too long or too short.

use tidegate::limits::MAX_SERVED_FRAME_BYTES;

use crate::calls::{body, head};
use crate::case::{Case, LIVES, SIZE, run};
use crate::frames::code::{FRAME_SIZE_ERROR, PROTOCOL_ERROR};
use crate::frames::{GET, GOT, data, flag, frame, headers, kind, open};
use crate::hpack::{block, literal};
use crate::outcome::Expect;

/// What does not alter the state of the connection may be an error of its stream.
const OF_STREAM: &[Expect] = &[Expect::Reset(FRAME_SIZE_ERROR), Expect::Goaway(FRAME_SIZE_ERROR)];

/// Too short for the length of its padding: sections 4.2 and 6.1 say it each in its way.
const NO_ROOM: &[Expect] = &[Expect::Goaway(FRAME_SIZE_ERROR), Expect::Goaway(PROTOCOL_ERROR)];

const MOST: usize = MAX_SERVED_FRAME_BYTES as usize;

/// DATA of `bytes`: a message of gRPC that is longer.
fn long_data(bytes: usize) -> Vec<u8> {
    let message = body(&vec![b'x'; bytes]);
    [data(1, 0, &head()), data(1, 0, &message[..bytes])].concat()
}

pub(crate) fn cases() -> Vec<Case> {
    let of = |kind: u8, stream: u32, bytes: usize| frame(kind, 0, stream, &vec![0; bytes]);
    let long_block = [block(&GET), literal(0, b"x", &vec![b'x'; MOST])].concat();
    vec![
        Case::opened("4.2 DATA as long as it may be", LIVES).send(long_data(MOST)),
        Case::opened("4.2 DATA that is too long", OF_STREAM).send(long_data(MOST + 1)),
        Case::new("4.2 HEADERS that are too long", SIZE).send(headers(1, flag::WHOLE, &long_block)),
        Case::new("4.2 CONTINUATION that is too long", SIZE)
            .send(headers(1, flag::END_STREAM, b""))
            .send(frame(kind::CONTINUATION, flag::END_HEADERS, 1, &long_block)),
        Case::new("4.2 an unknown frame that is too long", SIZE).send(of(
            kind::UNKNOWN,
            0,
            MOST + 1,
        )),
        Case::new(
            "4.2 HEADERS of no bytes, which end the block",
            &[Expect::Reset(PROTOCOL_ERROR), Expect::Status(400)],
        )
        .send(headers(1, flag::WHOLE, b"")),
        Case::opened("6.1 DATA too short for its padding's length", NO_ROOM).send(data(
            1,
            flag::PADDED,
            b"",
        )),
        Case::new("6.2 HEADERS too short for their padding's length", NO_ROOM).send(headers(
            1,
            flag::WHOLE | flag::PADDED,
            b"",
        )),
        Case::new("6.2 HEADERS too short for their priority", NO_ROOM).send(headers(
            1,
            flag::WHOLE | flag::PRIORITY,
            &[0; 4],
        )),
        Case::opened("6.3 PRIORITY of 4 bytes", OF_STREAM).send(of(kind::PRIORITY, 1, 4)),
        Case::new("6.3 PRIORITY of 6 bytes, idle stream", OF_STREAM).send(of(kind::PRIORITY, 1, 6)),
        Case::opened("6.4 RST_STREAM of 3 bytes", SIZE).send(of(kind::RST_STREAM, 1, 3)),
        Case::opened("6.4 RST_STREAM of 5 bytes", SIZE).send(of(kind::RST_STREAM, 1, 5)),
        Case::new("6.5 SETTINGS of 5 bytes", SIZE).send(of(kind::SETTINGS, 0, 5)),
        Case::new("6.5 SETTINGS of 7 bytes", SIZE).send(of(kind::SETTINGS, 0, 7)),
        Case::new("6.5 an acknowledgement with a payload", SIZE).send(frame(
            kind::SETTINGS,
            flag::ACK,
            0,
            &[0; 6],
        )),
        Case::new("6.7 PING of 7 bytes", SIZE).send(of(kind::PING, 0, 7)),
        Case::new("6.7 PING of 9 bytes", SIZE).send(of(kind::PING, 0, 9)),
        Case::new("6.7 an answer to PING of 9 bytes", SIZE).send(frame(
            kind::PING,
            flag::ACK,
            0,
            &[0; 9],
        )),
        Case::new("6.8 GOAWAY of 7 bytes", SIZE).send(of(kind::GOAWAY, 0, 7)),
        Case::new("6.9 WINDOW_UPDATE of 3 bytes", SIZE).send(of(kind::WINDOW_UPDATE, 0, 3)),
        Case::opened("6.9 WINDOW_UPDATE of 5 bytes, of a stream", SIZE).send(of(
            kind::WINDOW_UPDATE,
            1,
            5,
        )),
        Case::new("4.2 a request behind the longest DATA", &[Expect::Status(GOT)])
            .about(3)
            .send([open(1), long_data(MOST), crate::frames::get(3)].concat()),
    ]
}

#[tokio::test]
async fn sizes() {
    run(cases).await;
}
