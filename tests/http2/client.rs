//! A client that sends whatever it is told to.

use std::io;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};

use crate::carrier::Server;
use crate::frames::{HEAD_BYTES, PREFACE, get, ping, settings, window_update};
use crate::outcome::Outcome;
use crate::record::{Answer, End, Frame, Record};

/// One connection.
pub(crate) struct Client {
    socket: TcpStream,
    unread: Vec<u8>,
    pub(crate) record: Record,
    can_write: bool,
}

/// What is sent to see that a connection goes on.
const PROBE: u64 = 0x7072_6f62_652d_2d2d;

/// The stream of a request for the same: above those of the cases.
const PROBE_STREAM: u32 = 0x7fff_0001;

/// How much lies in the socket of a client that does not want to read, in bytes: little, so that a
/// server soon feels it.
const SMALL_BUFFER_BYTES: u32 = 4096;

impl Client {
    /// A socket, and nothing on it.
    pub(crate) async fn dial(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.address).await.unwrap())
    }

    /// The same, with little room for what nobody reads.
    pub(crate) async fn dial_small(server: &Server) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER_BYTES).unwrap();
        socket.set_send_buffer_size(SMALL_BUFFER_BYTES).unwrap();
        Self::over(socket.connect(server.address).await.unwrap())
    }

    fn over(socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        Self { socket, unread: Vec::new(), record: Record::new(), can_write: true }
    }

    /// With preface and settings, which the server has taken.
    pub(crate) async fn connect(server: &Server, values: &[(u16, u32)]) -> Self {
        Self::dial(server).await.greet(values).await
    }

    pub(crate) async fn greet(mut self, values: &[(u16, u32)]) -> Self {
        self.send(PREFACE).await;
        self.ask(values).await;
        self.until(|record| record.settings.is_some() && record.acks == 1).await;
        assert!(!self.record.is_over(), "{:?}", self.record.goaway);
        self
    }

    /// Sends SETTINGS.
    pub(crate) async fn ask(&mut self, values: &[(u16, u32)]) {
        self.record.ask(values);
        self.send(&settings(values)).await;
    }

    /// Grants the server more.
    pub(crate) async fn grant(&mut self, stream: u32, bytes: u32) {
        self.record.grant(stream, bytes);
        self.send(&window_update(stream, bytes)).await;
    }

    /// Sends `bytes`, reading what comes meanwhile. What a closed connection does not take is lost.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.can_write {
            let interest = match self.record.closed {
                true => Interest::WRITABLE,
                false => Interest::READABLE | Interest::WRITABLE,
            };
            let ready = self.socket.ready(interest).await.unwrap();
            if ready.is_readable() && !self.record.closed {
                self.take_in();
            }
            rest = &rest[self.try_send(rest)..];
        }
    }

    /// Sends as much of `bytes` as the socket takes, without reading.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> usize {
        match self.socket.try_write(bytes) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.can_write = false;
                0
            }
        }
    }

    pub(crate) async fn writable(&self) {
        self.socket.writable().await.unwrap();
    }

    pub(crate) fn can_write(&self) -> bool {
        self.can_write
    }

    /// Says that no more comes.
    pub(crate) async fn finish(&mut self) {
        let _ = self.socket.shutdown().await;
        self.can_write = false;
    }

    /// Reads until `done`, or until there is no more. Says whether it is done.
    pub(crate) async fn until(&mut self, done: impl Fn(&Record) -> bool) -> bool {
        loop {
            let owed = self.take_frames();
            if !owed.is_empty() {
                Box::pin(self.send(&owed)).await;
            }
            if done(&self.record) {
                return true;
            }
            if self.record.closed {
                return false;
            }
            self.socket.readable().await.unwrap();
            self.take_in();
        }
    }

    fn take_in(&mut self) {
        let mut buffer = [0; 16 * 1024];
        match self.socket.try_read(&mut buffer) {
            Ok(0) => self.record.closed = true,
            Ok(bytes) => self.unread.extend_from_slice(&buffer[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.record.closed = true,
        }
    }

    /// Notes the whole frames of what was read, and returns what the client owes for them.
    fn take_frames(&mut self) -> Vec<u8> {
        let (mut at, mut owed) = (0, Vec::new());
        while let Some(head) = self.unread.get(at..at + HEAD_BYTES) {
            let bytes = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
            let (kind, flags, start) = (head[3], head[4], at + HEAD_BYTES);
            let Some(payload) = self.unread.get(start..start + bytes) else { break };
            let frame = Frame { kind, flags, stream, payload: payload.to_vec() };
            owed.extend(self.record.note(&frame).into_iter().flatten());
            at = start + bytes;
        }
        self.unread.drain(..at);
        owed
    }

    /// The whole answer on `stream`.
    pub(crate) async fn answer(&mut self, stream: u32) -> Answer {
        let came = self.until(|record| record.end(stream).is_some()).await;
        assert!(came, "closed: {:?}", self.record.goaway);
        self.record.streams[&stream].clone()
    }

    /// Whether the connection goes on: a PING comes back.
    pub(crate) async fn lives(&mut self) -> bool {
        let before = self.record.pongs.len();
        self.send(&ping(PROBE)).await;
        self.until(|record| record.is_over() || record.pongs[before..].contains(&PROBE)).await;
        !self.record.is_over()
    }

    /// What came of what was sent, on `stream`, or (0) on any that is over. With `may_live`,
    /// nothing may have come of it: then something else is asked, and has to be answered.
    pub(crate) async fn outcome(&mut self, stream: u32, may_live: bool) -> Outcome {
        if may_live {
            self.send(&[ping(PROBE), get(PROBE_STREAM)].concat()).await;
        }
        let is_known = |record: &Record| {
            let is_answered =
                record.pongs.contains(&PROBE) && record.end(PROBE_STREAM) == Some(End::Whole);
            let is_reset = stream == 0 && record.reset.is_some();
            let is_ended = record.end(stream).is_some() || is_reset;
            record.is_over() || is_ended || (may_live && is_answered)
        };
        self.until(is_known).await;
        let outcome = match self.record.end(stream) {
            Some(End::Reset(code)) => Outcome::Reset(code),
            Some(End::Whole) => {
                let answer = &self.record.streams[&stream];
                let status = answer.value(":status").unwrap();
                let status = u16::try_from(status).unwrap();
                Outcome::Response { status, grpc: answer.value("grpc-status") }
            }
            None => match self.record.reset {
                Some(code) if stream == 0 => Outcome::Reset(code),
                _ => Outcome::Lives,
            },
        };
        if !self.record.is_over() && self.lives().await {
            return outcome;
        }
        self.end().await
    }

    /// How the connection ended, once it has.
    pub(crate) async fn end(&mut self) -> Outcome {
        // RFC 9113, section 5.4.1: after an error it is closed.
        self.until(|_| false).await;
        match self.record.goaway {
            Some((_, code)) if code != 0 => Outcome::Goaway(code),
            _ => Outcome::Closed,
        }
    }
}
