//! The checker on what a real Envoy did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::model::TRACES;

use crate::trace::entry::Stated;
use crate::trace::{Callback, Enter, Entry, Trace};

use super::super::{Rule, Violation, follow, violations};

use Rule::{I1, I2, I3, I4, I5, I6, I7, I8, I10, I12};

/// Each named scenario in which Envoy broke a rule, with the rule and the filter (`-`: the peer).
/// All others are sound; among them `hazard-16`, `-18` and `-22`, whose text says so, and
/// `hazard-37`, where the only filter that disturbs the order is the one that wrote the bytes.
const BROKEN: &[(&str, &[(Rule, &str)])] = &[
    ("forward-06-move-last-piece-and-continue-guard-off", &[(I1, "C")]),
    ("forward-08-parked-then-drained-piece", &[(I1, "C")]),
    ("forward-08-parked-then-drained-piece-guard-off", &[(I1, "C")]),
    ("forward-09-drain-and-append-end", &[(I1, "C")]),
    ("forward-09-drain-and-append-end-guard-off", &[(I1, "C")]),
    ("forward-11-move-piece-while-lower-holds-guard-off", &[(I4, "C"), (I8, "C")]),
    ("forward-12-move-and-partial-drain-guard-off", &[(I1, "C")]),
    ("forward-13-move-while-upper-held-before", &[(I1, "C")]),
    ("forward-14-two-movers", &[(I1, "C")]),
    ("forward-14-two-movers-guard-off", &[(I1, "B"), (I1, "C")]),
    ("forward-15-response-move", &[(I4, "B")]),
    ("h1-content-length-append", &[(I12, "-")]),
    ("h1-content-length-buffer-all-changed", &[(I12, "-")]),
    ("h1-content-length-drain", &[(I12, "-")]),
    ("h1-hazard", &[(I1, "B"), (I1, "C")]),
    ("h1-rsp-content-length-append", &[(I12, "-")]),
    ("hazard-01-upstream-resume-shows-held-bytes-again", &[(I1, "B"), (I1, "C")]),
    ("hazard-02-response-mirror", &[(I1, "A"), (I1, "B")]),
    ("hazard-03-downstream-resume-lets-bytes-bypass-filters", &[(I4, "A")]),
    ("hazard-04-response-bypass", &[(I4, "C")]),
    ("hazard-05-middle-filter-appends", &[(I1, "B"), (I1, "C")]),
    ("hazard-07-holder-drains-buffer-it-shares", &[(I2, "A")]),
    ("hazard-08-nobuffer-stop-resumes-with-foreign-bytes", &[(I1, "B"), (I1, "C")]),
    ("hazard-13-holder-below-keeps-holding", &[(I1, "B"), (I1, "C")]),
    ("hazard-14-holder-below-answers-nobuffer", &[(I1, "B"), (I1, "C")]),
    ("hazard-17-a-starts-buffering-late", &[(I1, "B"), (I1, "C")]),
    ("hazard-19-a-holds-last-frame", &[(I1, "B"), (I1, "C")]),
    ("hazard-20-append-to-foreign-buffer", &[(I4, "B"), (I8, "B")]),
    ("hazard-24-lower-resume-with-upper-empty-end", &[(I5, "A")]),
    ("hazard-25-lower-resume-sends-trailers-an-upper-filter-holds", &[(I5, "A")]),
    ("hazard-26-lower-stopall-resume-with-upper-end", &[(I4, "A"), (I5, "A")]),
    ("hazard-28-lower-header-stop-resume-takes-upper-data", &[(I4, "A")]),
    ("hazard-29-lower-header-stop-upper-nobuffer-end", &[(I5, "A")]),
    ("hazard-31-response-lower-resume-sends-the-end", &[(I4, "C"), (I5, "C")]),
    ("hazard-32-response-lower-resume-sends-trailers", &[(I5, "C")]),
    ("hazard-33-response-header-stop-resume-sends-the-end", &[(I4, "C"), (I5, "C")]),
    ("hazard-35-parked-bytes-surface-in-anothers-hold", &[(I4, "C"), (I8, "C")]),
    ("hazard-36-parked-bytes-surface-in-upper-hold", &[(I1, "B"), (I3, "C"), (I8, "C")]),
    ("headers-append-with-body-coming", &[(I1, "C")]),
    ("inject-req-while-upper-holds", &[(I1, "C")]),
    ("limit-req-append-over-in-callback", &[(I7, "B")]),
    ("limit-resume-over-limit-then-hold-below", &[(I7, "C")]),
    ("limit-rsp-append-over-in-callback", &[(I7, "B")]),
    ("limit-rsp-watermark-not-released", &[(I4, "B")]),
    ("limit-two-holders-share-it", &[(I7, "C")]),
    ("resume-inside-data-then-buffer", &[(I10, "B")]),
    ("resume-inside-first-data", &[(I6, "B")]),
    ("resume-inside-headers-then-continue", &[(I1, "C")]),
    ("stock-01-counter-sees-body-twice", &[(I1, "lua_count")]),
    ("stock-05-scripted-observers", &[(I1, "X1"), (I1, "X2")]),
    ("stopall-hazard", &[(I1, "B")]),
    ("trailers-append-body-stop", &[(I4, "B")]),
    ("trailers-rsp-added-holder-after", &[(I8, "A")]),
];

