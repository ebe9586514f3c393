use core::mem;

use super::Stats;
use crate::buf::BodyBuf;
use crate::filter::Overflow;
use crate::watermark::{Marks, Side};

/// The stations of one message: what each keeps, and their states as one word per fact.
///
/// A station's state (architecture.md, section 2) is spread over the words: bit k of each is
/// station k. The engine asks questions of all stations at once ("is anything over behind k?"),
/// which a word answers in one instruction.
#[derive(Debug)]
pub(super) struct Stations {
    count: usize,
    /// Made when a station keeps something for the first time: empty until then.
    table: Table,
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
    /// Their filters are made when the head comes. Means nothing once the head has been taken.
    pub(super) late: u64,
    /// The sum of all charges, in bytes.
    held_bytes: u64,
    /// The station behind the entrance: 0, or where a local reply entered.
    pub(super) entrance_at: usize,
    /// Self-asked work that was put off to the next drive: stations asked in this drive.
    pub(super) asked_again: u64,
    /// Without what the fast path counts.
    pub(super) stats: Stats,
}

/// What the stations keep, by station. Empty, or one entry for each.
pub(super) type Table = Vec<Station>;

/// One station.
#[derive(Debug, Default)]
pub(super) struct Station {
    /// Made on first use, kept for the message.
    rest: Option<Box<Rest>>,
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
    /// `table` is empty, or that of a message before, after [`reset`].
    pub(super) fn new(count: usize, masks: &Masks, table: Table) -> Self {
        Self {
            count,
            table,
            started: 0,
            wants_head: masks.head,
            wants_data: masks.data,
            wants_trailers: masks.trailers,
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
            late: 0,
            held_bytes: 0,
            entrance_at: 0,
            asked_again: 0,
            stats: Stats::default(),
        }
    }

    /// The stations of a message that only passes: all started, nothing kept.
    pub(super) fn idle(count: usize, masks: &Masks) -> Self {
        let mut idle = Self::new(count, masks, Table::new());
        idle.started = !from(count);
        idle.adder = masks.adders;
        idle
    }

    /// Another one like this, which is [`idle`](Self::idle).
    pub(super) fn copy_of_idle(&self) -> Self {
        let Self { count, started, wants_head, wants_data, wants_trailers, adder, .. } = *self;
        let masks = Masks {
            head: wants_head,
            data: wants_data,
            trailers: wants_trailers,
            ..Masks::default()
        };
        Self { started, adder, ..Self::new(count, &masks, Table::new()) }
    }

    /// Whether this is all that `idle` is, and nothing more.
    pub(super) fn is_like(&self, idle: &Self) -> bool {
        self.all_clear()
            && self.table.is_empty()
            && self.panicked | self.asked_again == 0
            && self.entrance_at == 0
            && self.started == idle.started
            && self.wants_data == idle.wants_data
            && self.wants_trailers == idle.wants_trailers
            && self.adder == idle.adder
            && self.stats == Stats::default()
    }

    /// As before a message of which nothing is known. Keeps the table.
    pub(super) fn begin(&mut self, masks: &Masks) {
        *self = Self::new(self.count, masks, mem::take(&mut self.table));
    }

