//! Filters that play a script and log every call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tidegate::filter::Interim;
use tidegate::{
    BodyBuf, Capability, Declaration, Filter, Interest, Marks, Outcome, ResumeHandle, Verdict, View,
};

use super::{Dir, HOLD, PASS, render};

/// What a filter does in one call.
type Action<H> = Arc<dyn Fn(&mut View<'_, H>) -> Verdict + Send + Sync>;

/// What a filter does with an informational head.
type OnInformational<H> = Arc<dyn Fn(&mut H) -> Interim + Send + Sync>;

/// What a filter does when its message is over.
type OnClose = Arc<dyn Fn(&Outcome) + Send + Sync>;

/// The calls of one kind: the n-th call plays the n-th action, then `always`, or else passes.
struct Calls<H> {
    actions: Vec<Action<H>>,
    always: Option<Action<H>>,
}

impl<H> Default for Calls<H> {
    fn default() -> Self {
        Self { actions: Vec::new(), always: None }
    }
}

/// What a filter will do: one action a call, in order; what is not scripted passes.
///
/// Unless told otherwise it wants everything, prefers every capability but *add trailers*, and
/// leaves a resume handle with the run at its first call, so that [`Run::resume`] can ask it again.
///
/// [`Run::resume`]: super::Run::resume
pub(crate) struct Script<H> {
    pub(crate) name: &'static str,
    pub(crate) declaration: Declaration,
    head: Calls<H>,
    data: Calls<H>,
    trailers: Calls<H>,
    resume: Calls<H>,
    on_informational: Option<OnInformational<H>>,
    on_close: Option<OnClose>,
    on_drop: Option<Arc<dyn Fn() + Send + Sync>>,
    keeps_handle: bool,
    shows_all: bool,
}

/// An empty script: a filter that sees and passes everything.
pub(crate) fn script<H: Dir>(name: &'static str) -> Script<H> {
    let declaration = Declaration::new()
        .prefer(Capability::HoldHead)
        .prefer(Capability::KeepToEnd)
        .prefer(Capability::EditBytes)
        .prefer(Capability::ChangeLength)
        .prefer(Capability::SeeEnd);
    Script {
        name,
        declaration,
        head: Calls::default(),
        data: Calls::default(),
        trailers: Calls::default(),
        resume: Calls::default(),
        on_informational: None,
        on_close: None,
        on_drop: None,
        keeps_handle: true,
        shows_all: false,
    }
}

/// The four kinds of call have the same three setters: a verdict, a closure, and for ever.
macro_rules! setters {
    ($($kind:ident $with:ident $always:ident),+ $(,)?) => {$(
        pub(crate) fn $kind(mut self, verdict: Verdict) -> Self {
            self.$kind.actions.push(Arc::new(move |_| verdict));
            self
        }

        pub(crate) fn $with(
            mut self,
            action: impl Fn(&mut View<'_, H>) -> Verdict + Send + Sync + 'static,
        ) -> Self {
            self.$kind.actions.push(Arc::new(action));
            self
        }

        pub(crate) fn $always(
            mut self,
            action: impl Fn(&mut View<'_, H>) -> Verdict + Send + Sync + 'static,
        ) -> Self {
            self.$kind.always = Some(Arc::new(action));
            self
        }
    )+};
}

impl<H: Dir> Script<H> {
    setters! {
        head head_with head_always,
        data data_with data_always,
        trailers trailers_with trailers_always,
        resume resume_with resume_always,
    }

    /// Is asked about each informational head.
    pub(crate) fn informational(
        mut self,
        action: impl Fn(&mut H) -> Interim + Send + Sync + 'static,
    ) -> Self {
        self.on_informational = Some(Arc::new(action));
        self
    }

    /// Runs in `close`.
    pub(crate) fn close_with(mut self, action: impl Fn(&Outcome) + Send + Sync + 'static) -> Self {
        self.on_close = Some(Arc::new(action));
        self
    }

    /// Runs when a filter that was called is dropped.
    pub(crate) fn drop_with(mut self, action: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_drop = Some(Arc::new(action));
        self
    }

    pub(crate) fn wants(mut self, interest: Interest) -> Self {
        self.declaration = self.declaration.interest(interest);
        self
    }

    /// Marks with the low one at half.
    pub(crate) fn high(self, bytes: u64) -> Self {
        self.marks(Marks::from_high(bytes))
    }

    pub(crate) fn marks(mut self, marks: Marks) -> Self {
        self.declaration = self.declaration.marks(marks);
        self
    }

    pub(crate) fn adds_trailers(self) -> Self {
        self.prefers(Capability::AddTrailers)
    }

    pub(crate) fn prefers(mut self, capability: Capability) -> Self {
        self.declaration = self.declaration.prefer(capability);
        self
    }

    pub(crate) fn requires(mut self, capability: Capability) -> Self {
        self.declaration = self.declaration.require(capability);
        self
    }

    /// Declares no capability.
    pub(crate) fn without_needs(mut self) -> Self {
        let Declaration { interest, marks, .. } = self.declaration;
        self.declaration = Declaration::new().interest(interest).marks(marks);
        self
    }

    /// Leaves no resume handle with the run: nobody can ask it again.
    pub(crate) fn no_handle(mut self) -> Self {
        self.keeps_handle = false;
        self
    }

    /// Logs `D("held"+"new",0)` instead of `D("new",0)`.
    pub(crate) fn shows_all(mut self) -> Self {
        self.shows_all = true;
        self
    }

    pub(crate) fn into_factory(
        self,
        log: &Log,
    ) -> impl Fn() -> Actor<H> + Send + Sync + use<H> + 'static {
        let (script, log) = (Arc::new(self), log.clone());
        move || Actor {
            script: Arc::clone(&script),
            log: log.clone(),
            made: [0; 4],
            called: false,
            closed: false,
        }
    }
}

/// Everything the filters of one run have to tell.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Entries>>);

#[derive(Default)]
pub(crate) struct Entries {
    /// Calls since the last look.
    pub(crate) calls: Vec<String>,
    /// How many calls there were in all.
    pub(crate) count: u64,
    pub(crate) closes: Vec<String>,
    pub(crate) drops: Vec<&'static str>,
    pub(crate) handles: BTreeMap<&'static str, ResumeHandle>,
}

impl Log {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The filter that plays a script for one message.
pub(crate) struct Actor<H> {
    script: Arc<Script<H>>,
    log: Log,
    made: [usize; 4],
    called: bool,
    closed: bool,
}

impl<H: Dir> Actor<H> {
    fn play(
        &mut self,
        kind: usize,
        entry: &str,
        view: &mut View<'_, H>,
        calls: impl Fn(&Script<H>) -> &Calls<H>,
    ) -> Verdict {
        let script = Arc::clone(&self.script);
        let handle = (script.keeps_handle && !self.called).then(|| view.resume_handle());
        self.called = true;
        {
            let mut log = self.log.lock();
            let late = if self.closed { " after close" } else { "" };
            log.calls.push(format!("{}.{entry}{late}", script.name));
            log.count += 1;
            if let Some(handle) = handle {
                log.handles.insert(script.name, handle);
            }
        }
        let calls = calls(&script);
        let action = calls.actions.get(self.made[kind]).or(calls.always.as_ref());
        self.made[kind] += 1;
        action.map_or(PASS, |action| action(view))
    }

    fn shown(&self, view: &View<'_, H>) -> String {
        let all = render::bytes(view.body());
        let (held, new) = all.split_at(view.new_at());
        if self.script.shows_all && !held.is_empty() {
            return format!("\"{}\"+\"{}\"", render::text(held), render::text(new));
        }
        format!("\"{}\"", render::text(new))
    }
}

impl<H: Dir> Filter<H> for Actor<H> {
    fn declare(&self) -> Declaration {
        self.script.declaration.clone()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let head = view.head().expect("the head is in the view of its own callback");
        let entry = render::head(head, view.is_local_reply(), view.input_ended());
        self.play(0, &entry, view, |script| &script.head)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let entry = format!("D({},{})", self.shown(view), u8::from(view.input_ended()));
        self.play(1, &entry, view, |script| &script.data)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        let fields = render::fields(view.trailers().expect("the trailers are in the view"));
        assert!(view.input_ended(), "trailers are the end of the input");
        self.play(2, &format!("T({fields})"), view, |script| &script.trailers)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        assert_eq!(view.new_at(), view.body().len(), "nothing is new on resume");
        let all = render::text(&render::bytes(view.body()));
        let entry = format!("resume(\"{all}\",{})", u8::from(view.input_ended()));
        self.play(3, &entry, view, |script| &script.resume)
    }

    fn informational(&mut self, head: &mut H) -> Interim {
        {
            let mut log = self.log.lock();
            log.calls.push(format!("{}.{}", self.script.name, render::informational(head)));
            log.count += 1;
        }
        self.script.on_informational.as_ref().map_or(Interim::Pass, |action| action(head))
    }

    fn close(&mut self, outcome: &Outcome) {
        let entry = format!("{}.close({})", self.script.name, render::outcome(outcome));
        self.log.lock().closes.push(entry);
        self.closed = true;
        if let Some(action) = &self.script.on_close {
            action(outcome);
        }
    }
}

impl<H> Drop for Actor<H> {
    fn drop(&mut self) {
        if !self.called {
            return;
        }
        self.log.lock().drops.push(self.script.name);
        if let Some(action) = &self.script.on_drop {
            action();
        }
    }
}

/// Takes everything out of the message and holds: Envoy's `StopIterationNoBuffer` of a filter that
/// keeps the bytes itself.
pub(crate) fn take_then<H: Dir>(
    verdict: Verdict,
) -> impl Fn(&mut View<'_, H>) -> Verdict + Send + Sync + 'static {
    move |view| {
        drop(view.take().expect("a granted edit"));
        verdict
    }
}

/// Adds text behind everything.
pub(crate) fn push_then<H: Dir>(
    text: &'static str,
    verdict: Verdict,
) -> impl Fn(&mut View<'_, H>) -> Verdict + Send + Sync + 'static {
    move |view| {
        view.push(Bytes::from_static(text.as_bytes())).expect("room for an edit");
        verdict
    }
}

/// Sets a trailer field.
pub(crate) fn add_trailer<H: Dir>(
    name: &'static str,
    value: &'static str,
    verdict: Verdict,
) -> impl Fn(&mut View<'_, H>) -> Verdict + Send + Sync + 'static {
    move |view| {
        let map = view.trailers_mut().expect("trailers to add to");
        map.append(name, value.parse().expect("a field value"));
        verdict
    }
}
