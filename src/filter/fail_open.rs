use core::fmt;

use super::{Declaration, Filter, Head, Interest, Interim, Verdict, View};
use crate::error::{Error, ErrorKind, Origin};
use crate::frame::Outcome;
use crate::sync::ConstArc as Arc;

/// A filter that a message can do without when the extension behind it fails.
///
/// An extension is what a filter asks for its decisions: an external processor, a policy server.
/// Where the filter fails a message because of it, that is, with an error of [`Origin::Processor`],
/// the message goes on without this filter (*fail open*) instead of failing (*fail closed*). Any
/// other failure, and a panic, fails the message as always: to refuse a message is no failure of an
/// extension.
///
/// # What becomes of what it holds
///
/// As long as the filter has not changed the message, what it holds is what came. All of it is
/// released as it is, in order: the head, the bytes, then the end or the trailers. What has queued
/// behind it, unseen, passes by, and so does all that comes later. The filter is not asked again,
/// but closed at the end; what it [said it keeps](View::set_kept_bytes) counts no more.
///
/// Once it has changed the message, failing open is refused: what the next filter got is neither
/// the message as it came nor what the extension would have made of it. The message fails with
/// [`ErrorKind::FailOpenRefused`], with the extension's error beneath. Changed means: an edit of
/// the body that was not refused, bytes taken out, trailers or a length set; and the head or the
/// trailers asked for as `&mut`, as nobody can tell what became of them. For an async filter it is
/// to have taken any of the body, or looked at the head, as it can only do so with the means to
/// change it. What was only held, and released, is no change.
///
/// How often this happened to a message is counted in its [`Stats`](crate::chain::Stats).
pub struct FailOpen<F> {
    filter: F,
    state: State,
    on_open: Option<Told>,
}

/// Who is told that the extension failed.
type Told = Arc<dyn Fn(&Error) + Send + Sync>;

/// What is known of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it came.
    Unchanged,
    /// Changed by the filter.
    Changed,
    /// The filter is out of it.
    Open,
}

impl<F> FailOpen<F> {
    /// Lets messages go on without `filter` when its extension fails.
    #[must_use]
    pub fn new(filter: F) -> Self {
        Self { filter, state: State::Unchanged, on_open: None }
    }

    /// Sets who is told each time this happens, and by which error: on the path of the message, so
    /// it should be short. A panic in it fails the message.
    #[must_use]
    pub fn on_open(mut self, told: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_open = Some(Arc::new(told));
        self
    }

    /// Makes one call of the filter, and looks at how it ends.
    fn call<H: Head>(
        &mut self,
        view: &mut View<'_, H>,
        callback: impl FnOnce(&mut F, &mut View<'_, H>) -> Verdict,
    ) -> Verdict {
        if self.state == State::Open {
            return Verdict::PASS;
        }
        let verdict = callback(&mut self.filter, view);
        if view.has_changed() {
            self.state = State::Changed;
        }
        if verdict.is_fail() && view.failure_origin() == Some(Origin::Processor) {
            return self.fail(view, verdict);
        }
        verdict
    }

    /// The extension failed.
    #[cold]
    fn fail<H: Head>(&mut self, view: &mut View<'_, H>, verdict: Verdict) -> Verdict {
        let Some(error) = view.withdraw_failure() else { return verdict };
        match self.state {
            State::Unchanged | State::Open => {
                self.state = State::Open;
                view.note_open();
                // What it has said of the message goes with it; nothing, if the head has gone.
                let _ = view.set_result("");
                view.drop_interest(Interest::ALL);
                if let Some(told) = &self.on_open {
                    told(&error);
                }
                Verdict::PASS
            }
            State::Changed => {
                let origin = error.origin();
                view.fail(Error::with_source(ErrorKind::FailOpenRefused, origin, error))
            }
        }
    }
}

impl<H: Head, F: Filter<H>> Filter<H> for FailOpen<F> {
    fn declare(&self) -> Declaration {
        self.filter.declare()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view, |filter, view| filter.head(view))
    }

    #[inline]
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view, |filter, view| filter.data(view))
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view, |filter, view| filter.trailers(view))
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view, |filter, view| filter.resume(view))
    }

    fn informational(&mut self, head: &mut H) -> Interim {
        // These come before the head: the filter is never out of the message yet.
        self.filter.informational(head)
    }

    fn close(&mut self, outcome: &Outcome) {
        self.filter.close(outcome);
    }

    fn recycle(&mut self) -> bool {
        self.state = State::Unchanged;
        self.filter.recycle()
    }
}

impl<F: fmt::Debug> fmt::Debug for FailOpen<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailOpen")
            .field("filter", &self.filter)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
