//! One callback: the view, the script, the edits (R6, R21 and the documentation of `View`).

use tidegate::Resumed;

use super::{Mutant, Reference};
use crate::model::case::{
    ADD_TRAILERS, Action, Answer, CHANGE_LENGTH, EDIT_BYTES, Step, WANTS_DATA, WANTS_TRAILERS,
};
use crate::model::log::{Call, Callback, Done, Event, Fields};
use crate::model::parts::{added_bytes, range};

/// A call that is under way.
struct Asked {
    k: usize,
    view: Vec<u8>,
    /// What view and kept bytes may be together.
    cap: u64,
    /// Set by `set_trailers` where none had been shown.
    end_trailers: Option<Fields>,
}

/// What came of a call.
pub(super) struct Said {
    pub(crate) view: Vec<u8>,
    pub(crate) step: Step,
    pub(crate) end_trailers: Option<Fields>,
    /// By how much the view and what is kept have grown (R6).
    pub(crate) grown: i64,
}

impl Reference {
    /// Asks about something new: `held` and then `new` in one view. Answers with the view if the
    /// wave goes on with it (R2): the station kept nothing and passed.
    pub(super) fn ask_about_new(
        &mut self,
        k: usize,
        callback: Callback,
        new: Vec<u8>,
        end_shown: bool,
    ) -> Option<Vec<u8>> {
        let keeps_nothing = self.stations[k].held.is_empty() && !self.head_stands_at(k);
        self.ask(k, callback, new, end_shown, keeps_nothing)
    }

    /// Asks about what is here already: what it lets go is released, never a wave (R2).
    pub(super) fn ask_at_rest(&mut self, k: usize, callback: Callback, new: Vec<u8>, end: bool) {
        self.ask(k, callback, new, end, false);
    }

    /// R9: a resume shows what was shown, and nothing new. It serves all that asked for it.
    pub(super) fn ask_resume(&mut self, k: usize) {
        self.stations[k].resumed = false;
        self.stations[k].again = false;
        self.stations[k].refused = None;
        let mut new = Vec::new();
        if self.is(Mutant::ReleasesUnseen) {
            new = std::mem::take(&mut self.stations[k].unseen);
        }
        self.ask(k, Callback::Resume, new, false, false);
    }

    fn ask(
        &mut self,
        k: usize,
        callback: Callback,
        new: Vec<u8>,
        end_shown: bool,
        in_wave: bool,
    ) -> Option<Vec<u8>> {
        if end_shown {
            let tail = self.tail.as_mut().expect("an end that is shown is there");
            tail.shown = true;
        }
        // R6: nothing can be added while anything behind is over.
        let open = !self.over_behind(k) || self.is(Mutant::NeverFull);
        let new_at = self.stations[k].held.len();
        let mut view = std::mem::take(&mut self.stations[k].held);
        view.extend(new);
        let said = self.call(k, callback, view, new_at, open);
        self.decide(k, callback, said, in_wave)
    }

    fn call(
        &mut self,
        k: usize,
        callback: Callback,
        view: Vec<u8>,
        new_at: usize,
        open: bool,
    ) -> Said {
        self.drive.calls += 1;
        let step = self.next_step(k);
        let room = if open { self.stations[k].room_to_add() } else { 0 };
        let start = view.len() as u64 + self.stations[k].kept;
        let blind = self.scripts[k].blind && callback == Callback::Trailers;
        let head = self.head.as_ref().filter(|_| self.head_stands_at(k));
        let mut call = Call {
            station: k,
            callback: if blind { Callback::Data } else { callback },
            head: head.map(|head| head.seen.clone()),
            body: view.clone(),
            new_at,
            input_ended: self.tail_shown_at(k),
            trailers: self.trailers_in_view(k).cloned(),
            granted: self.granted(k),
            local_reply: self.facts.local_reply,
            declared_bytes: self.facts.declared,
            results: Vec::new(),
            body_after: Vec::new(),
        };
        let mut asked = Asked { k, view, cap: start + room, end_trailers: None };
        for &action in &step.actions {
            let done = self.act(action, &mut asked);
            call.results.push(done);
        }
        let end = asked.view.len() as u64 + self.stations[k].kept;
        call.body_after.clone_from(&asked.view);
        self.log.push(Event::Call(Box::new(call)));
        Said {
            view: asked.view,
            step,
            end_trailers: asked.end_trailers,
            grown: end as i64 - start as i64,
        }
    }

