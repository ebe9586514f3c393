//! The page that lists every difference from Envoy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::caveat::Caveat;
use crate::compare::{Difference, Place};
use crate::explain::Reason;
use crate::judge::{Finding, Judgement};
use crate::play::NoCounterpart;
use crate::rules::{Rule, Violation};

/// What stands above the tables.
const INTRODUCTION: &str = "\
# Where tidegate differs from Envoy

Written by `cargo run --example envoy_traces -- tests/envoy-traces --write \
docs/envoy-differences.md` from the recordings in `tests/envoy-traces`; `cargo test --test \
envoy_traces` fails when it is not up to date, and when there is a difference that nothing explains.

Each scenario was played against Envoy 1.40.0 and recorded, and is played here through an exchange \
with the same filters. After every step the two are compared: what the origin and the client have \
received, and what each filter has been shown in each direction. A difference has to follow from \
a rule (I1 to I14, see the crate documentation) that the recording breaks, in that message and not \
later; or from one of the decisions listed below, each of which is checked on the recording.

Behind a difference the recording is no measure any more. So the run here is held to the rules by \
itself, whatever Envoy did: what each filter let go is what the next one is shown, nothing that is \
held changes, every resume is served, and no message ends or is answered without reason.
";

/// The whole page, from all judgements by name.
pub(crate) fn page(judged: &[(String, Judgement)]) -> String {
    let mut page = INTRODUCTION.to_owned();
    totals(&mut page, judged);
    decisions(&mut page, judged);
    no_counterparts(&mut page, judged);
    differences(&mut page, judged, "Scenarios written by hand", |name| !is_random(name));
    differences(&mut page, judged, "Random scenarios", is_random);
    page
}

fn is_random(name: &str) -> bool {
    name.starts_with("rand-")
}

/// What a scenario comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Same,
    ByRule,
    ByDecision,
    NoCounterpart,
    Unexplained,
}

fn class(judgement: &Judgement) -> Class {
    match judgement {
        Judgement::NoCounterpart(_) => Class::NoCounterpart,
        Judgement::Same => Class::Same,
        judgement if !judgement.unexplained().is_empty() => Class::Unexplained,
        judgement if !rules(judgement).is_empty() => Class::ByRule,
        Judgement::Differs(_) | Judgement::Faulty(_) => Class::ByDecision,
    }
}

fn findings(judgement: &Judgement) -> &[Finding] {
    match judgement {
        Judgement::Differs(findings) => findings,
        Judgement::NoCounterpart(_) | Judgement::Same | Judgement::Faulty(_) => &[],
    }
}

fn rules(judgement: &Judgement) -> BTreeSet<Rule> {
    let broken = findings(judgement).iter().filter_map(|finding| match &finding.reason {
        Some(Reason::Broken(violation) | Reason::Follows(violation)) => Some(violation.rule),
        Some(Reason::Caveat(_)) | None => None,
    });
    broken.collect()
}

fn caveats(judgement: &Judgement) -> BTreeSet<Caveat> {
    let shown = findings(judgement).iter().filter_map(|finding| match &finding.reason {
        Some(Reason::Caveat(caveat)) => Some(*caveat),
        Some(Reason::Broken(_) | Reason::Follows(_)) | None => None,
    });
    shown.collect()
}

fn totals(page: &mut String, judged: &[(String, Judgement)]) {
    let count = |wanted: Class, random: bool| {
        let of = judged
            .iter()
            .filter(|(name, judgement)| is_random(name) == random && class(judgement) == wanted);
        of.count()
    };
    page.push_str("\n## Totals\n\n| | by hand | random |\n|---|---|---|\n");
    let rows = [
        ("the same", Class::Same),
        ("different, by a rule that Envoy breaks", Class::ByRule),
        ("different, by a decision only", Class::ByDecision),
        ("without counterpart", Class::NoCounterpart),
        ("unexplained", Class::Unexplained),
    ];
    for (what, class) in rows {
        let (by_hand, random) = (count(class, false), count(class, true));
        writeln!(page, "| {what} | {by_hand} | {random} |").expect("a string takes all");
    }
    let mut by_rule: BTreeMap<Rule, usize> = BTreeMap::new();
    for rule in judged.iter().flat_map(|(_, judgement)| rules(judgement)) {
        *by_rule.entry(rule).or_default() += 1;
    }
    let by_rule: Vec<String> =
        by_rule.iter().map(|(rule, count)| format!("{rule:?} in {count}")).collect();
    writeln!(page, "\nRules that explain differences: {}.", by_rule.join(", "))
        .expect("a string takes all");
}