    pub(super) fn len(&self) -> usize {
        self.count
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

    /// Whether station `k` holds, and nothing else is to be seen to.
    pub(super) fn only_holds(&self, k: usize) -> bool {
        let others = self.unseen
            | self.released
            | self.over
            | self.refused
            | self.again
            | self.resumed
            | self.ended;
        self.holding == 1u64 << k && others == 0
    }

    /// Whether a verdict or a resume has left something to do.
    pub(super) fn have_work(&self) -> bool {
        self.unseen | self.released | self.refused | self.again | self.resumed != 0
    }

    /// Whether no station has kept anything yet.
    pub(super) fn are_bare(&self) -> bool {
        self.table.is_empty()
    }

    /// The buffers of station `k`.
    pub(super) fn rest(&mut self, k: usize) -> &mut Rest {
        self.station(k).rest.get_or_insert_with(Box::default)
    }

    /// The buffers of station `k`, if it has ever kept anything.
    pub(super) fn rest_mut(&mut self, k: usize) -> Option<&mut Rest> {
        self.table.get_mut(k)?.rest.as_deref_mut()
    }

    fn rest_ref(&self, k: usize) -> Option<&Rest> {
        self.table.get(k)?.rest.as_deref()
    }

    fn station(&mut self, k: usize) -> &mut Station {
        if self.table.is_empty() {
            self.make_table();
        }
        &mut self.table[k]
    }

    #[cold]
    fn make_table(&mut self) {
        self.table.resize_with(self.count, Station::default);
    }

    pub(super) fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Station `k`, which holds nothing, holds all of `bytes` from now on: that much is known to
    /// fit under its mark.
    pub(super) fn hold_all(&mut self, k: usize, bytes: &mut BodyBuf) {
        let len = bytes.len() as u64;
        let station = self.station(k);
        station.charge_bytes += len;
        station.rest.get_or_insert_with(Box::default).held.append(bytes);
        self.held_bytes += len;
    }

    /// All that station `k` holds goes to `to`: it keeps no other bytes, and is not over.
    pub(super) fn release_all(&mut self, k: usize, to: &mut BodyBuf) {
        let station = self.station(k);
        let Some(rest) = station.rest.as_deref_mut() else { return };
        let len = rest.held.len() as u64;
        to.append(&mut rest.held);
        station.charge_bytes -= len;
        self.held_bytes -= len;
    }

    /// The held bytes of station `k`, if there are any.
    pub(super) fn held(&self, k: usize) -> Option<&BodyBuf> {
        self.rest_ref(k).map(|rest| &rest.held).filter(|held| !held.is_empty())
    }

    pub(super) fn held_is_empty(&self, k: usize) -> bool {
        self.held(k).is_none()
    }

    /// How many bytes fit under the high mark of station `k`.
    pub(super) fn room_bytes(&self, k: usize, marks: Marks) -> u64 {
        let charge_bytes = self.table.get(k).map_or(0, |station| station.charge_bytes);
        marks.high().saturating_sub(charge_bytes)
    }

    /// What a rejecting verdict of `k` is measured by: held, unseen and kept bytes.
    pub(super) fn kept_back_bytes(&self, k: usize, kept_bytes: u64) -> u64 {
        let rest = self.rest_ref(k);
        rest.map_or(0, |rest| (rest.held.len() + rest.unseen.len()) as u64)
            .saturating_add(kept_bytes)
    }

    /// Brings masks, charge and watermark of `k` up to date after its buffers have changed.
    ///
    /// `blocked`: something behind `k` is over. Released bytes that are free to move are as good as
    /// gone, and make no edge.
    pub(super) fn recharge(&mut self, k: usize, marks: Marks, kept_bytes: u64, blocked: bool) {
        if self.table.is_empty() && kept_bytes == 0 {
            return;
        }
        let bit = 1u64 << k;
        let kept_bytes = if self.ended & bit == 0 { kept_bytes } else { 0 };
        let station = self.station(k);
        let (released, held, unseen) = station.rest.as_ref().map_or((0, 0, 0), |rest| {
            (rest.released.len() as u64, rest.held.len() as u64, rest.unseen.len() as u64)
        });
        let charge = (released + held + unseen).saturating_add(kept_bytes);
        let before = mem::replace(&mut station.charge_bytes, charge);
        self.held_bytes = self.held_bytes - before + charge;
        set(&mut self.released, bit, released != 0);
        set(&mut self.unseen, bit, unseen != 0);
        let side = if self.over & bit == 0 { Side::Below } else { Side::Above };
        let marked = if blocked { charge } else { charge - released };
        if let Some(edge) = marks.edge(side, marked) {
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

    /// The head has not come to the stations in `mask`, and will not: what passes goes by.
    pub(super) fn skip(&mut self, mask: u64) {
        self.wants_head &= !mask;
        self.wants_data &= !mask;
        self.wants_trailers &= !mask;
        self.adder &= !mask;
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
        let Some(rest) = self.rest_mut(k) else { return 0 };
        rest.released.discard() + rest.held.discard() + rest.unseen.discard()
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

    #[cfg(debug_assertions)]
    pub(super) fn invariants(&self) {
        debug_assert_eq!(self.rejecting & !self.holding, 0, "only holders reject");
        debug_assert_eq!(self.quiet & !self.holding, 0, "only holders are quiet");
        let mut held_bytes = 0;
        for (k, station) in self.table.iter().enumerate() {
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

/// Makes the table of a message that is over ready for the next one: all its buffers are empty.
/// Says what it costs, in bytes.
pub(super) fn reset(table: &mut Table) -> usize {
    let mut kept_bytes = 0;
    for station in table {
        station.charge_bytes = 0;
        if let Some(rest) = station.rest.as_deref_mut() {
            for buf in [&mut rest.released, &mut rest.held, &mut rest.unseen] {
                buf.reset();
                kept_bytes += buf.kept_bytes();
            }
        }
    }
    kept_bytes
}

/// Which stations are asked about what, by what their filters declared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Masks {
    pub(super) head: u64,
    pub(super) data: u64,
    pub(super) trailers: u64,
    /// Declared *add trailers*.
    pub(super) adders: u64,
    /// Declared *change length*.
    pub(super) length_changers: u64,
}

fn set(word: &mut u64, bit: u64, on: bool) {
    if on {
        *word |= bit;
    } else {
        *word &= !bit;
    }
}
