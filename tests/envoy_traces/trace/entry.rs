//! What filters were asked and did.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Direction, Status, Text, Verb};

/// The kinds of callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub(crate) enum Callback {
    #[serde(rename = "req_headers")]
    RequestHeaders,
    #[serde(rename = "req_data")]
    RequestData,
    #[serde(rename = "req_trailers")]
    RequestTrailers,
    #[serde(rename = "rsp_headers")]
    ResponseHeaders,
    #[serde(rename = "rsp_data")]
    ResponseData,
    #[serde(rename = "rsp_trailers")]
    ResponseTrailers,
    #[serde(rename = "event")]
    Event,
    #[serde(rename = "local_reply")]
    LocalReply,
}

impl Callback {
    /// Events and local replies have none.
    pub(crate) fn direction(self) -> Option<Direction> {
        match self {
            Self::RequestHeaders | Self::RequestData | Self::RequestTrailers => {
                Some(Direction::Request)
            }
            Self::ResponseHeaders | Self::ResponseData | Self::ResponseTrailers => {
                Some(Direction::Response)
            }
            Self::Event | Self::LocalReply => None,
        }
    }
}

/// One line of the log, in global order. `depth` says how many callbacks are under way around it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub(crate) enum Entry {
    Enter(Enter),
    Exit(Exit),
    /// An action begins.
    Do(Do),
    /// It is over.
    Did(Did),
    Note(Note),
}

/// A callback begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enter {
    /// The filter's name.
    pub(crate) f: String,
    pub(crate) cb: Callback,
    /// The n-th of its kind, from 1; of an event its number.
    pub(crate) n: usize,
    pub(crate) depth: usize,
    /// Headers, data.
    pub(crate) end: Option<bool>,
    /// Data: the piece handed over.
    pub(crate) recv: Option<Text>,
    /// The shared buffer of the direction; none: there is none.
    #[serde(default, deserialize_with = "stated")]
    pub(crate) buf: Stated,
    /// Data: `recv` is the shared buffer itself.
    pub(crate) alias: Option<bool>,
    /// Headers, trailers: the fields.
    pub(crate) map: Option<BTreeMap<String, String>>,
    /// Events.
    #[serde(default, deserialize_with = "stated")]
    pub(crate) req_buf: Stated,
    /// Events.
    #[serde(default, deserialize_with = "stated")]
    pub(crate) rsp_buf: Stated,
    /// Local replies: the status, and what Envoy says of them.
    pub(crate) code: Option<u16>,
    pub(crate) reset_imminent: Option<bool>,
    pub(crate) details: Option<String>,
}

/// A callback ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exit {
    pub(crate) f: String,
    pub(crate) cb: Callback,
    pub(crate) n: usize,
    pub(crate) depth: usize,
    pub(crate) ret: Status,
    /// Data: the piece as the filter leaves it.
    pub(crate) recv: Option<Text>,
    #[serde(default, deserialize_with = "stated")]
    pub(crate) buf: Stated,
    #[serde(default, deserialize_with = "stated")]
    pub(crate) req_buf: Stated,
    #[serde(default, deserialize_with = "stated")]
    pub(crate) rsp_buf: Stated,
}

/// An action begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Do {
    pub(crate) f: String,
    pub(crate) depth: usize,
    #[serde(rename = "do")]
    pub(crate) verb: Verb,
}

/// An action is over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Did {
    pub(crate) f: String,
    pub(crate) depth: usize,
    /// Whether Envoy took it.
    pub(crate) ok: bool,
    pub(crate) recv: Option<Text>,
    #[serde(default, deserialize_with = "stated")]
    pub(crate) buf: Stated,
    #[serde(default, deserialize_with = "stated")]
    pub(crate) req_buf: Stated,
    #[serde(default, deserialize_with = "stated")]
    pub(crate) rsp_buf: Stated,
}

/// Something a filter was told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    pub(crate) f: String,
    pub(crate) depth: usize,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    StreamComplete,
    Destroy,
    DownstreamAboveHighWatermark,
    DownstreamBelowLowWatermark,
}

/// A shared buffer: not stated here, or stated as missing, or its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stated {
    #[default]
    Unstated,
    Missing,
    Bytes(Text),
}

impl Stated {
    /// What is in it; nothing, where there is none.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Unstated | Self::Missing => &[],
            Self::Bytes(text) => &text.0,
        }
    }
}

fn stated<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Stated, D::Error> {
    let text = Option::<Text>::deserialize(deserializer)?;
    Ok(text.map_or(Stated::Missing, Stated::Bytes))
}
