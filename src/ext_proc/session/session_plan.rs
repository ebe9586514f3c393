use core::fmt;
use std::borrow::Cow;

use super::half_terms::HalfTerms;
use super::{BindError, Session, SessionSettings};
use crate::exchange::{BoundExchangePlan, Direction, ExchangePlan, Observer};
use crate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode, Promise, SendMode, Terms};
use crate::filter::{Capabilities, Capability, Declaration, Interest, Keeping};
use crate::sync::ConstArc as Arc;

/// The filters of an exchange, bound to what an external processor can do in a mode. Cheap to
/// clone; makes a [`Session`] for each stream.
#[derive(Clone)]
pub struct SessionPlan(Arc<Inner>);

struct Inner {
    plan: ExchangePlan,
    settings: SessionSettings,
    observer: Option<Observer>,
    /// What the stated mode makes of the plan. Another one that a stream announces is bound then.
    /// `None` if the plan cannot run in it and another one is chosen for each exchange.
    stated: Option<Bound>,
}

/// A plan in a mode.
#[derive(Clone)]
pub(super) struct Bound {
    pub(super) plan: BoundExchangePlan,
    pub(super) mode: ProcessingMode,
    pub(super) request: HalfTerms,
    pub(super) response: HalfTerms,
}

impl SessionPlan {
    /// Binds `plan` to the mode of `settings`. Where another mode [is chosen] for each exchange,
    /// the plan need not fit the stated one: an exchange for which none is chosen is then refused
    /// when it comes.
    ///
    /// [is chosen]: SessionSettings::choose_mode
    ///
    /// # Errors
    ///
    /// [`BindError`], naming the filter, what it asks, and the mode that does not have it.
    pub fn new(plan: ExchangePlan, settings: SessionSettings) -> Result<Self, BindError> {
        let stated = match bind(&plan, &settings, settings.mode, false) {
            Ok(stated) => Some(stated),
            Err(_) if settings.choose_mode.is_some() => None,
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Inner { plan, settings, observer: None, stated })))
    }

    /// The same with somebody who is told how each message ended.
    #[must_use]
    pub fn on_finish(self, observer: Observer) -> Self {
        let Inner { plan, settings, stated, .. } = match Arc::try_unwrap(self.0) {
            Ok(inner) => inner,
            Err(shared) => Inner {
                plan: shared.plan.clone(),
                settings: shared.settings.clone(),
                observer: None,
                stated: shared.stated.clone(),
            },
        };
        Self(Arc::new(Inner { plan, settings, observer: Some(observer), stated }))
    }

    /// What was stated.
    #[must_use]
    pub fn settings(&self) -> &SessionSettings {
        &self.0.settings
    }

    /// A session for one stream. Does not allocate before its first message.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.clone())
    }

    /// The most payload bytes that one session keeps in the stated mode: what both chains can hold
    /// ([`ExchangePlan::held_bound_bytes`]), what waits for them, and what waits to be answered.
    /// Besides, one piece that the transport had read already.
    ///
    /// In `BUFFERED` and `BUFFERED_PARTIAL` that includes the whole body of a direction whose
    /// filters may edit it, up to [`SessionSettings::max_whole_bytes`]; and also where the plan
    /// cannot run in the stated mode, as any other may be chosen.
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        let Inner { plan, settings, stated, .. } = &*self.0;
        let answers = match stated {
            Some(Bound { request, response, .. }) => {
                request.answer_bytes().saturating_add(response.answer_bytes())
            }
            None => settings.max_whole_bytes.saturating_mul(2),
        };
        // What a stream announces stands behind a first message that is a body: it waits whole.
        let modes = [settings.mode.request, settings.mode.response];
        let queued_bytes = if modes.iter().all(|mode| mode.headers() == SendMode::Send) {
            settings.queue_high_bytes
        } else {
            settings.queue_high_bytes.max(settings.max_whole_bytes)
        };
        plan.held_bound_bytes()
            .saturating_add(answers)
            .saturating_add(queued_bytes)
            .saturating_add(settings.max_reply_bytes)
    }

    pub(super) fn observer(&self) -> Option<&Observer> {
        self.0.observer.as_ref()
    }

    /// The plan in `mode`: as it was bound, or anew.
    pub(super) fn bound(
        &self,
        mode: ProcessingMode,
        observes: bool,
    ) -> Result<Cow<'_, Bound>, BindError> {
        let Inner { plan, settings, stated, .. } = &*self.0;
        match stated {
            Some(stated) if mode == stated.mode && !observes => Ok(Cow::Borrowed(stated)),
            _ => bind(plan, settings, mode, observes).map(Cow::Owned),
        }
    }
}

