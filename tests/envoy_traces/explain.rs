//! Why two courses differ: each difference needs a rule that the recording breaks, or a caveat that
//! the trace shows. What has neither is unexplained.

use crate::caveat::Caveat;
use crate::compare::{Difference, Part, Place};
use crate::moment::Moment;
use crate::rules::Violation;
use crate::trace::entry::Callback;
use crate::trace::{Direction, Entry, Trace};

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Envoy broke a rule in the same direction, not later.
    Broken(Violation),
    /// Envoy broke a rule in the other direction, and this followed from it.
    Follows(Violation),
    Caveat(Caveat),
}

/// The reason for one difference; none: it is unexplained.
pub(crate) fn explain(
    trace: &Trace,
    envoy: &[Moment],
    violations: &[Violation],
    one: &Difference,
) -> Option<Reason> {
    let shown = |narrow: bool| {
        let mut all = Caveat::ALL.into_iter().filter(|caveat| caveat.is_narrow() == narrow);
        all.find(|caveat| caveat.holds(trace, envoy, one)).map(Reason::Caveat)
    };
    let broken = |own: bool| {
        let mut by_then = violations.iter().filter(|violation| violation.step <= one.step);
        by_then.find(|violation| (violation.direction == one.direction) == own).cloned()
    };
    let follows = || broken(false).filter(|_| carries_over(trace, one)).map(Reason::Follows);
    shown(true)
        .or_else(|| broken(true).map(Reason::Broken))
        .or_else(|| shown(false))
        .or_else(follows)
}

/// Whether what happens in the other direction can make this difference.
fn carries_over(trace: &Trace, one: &Difference) -> bool {
    match one.direction {
        // The origin's stream is one: it is reset when its response is not wanted any more.
        Direction::Request => one.place == Place::Sink && one.part == Part::Reset,
        // A request that is answered by the engine, in one course only.
        Direction::Response => {
            let status = |seen: &crate::moment::Seen| {
                seen.head.as_ref().and_then(|head| head.get(":status").cloned())
            };
            let replied =
                trace.steps.iter().filter(|record| record.step <= one.step).any(|record| {
                    record.filters.iter().any(|entry| {
                        matches!(entry, Entry::Enter(enter) if enter.cb == Callback::LocalReply
                        && enter.details.as_deref() == Some("request_payload_too_large"))
                    })
                });
            let refused = status(&one.ours).as_deref() == Some("413");
            (replied || refused) && status(&one.envoy) != status(&one.ours)
        }
    }
}
