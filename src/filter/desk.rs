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
    /// Stations that have bytes which their filter added.
    ///
    /// Invariant: exactly those whose `added_bytes` is not 0.
    pub(crate) adding: u64,
}

impl Desk {
    /// The filter of station `k` has made what its station has grow or shrink (ruling 6).
    pub(crate) fn account_growth(&mut self, k: u8, grown_bytes: i64) {
        if grown_bytes != 0 {
            let added_bytes = self.stations[usize::from(k)].added_bytes;
            self.set_added(k, added_bytes.saturating_add_signed(grown_bytes));
        }
    }

    /// Bytes go on from station `k`: what was added counts as leaving first.
    pub(crate) fn leaves(&mut self, k: u8, bytes: usize) {
        let added_bytes = self.stations[usize::from(k)].added_bytes;
        if added_bytes != 0 {
            self.set_added(k, added_bytes.saturating_sub(bytes as u64));
        }
    }

    fn set_added(&mut self, k: u8, added_bytes: u64) {
        self.stations[usize::from(k)].added_bytes = added_bytes;
        if added_bytes == 0 {
            self.adding &= !(1u64 << k);
        } else {
            self.adding |= 1u64 << k;
        }
    }
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
    /// By which station, and what.
    pub(crate) reply: Option<(u8, Box<LocalReply>)>,
    pub(crate) failure: Option<(u8, Error)>,
    /// Trailers set before any were shown: they count with `END`.
    pub(crate) end_trailers: Option<(u8, Box<HeaderMap>)>,
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
