//! The runner on a real socket, and how it goes away (P39).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tidegate::ext_proc::server::{DrainPhase, ExternalProcessor, ServeSettings, Served};
use tidegate::ext_proc::wire::GrpcCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::CARRIER;
use super::peer::{Ended, Peer};
use crate::messages::{protocol_config, request_headers, response_headers};
use crate::stage::passing;

/// A server on loopback.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: oneshot::Sender<()>,
    pub(crate) server: JoinHandle<Served>,
}

pub(crate) async fn serve(processor: &ExternalProcessor, settings: ServeSettings) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, told) = oneshot::channel();
    let server = processor.clone().serve(listener, settings.carrier(CARRIER), async {
        let _ = told.await;
    });
    Running { address, shutdown, server: tokio::spawn(server) }
}

/// The head of a GET, which has no body.
const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "origin")];

#[tokio::test]
async fn a_stream_under_way_finishes_when_the_server_goes_away() {
    let processor = passing();
    let running = serve(&processor, ServeSettings::new()).await;
    let mut peer = Peer::dial(running.address).await;
    let mut call = peer.open().await;
    call.send(request_headers(&GET, true).first(protocol_config(0, 0))).await;
    call.answer().await;
    running.shutdown.send(()).unwrap();
    while processor.drain().phase() != DrainPhase::Leaving {
        tokio::task::yield_now().await;
    }
    call.send(response_headers(&[(":status", "204")], true)).await;
    call.answer().await;
    call.close();
    assert_eq!(call.ended().await, Ended::ok());
    let served = running.server.await.unwrap();
    assert_eq!((served.connections, served.cut), (1, 0), "{served:?}");
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_cut_off() {
    let processor = passing();
    let settings = ServeSettings::new().drain(Duration::from_millis(20));
    let running = serve(&processor, settings).await;
    let mut peer = Peer::dial(running.address).await;
    let mut call = peer.open().await;
    call.send(request_headers(&GET, true).first(protocol_config(0, 0))).await;
    call.answer().await;
    running.shutdown.send(()).unwrap();
    assert_eq!(call.ended().await, Ended::Reset);
    let served = running.server.await.unwrap();
    assert_eq!((served.connections, served.cut), (1, 1), "{served:?}");
    processor.drain().idle().await;
}

#[tokio::test]
async fn new_streams_are_refused_and_those_under_way_finish() {
    let processor = passing();
    let mut peer = Peer::connect(&processor).await;
    let mut early = peer.open().await;
    early.send(request_headers(&GET, true).first(protocol_config(0, 0))).await;
    early.answer().await;
    assert_eq!(processor.drain().live_streams(), 1);
    processor.drain().refuse();
    let mut late = peer.open().await;
    assert_eq!(late.ended().await.code(), Some(GrpcCode::Unavailable));
    early.send(response_headers(&[(":status", "204")], true)).await;
    early.answer().await;
    early.close();
    assert_eq!(early.ended().await, Ended::ok());
    processor.drain().idle().await;
    assert_eq!(processor.drain().live_streams(), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let processor = passing();
    let running = serve(&processor, ServeSettings::new().max_connections(1)).await;
    let first = Peer::dial(running.address).await;
    let mut second = TcpStream::connect(running.address).await.unwrap();
    let preface = Bytes::from_static(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    second.write_all(&preface).await.unwrap();
    let mut first_byte = [0];
    let waits = tokio::time::timeout(Duration::from_millis(20), second.read(&mut first_byte)).await;
    assert!(waits.is_err(), "the server has not spoken to the second connection");
    drop(first);
    second.read_exact(&mut first_byte).await.unwrap();
}

/// hyper panics where a buffer is too large, and sends nothing from one of no bytes.
#[tokio::test]
async fn any_send_buffer_can_be_asked_for() {
    for bytes in [0, usize::MAX] {
        let processor = passing();
        let running = serve(&processor, ServeSettings::new().send_buffer_bytes(bytes)).await;
        let mut peer = Peer::dial(running.address).await;
        let mut call = peer.open().await;
        call.send(request_headers(&GET, true).first(protocol_config(0, 0))).await;
        call.answer().await;
    }
}

/// Of nothing at all, nothing could be served: it counts as the least that works.
#[tokio::test]
async fn any_window_and_any_number_of_streams_can_be_asked_for() {
    let least = ServeSettings::new().stream_window_bytes(0).max_streams(0);
    let most = ServeSettings::new().stream_window_bytes(u32::MAX).max_streams(u32::MAX);
    for settings in [least, most] {
        let processor = passing();
        let running = serve(&processor, settings).await;
        let mut peer = Peer::dial(running.address).await;
        let mut call = peer.open().await;
        call.send(request_headers(&GET, true).first(protocol_config(0, 0))).await;
        call.answer().await;
    }
}
