//! The exchange of a scenario.

use std::fmt;

use tidegate::exchange::{
    EarlyResponse, ExchangePlan, ExchangePlanBuilder, RequestSide, ResponseSide,
};
use tidegate::{Capabilities, Marks, MessageTraits};

use http::{request, response};

use super::actor::{Actor, Role};
use super::board::Board;
use super::kind::Kind;
use super::numbers::Numbers;
use super::stock::{Part, Stock};
use crate::trace::entry::Callback;
use crate::trace::{Direction, Input, Status, Step, Trace, Verb};

/// Why a scenario cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoCounterpart {
    /// A filter that is asked before a local reply goes out vetoes it.
    LocalReplyVeto,
    /// A filter sends a response piece by piece of its own, beside the message.
    ResponseOfItsOwn,
    /// A stock filter that has not been written here.
    StockFilter,
}

impl NoCounterpart {
    pub(crate) const ALL: [Self; 3] =
        [Self::LocalReplyVeto, Self::ResponseOfItsOwn, Self::StockFilter];
}

impl fmt::Display for NoCounterpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalReplyVeto => {
                "a hook of every filter before a local reply, which can reset the stream instead: \
                 tidegate has none (architecture.md, section 11, number 72)"
            }
            Self::ResponseOfItsOwn => {
                "a filter sends a response piece by piece: a local reply is whole"
            }
            Self::StockFilter => "a stock filter of Envoy that is not played here",
        })
    }
}

/// Envoy's limit where a scenario sets none, in bytes.
const DEFAULT_LIMIT_BYTES: u64 = 1 << 20;

/// The limit that a scenario sets, in bytes. Envoy has one for the stream; here it is the high mark
/// of every filter and of the output queues.
pub(crate) fn limit_bytes(trace: &Trace) -> Option<u64> {
    let verbs = trace.script.chain.iter().flat_map(|filter| filter.cb.values());
    let mut verbs = verbs.flat_map(|acts| acts.values()).flat_map(|act| &act.verbs);
    let set = verbs.find_map(|verb| match verb {
        Verb::SetBufferLimit(bytes) => Some(*bytes),
        _ => None,
    });
    set.or(trace.script.opts.listener_buffer_limit)
}

fn check(trace: &Trace) -> Result<(), NoCounterpart> {
    for filter in &trace.script.chain {
        for (callback, acts) in &filter.cb {
            for act in acts.values() {
                if *callback == Callback::LocalReply
                    && act.status == Some(Status::ContinueAndResetStream)
                {
                    return Err(NoCounterpart::LocalReplyVeto);
                }
                if act.verbs.iter().any(sends_a_response) {
                    return Err(NoCounterpart::ResponseOfItsOwn);
                }
            }
        }
        if let Some(builtin) = &filter.builtin {
            for direction in Direction::BOTH {
                Part::of(builtin, direction).ok_or(NoCounterpart::StockFilter)?;
            }
        }
    }
    Ok(())
}

fn sends_a_response(verb: &Verb) -> bool {
    match verb {
        Verb::SendResponseHeaders { .. }
        | Verb::SendResponseData { .. }
        | Verb::SendResponseTrailers(..) => true,
        Verb::On(_, verb) => sends_a_response(verb),
        Verb::Resume(_)
        | Verb::Append(..)
        | Verb::Drain(..)
        | Verb::SetHeader(..)
        | Verb::SetTrailer(..)
        | Verb::LocalReply { .. }
        | Verb::Schedule(_)
        | Verb::SetBufferLimit(_)
        | Verb::ResetStream
        | Verb::Peek => false,
    }
}

/// Whether the source sends the end of this direction apart from the head.
fn end_is_apart(trace: &Trace, direction: Direction) -> bool {
    !inputs(&trace.script.steps)
        .any(|(of, input)| of == direction && matches!(input, Input::Headers { end: true, .. }))
}

fn inputs(steps: &[Step]) -> Box<dyn Iterator<Item = (Direction, &Input)> + '_> {
    Box::new(steps.iter().flat_map(|step| match step {
        Step::Input(direction, input) => {
            Box::new(std::iter::once((*direction, input))) as Box<dyn Iterator<Item = _>>
        }
        Step::Batch(steps) => inputs(steps),
        _ => Box::new(std::iter::empty()),
    }))
}

/// Both sides, and the bound of what they may hold in bytes.
pub(crate) fn exchange(
    trace: &Trace,
    board: &Board,
) -> Result<(RequestSide, ResponseSide, u64), NoCounterpart> {
    check(trace)?;
    let marks = Marks::from_high(limit_bytes(trace).unwrap_or(DEFAULT_LIMIT_BYTES));
    let mut plan = ExchangePlan::builder().output_marks(marks, marks);
    for index in 0..trace.script.chain.len() {
        plan = filter(plan, trace, index, marks, board);
    }
    let all = Capabilities::ALL;
    let plan = plan.build().expect("a plan").bind(all, all).expect("an edge that can do all");
    // As Envoy does by default.
    let plan = plan.early_response(EarlyResponse::Stop);
    let traits = MessageTraits::new();
    let (request, response) = plan.exchange(traits, traits).expect("messages that can do all");
    Ok((request, response, plan.held_bound_bytes()))
}

fn filter(
    plan: ExchangePlanBuilder,
    trace: &Trace,
    index: usize,
    marks: Marks,
    board: &Board,
) -> ExchangePlanBuilder {
    let spec = &trace.script.chain[index];
    let (name, limited) = (spec.name.clone(), limit_bytes(trace).is_some());
    if let Some(builtin) = &spec.builtin {
        let part = |direction| Part::of(builtin, direction).expect("it was checked");
        let (up, down) = (part(Direction::Request), part(Direction::Response));
        let up = stock::<request::Parts>(trace, up, marks, &name, board);
        let down = stock::<response::Parts>(trace, down, marks, &name, board);
        return plan.request(name.clone(), up).response(name, down);
    }
    let role = |direction| Role {
        spec: spec.clone(),
        marks,
        limited,
        end_is_apart: end_is_apart(trace, direction),
        board: board.clone(),
    };
    let up = actor::<request::Parts>(trace, role(Direction::Request));
    let down = actor::<response::Parts>(trace, role(Direction::Response));
    plan.request(name.clone(), up).response(name, down)
}

fn actor<H: Kind>(trace: &Trace, role: Role) -> impl Fn() -> Actor<H> + Send + Sync + use<H> {
    let numbers = Numbers::of(trace, &role.spec.name, H::DATA);
    move || Actor::new(role.clone(), numbers.clone())
}

fn stock<H: Kind>(
    trace: &Trace,
    part: Part,
    marks: Marks,
    name: &str,
    board: &Board,
) -> impl Fn() -> Stock<H> + Send + Sync + use<H> {
    let ends_with_head = !end_is_apart(trace, H::DIRECTION);
    let (name, board) = (name.to_owned(), board.clone());
    move || Stock::new(part, marks, ends_with_head, name.clone(), board.clone())
}
