//! How head, bytes and tail move from station to station.

use tidegate::ErrorKind;

use super::input::{declared_length, is_informational};
use super::{Mutant, Place, Reference, State, Tail};
use crate::model::log::{Callback, Fields};

impl Reference {
    /// The head goes one place on, and a plain end that stands directly behind it goes along (R3).
    pub(super) fn move_head(&mut self, from: Place) {
        let mut along = self.tail_follows(from) && self.is_tail_plain();
        let to = match from {
            Place::Entrance => {
                along &= self.entrance.is_empty();
                self.first_place()
            }
            Place::At(k) => {
                along &= self.stations[k].released.is_empty();
                if self.strips_length(k)
                    && let Some(head) = &mut self.head
                {
                    head.seen.length = None;
                }
                self.behind(k)
            }
            Place::Exit => unreachable!("the head does not move beyond the exit"),
        };
        let head = self.head.as_mut().expect("a head that moves is there");
        head.place = to;
        head.let_go = false;
        match to {
            Place::At(k) => self.head_arrives(k, along),
            _ => self.head_at_exit(along),
        }
    }

    /// "head arrives": start; ask `head` if wanted, else it passes by.
    fn head_arrives(&mut self, k: usize, with_end: bool) {
        self.stations[k].state = State::Open;
        self.stations[k].started = true;
        if with_end {
            self.tail_stands(Place::At(k));
        }
        let wants_data = self.stations[k].wants_data;
        if self.stations[k].wants_head {
            // R3: the input of an adder reads as one whose trailers follow.
            let shown = with_end && !self.is_adder(k);
            self.ask_about_new(k, Callback::Head, Vec::new(), shown);
            return;
        }
        if let Some(head) = &mut self.head {
            head.let_go = true;
        }
        // R3: where it looks at data but not at heads, the head passes by alone.
        if with_end && !wants_data && !self.is_adder(k) {
            self.tail_passes_by(k);
        }
    }

    fn head_at_exit(&mut self, with_end: bool) {
        let head = self.head.as_ref().expect("the head has just arrived");
        if !self.request && is_informational(head.seen.status) {
            return self.fail(ErrorKind::NotFinal, None);
        }
        let forbids = !self.request && matches!(head.seen.status, 100..=199 | 204 | 304);
        self.exit.bodiless = self.facts.edge_bodiless || forbids;
        // Section 5: at the exit the field of the leaving head is what counts.
        if !self.exit.bodiless {
            match declared_length(head.seen.length.as_deref()) {
                Ok(declared) => self.exit.declared = declared,
                Err(kind) => return self.fail(kind, None),
            }
        }
        if with_end {
            self.tail_at_exit();
        }
    }

    /// A piece of what station `k` let go moves on, as a wave (R2, R4).
    pub(super) fn move_released(&mut self, k: usize) {
        let room = self.room_behind(k);
        let mut n = self.stations[k].released.len().min(self.max_frame_bytes);
        // R4: with no room left but not over, the room does not limit it, and the mark acts.
        if room > 0 && !self.is(Mutant::NotMetered) {
            n = n.min(usize::try_from(room).unwrap_or(usize::MAX));
        }
        let piece: Vec<u8> = self.stations[k].released.drain(..n).collect();
        self.stations[k].lost(n);
        self.update_mark(k);
        let along = self.stations[k].released.is_empty() && self.tail_follows(Place::At(k));
        self.wave(self.behind(k), piece, along);
        self.update_mark(k);
    }

    /// A piece of what waits at the entrance comes in.
    pub(super) fn let_in(&mut self) {
        let n = self.entrance.len().min(self.max_frame_bytes);
        let piece: Vec<u8> = self.entrance.drain(..n).collect();
        let along = self.entrance.is_empty() && self.tail_follows(Place::Entrance);
        self.wave(self.first_place(), piece, along);
    }

    /// R2: a piece goes from station to station as far as it can; `with_tail`: the tail stands
    /// directly behind it.
    fn wave(&mut self, start: Place, mut piece: Vec<u8>, mut with_tail: bool) {
        let mut place = start;
        while let Place::At(k) = place {
            let state = self.stations[k].state;
            if !self.stations[k].is_alive() {
                // "dropped, counted"
                self.discard(piece.len());
                if with_tail {
                    self.tail = None;
                }
                return;
            }
            if with_tail {
                self.tail_stands(place);
            }
            if self.stations[k].wants_data && !self.stations[k].is_quiet() {
                // R3: only a plain end is shown with the bytes.
                let shown = with_tail && self.is_tail_plain() && !self.is_adder(k);
                match self.ask_about_new(k, Callback::Data, piece, shown) {
                    // A filter that takes everything and passes ends the wave.
                    Some(onward) if !onward.is_empty() => piece = onward,
                    _ => return,
                }
                with_tail = shown;
            } else if state == State::Open {
                with_tail = with_tail && self.callback_for_tail(k).is_none();
                if with_tail {
                    self.tail_passes_by(k);
                }
            } else {
                self.stations[k].unseen.extend(piece);
                self.check_station(k);
                return;
            }
            place = self.behind(k);
        }
        self.bytes_at_exit(piece);
        if with_tail && self.outcome.is_none() {
            self.tail_at_exit();
        }
    }

