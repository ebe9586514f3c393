//! Section 6.10: field blocks in pieces.

use crate::case::{Case, PROTOCOL, run};
use crate::frames::code::{ENHANCE_YOUR_CALM, PROTOCOL_ERROR, STREAM_CLOSED};
use crate::frames::{
    GET, GOT, PROCESS, continuation, data, flag, get, headers, open, ping, priority, reset,
    settings, window_update,
};
use crate::hpack::{block, huffman_string, literal};
use crate::outcome::Expect;

const SERVED: &[Expect] = &[Expect::Status(GOT)];

/// A server may have a limit for the number of frames (section 10.5.1), as all bytes would fit one.
const SERVED_OR_CALMED: &[Expect] = &[Expect::Status(GOT), Expect::Goaway(ENHANCE_YOUR_CALM)];

/// Nothing is open for it: section 6.10 says it of connections, 5.1 of streams that are closed.
const NONE_AWAITED: &[Expect] = &[Expect::Goaway(PROTOCOL_ERROR), Expect::Goaway(STREAM_CLOSED)];

/// `block` in pieces of `bytes`.
fn pieces(stream: u32, flags: u8, block: &[u8], bytes: usize) -> Vec<u8> {
    let (first, rest) = block.split_at(bytes.min(block.len()));
    let mut frames = headers(stream, flags, first);
    let mut rest = rest.chunks(bytes).peekable();
    while let Some(piece) = rest.next() {
        let flags = if rest.peek().is_none() { flag::END_HEADERS } else { 0 };
        frames.extend(continuation(stream, flags, piece));
    }
    frames
}

pub(crate) fn cases() -> Vec<Case> {
    [right(), wrong()].into_iter().flatten().collect()
}

fn right() -> Vec<Case> {
    let request = block(&GET);
    let third = request.len() / 3;
    let field = [&[0], &huffman_string(b"x-name")[..], &huffman_string(&[b'v'; 90])].concat();
    let coded = [request.clone(), field].concat();
    let large = [block(&GET), literal(0, b"x", &[b'x'; 12_000])].concat();
    vec![
        Case::new("6.10 a block in three frames", SERVED).send(pieces(
            1,
            flag::END_STREAM,
            &request,
            third + 1,
        )),
        Case::new("6.10 a block cut in strings of Huffman's code", SERVED).send(pieces(
            1,
            flag::END_STREAM,
            &coded,
            coded.len() / 4 + 1,
        )),
        Case::new("6.10 a block of 12 KiB in pieces of 4 KiB", SERVED).send(pieces(
            1,
            flag::END_STREAM,
            &large,
            4096,
        )),
        Case::new("6.10 a block byte by byte", SERVED_OR_CALMED).send(pieces(
            1,
            flag::END_STREAM,
            &request,
            1,
        )),
        Case::new("6.10 CONTINUATION of no bytes at the end", SERVED)
            .send(headers(1, flag::END_STREAM, &request))
            .send(continuation(1, flag::END_HEADERS, b"")),
        Case::new("6.10 HEADERS of no bytes, all in CONTINUATION", SERVED)
            .send(headers(1, flag::END_STREAM, b""))
            .send(continuation(1, flag::END_HEADERS, &request)),
        Case::new("6.10 undefined flags of CONTINUATION", SERVED)
            .send(headers(1, flag::END_STREAM, &request))
            .send(continuation(1, 0xff, b"")),
        Case::new("6.10 trailers in two frames", &[Expect::Grpc(0)]).send(open(1)).send(pieces(
            1,
            flag::END_STREAM,
            &literal(0, b"x-trailer", b"value"),
            8,
        )),
    ]
}

fn wrong() -> Vec<Case> {
    let request = block(&GET);
    let cut = || {
        let (first, _) = request.split_at(10);
        headers(1, flag::END_STREAM, first)
    };
    let case = |name, frame: Vec<u8>| Case::new(name, PROTOCOL).send(cut()).send(frame);
    let process = headers(1, flag::END_HEADERS, &block(&PROCESS));
    vec![
        case("6.10 HEADERS inside of a block", get(1)),
        case("6.10 HEADERS of another stream inside of a block", get(3)),
        case("6.10 DATA inside of a block", data(1, 0, b"x")),
        case("6.10 PING inside of a block", ping(1)),
        case("6.10 SETTINGS inside of a block", settings(&[])),
        case("6.10 PRIORITY inside of a block", priority(1, 0)),
        case("6.10 RST_STREAM inside of a block", reset(1, 8)),
        case("6.10 WINDOW_UPDATE inside of a block", window_update(0, 1)),
        case("6.10 CONTINUATION of another stream", continuation(3, flag::END_HEADERS, b"")),
        Case::new("6.10 CONTINUATION behind the end of a block", NONE_AWAITED)
            .send(process.clone())
            .send(continuation(1, flag::END_HEADERS, b"")),
        Case::new("6.10 CONTINUATION behind DATA", NONE_AWAITED)
            .send(process)
            .send(data(1, 0, b""))
            .send(continuation(1, flag::END_HEADERS, b"")),
        Case::new("6.10 CONTINUATION behind a whole request", NONE_AWAITED)
            .about(3)
            .send(get(1))
            .send(continuation(1, flag::END_HEADERS, b"")),
    ]
}

#[tokio::test]
async fn blocks_in_pieces() {
    run(cases).await;
}
