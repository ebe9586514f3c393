//! The filter of the target: plays its program, and writes down what it was shown and let go.

use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tidegate::buf::BodyBuf;
use tidegate::filter::{EditError, EditErrorKind, Interim};
use tidegate::{
    Capability, Declaration, Error, Filter, Head, Interest, LocalReply, Marks, Outcome, Verdict,
    View,
};

use super::case::{Answer, Edit, Extra, FilterSpec, Program, Step};
use super::marks::{ADDED, ADDED_FIELD, REPLIED, is_body, mark_of};
use super::world::{Ending, FilterId, World};

pub(crate) fn declaration(spec: &FilterSpec) -> Declaration {
    let mut interest = Interest::NONE;
    for (bit, each) in [Interest::HEAD, Interest::DATA, Interest::TRAILERS].into_iter().enumerate()
    {
        if spec.interest & (1 << bit) != 0 {
            interest = interest | each;
        }
    }
    let (low, high) = spec.marks;
    let marks = Marks::new(low, high).expect("the low one is not above");
    let mut declaration = Declaration::new().interest(interest).marks(marks);
    for (bit, capability) in Capability::ALL.into_iter().enumerate() {
        if spec.prefers & (1 << bit) != 0 {
            declaration = declaration.prefer(capability);
        }
        if spec.requires == Some(bit) {
            declaration = declaration.require(capability);
        }
    }
    declaration
}

/// How far a filter is with its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Started,
    Closed,
}

pub(crate) struct Scripted {
    id: FilterId,
    spec: FilterSpec,
    world: Arc<World>,
    stage: Stage,
    program: Program,
    /// How many steps were done.
    steps: usize,
    /// How many bytes at the front of the view were edited before.
    edited: usize,
    /// What it keeps.
    own: BodyBuf,
    suffix_is_due: bool,
}

/// An edit that has to wait until there is room.
struct Full;

impl Scripted {
    pub(crate) fn new(id: FilterId, spec: &FilterSpec, world: &Arc<World>) -> Self {
        world.lock().alive += 1;
        Self {
            id,
            spec: spec.clone(),
            world: Arc::clone(world),
            stage: Stage::Fresh,
            program: Program::default(),
            steps: 0,
            edited: 0,
            own: BodyBuf::new(),
            suffix_is_due: false,
        }
    }

    fn enter(&mut self) {
        match self.stage {
            Stage::Fresh => {
                self.stage = Stage::Started;
                let mut state = self.world.lock();
                self.program = state.programs[self.id].clone();
                state.records[self.id].started += 1;
                self.suffix_is_due = self.program.suffix_bytes > 0;
            }
            Stage::Started => {}
            Stage::Closed => {
                self.world.broken(|| format!("filter {} is called after its close", self.id));
            }
        }
    }

