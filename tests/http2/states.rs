//! Section 5.1: streams from idle to closed, and their identifiers.

use crate::calls::{body, head};
use crate::carrier::Server;
use crate::case::{Case, LIVES, MALFORMED, OVER, PROTOCOL, each, run};
use crate::client::Client;
use crate::frames::code::{CANCEL, NO_ERROR, PROTOCOL_ERROR, STREAM_CLOSED};
use crate::frames::{
    GOT, continuation, data, flag, get, goaway, headers, open, priority, reset, setting,
    window_update,
};
use crate::hpack::literal;
use crate::outcome::{Expect, Outcome};

/// DATA on an idle stream: an error of the connection by section 5.1, of the stream by 6.1.
const IDLE_DATA: &[Expect] =
    &[Expect::Goaway(PROTOCOL_ERROR), Expect::Goaway(STREAM_CLOSED), Expect::Reset(STREAM_CLOSED)];

/// HEADERS on a stream that is closed: by section 5.1, or as an identifier that does not grow
/// (5.1.1).
const OVER_HEADERS: &[Expect] =
    &[Expect::Reset(STREAM_CLOSED), Expect::Goaway(STREAM_CLOSED), Expect::Goaway(PROTOCOL_ERROR)];

/// CONTINUATION that no HEADERS wait for.
const STRAY: &[Expect] = &[Expect::Goaway(PROTOCOL_ERROR), Expect::Goaway(STREAM_CLOSED)];

/// RST_STREAM is not answered by RST_STREAM (section 5.4.2).
const RESET_TWICE: &[Expect] = &[Expect::Lives, Expect::Goaway(STREAM_CLOSED)];

/// A client that has reset a stream has nothing to say of it, but it is harmless.
const AFTER_RESET: &[Expect] =
    &[Expect::Lives, Expect::Reset(STREAM_CLOSED), Expect::Goaway(STREAM_CLOSED)];

const SERVED: &[Expect] = &[Expect::Status(GOT)];

pub(crate) fn cases() -> Vec<Case> {
    [idle(), half_closed(), reset_by_client(), ended(), identifiers()]
        .into_iter()
        .flatten()
        .collect()
}

fn trailers(stream: u32) -> Vec<u8> {
    headers(stream, flag::WHOLE, &literal(0, b"x-trailer", b"value"))
}

fn idle() -> Vec<Case> {
    vec![
        Case::new("5.1 idle: DATA", IDLE_DATA).send(data(1, 0, b"x")),
        Case::new("5.1 idle: DATA with the end", IDLE_DATA).send(data(1, flag::END_STREAM, b"")),
        Case::new("5.1 idle: RST_STREAM", PROTOCOL).send(reset(1, CANCEL)),
        Case::new("5.1 idle: WINDOW_UPDATE", PROTOCOL).send(window_update(1, 1)),
        Case::new("5.1 idle: CONTINUATION", PROTOCOL).send(continuation(1, flag::END_HEADERS, b"")),
        Case::new("5.1 idle, of the server: RST_STREAM", PROTOCOL).send(reset(2, CANCEL)),
        Case::new("5.1 idle, of the server: WINDOW_UPDATE", PROTOCOL).send(window_update(2, 1)),
        Case::new("5.1 idle, of the server: DATA", IDLE_DATA).send(data(2, 0, b"x")),
    ]
}

/// The request has ended, the response cannot: the client has no window for it.
fn half_closed() -> Vec<Case> {
    let case = |name, expects| {
        Case::new(name, expects)
            .settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])
            .send(open(1))
            .send(data(1, flag::END_STREAM, &head()))
            .begun(1)
    };
    vec![
        case("5.1 half-closed: DATA", OVER).send(data(1, 0, b"x")),
        case("5.1 half-closed: HEADERS", OVER).send(trailers(1)),
        case("5.1 half-closed: CONTINUATION", STRAY).send(continuation(1, flag::END_HEADERS, b"")),
        case("5.1 half-closed: PRIORITY", LIVES).send(priority(1, 0)),
        case("5.1 half-closed: RST_STREAM", LIVES).send(reset(1, CANCEL)),
    ]
}

