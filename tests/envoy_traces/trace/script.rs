//! What a scenario asks for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::entry::Callback;
use super::{Status, Step, Verb};

/// A chain, and what is done to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) proto: Proto,
    #[serde(default)]
    pub(crate) opts: Options,
    /// The sizes of pieces depend on timing: only totals count.
    #[serde(default)]
    pub(crate) loose: bool,
    /// In the order of requests; responses meet it backwards.
    pub(crate) chain: Vec<FilterSpec>,
    pub(crate) steps: Vec<Step>,
}

/// The protocol on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proto {
    pub(crate) down: Protocol,
    pub(crate) up: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    H1,
    H2,
}

/// How Envoy and the peers were set up. Sizes are in bytes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(crate) listener_buffer_limit: Option<u64>,
    pub(crate) cluster_buffer_limit: Option<u64>,
    pub(crate) h2_stream_window: Option<u64>,
    pub(crate) client: Option<Peer>,
    pub(crate) origin: Option<Peer>,
    pub(crate) up_h2: Option<UpstreamWindows>,
    pub(crate) layered_runtime: BTreeMap<String, Value>,
}

/// A peer that reads slowly.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) window: u64,
    /// Whether it gives window back as it reads.
    pub(crate) ack: bool,
}

/// Windows of Envoy towards the origin.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamWindows {
    pub(crate) initial_stream_window_size: u64,
    pub(crate) initial_connection_window_size: u64,
}

/// A filter of the chain: it has a script, or it is a stock filter, which logs nothing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterSpec {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) cb: BTreeMap<Callback, BTreeMap<Nth, Act>>,
    pub(crate) builtin: Option<Value>,
}

impl FilterSpec {
    /// What it does in the n-th callback of a kind, counted from 1.
    pub(crate) fn act(&self, callback: Callback, n: usize) -> Option<&Act> {
        let acts = self.cb.get(&callback)?;
        acts.get(&Nth::Exactly(n)).or_else(|| acts.get(&Nth::Every))
    }
}

/// Which callback of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Nth {
    /// Counted from 1; of an event its number.
    Exactly(usize),
    /// All that are not named.
    Every,
}

impl TryFrom<String> for Nth {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "*" => Ok(Self::Every),
            number => number.parse().map(Self::Exactly).map_err(|_| format!("no N: {text}")),
        }
    }
}

/// What a filter does in one callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "WrittenAct")]
pub(crate) struct Act {
    pub(crate) verbs: Vec<Verb>,
    /// Continue, where none is named.
    pub(crate) status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenAct {
    Status(Status),
    Full(FullAct),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FullAct {
    #[serde(rename = "do", default)]
    verbs: Vec<Verb>,
    ret: Option<Status>,
}

impl From<WrittenAct> for Act {
    fn from(written: WrittenAct) -> Self {
        match written {
            WrittenAct::Status(status) => Self { verbs: Vec::new(), status: Some(status) },
            WrittenAct::Full(FullAct { verbs, ret }) => Self { verbs, status: ret },
        }
    }
}