    fn call<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.enter();
        self.look(view);
        let edited = self.edit(view).and_then(|()| self.add_suffix(view));
        if let Err(Full) = edited {
            // It is recalled when there is room.
            return Verdict::HOLD;
        }
        let step = self.program.steps.get(self.steps).copied();
        self.steps += 1;
        match step {
            Some(step) => {
                self.extra(step, view);
                let verdict = self.answer(step, view);
                if step.again { verdict.again() } else { verdict }
            }
            None => {
                self.lets_go(view, usize::MAX);
                Verdict::PASS
            }
        }
    }

    /// Writes down what is new, and checks whose message it is.
    fn look<H: Head>(&mut self, view: &View<'_, H>) {
        let mut new = vec![0; view.new_bytes()];
        view.body().copy_range_to(view.new_at()..view.body().len(), &mut new);
        let may_edit =
            view.granted(Capability::EditBytes) || view.granted(Capability::ChangeLength);
        let adds_trailers = view.granted(Capability::AddTrailers);
        let mut state = self.world.lock();
        let stream = state.stream;
        let record = &mut state.records[self.id];
        let is_of_message = record.show(&new, view.is_local_reply());
        record.edits = may_edit;
        record.adds_trailers = adds_trailers;
        let maps = view.head().map(Head::headers).into_iter().chain(view.trailers());
        let strange = maps.filter_map(mark_of).find(|mark| *mark != stream);
        if strange.is_some() {
            let rule = || format!("filter {} of exchange {stream} sees {strange:?}", self.id);
            state.broken.get_or_insert_with(rule);
        }
        if !is_of_message {
            let rule = || format!("filter {} sees bytes that a reply has replaced", self.id);
            state.broken.get_or_insert_with(rule);
        }
    }

    /// Edits the bytes that are new to the program. They are all done when it answers `Ok`.
    fn edit<H: Head>(&mut self, view: &mut View<'_, H>) -> Result<(), Full> {
        self.give_back(view);
        if self.program.edit == Edit::Keep {
            self.edited = view.body().len();
            return Ok(());
        }
        while self.edited < view.body().len() {
            let mut rest = vec![0; view.body().len() - self.edited];
            view.body().copy_range_to(self.edited..view.body().len(), &mut rest);
            let concerned = rest.iter().position(|byte| self.program.edit.concerns(*byte));
            let Some(at) = concerned else {
                self.edited = view.body().len();
                return Ok(());
            };
            let at = self.edited + at;
            let (done, then) = match self.program.edit {
                Edit::Keep => (Ok(()), at + 1),
                Edit::Remove(_) => (view.remove(at..at + 1).map(drop), at),
                Edit::Replace(_) => {
                    let byte = self.program.edit.replacement(rest[at - self.edited]);
                    (view.replace(at..at + 1, Bytes::copy_from_slice(&[byte])), at + 1)
                }
                Edit::Grow(_) => (view.insert(at + 1, Bytes::from_static(&[ADDED])), at + 2),
            };
            match self.refused(done)? {
                // Nothing can be edited here: all of it is as it is to be.
                true => self.edited = view.body().len(),
                false => self.edited = then,
            }
        }
        Ok(())
    }

    /// Whether the edit can never be made.
    fn refused(&self, done: Result<(), EditError>) -> Result<bool, Full> {
        match done.map_err(|error| error.kind()) {
            Ok(()) => Ok(false),
            Err(EditErrorKind::Full) => Err(Full),
            Err(EditErrorKind::Undeclared(_) | EditErrorKind::NoBody) => Ok(true),
            Err(EditErrorKind::TooLarge { .. }) => {
                // Then the rest is as it is, and the oracle is told.
                self.world.record(self.id, |record| record.edits = false);
                Ok(true)
            }
            Err(other) => {
                self.world.broken(|| format!("an unknown refusal: {other:?}"));
                Ok(true)
            }
        }
    }

    fn give_back<H: Head>(&mut self, view: &mut View<'_, H>) {
        if self.own.is_empty() {
            return;
        }
        let own = core::mem::take(&mut self.own).to_bytes();
        let bytes = own.len();
        let back = view.set_kept_bytes(0).and_then(|()| view.prepend(own));
        if back.is_err() {
            self.world.broken(|| format!("filter {} cannot give back: {back:?}", self.id));
        }
        self.edited += bytes;
    }

    fn add_suffix<H: Head>(&mut self, view: &mut View<'_, H>) -> Result<(), Full> {
        if !self.suffix_is_due || !view.input_ended() {
            return Ok(());
        }
        let suffix = Bytes::from(vec![ADDED; usize::from(self.program.suffix_bytes)]);
        let pushed = view.push(suffix);
        // At the head it may be that it cannot be held.
        if pushed.is_err() && view.head().is_some() && !view.granted(Capability::HoldHead) {
            self.suffix_is_due = false;
            return Ok(());
        }
        let added = self.refused(pushed);
        if added.is_ok() {
            self.suffix_is_due = false;
            self.edited = view.body().len();
        }
        added.map(drop)
    }

    fn extra<H: Head>(&mut self, step: Step, view: &mut View<'_, H>) {
        match step.extra {
            Extra::None => {}
            Extra::Trailer => {
                if let Some(trailers) = view.trailers_mut() {
                    trailers.insert(ADDED_FIELD, self.id.into());
                } else if step.answer == Answer::End {
                    let mut trailers = HeaderMap::new();
                    trailers.insert(ADDED_FIELD, self.id.into());
                    drop(view.set_trailers(trailers));
                }
            }
            Extra::DropData => {
                view.drop_interest(Interest::DATA);
                // What goes by is not to be between its bytes.
                self.suffix_is_due = false;
                self.world.record(self.id, |record| record.passes_by = true);
            }
            Extra::DropTrailers => view.drop_interest(Interest::TRAILERS),
            Extra::Keep => {
                // Only where another call is sure to come, which gives them back.
                let stays = matches!(step.answer, Answer::Hold) && !view.body().is_empty();
                if stays && let Ok(own) = view.take() {
                    self.own = own;
                    self.edited = 0;
                    let kept = view.set_kept_bytes(self.own.len() as u64);
                    if kept.is_err() {
                        self.world.broken(|| format!("what was taken may be kept: {kept:?}"));
                    }
                }
            }
            Extra::Declare(bytes) => {
                view.set_declared_bytes(bytes.into());
            }
            Extra::Handle => drop(view.resume_handle()),
        }
    }

    fn answer<H: Head>(&mut self, step: Step, view: &mut View<'_, H>) -> Verdict {
        let hold = |verdict: Verdict| {
            let verdict = if step.reject { verdict.or_reject() } else { verdict };
            if step.quiet { verdict.quiet() } else { verdict }
        };
        match step.answer {
            Answer::Pass => {
                self.lets_go(view, usize::MAX);
                Verdict::PASS
            }
            Answer::Hold => {
                self.world.add_handle(view.resume_handle());
                hold(Verdict::HOLD)
            }
            Answer::HoldAlone => hold(Verdict::HOLD),
            Answer::First(sixteenths) => {
                self.world.add_handle(view.resume_handle());
                let bytes = view.body().len() * usize::from(sixteenths) / 16;
                self.lets_go(view, bytes);
                hold(Verdict::pass_first(bytes))
            }
            Answer::End => {
                self.lets_go(view, usize::MAX);
                self.world.record(self.id, |record| record.ended = true);
                Verdict::END
            }
            Answer::Reply => {
                self.world.record(self.id, |record| record.replied = true);
                let body = Bytes::from_static(&[REPLIED; 3]);
                view.reply(LocalReply::text(StatusCode::FORBIDDEN, body))
            }
            Answer::Fail => view.fail(Error::filter_failed("on purpose")),
            Answer::Panic => {
                self.world.record(self.id, |record| record.panicked = true);
                resume_unwind(Box::new("on purpose"))
            }
        }
    }

    fn lets_go<H: Head>(&mut self, view: &View<'_, H>, most_bytes: usize) {
        let bytes = view.body().len().min(most_bytes);
        let mut gone = vec![0; bytes];
        view.body().copy_range_to(0..bytes, &mut gone);
        self.edited = view.body().len() - bytes;
        self.world.record(self.id, |record| record.let_go.extend_from_slice(&gone));
    }
}

