//! Section 6.8: a server that goes away.

use crate::calls::{body, head};
use crate::carrier::Server;
use crate::case::each;
use crate::client::Client;
use crate::frames::code::NO_ERROR;
use crate::frames::{GOT, data, flag, get, open};
use crate::outcome::Outcome;
use crate::record::End;

#[tokio::test]
async fn what_is_under_way_is_served_to_its_end() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        client.send(&[open(1), data(1, 0, &head())].concat()).await;
        assert!(client.until(|record| record.body_bytes(1) > 0).await);
        server.shut_down();
        assert!(client.until(|record| record.goaway.is_some()).await, "{carrier:?}");
        assert_eq!(client.record.goaway.unwrap().1, NO_ERROR, "{carrier:?}");
        let before = client.record.body_bytes(1);
        client.send(&data(1, 0, &body(b"abc"))).await;
        assert!(client.until(|record| record.body_bytes(1) > before).await, "{carrier:?}");
        assert!(client.lives().await, "{carrier:?}");
        client.send(&data(1, flag::END_STREAM, b"")).await;
        assert_eq!(client.answer(1).await.value("grpc-status"), Some(0), "{carrier:?}");
        assert_eq!(client.end().await, Outcome::Closed, "{carrier:?}");
        assert!(client.record.goaway.unwrap().0 >= 1, "{carrier:?}: it has served stream 1");
    })
    .await;
}

/// A client that has not heard of it yet: what it asks is answered, or GOAWAY says that it was not
/// looked at.
#[tokio::test]
async fn what_is_asked_meanwhile_is_answered_or_disowned() {
    each(async |carrier| {
        for turns in 0..20 {
            let server = Server::start(carrier).await;
            let mut client = Client::connect(&server, &[]).await;
            client.send(&get(1)).await;
            assert_eq!(client.answer(1).await.value(":status"), Some(u32::from(GOT)));
            server.shut_down();
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            client.send(&get(3)).await;
            assert_eq!(client.end().await, Outcome::Closed, "{carrier:?}");
            let (last, code) = client.record.goaway.expect("it says that it goes");
            assert_eq!(code, NO_ERROR, "{carrier:?}");
            assert!(last >= 1, "{carrier:?}");
            let is_served = client.record.end(3) == Some(End::Whole);
            assert_eq!(is_served, last >= 3, "{carrier:?}: last {last}, {turns} turns");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_without_streams_is_closed() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        server.shut_down();
        assert_eq!(client.end().await, Outcome::Closed, "{carrier:?}");
        assert_eq!(client.record.goaway.map(|(_, code)| code), Some(NO_ERROR), "{carrier:?}");
    })
    .await;
}
