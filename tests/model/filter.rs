//! The filter of the tests: plays its script against the engine's view and writes down all it sees.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tidegate::buf::BodyBuf;
use tidegate::filter::{EditError, EditErrorKind, Interim};
use tidegate::{
    Capability, Declaration, Error, Filter, Interest, Marks, Outcome, ResumeHandle, Verdict, View,
};

use super::case::{Action, Answer, Informs, Script, Step};
use super::log::{Call, Callback, Done, Ended, Event};
use super::parts::{TestHead, added_bytes, bytes_of, field_name, fields_of, range, reply};

/// What the filters of one chain share with the harness.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) log: Mutex<Vec<Event>>,
    /// The handles given away, by station.
    pub(crate) handles: Mutex<Vec<Vec<ResumeHandle>>>,
    /// How many instances of each filter have been dropped, or stay for the next message.
    pub(crate) let_go: Mutex<Vec<usize>>,
    /// Which filters stay for the next message: one bit each.
    pub(crate) recycling: AtomicU64,
    /// How many filters that had panicked were asked whether they stay.
    pub(crate) asked_after_panic: AtomicUsize,
    /// Instances that are alive.
    pub(crate) alive: AtomicUsize,
}

impl World {
    /// The world of a chain of `n` filters.
    pub(crate) fn new(n: usize) -> Self {
        let world = Self::default();
        world.begin(n);
        world
    }

