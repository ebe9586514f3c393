//! External processing, whole sessions without a transport (T12 to T16): from what was read to
//! what is written, through one filter that passes.

use std::hint::black_box;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::session::{Session, SessionOutput, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::{Decoder, GrpcStatus, WireLimits};

use crate::chain::CHUNK_BYTES;

use super::exchange::Pass;
use super::wire::{answer, body_frame, field, floor_echo, frame, skim, vectored};
use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_session_streamed", "floor_session_streamed", "message", 3200, || floor_echo(false)),
    row("floor_session_duplex", "floor_session_duplex", "message", 3200, || floor_echo(true)),
    row("floor_stream_buffered", "floor_stream_buffered", "stream", 100, || floor_stream(1, 4)),
    row("floor_stream_1_kib", "floor_stream_1_kib", "stream", 100, || floor_stream(2, 2)),
    row("session_streamed", "floor_session_streamed", "message", 3200, || {
        messages(BodyMode::Streamed)
    }),
    row("session_duplex", "floor_session_duplex", "message", 3200, || {
        messages(BodyMode::FullDuplexStreamed)
    }),
    row("stream_buffered", "floor_stream_buffered", "stream", 100, buffered),
    row("stream_1_kib", "floor_stream_1_kib", "stream", 100, small),
];

/// Pseudo fields of a request, and its plain ones.
const REQUEST: [(&str, &str); 8] = [
    (":method", "POST"),
    (":path", "/a/path?and=a-query"),
    (":scheme", "http"),
    (":authority", "origin.example"),
    ("user-agent", "curl/8.0"),
    ("x-request-id", "7b1f6d2e-6f0e-4b6b-9c55-0d5a1f1c7e55"),
    ("x-forwarded-proto", "http"),
    ("content-type", "application/octet-stream"),
];
const RESPONSE: [(&str, &str); 4] = [
    (":status", "200"),
    ("content-type", "application/octet-stream"),
    ("date", "Sun, 22 Nov 2026 12:00:00 GMT"),
    ("server", "origin"),
];

/// A head as a message; `config` is what the first one of a stream announces.
fn head_frame(part: u8, fields: &[(&str, &str)], config: &[u8]) -> Bytes {
    let mut section = Vec::new();
    for (name, value) in fields {
        let mut pair = Vec::new();
        field(1, name.as_bytes(), &mut pair);
        field(3, value.as_bytes(), &mut pair);
        field(1, &pair, &mut section);
    }
    let mut head = Vec::new();
    field(1, &section, &mut head);
    frame(part, &head, config)
}

/// The first message of a stream with a mode for both bodies.
pub(crate) fn first_frame(mode: BodyMode, fields: &[(&str, &str)]) -> Bytes {
    let mode = u8::try_from(mode.number()).expect("a small number");
    let mut config = Vec::new();
    field(11, &[1 << 3, mode, 2 << 3, mode], &mut config);
    head_frame(2, fields, &config)
}

fn request_head(mode: BodyMode) -> Bytes {
    first_frame(mode, &REQUEST)
}

fn response_head() -> Bytes {
    head_frame(3, &RESPONSE, b"")
}

/// A body message that ends its stream: 4 for a request, 5 for a response.
pub(crate) fn last_frame(part: u8, body_bytes: usize) -> Bytes {
    let mut body = Vec::new();
    field(1, &vec![7; body_bytes], &mut body);
    body.extend([2 << 3, 1]);
    frame(part, &body, b"")
}

pub(crate) fn plan(mode: BodyMode) -> SessionPlan {
    let plan = ExchangePlan::builder().request("pass", Pass::default);
    let plan = plan.response("pass", Pass::default).build().expect("few filters");
    let mode = ProcessingMode::both(DirectionMode::new(mode));
    SessionPlan::new(plan, SessionSettings::new(mode)).expect("it fits")
}

/// One stream.
pub(crate) struct Talk {
    session: Session,
    decoder: Decoder,
}

impl Talk {
    pub(crate) fn new(plan: &SessionPlan) -> Self {
        Self { session: plan.session(), decoder: Decoder::new(WireLimits::new()) }
    }

