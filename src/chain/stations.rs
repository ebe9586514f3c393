use crate::buf::BodyBuf;
use crate::filter::{Overflow, StationInfo};
use crate::watermark::{Marks, Side};

/// The stations of one message: what each keeps, and their states as one word per fact.
///
/// A station's state (architecture.md, section 2) is spread over the words: bit k of each is
/// station k. The engine asks questions of all stations at once ("is anything over behind k?"),
/// which a word answers in one instruction.
#[derive(Debug)]
pub(super) struct Stations {
    stations: Vec<Station>,
    /// The head has reached it: its filter gets a close call.
    pub(super) started: u64,
    pub(super) wants_head: u64,
    pub(super) wants_data: u64,
    pub(super) wants_trailers: u64,
    /// Granted *add trailers*: asked for trailers where none came.
    pub(super) adder: u64,
    /// `Holding`: its last verdict kept something.
    pub(super) holding: u64,
    /// Invariant: a subset of `holding`.
    pub(super) rejecting: u64,
    /// Invariant: a subset of `holding`.
    pub(super) quiet: u64,
    /// Invariant: exactly the stations with bytes in `unseen`.
    pub(super) unseen: u64,
    /// Invariant: exactly the stations with bytes in `released`.
    pub(super) released: u64,
    /// Over the high mark, by hysteresis.
    pub(super) over: u64,
    /// An edit was refused as `Full`; recalled when there is room.
    pub(super) refused: u64,
    /// Asked for itself again.
    pub(super) again: u64,
    /// Resumed by a handle.
    pub(super) resumed: u64,
    pub(super) ended: u64,
    pub(super) panicked: u64,
    /// The sum of all charges, in bytes.
    held_bytes: u64,
}

/// One station.
#[derive(Debug)]
struct Station {
    /// Made on first use, kept for the message.
    rest: Option<Box<Rest>>,
    marks: Marks,
    /// What counts against the marks, in bytes.
    charge_bytes: u64,
}

/// The bytes of one station, in the order in which they leave it.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Let go by a verdict, not yet moved.
    pub(super) released: BodyBuf,
    /// Shown and kept.
    pub(super) held: BodyBuf,
    /// Arrived, not shown.
    pub(super) unseen: BodyBuf,
}