    /// As new, for another message of the plan.
    pub(crate) fn begin(&self, n: usize) {
        locked(&self.log).clear();
        *locked(&self.let_go) = vec![0; n];
        let handles = std::mem::replace(&mut *locked(&self.handles), vec![Vec::new(); n]);
        drop(handles);
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a filter with this script declares.
pub(crate) fn declaration(script: &Script) -> Declaration {
    let mut interest = Interest::NONE;
    for (bit, each) in [Interest::HEAD, Interest::DATA, Interest::TRAILERS].into_iter().enumerate()
    {
        if script.interest & (1 << bit) != 0 {
            interest = interest | each;
        }
    }
    let marks = Marks::new(script.low, script.high).expect("scripts have low <= high");
    let mut declaration = Declaration::new().interest(interest).marks(marks);
    for (bit, capability) in Capability::ALL.into_iter().enumerate() {
        if script.prefers & (1 << bit) != 0 {
            declaration = declaration.prefer(capability);
        }
    }
    declaration
}

/// A filter that implements every callback.
pub(crate) struct Scripted {
    station: usize,
    script: Arc<Script>,
    world: Arc<World>,
    calls: usize,
    added: u64,
    kept: u64,
    /// The instance that the plan only asks for its declaration is not one of a message.
    live: bool,
    panicked: bool,
}

impl Scripted {
    pub(crate) fn new(station: usize, script: &Arc<Script>, world: &Arc<World>) -> Self {
        world.alive.fetch_add(1, Relaxed);
        Self {
            station,
            script: Arc::clone(script),
            world: Arc::clone(world),
            calls: 0,
            added: 0,
            kept: 0,
            live: false,
            panicked: false,
        }
    }

    fn call<H: TestHead>(&mut self, callback: Callback, view: &mut View<'_, H>) -> Verdict {
        self.live = true;
        let step = self.next_step();
        let mut call = Call {
            station: self.station,
            callback,
            head: view.head().map(TestHead::seen),
            body: bytes_of(view.body()),
            new_at: view.new_at(),
            input_ended: view.input_ended(),
            trailers: view.trailers().map(fields_of),
            granted: Capability::ALL
                .into_iter()
                .enumerate()
                .map(|(bit, each)| u8::from(view.granted(each)) << bit)
                .sum(),
            local_reply: view.is_local_reply(),
            declared_bytes: view.declared_bytes(),
            results: Vec::new(),
            body_after: Vec::new(),
        };
        for &action in &step.actions {
            let done = self.act(action, view);
            call.results.push(done);
        }
        call.body_after = bytes_of(view.body());
        locked(&self.world.log).push(Event::Call(Box::new(call)));
        self.panicked = step.answer == Answer::Panic;
        verdict(&step, view)
    }

    /// The step of this call. When the script is over the filter lets everything go.
    fn next_step(&mut self) -> Step {
        let step = self.script.steps.get(self.calls).cloned();
        self.calls += 1;
        step.unwrap_or_else(|| Step {
            actions: if self.kept == 0 { Vec::new() } else { vec![Action::Keep(0)] },
            ..Step::default()
        })
    }

    fn fresh(&mut self, n: u8) -> Bytes {
        let bytes = added_bytes(self.station, self.added, usize::from(n));
        self.added += u64::from(n);
        Bytes::from(bytes)
    }

    fn act<H: TestHead>(&mut self, action: Action, view: &mut View<'_, H>) -> Done {
        let len = view.body().len();
        match action {
            Action::Push(n) => self.add(n, |bytes| view.push(bytes)),
            Action::Prepend(n) => self.add(n, |bytes| view.prepend(bytes)),
            Action::Insert { at, n } => {
                let at = usize::from(at) % (len + 1);
                self.add(n, |bytes| view.insert(at, bytes))
            }
            Action::Replace { at, len: of, n } => {
                let range = range(at, of, len);
                self.add(n, |bytes| view.replace(range, bytes))
            }
            Action::Remove { at, len: of } => taken(view.remove(range(at, of, len))),
            Action::Take => taken(view.take()),
            Action::TakeFirst(n) => taken(view.take_first(usize::from(n) % (len + 1))),
            Action::Keep(n) => self.keep(u64::from(n), view),
            Action::TakeAndKeep => {
                // First say it, then do it: a refused statement leaves the bytes where they are.
                // Taking first makes the room that the statement needs.
                let taken_bytes = match view.take() {
                    Ok(taken_bytes) => taken_bytes.len(),
                    Err(error) => return refused(&error),
                };
                self.keep(self.kept + taken_bytes as u64, view)
            }
            Action::GiveBack => {
                let n = self.kept.min(255) as u8;
                match self.keep(0, view) {
                    Done::Yes => self.add(n, |bytes| view.push(bytes)),
                    refused => refused,
                }
            }
            Action::Handle | Action::DropHandle | Action::Resume(_) => {
                self.use_handle(action, view)
            }
            _ => self.edit_head_or_trailers(action, view),
        }
    }

    fn add(&mut self, n: u8, edit: impl FnOnce(Bytes) -> Result<(), EditError>) -> Done {
        let bytes = self.fresh(n);
        match edit(bytes.clone()) {
            Ok(()) => Done::Yes,
            Err(error) => {
                let done = refused(&error);
                if error.into_bytes() == bytes { done } else { Done::Mangled }
            }
        }
    }

    fn keep<H: TestHead>(&mut self, bytes: u64, view: &mut View<'_, H>) -> Done {
        match view.set_kept_bytes(bytes) {
            Ok(()) => {
                self.kept = bytes;
                Done::Yes
            }
            Err(error) => refused(&error),
        }
    }

    fn edit_head_or_trailers<H: TestHead>(&self, action: Action, view: &mut View<'_, H>) -> Done {
        match action {
            Action::Trailer => edited(view.trailers_mut(), |trailers| {
                trailers.insert(field_name(self.station), HeaderValue::from(self.calls));
            }),
            Action::ClearTrailers => edited(view.trailers_mut(), HeaderMap::clear),
            Action::SetTrailers(n) => {
                let mut trailers = HeaderMap::new();
                for i in 0..usize::from(n) {
                    trailers.insert(field_name(10 * (i + 1) + self.station), HeaderValue::from(i));
                }
                match view.set_trailers(trailers) {
                    Ok(()) => Done::Yes,
                    Err(error) => refused(&error),
                }
            }
            Action::Tag => edited(view.head_mut(), |head| tag(head, self.station)),
            Action::Status(status) => edited(view.head_mut(), |head| head.set_status(status)),
            Action::Declare(n) => yes_or_no(view.set_declared_bytes(u64::from(n))),
            Action::DropInterest(bits) => {
                let all = [Interest::HEAD, Interest::DATA, Interest::TRAILERS];
                for (bit, interest) in all.into_iter().enumerate() {
                    if bits & (1 << bit) != 0 {
                        view.drop_interest(interest);
                    }
                }
                Done::Yes
            }
            _ => unreachable!("bytes and handles are handled by the caller"),
        }
    }

    fn use_handle<H: TestHead>(&self, action: Action, view: &mut View<'_, H>) -> Done {
        match action {
            Action::Handle => {
                let handle = view.resume_handle();
                locked(&self.world.handles)[self.station].push(handle);
                Done::Yes
            }
            Action::DropHandle => {
                // Out of the lock before it is dropped: the last one wakes.
                let handle = locked(&self.world.handles)[self.station].pop();
                yes_or_no(handle.is_some())
            }
            Action::Resume(station) => resume_one(&self.world, usize::from(station)),
            _ => unreachable!("only actions on handles come here"),
        }
    }

    fn informed<H: TestHead>(&mut self, head: &mut H) -> Interim {
        self.live = true;
        let event = Event::Inform { station: self.station, head: head.seen() };
        locked(&self.world.log).push(event);
        match self.script.informs {
            Informs::Pass => {}
            Informs::Tag => tag(head, self.station),
            Informs::Drop => return Interim::Drop,
            Informs::Final => head.set_status(200),
            Informs::Panic => {
                self.panicked = true;
                resume_unwind(Box::new("scripted panic in informational"));
            }
        }
        Interim::Pass
    }

    fn closed(&mut self, outcome: &Outcome) {
        let event = Event::Close { station: self.station, outcome: Ended::of(outcome) };
        locked(&self.world.log).push(event);
        if self.script.panics_in_close {
            self.panicked = true;
            resume_unwind(Box::new("scripted panic in close"));
        }
    }
}

impl Scripted {
    /// As new, if it is one that stays.
    fn recycled(&mut self) -> bool {
        if self.panicked {
            // A panic here would be contained.
            self.world.asked_after_panic.fetch_add(1, Relaxed);
        }
        let stays = self.world.recycling.load(Relaxed) & (1 << self.station) != 0;
        if stays {
            locked(&self.world.let_go)[self.station] += 1;
            (self.calls, self.added, self.kept) = (0, 0, 0);
        }
        stays
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.world.alive.fetch_sub(1, Relaxed);
        locked(&self.world.let_go)[self.station] += 1;
        if self.script.panics_in_drop && self.live && !std::thread::panicking() {
            resume_unwind(Box::new("scripted panic in drop"));
        }
    }
}

impl<H: TestHead> Filter<H> for Scripted {
    fn declare(&self) -> Declaration {
        declaration(&self.script)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(Callback::Head, view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(Callback::Data, view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(Callback::Trailers, view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(Callback::Resume, view)
    }

    fn informational(&mut self, head: &mut H) -> Interim {
        self.informed(head)
    }

    fn close(&mut self, outcome: &Outcome) {
        self.closed(outcome);
    }

    fn recycle(&mut self) -> bool {
        self.recycled()
    }
}

/// The same without a trailers callback: the default asks `data`.
pub(crate) struct Blind(pub Scripted);

impl<H: TestHead> Filter<H> for Blind {
    fn declare(&self) -> Declaration {
        declaration(&self.0.script)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0.call(Callback::Head, view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0.call(Callback::Data, view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0.call(Callback::Resume, view)
    }

    fn informational(&mut self, head: &mut H) -> Interim {
        self.0.informed(head)
    }

    fn close(&mut self, outcome: &Outcome) {
        self.0.closed(outcome);
    }

    fn recycle(&mut self) -> bool {
        self.0.recycled()
    }
}

/// Resumes through the first handle of `station`, if there is one.
pub(crate) fn resume_one(world: &World, station: usize) -> Done {
    // A clone, so that the world is not locked while the waker runs.
    let handle = locked(&world.handles).get(station).and_then(|all| all.first().cloned());
    match handle {
        Some(handle) => Done::Resumed(handle.resume()),
        None => Done::No,
    }
}

fn tag<H: TestHead>(head: &mut H, station: usize) {
    let tag = HeaderValue::from_bytes(&[b'0' + station as u8]);
    head.headers_mut().append("x-tag", tag.expect("a digit is a field value"));
}

fn verdict<H: TestHead>(step: &Step, view: &mut View<'_, H>) -> Verdict {
    let mut verdict = match step.answer {
        Answer::Pass => Verdict::PASS,
        Answer::Hold => Verdict::HOLD,
        Answer::First(n) => Verdict::pass_first(usize::from(n)),
        Answer::FirstAll => Verdict::pass_first(usize::MAX),
        Answer::End => Verdict::END,
        Answer::Reply { status, body } => return view.reply(reply(status, body)),
        Answer::Fail => return view.fail(Error::filter_failed("scripted failure")),
        Answer::Panic => resume_unwind(Box::new("scripted panic")),
    };
    if step.reject {
        verdict = verdict.or_reject();
    }
    if step.quiet {
        verdict = verdict.quiet();
    }
    if step.again {
        verdict = verdict.again();
    }
    verdict
}

fn taken(result: Result<BodyBuf, EditError>) -> Done {
    match result {
        Ok(body) => Done::Taken(bytes_of(&body)),
        Err(error) => refused(&error),
    }
}

fn edited<T: ?Sized>(part: Option<&mut T>, edit: impl FnOnce(&mut T)) -> Done {
    yes_or_no(part.map(edit).is_some())
}

fn yes_or_no(yes: bool) -> Done {
    if yes { Done::Yes } else { Done::No }
}

fn refused(error: &EditError) -> Done {
    match error.kind() {
        EditErrorKind::Full => Done::Full,
        EditErrorKind::TooLarge { high_bytes } => Done::TooLarge(high_bytes),
        EditErrorKind::NoBody => Done::NoBody,
        EditErrorKind::Undeclared(capability) => Done::Undeclared(capability.name()),
        _ => Done::No,
    }
}