    fn trailers_in_view(&self, k: usize) -> Option<&Fields> {
        self.tail_stands_at(k).filter(|tail| tail.shown)?.trailers.as_ref()
    }

    fn next_step(&mut self, k: usize) -> Step {
        let station = &mut self.stations[k];
        let step = self.scripts[k].steps.get(station.calls).cloned();
        station.calls += 1;
        step.unwrap_or_else(|| Step {
            actions: if station.kept == 0 { Vec::new() } else { vec![Action::Keep(0)] },
            answer: Answer::Pass,
            ..Step::default()
        })
    }

    fn act(&mut self, action: Action, asked: &mut Asked) -> Done {
        let len = asked.view.len();
        match action {
            Action::Push(n) => self.replace(asked, len..len, n),
            Action::Prepend(n) => self.replace(asked, 0..0, n),
            Action::Insert { at, n } => {
                let at = usize::from(at) % (len + 1);
                self.replace(asked, at..at, n)
            }
            Action::Replace { at, len: of, n } => self.replace(asked, range(at, of, len), n),
            Action::Remove { at, len: of } => self.remove(asked, range(at, of, len)),
            Action::Take => self.remove(asked, 0..len),
            Action::TakeFirst(n) => self.remove(asked, 0..usize::from(n) % (len + 1)),
            Action::Keep(n) => self.keep(asked, u64::from(n)),
            Action::TakeAndKeep => match self.remove(asked, 0..len) {
                Done::Taken(bytes) => {
                    let kept = self.stations[asked.k].kept + bytes.len() as u64;
                    self.keep(asked, kept)
                }
                refused => refused,
            },
            Action::GiveBack => {
                let n = self.stations[asked.k].kept.min(255) as u8;
                match self.keep(asked, 0) {
                    Done::Yes => self.replace(asked, asked.view.len()..asked.view.len(), n),
                    refused => refused,
                }
            }
            Action::Handle | Action::DropHandle | Action::Resume(_) => {
                self.use_handle(action, asked.k)
            }
            _ => self.edit_head_or_trailers(action, asked),
        }
    }

    /// Whether the ledger of the call may grow by `growth` (R6, R21).
    fn admit(&mut self, asked: &Asked, growth: u64) -> Result<(), Done> {
        let k = asked.k;
        if self.granted(k) & (EDIT_BYTES | CHANGE_LENGTH) == 0 {
            return Err(Done::Undeclared("edit bytes"));
        }
        let high = self.stations[k].gauge.high;
        if growth == 0 {
            Ok(())
        } else if self.facts.bodiless {
            Err(Done::NoBody)
        } else if asked.view.len() as u64 + self.stations[k].kept + growth <= asked.cap {
            Ok(())
        } else if growth > high {
            Err(Done::TooLarge(high))
        } else {
            self.stations[k].refused = Some(growth);
            Err(Done::Full)
        }
    }

    fn replace(&mut self, asked: &mut Asked, range: std::ops::Range<usize>, n: u8) -> Done {
        let station = &mut self.stations[asked.k];
        let bytes = added_bytes(asked.k, station.made, usize::from(n));
        station.made += u64::from(n);
        let growth = bytes.len().saturating_sub(range.len());
        match self.admit(asked, growth as u64) {
            Ok(()) => {
                asked.view.splice(range, bytes);
                Done::Yes
            }
            Err(refused) => refused,
        }
    }

    fn remove(&mut self, asked: &mut Asked, range: std::ops::Range<usize>) -> Done {
        match self.admit(asked, 0) {
            Ok(()) => Done::Taken(asked.view.drain(range).collect()),
            Err(refused) => refused,
        }
    }