fn reset_by_client() -> Vec<Case> {
    let case = |name, expects| Case::opened(name, expects).begun(1).send(reset(1, CANCEL));
    vec![
        case("5.1 reset: DATA", OVER).send(data(1, 0, b"x")),
        case("5.1 reset: HEADERS", OVER_HEADERS).send(trailers(1)),
        case("5.1 reset: CONTINUATION", STRAY).send(continuation(1, flag::END_HEADERS, b"")),
        case("5.1 reset: RST_STREAM", RESET_TWICE).send(reset(1, CANCEL)),
        case("5.1 reset: WINDOW_UPDATE", AFTER_RESET).send(window_update(1, 1)),
        case("5.1 reset: PRIORITY", LIVES).send(priority(1, 0)),
    ]
}

/// Both sides have ended. The case is about a stream of its own, as this one has its answer.
fn ended() -> Vec<Case> {
    let case = |name, expects| Case::new(name, expects).about(0).send(get(1)).answered(1);
    vec![
        case("5.1 ended: DATA", OVER).send(data(1, 0, b"x")),
        case("5.1 ended: HEADERS", OVER_HEADERS).send(get(1)),
        case("5.1 ended: CONTINUATION", STRAY).send(continuation(1, flag::END_HEADERS, b"")),
        case("5.1 ended: WINDOW_UPDATE", LIVES).send(window_update(1, 1)),
        case("5.1 ended: RST_STREAM", LIVES).send(reset(1, CANCEL)),
        case("5.1 ended: PRIORITY", LIVES).send(priority(1, 0)),
    ]
}

fn identifiers() -> Vec<Case> {
    vec![
        Case::new("5.1.1 an even identifier", PROTOCOL).about(2).send(get(2)),
        Case::new("5.1.1 an identifier below one before", PROTOCOL)
            .about(3)
            .send(open(5))
            .send(get(3)),
        Case::new("5.1.1 identifiers with gaps", SERVED).about(9).send(open(5)).send(get(9)),
        Case::new("5.1.1 DATA on a stream that was skipped", IDLE_DATA)
            .about(3)
            .send(open(5))
            .send(data(3, 0, b"x")),
        Case::new("5.1.1 the highest identifier", SERVED).about(0x7fff_ffff).send(get(0x7fff_ffff)),
        Case::opened("8.1 HEADERS without the end behind a head", MALFORMED).send(headers(
            1,
            flag::END_HEADERS,
            &literal(0, b"x-trailer", b"value"),
        )),
        Case::opened("8.1 a second head", MALFORMED).send(get(1)),
        Case::opened("8.1 trailers", &[Expect::Grpc(0)]).send(trailers(1)),
    ]
}

#[tokio::test]
async fn states() {
    run(cases).await;
}

#[tokio::test]
async fn a_half_closed_stream_goes_on_once_it_has_a_window() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[(setting::INITIAL_WINDOW_SIZE, 0)]).await;
        client.send(&[open(1), data(1, flag::END_STREAM, &head())].concat()).await;
        assert!(client.until(|record| record.streams.contains_key(&1)).await);
        client.grant(1, 1000).await;
        assert_eq!(client.answer(1).await.value("grpc-status"), Some(0), "{carrier:?}");
    })
    .await;
}

/// Section 6.8: what was under way is answered, and then there is nothing left to do.
#[tokio::test]
async fn a_client_that_goes_away_gets_its_answers() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        client.send(&[open(1), data(1, 0, &head())].concat()).await;
        assert!(client.until(|record| record.body_bytes(1) > 0).await);
        client.send(&goaway(0, NO_ERROR)).await;
        let before = client.record.body_bytes(1);
        client.send(&data(1, flag::END_STREAM, &body(b"abc"))).await;
        let answer = client.answer(1).await;
        assert_eq!(answer.value("grpc-status"), Some(0), "{carrier:?}");
        assert!(answer.body.len() > before, "{carrier:?}: the body is answered as well");
        assert_eq!(client.end().await, Outcome::Closed, "{carrier:?}");
    })
    .await;
}
