//! All traces, played and compared.

use std::path::Path;
use std::sync::LazyLock;

use crate::compare::{Difference, Part};
use crate::explain::Reason;
use crate::judge::{Judgement, judge};
use crate::model::TRACES;
use crate::page::page;
use crate::rules::Rule;
use crate::trace::Direction;

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

#[test]
fn no_difference_is_unexplained() {
    let open = JUDGED.iter().flat_map(|(name, judgement)| {
        judgement.unexplained().into_iter().map(move |line| format!("{name}: {line}"))
    });
    let open: Vec<String> = open.collect();
    assert!(open.is_empty(), "{} unexplained:\n{}", open.len(), open.join("\n"));
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

/// An older violation could explain too much; so the first difference of a message has one of its
/// own step. Only what was drained from another's bytes is missed later, when it is due.
#[test]
fn a_rule_is_broken_in_the_step_in_which_a_message_first_differs() {
    for (trace, (name, judgement)) in TRACES.iter().zip(JUDGED.iter()) {
        let Judgement::Differs(findings) = judgement else { continue };
        let broken = crate::rules::violations(trace);
        for direction in Direction::BOTH {
            let by_rule = findings.iter().filter(|finding| {
                finding.difference.direction == direction
                    && matches!(finding.reason, Some(Reason::Broken(_)))
            });
            let by_rule: Vec<&Difference> = by_rule.map(|finding| &finding.difference).collect();
            let Some(first) = by_rule.iter().map(|one| one.step).min() else { continue };
            let mut then = by_rule.iter().filter(|one| one.step == first);
            // A stream is reset when the whole exchange is over.
            let tells = then.all(|one| one.part == Part::Reset)
                || broken
                    .iter()
                    .filter(|one| one.direction == direction)
                    .any(|one| one.step == first || (one.rule == Rule::I2 && one.step < first));
            assert!(tells, "{name}, {direction:?}: step {first}, but {broken:?}");
        }
    }
}

#[test]
fn the_page_of_differences_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/envoy-differences.md");
    let now = page(&JUDGED);
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let how = "cargo run --example envoy_traces -- tests/envoy-traces \
               --write docs/envoy-differences.md";
    assert!(
        now == written,
        "docs/envoy-differences.md is not what this run gives; write it: {how}"
    );
}
