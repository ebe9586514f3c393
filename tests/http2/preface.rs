//! Section 3.4: how a connection begins.

use crate::carrier::Server;
use crate::case::{Case, each, run};
use crate::client::Client;
use crate::frames::code::PROTOCOL_ERROR;
use crate::frames::{GOT, PREFACE, get, ping, settings};
use crate::outcome::Expect;

/// GOAWAY may be left out where the other side seems not to speak HTTP/2.
const REFUSED: &[Expect] = &[Expect::Goaway(PROTOCOL_ERROR), Expect::Closed];

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::raw("3.4 a preface of another version", REFUSED)
            .send(&b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n"[..])
            .send(settings(&[])),
        Case::raw("3.4 a preface that is wrong in its last byte", REFUSED)
            .send(&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r"[..])
            .send(settings(&[])),
        Case::raw("3.4 a request of HTTP/1.1", REFUSED)
            .send(&b"GET / HTTP/1.1\r\nhost: processor\r\n\r\n"[..]),
        Case::raw("3.4 a request of HTTP/1.0, shorter than a preface", REFUSED)
            .send(&b"GET / HTTP/1.0\r\n\r\n"[..]),
        Case::raw("3.4 the hello of TLS", REFUSED).send(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3][..]),
        Case::raw("3.4 a preface that is cut", REFUSED).send(&PREFACE[..10]).finish(),
        Case::raw("3.4 nothing at all", REFUSED).finish(),
        Case::raw("3.4 no SETTINGS behind the preface", REFUSED).send([PREFACE, &ping(1)].concat()),
        Case::raw("3.4 a request before SETTINGS", REFUSED).send([PREFACE, &get(1)].concat()),
        Case::raw("3.4 everything at once", &[Expect::Status(GOT)])
            .ask_in(&[], [PREFACE, &settings(&[]), &get(1)].concat()),
    ]
}

#[tokio::test]
async fn prefaces() {
    run(cases).await;
}

/// SETTINGS, once, first of all: the record of a connection refuses anything else.
#[tokio::test]
async fn the_server_begins_with_settings() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::dial(&server).await;
        client.send(PREFACE).await;
        client.ask(&[]).await;
        assert!(client.until(|record| record.acks == 1).await);
        assert!(client.record.settings.is_some(), "{carrier:?}: before it acknowledges any");
    })
    .await;
}
