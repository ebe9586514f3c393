//! Calls of the external processor, in frames that are cut anywhere.

use tidegate::ext_proc::mode::BodyMode;

use crate::carrier::Server;
use crate::case::each;
use crate::client::Client;
use crate::frames::{PREFACE, data, flag, open, settings};
use crate::messages::{
    Frames, ProcessingResponse, message_frame, protocol_config, request_body, request_headers,
};
use crate::record::{Answer, End};
use crate::rng::Rng;

const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "origin")];

/// The first message of a call.
pub(crate) fn head() -> Vec<u8> {
    let number = BodyMode::Streamed.number();
    message_frame(&request_headers(&POST, false).first(protocol_config(number, number))).to_vec()
}

/// A message with a piece of body, behind which there is more.
pub(crate) fn body(bytes: &[u8]) -> Vec<u8> {
    message_frame(&request_body(bytes.to_vec(), false)).to_vec()
}

/// A message with the last piece.
fn last(bytes: &[u8]) -> Vec<u8> {
    message_frame(&request_body(bytes.to_vec(), true)).to_vec()
}

/// The messages of a call: of a request only, as the order of both directions is not fixed.
fn messages(name: &str) -> Vec<Vec<u8>> {
    let pieces = [body(b"abc"), body(name.as_bytes()), body(&[b'x'; 500]), last(b"end")];
    [vec![head()], pieces.into()].concat()
}

/// A call: each message in a frame of its own, and one across two.
fn call(stream: u32, name: &str) -> Vec<Vec<u8>> {
    let mut frames = vec![open(stream)];
    for (n, message) in messages(name).iter().enumerate() {
        let (first, rest) = message.split_at(if n == 2 { 3 } else { message.len() });
        frames.push(data(stream, 0, first));
        if !rest.is_empty() {
            frames.push(data(stream, 0, rest));
        }
    }
    frames.push(data(stream, flag::END_STREAM, b""));
    frames
}

/// What comes for `bytes`, sent in pieces that end at `cuts`.
async fn sent(server: &Server, bytes: &[u8], cuts: &[usize], streams: &[u32]) -> Vec<Answer> {
    let mut client = Client::dial(server).await;
    client.record.ask(&[]);
    let mut at = 0;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        client.send(&bytes[at..cut]).await;
        at = cut;
        // Others run: the server reads what there is.
        tokio::task::yield_now().await;
    }
    let mut answers = Vec::new();
    for &stream in streams {
        answers.push(client.answer(stream).await);
    }
    assert!(client.lives().await);
    answers
}

fn check(answer: &Answer, name: &str) {
    assert_eq!(answer.end, Some(End::Whole));
    assert_eq!(answer.value("grpc-status"), Some(0), "{:?}", answer.heads);
    let answers: Vec<ProcessingResponse> = Frames::all(&answer.body);
    assert_eq!(answers.len(), messages(name).len(), "{answers:?}");
    let capitals = name.to_ascii_uppercase();
    let has = answer.body.windows(capitals.len()).any(|bytes| bytes == capitals.as_bytes());
    assert!(has, "the answer to {name}");
}

#[tokio::test]
async fn the_bytes_of_a_call_may_be_cut_anywhere() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let frames = [vec![PREFACE.to_vec(), settings(&[])], call(1, "streamed")].concat();
        let bytes = frames.concat();
        let whole = sent(&server, &bytes, &[], &[1]).await;
        check(&whole[0], "streamed");
        let every: Vec<usize> = (1..bytes.len()).collect();
        assert_eq!(sent(&server, &bytes, &every, &[1]).await, whole, "{carrier:?}: byte by byte");
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let count = 1 + rng.below(40);
            let mut cuts: Vec<usize> = (0..count).map(|_| rng.below(bytes.len())).collect();
            cuts.sort_unstable();
            let cut = sent(&server, &bytes, &cuts, &[1]).await;
            assert_eq!(cut, whole, "{carrier:?}: seed {seed}, cuts {cuts:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn frames_of_three_calls_are_told_apart() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let names = [(1, "first"), (3, "second"), (5, "third")];
        let calls = names.map(|(stream, name)| call(stream, name));
        let streams = names.map(|(stream, _)| stream);
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let mut bytes = [PREFACE, &settings(&[])].concat();
            // Streams open in order, then go on in any.
            let mut at = [1; 3];
            bytes.extend(calls.iter().flat_map(|call| call[0].clone()));
            while let Some(first) = (0..3).find(|&n| at[n] < calls[n].len()) {
                let n = rng.below(3);
                let n = if at[n] < calls[n].len() { n } else { first };
                bytes.extend_from_slice(&calls[n][at[n]]);
                at[n] += 1;
            }
            let mut cuts: Vec<usize> = (0..10).map(|_| rng.below(bytes.len())).collect();
            cuts.sort_unstable();
            let answers = sent(&server, &bytes, &cuts, &streams).await;
            for (answer, (_, name)) in answers.iter().zip(names) {
                check(answer, name);
            }
            assert!(answers[0] != answers[1], "{carrier:?}");
        }
    })
    .await;
}
