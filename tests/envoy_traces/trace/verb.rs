//! What a scripted filter does in a callback.

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::Value;

use super::{Direction, Text};

/// Which bytes an edit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The piece this callback was handed.
    Received,
    /// The shared buffer of the direction.
    Buffered,
}

/// How much is drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Amount {
    All,
    Bytes(usize),
}

/// One action. The same in a script and in the entries of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    /// `continue_decoding`, `continue_encoding`.
    Resume(Direction),
    Append(Direction, Place, Text),
    Drain(Direction, Place, Amount),
    SetHeader(Direction, String, String),
    SetTrailer(Direction, String, String),
    LocalReply {
        code: u16,
        body: Text,
    },
    SendResponseHeaders {
        status: u16,
        end: bool,
    },
    SendResponseData {
        data: Text,
        end: bool,
    },
    SendResponseTrailers(String, String),
    /// The own event of this number, later.
    Schedule(usize),
    /// As if the filter of this name did it.
    On(String, Box<Self>),
    /// In bytes.
    SetBufferLimit(u64),
    ResetStream,
    Peek,
}

impl<'de> Deserialize<'de> for Verb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<Value>::deserialize(deserializer)?;
        Self::read(&words).ok_or_else(|| de::Error::custom(format!("no verb: {words:?}")))
    }
}

impl Verb {
    fn read(words: &[Value]) -> Option<Self> {
        use Direction::{Request, Response};
        let (name, args) = words.split_first()?;
        let end = args.last().and_then(Value::as_str) == Some("end");
        let verb = match (name.as_str()?, args) {
            ("continue_decoding", []) => Self::Resume(Request),
            ("continue_encoding", []) => Self::Resume(Response),
            ("set_req_header", [k, v]) => Self::SetHeader(Request, string(k)?, string(v)?),
            ("set_rsp_header", [k, v]) => Self::SetHeader(Response, string(k)?, string(v)?),
            ("set_req_trailer", [k, v]) => Self::SetTrailer(Request, string(k)?, string(v)?),
            ("set_rsp_trailer", [k, v]) => Self::SetTrailer(Response, string(k)?, string(v)?),
            ("local_reply", [code, body]) => {
                Self::LocalReply { code: number(code)?, body: text(body)? }
            }
            ("send_rsp_headers", [status, ..]) if args.len() == 1 + usize::from(end) => {
                Self::SendResponseHeaders { status: number(status)?, end }
            }
            ("send_rsp_data", [data, ..]) if args.len() == 1 + usize::from(end) => {
                Self::SendResponseData { data: text(data)?, end }
            }
            ("send_rsp_trailers", [k, v]) => Self::SendResponseTrailers(string(k)?, string(v)?),
            ("schedule", [n]) => Self::Schedule(number(n)?),
            ("on", [filter, verb @ ..]) => Self::On(string(filter)?, Box::new(Self::read(verb)?)),
            ("set_buffer_limit", [bytes]) => Self::SetBufferLimit(number(bytes)?),
            ("reset_stream", []) => Self::ResetStream,
            ("peek", []) => Self::Peek,
            (name, [arg]) => Self::read_edit(name, arg)?,
            _ => return None,
        };
        Some(verb)
    }

    fn read_edit(name: &str, arg: &Value) -> Option<Self> {
        let mut parts = name.split('_');
        let (verb, direction, place) = (parts.next()?, parts.next()?, parts.next()?);
        let direction = match direction {
            "req" => Direction::Request,
            "rsp" => Direction::Response,
            _ => return None,
        };
        let place = match place {
            "received" => Place::Received,
            "buffered" => Place::Buffered,
            _ => return None,
        };
        if parts.next().is_some() {
            return None;
        }
        match verb {
            "append" => Some(Self::Append(direction, place, text(arg)?)),
            "drain" if arg.as_str() == Some("all") => {
                Some(Self::Drain(direction, place, Amount::All))
            }
            "drain" => Some(Self::Drain(direction, place, Amount::Bytes(number(arg)?))),
            _ => None,
        }
    }
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Numbers are written as such, or as strings.
fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<Text> {
    Text::deserialize(value).ok()
}