fn bind(
    plan: &ExchangePlan,
    settings: &SessionSettings,
    mode: ProcessingMode,
    observes: bool,
) -> Result<Bound, BindError> {
    let (request, response) = (Direction::Request, Direction::Response);
    let request_terms = terms(settings, mode.request, settings.request_promise, observes);
    let response_terms = terms(settings, mode.response, settings.response_promise, observes);
    let for_request = request_terms.grant(request, plan.request().filters())?;
    let for_response = response_terms.grant(response, plan.response().filters())?;
    Ok(Bound {
        plan: plan.bind(for_request, for_response)?,
        mode,
        request: half_terms(settings, request_terms, observes, for_request, || {
            plan.request().filters().map(|(_, declaration)| declaration)
        }),
        response: half_terms(settings, response_terms, observes, for_response, || {
            plan.response().filters().map(|(_, declaration)| declaration)
        }),
    })
}

fn terms(
    settings: &SessionSettings,
    mode: DirectionMode,
    promise: Promise,
    observes: bool,
) -> Terms {
    let mut terms = Terms::new(mode).promise(promise);
    if settings.keeps_length {
        terms = terms.keeping_length();
    }
    if observes { terms.observing() } else { terms }
}

fn half_terms<'a, I>(
    settings: &SessionSettings,
    terms: Terms,
    observes: bool,
    granted: Capabilities,
    filters: impl Fn() -> I,
) -> HalfTerms
where
    I: Iterator<Item = &'a Declaration>,
{
    let mode = terms.mode();
    let wants_heads = filters().any(|each| each.interest.contains(Interest::HEAD));
    let edits = Capabilities::NONE.with(Capability::EditBytes).with(Capability::ChangeLength);
    let may_edit = |each: &Declaration| {
        let has = (each.required | each.preferred).and(granted).and(edits);
        has != Capabilities::NONE
    };
    let may_edit_body = filters().any(may_edit);
    let may_keep = |each: &Declaration| {
        each.keeping == Keeping::MayKeep && each.interest.contains(Interest::DATA)
    };
    let is_streamed = !observes && mode.body() == BodyMode::Streamed;
    let counts_body = is_streamed && !may_edit_body && !filters().any(may_keep);
    let is_buffered = matches!(mode.body(), BodyMode::Buffered | BodyMode::BufferedPartial);
    HalfTerms {
        mode,
        observes,
        keeps_head: !observes && (wants_heads || (is_buffered && may_edit_body)),
        may_edit_body,
        follows_body: (is_streamed && !counts_body) || (!observes && is_buffered && may_edit_body),
        counts_body,
        ends_with_body: !observes
            && mode.body() == BodyMode::Buffered
            && !granted.has(Capability::SeeTrailers),
        shows_end: terms.capabilities().has(Capability::SeeEnd),
        hides_end: !observes && mode.trailers() == SendMode::Skip && !terms.has_no_trailers(),
        may_have_trailers: !observes && !terms.has_no_trailers(),
        routing: settings.routing,
        reroutes: settings.reroutes,
        max_reply_bytes: settings.max_reply_bytes,
        max_whole_bytes: settings.max_whole_bytes,
        piece_bytes: settings.piece_bytes,
    }
}

impl fmt::Debug for SessionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionPlan")
            .field("plan", &self.0.plan)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
