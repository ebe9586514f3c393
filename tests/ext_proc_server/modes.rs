//! Every mode once, from the socket to the filters and back.

use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode};

use super::peer::{Ended, Peer};
use crate::answers::line;
use crate::messages::{
    ProcessingRequest, protocol_config, request_body, request_headers, response_body,
    response_headers, response_trailers,
};
use crate::stage::{Capitals, Guard, Mark, POST, processor};

const OK: [(&str, &str); 1] = [(":status", "200")];

/// Sends each message, and reads the answers to it, before the next.
async fn play(mode: DirectionMode, script: Vec<(ProcessingRequest, &[&str])>, ended: Ended) {
    let filters = ExchangePlan::builder().request("guard", || Guard).pair("mark", || (Mark, Mark));
    let filters = match mode.body() {
        BodyMode::None => filters,
        _ => filters.pair("capitals", || (Capitals, Capitals)),
    };
    let mut peer = Peer::connect(&processor(mode, filters)).await;
    let mut call = peer.open().await;
    let mut config = Some(protocol_config(mode.body().number(), mode.body().number()));
    for (mut message, answers) in script {
        message.protocol_config = config.take();
        call.send(message).await;
        for expected in answers {
            assert_eq!(line(&call.answer().await), *expected, "{mode:?}");
        }
    }
    call.close();
    assert_eq!(call.ended().await, ended);
}

#[tokio::test]
async fn a_reply_takes_the_place_of_the_response_and_ends_the_stream() {
    let head = [(":method", "GET"), (":path", "/secret"), (":scheme", "http")];
    // It goes through the response's filters, as any response.
    for (mode, reply) in [
        (
            DirectionMode::heads_only(),
            "reply 403 no\n; content-type: text/plain; charset=utf-8; x-mark: 1",
        ),
        (
            DirectionMode::streamed(),
            "reply 403 NO\n; content-type: text/plain; charset=utf-8; x-mark: 1",
        ),
        (
            DirectionMode::buffered(),
            "reply 403 NO\n; content-type: text/plain; charset=utf-8; x-mark: 1",
        ),
        (
            DirectionMode::full_duplex(),
            "reply 403 NO\n; content-type: text/plain; charset=utf-8; x-mark: 1",
        ),
    ] {
        let answers = [reply];
        let script: Vec<(_, &[_])> = vec![(request_headers(&head, true), &answers)];
        play(mode, script, Ended::ok()).await;
    }
}

#[tokio::test]
async fn heads_alone_are_answered_in_none() {
    let script: Vec<(_, &[_])> = vec![
        (request_headers(&POST, false), &["request head; x-mark: 1"]),
        (response_headers(&OK, false), &["response head; x-mark: 1"]),
    ];
    play(DirectionMode::heads_only(), script, Ended::ok()).await;
}

#[tokio::test]
async fn each_message_is_answered_by_one_in_streamed() {
    let script: Vec<(_, &[_])> = vec![
        (request_headers(&POST, false), &["request head; x-mark: 1"]),
        (request_body("abc", false), &["request body = ABC"]),
        (request_body("123", false), &["request body = 123"]),
        (request_body("", true), &["request body as it is"]),
        (response_headers(&OK, false), &["response head; x-mark: 1"]),
        (response_body("def", false), &["response body = DEF"]),
        (response_trailers(&[("x-sum", "6")]), &["response trailers"]),
    ];
    play(DirectionMode::streamed(), script, Ended::ok()).await;
}

#[tokio::test]
async fn the_whole_body_is_answered_behind_its_head_in_buffered() {
    for mode in [DirectionMode::buffered(), DirectionMode::buffered_partial()] {
        let script: Vec<(_, &[_])> = vec![
            (request_headers(&POST, false), &["request head; x-mark: 1"]),
            (request_body("abc", true), &["request body = ABC"]),
            (response_headers(&OK, false), &["response head; x-mark: 1"]),
            (response_body("def", false), &["response body = DEF"]),
            (response_trailers(&[("x-sum", "6")]), &["response trailers"]),
        ];
        play(mode, script, Ended::ok()).await;
    }
}

#[tokio::test]
async fn pieces_go_as_they_come_in_full_duplex() {
    let script: Vec<(_, &[_])> = vec![
        (request_headers(&POST, false), &["request head; x-mark: 1"]),
        (request_body("abc", false), &["request body + ABC"]),
        (request_body("", true), &["request body + , end"]),
        (response_headers(&OK, false), &["response head; x-mark: 1"]),
        (response_body("def", false), &["response body + DEF"]),
        (response_trailers(&[("x-sum", "6")]), &["response trailers"]),
    ];
    play(DirectionMode::full_duplex(), script, Ended::ok()).await;
}