    fn keep(&mut self, asked: &Asked, bytes: u64) -> Done {
        let growth = bytes.saturating_sub(self.stations[asked.k].kept);
        match self.admit(asked, growth) {
            Ok(()) => {
                self.stations[asked.k].kept = bytes;
                Done::Yes
            }
            Err(refused) => refused,
        }
    }

    fn edit_head_or_trailers(&mut self, action: Action, asked: &mut Asked) -> Done {
        let k = asked.k;
        match action {
            Action::SetTrailers(_) if self.granted(k) & ADD_TRAILERS == 0 => {
                Done::Undeclared("add trailers")
            }
            Action::SetTrailers(n) => {
                let fields = (0..usize::from(n))
                    .map(|i| (format!("t-{}", 10 * (i + 1) + k), i.to_string()))
                    .collect();
                match self.trailers_to_edit(k) {
                    Some(shown) => *shown = fields,
                    None => asked.end_trailers = Some(fields),
                }
                Done::Yes
            }
            Action::Trailer => {
                let value = self.stations[k].calls.to_string();
                let fields = self.trailers_to_edit(k);
                edited(fields, |fields| drop(fields.insert(format!("t-{k}"), value)))
            }
            Action::ClearTrailers => edited(self.trailers_to_edit(k), Fields::clear),
            Action::DropInterest(bits) => {
                // R20; interest in heads is of no use any more.
                let station = &mut self.stations[k];
                station.wants_data &= bits & WANTS_DATA == 0;
                station.wants_trailers &= bits & WANTS_TRAILERS == 0;
                Done::Yes
            }
            _ => self.edit_head(action, k),
        }
    }

    fn edit_head(&mut self, action: Action, k: usize) -> Done {
        let request = self.request;
        if !self.head_stands_at(k) {
            return Done::No;
        }
        let head = self.head.as_mut().expect("the head stands here");
        match action {
            Action::Tag => head.seen.tags.push(b'0' + k as u8),
            Action::Status(status) if !request => head.seen.status = status,
            Action::Declare(n) => {
                head.seen.length = Some(n.to_string());
                self.stations[k].declared = true;
            }
            _ => {}
        }
        Done::Yes
    }

    fn trailers_to_edit(&mut self, k: usize) -> Option<&mut Fields> {
        self.trailers_in_view(k)?;
        self.tail.as_mut()?.trailers.as_mut()
    }

    fn use_handle(&mut self, action: Action, k: usize) -> Done {
        match action {
            Action::Handle => {
                self.handles.made = true;
                self.handles.alive[k] += 1;
                Done::Yes
            }
            Action::DropHandle => yes_or_no(self.drop_handle(k)),
            Action::Resume(other) => self.resume_through_handle(usize::from(other)),
            _ => unreachable!("only actions on handles come here"),
        }
    }

    /// I6: `Queued`, `AlreadyQueued` or `Gone`.
    pub(crate) fn resume_through_handle(&mut self, k: usize) -> Done {
        if self.handles.alive.get(k).is_none_or(|&alive| alive == 0) {
            return Done::No;
        }
        if self.outcome.is_some() || !self.stations[k].is_alive() {
            return Done::Resumed(Resumed::Gone);
        }
        if std::mem::replace(&mut self.handles.pending[k], true) {
            return Done::Resumed(Resumed::AlreadyQueued);
        }
        Done::Resumed(Resumed::Queued)
    }

    pub(crate) fn drop_handle(&mut self, k: usize) -> bool {
        let alive = self.handles.alive.get_mut(k).filter(|alive| **alive > 0);
        alive.map(|alive| *alive -= 1).is_some()
    }
}

fn edited<T>(part: Option<&mut T>, edit: impl FnOnce(&mut T)) -> Done {
    yes_or_no(part.map(edit).is_some())
}

fn yes_or_no(yes: bool) -> Done {
    if yes { Done::Yes } else { Done::No }
}
