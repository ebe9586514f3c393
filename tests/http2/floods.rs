//! Section 10.5: clients that make a server work for nothing. Each is survived, or ends.

use std::time::Duration;

use crate::calls::head;
use crate::carrier::{Carrier, Server};
use crate::case::each;
use crate::client::Client;
use crate::frames::code::{CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM, PROTOCOL_ERROR};
use crate::frames::{
    GET, continuation, data, flag, get, headers, open, ping, priority, reset, settings,
    window_update,
};
use crate::hpack::{INDEXED, LATEST, block, indexed, literal};
use crate::outcome::Outcome;

/// How many frames a flood has.
const FRAMES: u32 = 10_000;

/// It lived, or was told to be calm.
fn survived_or_calmed(carrier: Carrier, outcome: &Outcome) {
    let calmed = matches!(outcome, Outcome::Goaway(ENHANCE_YOUR_CALM) | Outcome::Closed);
    assert!(calmed || *outcome == Outcome::Lives, "{carrier:?}: {outcome:?}");
}

/// What became of the connection, and that there can be another.
async fn lives_or_ends(server: &Server, client: &mut Client) -> Outcome {
    let outcome = if client.lives().await { Outcome::Lives } else { client.end().await };
    assert!(Client::connect(server, &[]).await.lives().await, "{:?}", server.carrier);
    outcome
}

/// Sends `frame` of each number, all that are taken.
async fn flood(carrier: Carrier, begin: Vec<u8>, frame: impl Fn(u32) -> Vec<u8>) {
    let server = Server::start(carrier).await;
    let mut client = Client::connect(&server, &[]).await;
    client.send(&begin).await;
    for n in 0..FRAMES {
        client.send(&frame(n)).await;
    }
    let outcome = lives_or_ends(&server, &mut client).await;
    survived_or_calmed(carrier, &outcome);
}

#[tokio::test]
async fn rapid_resets() {
    each(async |carrier| {
        let both = |n: u32| [open(2 * n + 1), reset(2 * n + 1, CANCEL)].concat();
        flood(carrier, Vec::new(), both).await;
    })
    .await;
}

/// Resets that the client makes the server send: each request is malformed.
#[tokio::test]
async fn rapid_resets_by_the_server() {
    each(async |carrier| {
        let block = [block(&GET), literal(0, b"connection", b"close")].concat();
        flood(carrier, Vec::new(), |n| headers(2 * n + 1, flag::WHOLE, &block)).await;
    })
    .await;
}

#[tokio::test]
async fn data_of_no_bytes() {
    each(async |carrier| flood(carrier, open(1), |_| data(1, 0, b"")).await).await;
}

#[tokio::test]
async fn data_of_padding() {
    each(async |carrier| flood(carrier, open(1), |_| data(1, flag::PADDED, &[0])).await).await;
}

#[tokio::test]
async fn window_updates() {
    each(async |carrier| {
        flood(carrier, open(1), |n| window_update(n % 2, 1)).await;
    })
    .await;
}

#[tokio::test]
async fn priorities() {
    each(async |carrier| flood(carrier, Vec::new(), |n| priority(2 * n + 1, 0)).await).await;
}

#[tokio::test]
async fn requests_at_once() {
    each(async |carrier| flood(carrier, Vec::new(), |n| get(2 * n + 1)).await).await;
}

/// How much of a block without an end a server may take before it has had enough, in bytes.
const BLOCK_BYTES: usize = 64 * 1024 * 1024;

/// How many frames of no bytes the same may be.
const EMPTY_FRAMES: usize = 1_000_000;

#[tokio::test]
async fn blocks_without_an_end() {
    each(async |carrier| {
        let field = literal(0, b"x", &[b'x'; 1000]);
        let entry = literal(INDEXED, b"x", &[b'x'; 1000]);
        let pieces = [
            (field.repeat(16), BLOCK_BYTES / (16 * 1000)),
            (entry.repeat(16), BLOCK_BYTES / (16 * 1000)),
            (Vec::new(), EMPTY_FRAMES),
            (vec![0], EMPTY_FRAMES),
        ];
        for (piece, count) in pieces {
            let server = Server::start(carrier).await;
            let mut client = Client::connect(&server, &[]).await;
            client.send(&headers(1, flag::END_STREAM, &block(&GET))).await;
            let frames = continuation(1, 0, &piece).repeat(count.min(16));
            let mut left = count / count.min(16);
            while left > 0 && client.can_write() && !client.record.is_over() {
                client.send(&frames).await;
                left -= 1;
            }
            assert!(left > 0, "{carrier:?}: it takes pieces of {} bytes for ever", piece.len());
            let outcome = client.end().await;
            let calmed =
                [ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR].map(Outcome::Goaway);
            let is_calmed = calmed.contains(&outcome) || outcome == Outcome::Closed;
            assert!(is_calmed, "{carrier:?}: {outcome:?}");
            assert!(Client::connect(&server, &[]).await.lives().await);
        }
    })
    .await;
}

