//! What peers send, cut into frames as their protocol does.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, request, response};

use crate::trace::{Direction, Input, Protocol, Step, Trace};

/// One frame.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Head {
        method: Option<String>,
        content_length: Option<u64>,
        end: bool,
    },
    Data(Bytes, bool),
    End,
    Trailers(HeaderMap),
    /// The peer breaks off.
    Reset,
}

/// The largest DATA frame of HTTP/2 peers with default settings, in bytes.
const FRAME_BYTES: usize = 16 * 1024;

/// Cuts steps into frames.
#[derive(Debug)]
pub(crate) struct Framer {
    down: Protocol,
    up: Protocol,
    /// Bytes of a declared HTTP/1 body that have not been sent, by direction.
    request_left: Option<u64>,
    response_left: Option<u64>,
}

impl Framer {
    pub(crate) fn new(trace: &Trace) -> Self {
        let proto = trace.script.proto;
        Self { down: proto.down, up: proto.up, request_left: None, response_left: None }
    }

    /// All that peers send in a step.
    pub(crate) fn frames(&mut self, step: &Step) -> Vec<(Direction, Frame)> {
        match step {
            Step::Input(direction, input) => {
                let frames = self.cut(*direction, input);
                frames.into_iter().map(|frame| (*direction, frame)).collect()
            }
            Step::Batch(steps) => {
                let frames = steps.iter().flat_map(|step| self.frames(step)).collect();
                if self.down == Protocol::H1 { joined(frames) } else { frames }
            }
            Step::Fire(..)
            | Step::Sleep(_)
            | Step::ClientWindow(_)
            | Step::OriginWindow(_)
            | Step::ClientClose => Vec::new(),
        }
    }

    fn cut(&mut self, direction: Direction, input: &Input) -> Vec<Frame> {
        let (protocol, left) = match direction {
            Direction::Request => (self.down, &mut self.request_left),
            Direction::Response => (self.up, &mut self.response_left),
        };
        let h1 = protocol == Protocol::H1;
        match input {
            Input::Headers { end, method, content_length } => {
                *left = content_length.filter(|_| h1);
                let (method, content_length) = (method.clone(), *content_length);
                vec![Frame::Head { method, content_length, end: *end }]
            }
            Input::Data { data, end } => {
                let mut bytes = Bytes::copy_from_slice(&data.0);
                let mut frames = Vec::new();
                while bytes.len() > FRAME_BYTES {
                    frames.push(Frame::Data(bytes.split_to(FRAME_BYTES), false));
                }
                let sent = data.len() as u64;
                *left = left.map(|left| left.saturating_sub(sent));
                // The end of HTTP/1 comes by itself, also where a declared length is reached.
                let ends = *end || *left == Some(0);
                frames.push(Frame::Data(bytes, ends && !h1));
                frames.extend((ends && h1).then_some(Frame::End));
                frames
            }
            Input::End => vec![Frame::End],
            Input::Trailers(fields) => {
                let field = |(name, value): (&String, &String)| {
                    let name: HeaderName = name.parse().expect("a field name");
                    (name, value.parse().expect("a field value"))
                };
                vec![Frame::Trailers(fields.iter().map(field).collect())]
            }
            Input::Reset => vec![Frame::Reset],
        }
    }
}

/// HTTP/1: what comes in one read is one piece.
fn joined(frames: Vec<(Direction, Frame)>) -> Vec<(Direction, Frame)> {
    let mut out: Vec<(Direction, Frame)> = Vec::new();
    for frame in frames {
        match (out.last_mut(), &frame.1) {
            (Some((_, Frame::Data(last, false))), Frame::Data(bytes, false)) => {
                *last = [last.as_ref(), bytes.as_ref()].concat().into();
            }
            _ => out.push(frame),
        }
    }
    out
}

/// A head as a peer sends it.
pub(crate) trait FromFrame: Sized {
    fn from_frame(method: Option<&str>, content_length: Option<u64>) -> Self;
}

impl FromFrame for request::Parts {
    fn from_frame(method: Option<&str>, content_length: Option<u64>) -> Self {
        let mut head = Request::builder().method(method.unwrap_or("POST")).uri("/");
        if let Some(bytes) = content_length {
            head = head.header("content-length", bytes);
        }
        head.body(()).expect("a request").into_parts().0
    }
}

impl FromFrame for response::Parts {
    fn from_frame(_: Option<&str>, content_length: Option<u64>) -> Self {
        let mut head = Response::builder();
        if let Some(bytes) = content_length {
            head = head.header("content-length", bytes);
        }
        head.body(()).expect("a response").into_parts().0
    }
}
