//! Section 6.9: flow control, in both directions. What the server sends beyond a window is found by
//! the record, in every test.

use crate::calls::{body, head};
use crate::carrier::Server;
use crate::case::{Case, FLOW, LIVES, PROTOCOL, each, run};
use crate::client::Client;
use crate::frames::code::{CANCEL, FLOW_CONTROL_ERROR, PROTOCOL_ERROR};
use crate::frames::{GET, GOT};
use crate::frames::{data, flag, get, headers, open, padded, reset, setting, window_update};
use crate::hpack::block;
use crate::outcome::Expect;
use crate::record::Record;

/// RFC 9113, section 6.9.1.
const MAX_WINDOW_BYTES: u32 = (1 << 31) - 1;

/// Of streams and of the connection, where nobody says otherwise (section 6.9.2).
const WINDOW_BYTES: u32 = 65_535;

const OF_STREAM: &[Expect] = &[Expect::Reset(PROTOCOL_ERROR), Expect::Goaway(PROTOCOL_ERROR)];
const FLOW_OF_ALL: &[Expect] = &[Expect::Goaway(FLOW_CONTROL_ERROR)];

pub(crate) fn cases() -> Vec<Case> {
    let most = MAX_WINDOW_BYTES - WINDOW_BYTES;
    vec![
        Case::opened("6.9 an increment of 0, of a stream", OF_STREAM).send(window_update(1, 0)),
        Case::opened("6.9 an increment of 0, of the connection", PROTOCOL)
            .send(window_update(0, 0)),
        Case::opened("6.9.1 the window of a stream as large as it may be", LIVES)
            .send(window_update(1, most)),
        Case::opened("6.9.1 the window of a stream above 2^31 - 1", FLOW)
            .send(window_update(1, most + 1)),
        Case::opened("6.9.1 the window of a stream above 2^31 - 1, at once", FLOW)
            .send(window_update(1, MAX_WINDOW_BYTES)),
        Case::opened("6.9.1 the window of the connection as large as it may be", LIVES)
            .send(window_update(0, most)),
        Case::opened("6.9.1 the window of the connection above 2^31 - 1", FLOW_OF_ALL)
            .send(window_update(0, most))
            .send(window_update(0, 1)),
        Case::opened("6.9.2 a stream's window above 2^31 - 1 by SETTINGS", FLOW_OF_ALL)
            .send(window_update(1, most))
            .ask(&[(setting::INITIAL_WINDOW_SIZE, WINDOW_BYTES + 1)]),
    ]
}

#[tokio::test]
async fn increments() {
    run(cases).await;
}

/// What the server sends once it has all windows: the answers to a head and to `bytes` of body.
fn call(stream: u32, bytes: usize) -> Vec<u8> {
    let message = [head(), body(&vec![b'x'; bytes])].concat();
    let frames = message.chunks(16 * 1024).flat_map(|piece| data(stream, 0, piece));
    [open(stream), frames.collect(), data(stream, flag::END_STREAM, b"")].concat()
}

/// Reads until `bytes` of the bodies of `streams` are there, and proves that it is all for now.
async fn exactly(client: &mut Client, streams: &[u32], bytes: usize) {
    let there = |record: &Record| streams.iter().map(|&it| record.body_bytes(it)).sum::<usize>();
    assert!(client.until(|record| there(record) >= bytes).await);
    // Twice: what was being sent is there then.
    assert!(client.lives().await && client.lives().await);
    assert_eq!(there(&client.record), bytes);
}

#[tokio::test]
async fn byte_by_byte() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[(setting::INITIAL_WINDOW_SIZE, 0)]).await;
        client.send(&call(1, 40)).await;
        let mut bytes = 0;
        exactly(&mut client, &[1], 0).await;
        while client.record.end(1).is_none() {
            client.grant(1, 1).await;
            bytes += 1;
            let had = |record: &Record| record.body_bytes(1) == bytes || record.end(1).is_some();
            assert!(client.until(had).await && client.lives().await);
        }
        let answer = client.answer(1).await;
        assert_eq!(answer.value("grpc-status"), Some(0), "{carrier:?}");
        assert!(answer.body.len() > 40 && answer.body.len() <= bytes, "{carrier:?}");
    })
    .await;
}

#[tokio::test]
async fn streams_share_the_window_of_the_connection() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let values = [(setting::INITIAL_WINDOW_SIZE, MAX_WINDOW_BYTES)];
        let mut client = Client::connect(&server, &values).await;
        let streams = [1, 3, 5];
        for stream in streams {
            client.send(&call(stream, 40_000)).await;
        }
        exactly(&mut client, &streams, WINDOW_BYTES as usize).await;
        client.grant(0, 1).await;
        exactly(&mut client, &streams, WINDOW_BYTES as usize + 1).await;
        client.grant(0, WINDOW_BYTES).await;
        for stream in streams {
            let answer = client.answer(stream).await;
            assert_eq!(answer.value("grpc-status"), Some(0), "{carrier:?}");
            assert!(answer.body.len() > 40_000, "{carrier:?}");
        }
    })
    .await;
}