/// What is found in each trace, by its name.
static FOUND: LazyLock<BTreeMap<&str, Vec<Violation>>> =
    LazyLock::new(|| TRACES.iter().map(|trace| (&*trace.name, violations(trace))).collect());

fn found(name: &str) -> Vec<(Rule, &str)> {
    let found: BTreeSet<_> = FOUND[name]
        .iter()
        .map(|violation| (violation.rule, violation.filter.as_deref().unwrap_or("-")))
        .collect();
    found.into_iter().collect()
}

#[test]
fn each_named_hazard_breaks_the_rules_its_text_says() {
    for &(name, expected) in BROKEN {
        assert_eq!(found(name), expected, "{name}");
    }
}

#[test]
fn nothing_is_found_where_envoy_is_sound() {
    let broken: BTreeSet<_> = BROKEN.iter().map(|&(name, _)| name).collect();
    let mut sound = 0;
    for (name, found) in FOUND.iter().filter(|(name, _)| !name.starts_with("rand-")) {
        if !broken.contains(name) {
            sound += 1;
            assert_eq!(found, &[], "{name}");
        }
    }
    assert_eq!(sound + broken.len(), 210);
}

/// In how many of the 433 traces each rule is broken.
#[test]
fn the_number_of_traces_that_break_a_rule_is_known() {
    let mut counts: BTreeMap<Rule, usize> = BTreeMap::new();
    let mut broken = 0;
    for found in FOUND.values() {
        let rules: BTreeSet<_> = found.iter().map(|violation| violation.rule).collect();
        broken += usize::from(!rules.is_empty());
        for rule in rules {
            *counts.entry(rule).or_default() += 1;
        }
    }
    let counts: Vec<_> = counts.into_iter().collect();
    assert_eq!(
        counts,
        [
            (I1, 131),
            (I2, 17),
            (I3, 4),
            (I4, 93),
            (I5, 78),
            (I6, 26),
            (I7, 4),
            (I8, 42),
            (I10, 1),
            (I12, 4)
        ]
    );
    assert_eq!(broken, 209);
}

/// The body of a reply is told nowhere but in its calls.
fn is_replied_to(trace: &Trace) -> bool {
    trace
        .steps
        .iter()
        .flat_map(|record| &record.filters)
        .any(|entry| matches!(entry, Entry::Enter(enter) if enter.cb == Callback::LocalReply))
}

/// A byte too many in one call of a recording contradicts all the others.
#[test]
fn a_recording_with_a_false_byte_cannot_be_followed() {
    let mut falsified = 0;
    for (at, trace) in TRACES.iter().enumerate() {
        if trace.name.starts_with("rand-") || is_replied_to(trace) {
            continue;
        }
        let mut trace = trace.clone();
        let entries = trace.steps.iter_mut().flat_map(|record| &mut record.filters);
        let mut calls: Vec<&mut Enter> = entries
            .filter_map(|entry| match entry {
                Entry::Enter(enter) if enter.recv.is_some() => Some(enter),
                _ => None,
            })
            .collect();
        let count = calls.len();
        let Some(call) = calls.get_mut(at % count.max(1)) else { continue };
        match (&mut call.recv, &mut call.buf) {
            (_, Stated::Bytes(buffer)) if at % 2 == 0 => buffer.0.push(b'?'),
            (Some(piece), _) => piece.0.push(b'?'),
            (None, _) => unreachable!("a data call has a piece"),
        }
        falsified += 1;
        let call = format!("{call:?}");
        assert!(follow(&trace).is_err(), "{} with a false byte in {call}", trace.name);
    }
    assert_eq!(falsified, 182);
}