/// A block of few bytes that stands for many: each byte is an entry of 4 KiB.
#[tokio::test]
async fn a_block_that_unfolds() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        let entry = literal(INDEXED, b"x", &[b'x'; 4000]);
        let bomb = [block(&GET), entry, indexed(LATEST).repeat(16_000)].concat();
        for stream in (1..40).step_by(2) {
            client.send(&headers(stream, flag::WHOLE, &bomb)).await;
        }
        let outcome = lives_or_ends(&server, &mut client).await;
        survived_or_calmed(carrier, &outcome);
    })
    .await;
}

/// How much a server may take whose answers nobody reads, in bytes: far more than lies in sockets.
const UNREAD_BYTES: usize = 64 * 1024 * 1024;

/// How long a socket takes nothing before the flood is over. Longer or shorter makes it larger or
/// smaller: what is checked is that it did not go on for ever, and that nothing of it is lost.
const PAUSE: Duration = Duration::from_millis(300);

/// Sends `frame` of each number and reads nothing, as long as it is taken. Returns how many whole
/// frames were sent.
async fn unread(client: &mut Client, frame: impl Fn(u64) -> Vec<u8>) -> u64 {
    let (mut sent_bytes, mut count) = (0, 0);
    while client.can_write() {
        assert!(sent_bytes < UNREAD_BYTES, "it is read for ever, and all answers are kept");
        let frames: Vec<u8> = (count..count + 100).flat_map(&frame).collect();
        let mut rest = &frames[..];
        while !rest.is_empty() && client.can_write() {
            let sent = client.try_send(rest);
            rest = &rest[sent..];
            sent_bytes += sent;
            if sent == 0 && tokio::time::timeout(PAUSE, client.writable()).await.is_err() {
                // What is left of them goes once answers are read.
                client.send(rest).await;
                return count + 100;
            }
        }
        count += 100;
    }
    count
}

#[tokio::test]
async fn pings_whose_answers_nobody_reads() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::dial_small(&server).await.greet(&[]).await;
        let sent = unread(&mut client, ping).await;
        let all = client.until(|record| record.pongs.len() as u64 >= sent).await;
        if all {
            assert_eq!(client.record.pongs, (0..sent).collect::<Vec<u64>>(), "{carrier:?}");
        }
        let outcome = lives_or_ends(&server, &mut client).await;
        survived_or_calmed(carrier, &outcome);
    })
    .await;
}

#[tokio::test]
async fn settings_whose_answers_nobody_reads() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::dial_small(&server).await.greet(&[]).await;
        let sent = unread(&mut client, |_| settings(&[])).await;
        for _ in 0..sent {
            client.record.ask(&[]);
        }
        client.until(|record| record.is_over() || record.acks as u64 > sent).await;
        let outcome = lives_or_ends(&server, &mut client).await;
        survived_or_calmed(carrier, &outcome);
    })
    .await;
}

/// Requests, of which the answers are larger than they are.
#[tokio::test]
async fn answers_that_nobody_reads() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::dial_small(&server).await.greet(&[]).await;
        let sent = unread(&mut client, |n| get(u32::try_from(2 * n + 1).unwrap())).await;
        let last = u32::try_from(2 * sent - 1).unwrap();
        client.until(|record| record.is_over() || record.end(last).is_some()).await;
        let outcome = lives_or_ends(&server, &mut client).await;
        survived_or_calmed(carrier, &outcome);
    })
    .await;
}

/// One call under way is not the price of a flood that is survived.
#[tokio::test]
async fn a_call_beside_pings() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        client.send(&[open(1), data(1, 0, &head())].concat()).await;
        for n in 0..1000 {
            client.send(&ping(n)).await;
        }
        client.send(&data(1, flag::END_STREAM, b"")).await;
        client.answer(1).await;
        assert!(client.lives().await, "{carrier:?}");
    })
    .await;
}
