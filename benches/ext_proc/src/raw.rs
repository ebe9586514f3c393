//! A thread that blocks, and what the kernel takes for it.
//!
//! Frames of HTTP/2 are counted off and hardly looked into: a head that is no end opens a stream,
//! DATA goes to its stream's canned answers, nearly all else is skipped. What was read is answered
//! by one vectored write before the next read. There is no runtime, no queue, no timer, and no
//! window of the other side, which Envoy has larger than what it is sent; a buffer is used again as
//! soon as nothing of it is left.
//!
//! It is a guide and no bound: a reader that is faster sleeps and is woken more often, and two
//! processors that meet at the lock of the socket wait for each other. Of a body that goes back
//! whole it is not even that: it keeps that in pieces of what was read, and hands all of it to the
//! kernel at once.

use std::collections::HashMap;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::canned::{Messages, Output, Progress};
use crate::scenario::Scenario;

/// What is read at once, and the windows: as tidegate's own HTTP/2 has them.
const READ_BYTES: usize = 64 * 1024;
const WINDOW_BYTES: usize = 512 * 1024;
/// What the window of all streams is before anybody says so.
const FIRST_WINDOW_BYTES: usize = 65_535;
const WINDOW_LOW_BYTES: usize = 64 * 1024;
const MAX_FRAME_BYTES: usize = 16 * 1024;
/// Shorter pieces are copied: that is less than a call of the system takes for a segment.
const COPIED_BYTES: usize = 1024;