fn decisions(page: &mut String, judged: &[(String, Judgement)]) {
    page.push_str("\n## Decisions\n\n| name | what differs | scenarios |\n|---|---|---|\n");
    for caveat in Caveat::ALL {
        let with = judged.iter().filter(|(_, judgement)| caveats(judgement).contains(&caveat));
        let names: Vec<String> = with.map(|(name, _)| format!("`{name}`")).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        writeln!(page, "| {caveat:?} | {caveat} | {names} |").expect("a string takes all");
    }
}

fn no_counterparts(page: &mut String, judged: &[(String, Judgement)]) {
    page.push_str(
        "\n## Without counterpart\n\n| reason | what is missing | scenarios |\n|---|---|---|\n",
    );
    for reason in NoCounterpart::ALL {
        let with = judged.iter().filter(|(_, j)| *j == Judgement::NoCounterpart(reason));
        let names: Vec<String> = with.map(|(name, _)| format!("`{name}`")).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        writeln!(page, "| {reason:?} | {reason} | {names} |").expect("a string takes all");
    }
}

fn differences(
    page: &mut String,
    judged: &[(String, Judgement)],
    title: &str,
    wanted: fn(&str) -> bool,
) {
    write!(page, "\n## {title}\n\n").expect("a string takes all");
    page.push_str(
        "Steps count from 0. Of a scenario the first difference at a peer is told, or else",
    );
    page.push_str(" the first at a filter.\n\n");
    page.push_str("| scenario | rule | what Envoy did | what was seen, Envoy | here |\n");
    page.push_str("|---|---|---|---|---|\n");
    for (name, judgement) in judged.iter().filter(|(name, _)| wanted(name)) {
        for fault in judgement.unexplained() {
            writeln!(page, "| `{name}` | **none** | {fault} | | |").expect("a string takes all");
        }
        if let Some(row) = row(name, judgement) {
            writeln!(page, "{row}").expect("a string takes all");
        }
    }
}

fn row(name: &str, judgement: &Judgement) -> Option<String> {
    let findings = findings(judgement);
    let told = told(findings)?;
    let Finding { difference, reason: Some(_) } = told else { return None };
    let rules: Vec<String> = rules(judgement).iter().map(|rule| format!("{rule:?}")).collect();
    let caveats: Vec<String> = caveats(judgement).iter().map(|c| format!("{c:?}")).collect();
    let rules = [rules, caveats].concat().join(", ");
    let did = first_violation(findings)
        .map_or_else(|| "–".to_owned(), |violation| violation.what.clone());
    let Difference { step, envoy, ours, .. } = difference;
    let who = difference.who();
    let line = format!("| `{name}` | {rules} | {did} | {who}, step {step}: {envoy} | {ours} |");
    Some(line.replace('<', "\\<"))
}

/// The finding that a row tells.
fn told(findings: &[Finding]) -> Option<&Finding> {
    let at_sink = |finding: &&Finding| finding.difference.place == Place::Sink;
    findings.iter().find(at_sink).or_else(|| findings.first())
}

fn first_violation(findings: &[Finding]) -> Option<&Violation> {
    let all = findings.iter().filter_map(|finding| match &finding.reason {
        Some(Reason::Broken(violation) | Reason::Follows(violation)) => Some(violation),
        Some(Reason::Caveat(_)) | None => None,
    });
    all.min_by_key(|violation| violation.step)
}
