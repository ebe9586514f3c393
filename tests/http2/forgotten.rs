//! Section 5.1, closed: what was sent before the client knew that the server had reset its stream.

use crate::carrier::{Carrier, Server};
use crate::case::{LIVES, each, judge};
use crate::client::Client;
use crate::frames::{GET, data, flag, headers};
use crate::hpack::{INDEXED, LATEST, block, indexed, literal};
use crate::outcome::Outcome;

pub(crate) const LATE_TRAILERS: &str = "5.1 trailers of a stream that the server has reset";

/// How many streams the server has answered before their requests ended: more than it remembers.
const fn streams(carrier: Carrier) -> u32 {
    match carrier {
        Carrier::Hyper => 200,
        #[cfg(feature = "ext-proc-direct")]
        Carrier::Direct => 1500,
    }
}

/// A client whose requests are all answered, and none ended.
async fn answered(carrier: Carrier) -> (Server, Client) {
    let server = Server::start(carrier).await;
    let mut client = Client::connect(&server, &[]).await;
    for stream in (1..2 * streams(carrier)).step_by(2) {
        client.send(&headers(stream, flag::END_HEADERS, &block(&GET))).await;
        client.answer(stream).await;
    }
    assert!(client.lives().await);
    (server, client)
}

#[tokio::test]
async fn late_trailers_are_nothing() {
    each(async |carrier| {
        let (_server, mut client) = answered(carrier).await;
        for stream in (1..2 * streams(carrier)).step_by(2) {
            let fields = literal(INDEXED, b"x-late", b"value");
            client.send(&headers(stream, flag::WHOLE, &fields)).await;
        }
        // Their entries are there, whatever became of them.
        let next = 2 * streams(carrier) + 1;
        let request = [block(&GET), indexed(LATEST)].concat();
        client.send(&headers(next, flag::WHOLE, &request)).await;
        let served = client.until(|record| record.is_over() || record.end(next).is_some()).await;
        let lives = served && client.lives().await;
        let outcome = if lives { Outcome::Lives } else { client.end().await };
        judge(carrier, LATE_TRAILERS, LIVES, &outcome).unwrap();
    })
    .await;
}

#[tokio::test]
async fn late_data_is_nothing() {
    each(async |carrier| {
        let (_server, mut client) = answered(carrier).await;
        for stream in (1..2 * streams(carrier)).step_by(2) {
            client.send(&data(stream, 0, b"late")).await;
            client.send(&data(stream, flag::END_STREAM, b"")).await;
        }
        assert!(client.lives().await, "{carrier:?}: {:?}", client.record.goaway);
    })
    .await;
}
