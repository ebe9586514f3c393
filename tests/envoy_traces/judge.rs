//! One trace: played, compared, explained.

use crate::compare::{Difference, differences};
use crate::explain::{Reason, explain};
use crate::moment::Moment;
use crate::observe::observe;
use crate::play::{NoCounterpart, play};
use crate::rules::follow;
use crate::trace::Trace;

/// A difference, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) difference: Difference,
    /// None: nothing explains it.
    pub(crate) reason: Option<Reason>,
}

/// How a run of ours compares with a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    NoCounterpart(NoCounterpart),
    Same,
    /// Never empty.
    Differs(Vec<Finding>),
    /// tidegate broke rules, whatever Envoy did; or the recording contradicts itself.
    Faulty(Vec<String>),
}

pub(crate) fn judge(trace: &Trace) -> Judgement {
    let played = match play(trace) {
        Ok(played) => played,
        Err(reason) => return Judgement::NoCounterpart(reason),
    };
    if !played.faults.is_empty() {
        return Judgement::Faulty(played.faults);
    }
    compare(trace, &played.moments)
}

/// Compares what was seen of a run of ours with the recording.
pub(crate) fn compare(trace: &Trace, ours: &[Moment]) -> Judgement {
    let envoy: Vec<Moment> = observe(trace);
    let found = differences(&envoy, ours, trace.script.loose);
    if found.is_empty() {
        return Judgement::Same;
    }
    let broken = match follow(trace) {
        Ok(broken) => broken,
        Err(error) => return Judgement::Faulty(vec![format!("it cannot be followed: {error}")]),
    };
    let findings = found.into_iter().map(|difference| {
        let reason = explain(trace, &envoy, &broken, &difference);
        Finding { difference, reason }
    });
    Judgement::Differs(findings.collect())
}

impl Judgement {
    /// What nothing explains, one line each.
    pub(crate) fn unexplained(&self) -> Vec<String> {
        match self {
            Self::NoCounterpart(_) | Self::Same => Vec::new(),
            Self::Faulty(faults) => faults.clone(),
            Self::Differs(findings) => {
                let open = findings.iter().filter(|finding| finding.reason.is_none());
                open.map(|finding| finding.difference.to_string()).collect()
            }
        }
    }
}