    /// The tail goes one place on by itself. Tails are not gated: only bytes are (R19).
    pub(super) fn move_tail(&mut self, from: Place) {
        let to = match from {
            Place::Entrance => self.first_place(),
            Place::At(k) => self.behind(k),
            Place::Exit => unreachable!("the tail does not move beyond the exit"),
        };
        match to {
            Place::At(k) if self.stations[k].is_alive() => self.tail_stands(to),
            // Behind a declared end: dropped.
            Place::At(_) => self.tail = None,
            _ => self.tail_at_exit(),
        }
    }

    /// The tail has come to `place` and was not shown there.
    fn tail_stands(&mut self, place: Place) {
        let tail = self.tail.as_mut().expect("a tail that moves is there");
        tail.place = place;
        tail.shown = false;
        tail.let_go = false;
    }

    /// `k` does not look at it: its output has ended with it.
    pub(super) fn tail_passes_by(&mut self, k: usize) {
        if let Some(tail) = &mut self.tail {
            tail.let_go = true;
        }
        self.end_station(k);
    }

    /// What queued unseen at `k` is shown, or passes by (R7, R9).
    pub(super) fn show_unseen(&mut self, k: usize) {
        let unseen = std::mem::take(&mut self.stations[k].unseen);
        let end_waits = self.tail_stands_at(k).is_some_and(|tail| !tail.shown && tail.is_plain());
        if self.stations[k].wants_data {
            let shown = end_waits && !self.is_adder(k);
            self.ask_at_rest(k, Callback::Data, unseen, shown);
            return;
        }
        // R7: they go by without a call, metered like all that leaves a station; R3: with the end.
        self.stations[k].released.extend(unseen);
        self.update_mark(k);
    }

    /// The rows of the table for ends and trailers.
    pub(super) fn show_tail(&mut self, k: usize) {
        let Some(callback) = self.callback_for_tail(k) else { return self.tail_passes_by(k) };
        if self.is_adder(k) {
            // "with an empty map where none came"
            let tail = self.tail.as_mut().expect("a tail that waits is there");
            tail.trailers.get_or_insert_with(Fields::new);
        }
        // R2: what it adds goes on as a wave, with the tail, if the station kept nothing; but not
        // past bytes that it let go before, and not while bytes cannot move (R4).
        if !self.stations[k].released.is_empty() || self.over_behind(k) {
            return self.ask_at_rest(k, callback, Vec::new(), true);
        }
        if let Some(added) = self.ask_about_new(k, callback, Vec::new(), true)
            && !added.is_empty()
        {
            let along = self.tail_follows(Place::At(k));
            self.wave(self.behind(k), added, along);
        }
    }

    fn bytes_at_exit(&mut self, piece: Vec<u8>) {
        let n = piece.len() as u64;
        if n == 0 {
            return;
        }
        // I12: before anything of it reaches the sink.
        if self.exit.bodiless {
            self.discard(piece.len());
            return self.fail(ErrorKind::BodyForbidden, None);
        }
        if let Some(declared_bytes) = self.exit.declared
            && self.exit.arrived + n > declared_bytes
            && !self.is(Mutant::TrustsLength)
        {
            self.discard(piece.len());
            return self.fail(ErrorKind::LengthExceeded { declared_bytes }, None);
        }
        self.exit.arrived += n;
        self.queue.extend(piece);
        self.update_queue_mark();
    }

    fn tail_at_exit(&mut self) {
        if let Some(declared_bytes) = self.exit.declared
            && self.exit.arrived != declared_bytes
        {
            let actual_bytes = self.exit.arrived;
            return self.fail(ErrorKind::LengthShort { declared_bytes, actual_bytes }, None);
        }
        let tail = self.tail.as_mut().expect("the tail has just arrived");
        tail.place = Place::Exit;
        self.take_off_trailers();
    }

    /// R16: what cannot be sent is taken off at the exit and counted.
    fn take_off_trailers(&mut self) {
        let Some(tail) = self.tail.as_mut().filter(|tail| tail.place == Place::Exit) else {
            return;
        };
        let Some(trailers) = &mut tail.trailers else { return };
        let before = trailers.len();
        if !self.facts.sends_trailers || self.exit.bodiless {
            trailers.clear();
        }
        if let Some(announced) = &self.facts.announced {
            trailers.retain(|name, _| announced.contains(name));
        }
        self.counts.unsent += (before - trailers.len()) as u64;
        if trailers.is_empty() {
            tail.trailers = None;
        }
    }

    /// The edge has announced these fields and can send no others.
    pub(crate) fn send_only_trailers(&mut self, announced: Vec<String>) {
        self.facts.announced = Some(announced);
        self.take_off_trailers();
    }

    /// A new tail that waits at the entrance. Empty trailers are a plain end (R3).
    pub(super) fn tail_enters(&mut self, trailers: Option<Fields>) {
        let trailers = trailers.filter(|fields| !fields.is_empty());
        self.tail = Some(Tail { place: Place::Entrance, shown: false, let_go: false, trailers });
    }
}