/// Section 6.9.2: a window may become negative, and then nothing comes until it is positive.
#[tokio::test]
async fn settings_change_windows_under_way() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let window = |bytes| [(setting::INITIAL_WINDOW_SIZE, bytes)];
        let mut client = Client::connect(&server, &window(20_000)).await;
        client.send(&call(1, 50_000)).await;
        exactly(&mut client, &[1], 20_000).await;
        client.ask(&window(5000)).await;
        assert!(client.until(|record| record.acks == 2).await);
        assert_eq!(client.record.window_bytes(1), -15_000);
        client.grant(1, 15_000).await;
        exactly(&mut client, &[1], 20_000).await;
        client.grant(1, 1).await;
        exactly(&mut client, &[1], 20_001).await;
        client.ask(&window(6000)).await;
        exactly(&mut client, &[1], 21_001).await;
        client.ask(&window(0)).await;
        exactly(&mut client, &[1], 21_001).await;
        client.ask(&window(WINDOW_BYTES)).await;
        assert_eq!(client.answer(1).await.value("grpc-status"), Some(0), "{carrier:?}");
    })
    .await;
}

/// The server's window is 1000 bytes: nothing has been read when the byte 1001 comes.
#[tokio::test]
async fn more_than_the_window_of_a_stream_is_an_error() {
    each(async |carrier| {
        let padding = padded(&[0; 900], 100);
        for payload in [(0, vec![0; 1001]), (flag::PADDED, padding)] {
            let server = Server::start_with(carrier, |it| it.stream_window_bytes(1000)).await;
            let mut client = Client::connect(&server, &[]).await;
            client.send(&[open(1), data(1, payload.0, &payload.1)].concat()).await;
            let outcome = client.outcome(1, false).await;
            let name = "6.9.1 more than a stream's window";
            crate::case::judge(carrier, name, FLOW, &outcome).unwrap();
        }
    })
    .await;
}

/// Keeps the client's account of what it may send.
struct Sender {
    client: Client,
    used: u64,
}

impl Sender {
    /// On a server whose connections have a window of 64 KiB.
    async fn connect(server: &Server) -> Self {
        Self { client: Client::connect(server, &[]).await, used: 0 }
    }

    /// Sends DATA once there is a window for it: for ever, if the server forgot some.
    async fn data(&mut self, stream: u32, flags: u8, payload: &[u8]) {
        self.used += payload.len() as u64;
        let used = self.used;
        let window = |record: &Record| record.granted.get(&0).map_or(0, |&it| it);
        let room = |record: &Record| u64::from(WINDOW_BYTES) + window(record) >= used;
        assert!(self.client.until(room).await, "closed: {:?}", self.client.record.goaway);
        self.client.send(&data(stream, flags, payload)).await;
    }
}

/// How much is sent of what counts against a window and is read by nobody: three windows.
const LOST_BYTES: usize = 200_000;

async fn small(carrier: crate::carrier::Carrier) -> Server {
    Server::start_with(carrier, |it| it.max_streams(4).stream_window_bytes(16_384)).await
}

/// Section 6.9: it counts for the connection, whatever the stream does.
#[tokio::test]
async fn what_streams_do_not_read_is_given_back() {
    each(async |carrier| {
        let server = small(carrier).await;
        let mut sender = Sender::connect(&server).await;
        let mut stream = 1;
        for _ in 0..LOST_BYTES / 16_384 {
            // Reset by the client, perhaps unread; and answered before the body comes.
            sender.client.send(&open(stream)).await;
            sender.data(stream, 0, &[0; 16_384]).await;
            sender.client.send(&reset(stream, CANCEL)).await;
            stream += 2;
            sender.client.send(&headers(stream, flag::END_HEADERS, &block(&GET))).await;
            sender.client.answer(stream).await;
            sender.data(stream, flag::END_STREAM, &[0; 16_384]).await;
            stream += 2;
        }
        sender.client.send(&get(stream)).await;
        let answer = sender.client.answer(stream).await;
        assert_eq!(answer.value(":status"), Some(u32::from(GOT)), "{carrier:?}");
    })
    .await;
}

/// Section 6.1: padding counts, and is given back, to the stream and to the connection.
#[tokio::test]
async fn padding_is_given_back() {
    each(async |carrier| {
        let server = small(carrier).await;
        let mut sender = Sender::connect(&server).await;
        sender.client.ask(&[(setting::INITIAL_WINDOW_SIZE, MAX_WINDOW_BYTES)]).await;
        sender.client.grant(0, MAX_WINDOW_BYTES - WINDOW_BYTES).await;
        sender.client.send(&open(1)).await;
        sender.data(1, 0, &head()).await;
        let message = padded(&body(&[b'x'; 400]), 255);
        for _ in 0..LOST_BYTES / 255 {
            let used = sender.used + message.len() as u64;
            let of_stream = |record: &Record| record.granted.get(&1).map_or(0, |&it| it);
            let room = |record: &Record| 16_384 + of_stream(record) >= used;
            assert!(sender.client.until(room).await, "{:?}", sender.client.record.goaway);
            sender.data(1, flag::PADDED, &message).await;
        }
        sender.data(1, flag::END_STREAM, b"").await;
        assert_eq!(sender.client.answer(1).await.value("grpc-status"), Some(0), "{carrier:?}");
    })
    .await;
}