impl Stations {
    pub(super) fn new(marks: impl Iterator<Item = Marks>) -> Self {
        Self {
            stations: marks.map(|marks| Station { rest: None, marks, charge_bytes: 0 }).collect(),
            started: 0,
            wants_head: 0,
            wants_data: 0,
            wants_trailers: 0,
            adder: 0,
            holding: 0,
            rejecting: 0,
            quiet: 0,
            unseen: 0,
            released: 0,
            over: 0,
            refused: 0,
            again: 0,
            resumed: 0,
            ended: 0,
            panicked: 0,
            held_bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.stations.len()
    }

    /// The sum of what all stations are charged, in bytes.
    pub(super) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Whether no station keeps anything, waits for anything or has ended.
    pub(super) fn all_clear(&self) -> bool {
        self.holding
            | self.unseen
            | self.released
            | self.over
            | self.refused
            | self.again
            | self.resumed
            | self.ended
            == 0
    }

    /// The buffers of station `k`.
    pub(super) fn rest(&mut self, k: usize) -> &mut Rest {
        self.stations[k].rest.get_or_insert_with(Box::default)
    }

    /// The held bytes of station `k`, if there are any.
    pub(super) fn held(&self, k: usize) -> Option<&BodyBuf> {
        self.stations[k].rest.as_ref().map(|rest| &rest.held).filter(|held| !held.is_empty())
    }

    pub(super) fn held_is_empty(&self, k: usize) -> bool {
        self.held(k).is_none()
    }

    pub(super) fn marks(&self, k: usize) -> Marks {
        self.stations[k].marks
    }

    pub(super) fn set_marks(&mut self, k: usize, marks: Marks) {
        self.stations[k].marks = marks;
    }

    /// How many bytes fit under the high mark of station `k`.
    pub(super) fn room_bytes(&self, k: usize) -> u64 {
        let station = &self.stations[k];
        station.marks.high().saturating_sub(station.charge_bytes)
    }

    /// What a rejecting verdict of `k` is measured by: held, unseen and kept bytes.
    pub(super) fn kept_back_bytes(&self, k: usize, kept_bytes: u64) -> u64 {
        let rest = self.stations[k].rest.as_ref();
        rest.map_or(0, |rest| (rest.held.len() + rest.unseen.len()) as u64)
            .saturating_add(kept_bytes)
    }

    /// Brings masks, charge and watermark of `k` up to date after its buffers have changed.
    ///
    /// `blocked`: something behind `k` is over. Released bytes that are free to move are as good as
    /// gone, and make no edge.
    pub(super) fn recharge(&mut self, k: usize, kept_bytes: u64, blocked: bool) {
        let bit = 1u64 << k;
        let station = &mut self.stations[k];
        let (released, held, unseen) = station.rest.as_ref().map_or((0, 0, 0), |rest| {
            (rest.released.len() as u64, rest.held.len() as u64, rest.unseen.len() as u64)
        });
        set(&mut self.released, bit, released != 0);
        set(&mut self.unseen, bit, unseen != 0);
        let kept_bytes = if self.ended & bit == 0 { kept_bytes } else { 0 };
        let charge = (released + held + unseen).saturating_add(kept_bytes);
        self.held_bytes = self.held_bytes - station.charge_bytes + charge;
        station.charge_bytes = charge;
        let side = if self.over & bit == 0 { Side::Below } else { Side::Above };
        let marked = if blocked { charge } else { charge - released };
        if let Some(edge) = station.marks.edge(side, marked) {
            set(&mut self.over, bit, edge.side() == Side::Above);
        }
    }

    /// The last verdict of `k` let everything go.
    pub(super) fn open(&mut self, k: usize) {
        let bit = 1u64 << k;
        self.holding &= !bit;
        self.rejecting &= !bit;
        self.quiet &= !bit;
    }

    /// The last verdict of `k` kept something.
    pub(super) fn hold(&mut self, k: usize, overflow: Overflow, quiet: bool) {
        let bit = 1u64 << k;
        self.holding |= bit;
        set(&mut self.rejecting, bit, overflow == Overflow::Reject);
        set(&mut self.quiet, bit, quiet);
    }

    /// The output of the stations in `mask` has ended: they cannot be asked any more.
    pub(super) fn end(&mut self, mask: u64) {
        self.ended |= mask;
        self.holding &= !mask;
        self.rejecting &= !mask;
        self.quiet &= !mask;
        self.refused &= !mask;
        self.again &= !mask;
        self.resumed &= !mask;
    }

    /// Drops all bytes of station `k`, and says how many there were.
    pub(super) fn discard(&mut self, k: usize) -> u64 {
        let Some(rest) = self.stations[k].rest.as_deref_mut() else { return 0 };
        let bytes = rest.released.len() + rest.held.len() + rest.unseen.len();
        rest.released.clear();
        rest.held.clear();
        rest.unseen.clear();
        bytes as u64
    }

    /// Whether bytes that arrive at `k` queue unseen.
    pub(super) fn queues(&self, k: usize) -> bool {
        let bit = 1u64 << k;
        (self.quiet | self.unseen | (self.holding & !self.wants_data)) & bit != 0
    }

    /// The over station nearest the sink.
    pub(super) fn last_over(&self) -> Option<usize> {
        top(self.over)
    }

    /// The stations that are asked about data, in order, for the fast path.
    pub(super) fn data_list(&self, list: &mut [u8; 64]) -> usize {
        let mut mask = self.wants_data;
        let mut count = 0;
        while mask != 0 {
            list[count] = mask.trailing_zeros() as u8;
            count += 1;
            mask &= mask - 1;
        }
        count
    }

    #[cfg(debug_assertions)]
    pub(super) fn invariants(&self) {
        debug_assert_eq!(self.rejecting & !self.holding, 0, "only holders reject");
        debug_assert_eq!(self.quiet & !self.holding, 0, "only holders are quiet");
        let mut held_bytes = 0;
        for (k, station) in self.stations.iter().enumerate() {
            let bit = 1u64 << k;
            let rest = station.rest.as_deref();
            let unseen = rest.is_some_and(|rest| !rest.unseen.is_empty());
            let released = rest.is_some_and(|rest| !rest.released.is_empty());
            debug_assert_eq!(self.unseen & bit != 0, unseen, "unseen bit of station {k}");
            debug_assert_eq!(self.released & bit != 0, released, "released bit of station {k}");
            held_bytes += station.charge_bytes;
        }
        debug_assert_eq!(self.held_bytes, held_bytes, "the sum of the charges");
    }
}

/// The highest station in `mask`: the one nearest the sink.
pub(super) fn top(mask: u64) -> Option<usize> {
    (mask != 0).then(|| 63 - mask.leading_zeros() as usize)
}

/// All stations from `k` on; `k` may be 64.
pub(super) fn from(k: usize) -> u64 {
    if k >= 64 { 0 } else { u64::MAX << k }
}

/// Which capabilities and marks the views of a message see.
pub(super) fn infos_of<'a>(
    granted: impl Iterator<Item = (&'a crate::filter::Declaration, crate::filter::Capabilities)>,
) -> Vec<StationInfo> {
    granted
        .map(|(declaration, granted)| StationInfo {
            granted,
            high_bytes: declaration.marks.high(),
            added_bytes: 0,
            wanted_bytes: 0,
        })
        .collect()
}

fn set(word: &mut u64, bit: u64, on: bool) {
    if on {
        *word |= bit;
    } else {
        *word &= !bit;
    }
}
