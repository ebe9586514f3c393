use http::HeaderMap;

use super::capability::Capabilities;
use super::reply::LocalReply;
use crate::error::Error;
use crate::resume::ResumeSet;

/// What all calls of one message share. A view borrows it as one, so that a call that needs none
/// of it pays for one pointer.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) facts: MessageFacts,
    pub(crate) stations: Vec<StationInfo>,
    pub(crate) effects: Effects,
    pub(crate) resumes: Option<ResumeSet>,
}

/// Facts of the message that every filter may read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MessageFacts {
    pub(crate) local_reply: bool,
    pub(crate) bodiless: bool,
    pub(crate) declared_bytes: Option<u64>,
}

/// Whether the view may grow in this call (rule I7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    Open,
    Closed,
}

/// What a view needs to know of a station.
#[derive(Debug, Clone)]
pub(crate) struct StationInfo {
    pub(crate) granted: Capabilities,
    pub(crate) high_bytes: u64,
    /// What the filter has added and its station still has. Bytes that leave count as added first.
    pub(crate) added_bytes: u64,
    /// What of the kept bytes is in `added_bytes` already.
    pub(crate) kept_bytes: u64,
    /// The growth that was refused as `Full` last.
    pub(crate) wanted_bytes: u64,
}

/// What callbacks asked for besides their verdict. Read by the chain after a call when `touched`.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) touched: bool,
    /// Stations refused with `Full` in this call or wave.
    pub(crate) refused: u64,
    pub(crate) dropped_data: u64,
    pub(crate) dropped_trailers: u64,
    /// Stations whose kept bytes changed.
    pub(crate) kept_changed: u64,
    /// The station that set the declared length.
    pub(crate) declared_by: Option<u8>,
    pub(crate) reply: Option<Box<LocalReply>>,
    pub(crate) failure: Option<Error>,
    /// Trailers set before any were shown: they count with `END`.
    pub(crate) end_trailers: Option<Box<HeaderMap>>,
    /// Empty until a filter keeps something.
    kept_bytes: Vec<u64>,
}

impl Effects {
    pub(crate) fn kept(&self, station: u8) -> u64 {
        self.kept_bytes.get(usize::from(station)).copied().unwrap_or(0)
    }

    pub(super) fn set_kept(&mut self, station: u8, bytes: u64, stations: usize) {
        self.kept_bytes.resize(stations, 0);
        self.kept_bytes[usize::from(station)] = bytes;
        self.kept_changed |= 1u64 << station;
        self.touched = true;
    }
}
