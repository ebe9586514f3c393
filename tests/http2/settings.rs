//! Section 6.5: SETTINGS; and 6.7, PING.

use crate::carrier::Server;
use crate::case::{Case, LIVES, PROTOCOL, each, run};
use crate::client::Client;
use crate::frames::code::{FLOW_CONTROL_ERROR, PROTOCOL_ERROR};
use crate::frames::{GOT, flag, frame, get, kind, open, ping, setting, settings_ack};
use crate::outcome::Expect;

/// Nobody asked for it: the RFC does not say what then.
const UNASKED: &[Expect] = &[Expect::Lives, Expect::Goaway(PROTOCOL_ERROR)];

pub(crate) fn cases() -> Vec<Case> {
    let bad = |name, id, value| Case::new(name, PROTOCOL).ask(&[(id, value)]);
    let good = |name, id, value| {
        Case::new(name, &[Expect::Status(GOT)]).settings(&[(id, value)]).send(get(1))
    };
    let on_stream = frame(kind::SETTINGS, 0, 1, b"");
    vec![
        Case::opened("6.5 SETTINGS on a stream", PROTOCOL).send(on_stream),
        Case::opened("6.5 an acknowledgement on a stream", PROTOCOL).send(frame(
            kind::SETTINGS,
            flag::ACK,
            1,
            b"",
        )),
        bad("6.5.2 ENABLE_PUSH of 2", setting::ENABLE_PUSH, 2),
        Case::new("6.5.2 INITIAL_WINDOW_SIZE of 2^31", &[Expect::Goaway(FLOW_CONTROL_ERROR)])
            .ask(&[(setting::INITIAL_WINDOW_SIZE, 1 << 31)]),
        bad("6.5.2 MAX_FRAME_SIZE of 16,383", setting::MAX_FRAME_SIZE, 16_383),
        bad("6.5.2 MAX_FRAME_SIZE of 2^24", setting::MAX_FRAME_SIZE, 1 << 24),
        Case::new("6.5.2 a bad value between good ones", PROTOCOL).ask(&[
            (setting::MAX_CONCURRENT_STREAMS, 1),
            (setting::MAX_FRAME_SIZE, 0),
            (setting::HEADER_TABLE_SIZE, 0),
        ]),
        good("6.5.2 an unknown setting", 0xfeed, u32::MAX),
        good("6.5.2 ENABLE_PUSH of 1", setting::ENABLE_PUSH, 1),
        good("6.5.2 ENABLE_PUSH of 0", setting::ENABLE_PUSH, 0),
        good("6.5.2 MAX_CONCURRENT_STREAMS of 0", setting::MAX_CONCURRENT_STREAMS, 0),
        good("6.5.2 MAX_FRAME_SIZE of 2^24 - 1", setting::MAX_FRAME_SIZE, (1 << 24) - 1),
        good("6.5.2 INITIAL_WINDOW_SIZE of 2^31 - 1", setting::INITIAL_WINDOW_SIZE, (1 << 31) - 1),
        good("6.5.2 MAX_HEADER_LIST_SIZE of 0", setting::MAX_HEADER_LIST_SIZE, 0),
        Case::new("6.5.3 an acknowledgement that nobody asked for", UNASKED).send(settings_ack()),
        Case::new("6.7 PING between HEADERS and the end", LIVES).send(open(1)).send(ping(7)),
    ]
}

#[tokio::test]
async fn values() {
    run(cases).await;
}

/// Section 6.5.3: each by one, in order.
#[tokio::test]
async fn all_settings_are_acknowledged() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        for value in 0..100 {
            client.ask(&[(setting::INITIAL_WINDOW_SIZE, value)]).await;
        }
        assert!(client.until(|record| record.acks == 101).await, "{carrier:?}");
        client.send(&get(1)).await;
        assert_eq!(client.answer(1).await.value(":status"), Some(u32::from(GOT)));
    })
    .await;
}

/// Section 6.7: with the same payload, in order, and an answer is not answered.
#[tokio::test]
async fn all_pings_are_answered() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        for payload in 0..100 {
            client.send(&frame(kind::PING, flag::ACK, 0, &[1; 8])).await;
            client.send(&ping(payload)).await;
        }
        assert!(client.until(|record| record.pongs.len() == 100).await, "{carrier:?}");
        assert_eq!(client.record.pongs, (0..100).collect::<Vec<u64>>());
        assert!(client.lives().await);
        assert_eq!(client.record.pongs.len(), 101, "{carrier:?}");
    })
    .await;
}
