//! What a peer received.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Text;

/// Fields as the recorder kept them: the pseudo header, `content-length`, and what scripts set.
pub(crate) type Fields = BTreeMap<String, String>;

/// One thing a peer received.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Wire {
    Headers(Headers),
    Data(Data),
    Trailers(Trailers),
    Event(Event),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Headers {
    pub(crate) headers: Fields,
    pub(crate) end: bool,
    /// HTTP/1: how the length of the body is told.
    pub(crate) framing: Option<Framing>,
    /// The origin: that it came on another stream than the first.
    pub(crate) stream: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Framing {
    None,
    Chunked,
    ContentLength,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    pub(crate) data: Text,
    pub(crate) end: bool,
    pub(crate) stream: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trailers {
    pub(crate) trailers: Fields,
    pub(crate) end: bool,
}

/// What happened to a peer's stream or connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Event {
    /// With the code of HTTP/2.
    Reset(u32),
    /// The connection: `eof`.
    Closed(String),
    /// It could not send what the script asked for.
    SendFailed(String),
    /// What Envoy sent cannot be.
    ProtocolError(String),
    /// Bytes behind the end of an HTTP/1 message.
    StrayBytesAfterMessage(Text),
}

/// All a peer received of its message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Received {
    pub(crate) headers: Option<Fields>,
    pub(crate) body: Text,
    pub(crate) pieces: Vec<Text>,
    pub(crate) end: bool,
    pub(crate) trailers: Option<Fields>,
    pub(crate) reset: Option<u32>,
    pub(crate) closed: Option<String>,
    pub(crate) stray_bytes_after_message: Option<Text>,
    #[serde(default)]
    pub(crate) more_than_one_stream: bool,
}
