//! All traces, played and compared.

use std::path::Path;
use std::sync::LazyLock;

use crate::judge::{Judgement, judge};
use crate::model::TRACES;
use crate::page::page;

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