/// The preface of a client.
const PREFACE_BYTES: usize = 24;
const HEAD_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status` 200 and `content-type`; `grpc-status` 0. No table is used.
const RESPONSE: &[u8] = b"\x88\x0f\x10\x10application/grpc";
const TRAILERS: &[u8] = b"\x00\x0bgrpc-status\x010";

pub(crate) fn serve(listener: &TcpListener, scenario: Scenario) {
    for socket in listener.incoming() {
        let socket = socket.expect("a connection");
        socket.set_nodelay(true).expect("a socket");
        thread::spawn(move || {
            Connection::new(scenario).run(socket);
            // The processor time of threads that have ended is not counted.
            loop {
                thread::park();
            }
        });
    }
}

struct Connection {
    scenario: Scenario,
    streams: HashMap<u32, Stream>,
    /// Whose payload is being read.
    payload: Option<Payload>,
    /// Of the window of all streams, in bytes.
    window: usize,
    /// Frames that are to be sent, and the segments of others between them.
    small: BytesMut,
    output: Vec<Bytes>,
    /// All that was ever read into.
    buffers: Vec<Bytes>,
}

struct Stream {
    messages: Messages,
    output: Output,
    /// What the client may still send, in bytes.
    window: usize,
}

#[derive(Clone, Copy)]
struct Payload {
    stream: u32,
    left: usize,
    kind: u8,
    flags: u8,
}

impl Connection {
    fn new(scenario: Scenario) -> Self {
        let mut small = BytesMut::new();
        // Windows of streams, and of all of them.
        put_head(&mut small, 6, SETTINGS, 0, 0);
        small.put_u16(4);
        small.put_u32(WINDOW_BYTES as u32);
        put_head(&mut small, 4, WINDOW_UPDATE, 0, 0);
        small.put_u32((WINDOW_BYTES - FIRST_WINDOW_BYTES) as u32);
        Self {
            scenario,
            streams: HashMap::new(),
            payload: None,
            window: WINDOW_BYTES,
            small,
            output: Vec::new(),
            buffers: Vec::new(),
        }
    }

    fn run(mut self, mut socket: TcpStream) {
        let mut preface = [0; PREFACE_BYTES];
        socket.read_exact(&mut preface).expect("a preface");
        let mut rest = Bytes::new();
        loop {
            let mut buffer = self.buffer();
            buffer[..rest.len()].copy_from_slice(&rest);
            let read = match socket.read(&mut buffer[rest.len()..]) {
                Ok(0) | Err(_) => return,
                Ok(read) => rest.len() + read,
            };
            let buffer = buffer.freeze();
            rest = self.read(buffer.slice(..read));
            self.buffers.push(buffer);
            if self.write(&mut socket).is_err() {
                return;
            }
        }
    }

    /// One of which nothing is left, or a new one.
    fn buffer(&mut self) -> BytesMut {
        let free = self.buffers.iter().position(Bytes::is_unique);
        let free = free.map(|index| self.buffers.swap_remove(index).try_into_mut());
        match free {
            Some(Ok(buffer)) => buffer,
            _ => BytesMut::zeroed(READ_BYTES),
        }
    }

    /// Gives back what is too short to be told of.
    fn read(&mut self, mut bytes: Bytes) -> Bytes {
        loop {
            match self.payload {
                None if bytes.len() < HEAD_BYTES => break,
                None => {
                    let left = bytes.get_uint(3) as usize;
                    let (kind, flags) = (bytes.get_u8(), bytes.get_u8());
                    self.payload = Some(Payload { stream: bytes.get_u32(), left, kind, flags });
                }
                Some(payload) => {
                    let piece = bytes.split_to(bytes.len().min(payload.left));
                    let left = payload.left - piece.len();
                    self.piece(payload, piece, left == 0);
                    self.payload = (left > 0).then_some(Payload { left, ..payload });
                    if left > 0 {
                        break;
                    }
                }
            }
        }
        self.answer();
        bytes
    }

    fn piece(&mut self, payload: Payload, piece: Bytes, is_last: bool) {
        let Payload { stream: id, kind, flags, .. } = payload;
        match kind {
            DATA => {
                let left = self.window.checked_sub(piece.len());
                self.window = left.expect("Envoy keeps to the window");
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.window -= piece.len();
                    stream.messages.read(piece, &mut stream.output);
                }
            }
            HEADERS if is_last && flags & END_STREAM == 0 => {
                let stream = Stream {
                    messages: Messages::new(),
                    output: Output::new(self.scenario),
                    window: WINDOW_BYTES,
                };
                self.streams.insert(id, stream);
                put_head(&mut self.small, RESPONSE.len(), HEADERS, END_HEADERS, id);
                self.small.put_slice(RESPONSE);
            }
            RST_STREAM => _ = self.streams.remove(&id),
            SETTINGS if is_last && flags & ACK == 0 => {
                put_head(&mut self.small, 0, SETTINGS, ACK, 0)
            }
            PING if flags & ACK == 0 => {
                assert!(is_last, "a ping that was cut: too rare to be measured");
                put_head(&mut self.small, piece.len(), PING, ACK, 0);
                self.small.put_slice(&piece);
            }
            _ => {}
        }
    }

    /// Frames of what is ready.
    fn answer(&mut self) {
        let (small, output) = (&mut self.small, &mut self.output);
        self.streams.retain(|&id, stream| {
            let mut data: Vec<Bytes> = Vec::new();
            let rest = stream.output.rest();
            for segment in stream.output.ready.drain(..).chain(rest) {
                let (before, body) = segment.into_inner();
                data.extend([before, body].into_iter().filter(|bytes| !bytes.is_empty()));
            }
            put_data(small, output, id, data);
            if stream.output.progress == Progress::Ended {
                put_head(small, TRAILERS.len(), HEADERS, END_HEADERS | END_STREAM, id);
                small.put_slice(TRAILERS);
                return false;
            }
            if stream.window <= WINDOW_LOW_BYTES {
                put_window(small, id, &mut stream.window);
            }
            true
        });
        if self.window <= WINDOW_LOW_BYTES {
            put_window(small, 0, &mut self.window);
        }
        if !small.is_empty() {
            output.push(small.split().freeze());
        }
    }

    fn write(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> =
            self.output.iter().map(|bytes| IoSlice::new(bytes)).collect();
        let mut slices = &mut slices[..];
        while !slices.is_empty() {
            let written = socket.write_vectored(slices)?;
            IoSlice::advance_slices(&mut slices, written);
        }
        self.output.clear();
        Ok(())
    }
}

fn put_data(small: &mut BytesMut, output: &mut Vec<Bytes>, id: u32, data: Vec<Bytes>) {
    let mut left: usize = data.iter().map(Bytes::len).sum();
    let mut room = 0;
    for mut bytes in data {
        while !bytes.is_empty() {
            if room == 0 {
                room = left.min(MAX_FRAME_BYTES);
                left -= room;
                put_head(small, room, DATA, 0, id);
            }
            let piece = bytes.split_to(bytes.len().min(room));
            room -= piece.len();
            if piece.len() < COPIED_BYTES {
                small.put_slice(&piece);
            } else {
                output.extend([small.split().freeze(), piece]);
            }
        }
    }
}

fn put_window(out: &mut BytesMut, id: u32, window: &mut usize) {
    put_head(out, 4, WINDOW_UPDATE, 0, id);
    out.put_u32((WINDOW_BYTES - *window) as u32);
    *window = WINDOW_BYTES;
}

fn put_head(out: &mut BytesMut, len: usize, kind: u8, flags: u8, id: u32) {
    out.put_uint(len as u64, 3);
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u32(id);
}
