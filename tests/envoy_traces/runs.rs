//! All traces, played and compared.

use std::sync::LazyLock;

use crate::judge::{Judgement, judge};
use crate::model::TRACES;

/// By name.
pub(crate) static JUDGED: LazyLock<Vec<(String, Judgement)>> =
    LazyLock::new(|| TRACES.iter().map(|trace| (trace.name.clone(), judge(trace))).collect());

#[test]
fn tidegate_keeps_its_rules_in_every_scenario() {
    let faulty = JUDGED.iter().filter_map(|(name, judgement)| match judgement {
        Judgement::Faulty(faults) => Some(format!("{name}: {}", faults.join("; "))),
        Judgement::NoCounterpart(_) | Judgement::Same | Judgement::Differs(_) => None,
    });
    let faulty: Vec<String> = faulty.collect();
    assert!(faulty.is_empty(), "rules broken by tidegate:\n{}", faulty.join("\n"));
}

/// What Envoy did wrong is seen by somebody: otherwise a rule of the checker, or a run of ours,
/// says too much.
#[test]
fn where_envoy_breaks_a_rule_tidegate_differs() {
    for (trace, (name, judgement)) in TRACES.iter().zip(JUDGED.iter()) {
        if *judgement == Judgement::Same {
            let broken = crate::rules::violations(trace);
            assert!(broken.is_empty(), "{name} is the same, but {broken:?}");
        }
    }
}