impl Edit {
    pub(crate) fn concerns(self, byte: u8) -> bool {
        match self {
            Self::Keep => false,
            Self::Remove(residue) | Self::Replace(residue) | Self::Grow(residue) => {
                is_body(byte) && byte % 16 == residue
            }
        }
    }

    pub(crate) fn replacement(self, byte: u8) -> u8 {
        if byte == 250 { 0 } else { byte + 1 }
    }
}

impl<H: Head> Filter<H> for Scripted {
    fn declare(&self) -> Declaration {
        declaration(&self.spec)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view)
    }

    fn informational(&mut self, head: &mut H) -> Interim {
        self.enter();
        if mark_of(head.headers()).is_some_and(|mark| mark != self.world.lock().stream) {
            self.world.broken(|| format!("filter {} sees another's 1xx", self.id));
        }
        if self.program.drops_informational { Interim::Drop } else { Interim::Pass }
    }

    fn close(&mut self, outcome: &Outcome) {
        if self.stage == Stage::Closed {
            self.world.broken(|| format!("filter {} is closed twice", self.id));
        }
        if self.stage == Stage::Fresh {
            // The head has gone by, or it was never asked.
            self.program = self.world.lock().programs[self.id].clone();
        }
        self.stage = Stage::Closed;
        self.world.record(self.id, |record| record.closed.push(Ending::of(outcome)));
        if self.program.panics_in_close {
            self.world.record(self.id, |record| record.panicked = true);
            resume_unwind(Box::new("on purpose, in close"))
        }
    }

    fn recycle(&mut self) -> bool {
        if self.stage == Stage::Started || self.world.record(self.id, |record| record.panicked) {
            self.world.broken(|| format!("filter {} is to be recycled as it is", self.id));
        }
        self.stage = Stage::Fresh;
        self.steps = 0;
        self.edited = 0;
        self.own.clear();
        self.spec.recycles
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.world.lock().alive -= 1;
    }
}