    /// Reads, and writes what is answered; how many bytes that was.
    pub(crate) fn give(&mut self, read: Bytes) -> usize {
        let cx = Context::from_waker(Waker::noop());
        self.decoder.push(black_box(read));
        while let Some(event) = self.decoder.next().expect("good messages") {
            self.session.handle(event);
        }
        let mut wire_bytes = 0;
        while let Poll::Ready(output) = self.session.poll_reply(&cx) {
            match output {
                SessionOutput::Reply(reply) => wire_bytes += vectored(reply),
                SessionOutput::End(status) => {
                    assert!(status == GrpcStatus::OK, "{status:?}");
                    break;
                }
            }
        }
        wire_bytes
    }

    pub(crate) fn is_over(&self) -> bool {
        self.session.end().is_some()
    }
}

/// Messages of a stream that does not end.
fn messages(mode: BodyMode) -> Run {
    let (mut talk, read) = (Talk::new(&plan(mode)), body_frame());
    assert!(talk.give(request_head(mode)) > 0, "the head is answered");
    Box::new(move |messages| {
        let mut wire_bytes = 0;
        for _ in 0..messages {
            wire_bytes += talk.give(read.clone()) as u64;
        }
        let echoes = mode == BodyMode::FullDuplexStreamed;
        assert_eq!(wire_bytes > messages * CHUNK_BYTES as u64, echoes);
        assert!(wire_bytes > messages, "each is answered");
    })
}

/// A request with a body of 64 KiB in one message, in four reads; nothing is shown of the response.
fn buffered() -> Run {
    let plan = plan(BodyMode::Buffered);
    let (head, mut body) = (request_head(BodyMode::Buffered), last_frame(4, 4 * CHUNK_BYTES));
    let last = body.split_off(3 * CHUNK_BYTES);
    let reads: Vec<Bytes> = [0, 1, 2]
        .map(|at| body.slice(at * CHUNK_BYTES..(at + 1) * CHUNK_BYTES))
        .into_iter()
        .chain([last])
        .collect();
    Box::new(move |streams| {
        for _ in 0..streams {
            let mut talk = Talk::new(&plan);
            let mut wire_bytes = talk.give(head.clone());
            for read in &reads {
                wire_bytes += talk.give(read.clone());
            }
            assert!(wire_bytes > 0 && wire_bytes < 200, "nothing was edited: {wire_bytes}");
        }
    })
}

/// A request and its response in full duplex, 1 KiB each, and the end of the stream (T15).
fn small() -> Run {
    let plan = plan(BodyMode::FullDuplexStreamed);
    let reads = [
        request_head(BodyMode::FullDuplexStreamed),
        last_frame(4, 1024),
        response_head(),
        last_frame(5, 1024),
    ];
    Box::new(move |streams| {
        for _ in 0..streams {
            let mut talk = Talk::new(&plan);
            let wire_bytes: usize = reads.iter().map(|read| talk.give(read.clone())).sum();
            assert!(wire_bytes > 2 * 1024, "both bodies go back: {wire_bytes}");
            assert!(talk.is_over());
        }
    })
}

/// Heads and messages whose shape is known, by hand: fields into a map, slices, short answers.
fn floor_stream(heads: usize, bodies: usize) -> Run {
    let body = last_frame(4, 1024);
    let texts = REQUEST.map(|(_, value)| Bytes::from(value.to_owned()));
    // Shared already.
    drop(texts.clone());
    Box::new(move |streams| {
        for _ in 0..streams {
            for _ in 0..heads {
                black_box(floor_head(&texts));
                black_box(answer(None));
            }
            for _ in 0..bodies {
                let body = skim(&black_box(body.clone()), LAST_BODY_AT, 1024);
                black_box(answer(Some(body)));
            }
        }
    })
}

/// Where the body of a [`last_frame`] of 1 KiB begins.
const LAST_BODY_AT: usize = 5 + 3 + 3;

/// The request's head, of values that need no copy.
fn floor_head(values: &[Bytes; 8]) -> (Method, Uri, HeaderMap) {
    let method = Method::from_bytes(black_box(&values[0])).expect("a method");
    let path = Uri::from_maybe_shared(values[1].clone()).expect("a path");
    let mut fields = HeaderMap::with_capacity(4);
    for ((name, _), value) in REQUEST[4..].iter().zip(&values[4..]) {
        let name = HeaderName::from_bytes(black_box(name.as_bytes())).expect("a name");
        let value = HeaderValue::from_maybe_shared(value.clone()).expect("a value");
        fields.insert(name, value);
    }
    (method, path, fields)
}
