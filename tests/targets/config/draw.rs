//! Draws a case: right first, then with mistakes in half of them.

use super::case::{Border, Case, Filter, Name, Node, Pipe, Settings, What};
use super::kinds::{KINDS, LOG};
use super::mistakes;
use crate::targets::choices::Choices;

const FILTERS: [Name; 6] = ["a", "b", "c", "d", "e", "f"];
pub(super) const ALIASES: [Name; 8] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"];
pub(super) const STATUSES: [u16; 6] = [200, 204, 429, 500, 503, 599];

pub(super) fn case(choices: &mut Choices<'_>) -> Case {
    let filters = filters(choices);
    let mut aliases = ALIASES.to_vec();
    let mut used = Vec::new();
    let mut pipe = |stage: usize, choices: &mut Choices<'_>| {
        let flow = nodes(choices, stage, &filters, &mut used, &mut aliases);
        Pipe { flow: Some(flow), continues: choices.percent(25) }
    };
    let before = choices.percent(50).then(|| pipe(0, choices));
    let mut main = pipe(1, choices);
    let after = choices.percent(50).then(|| pipe(2, choices));
    if choices.percent(10) {
        main.flow = None;
    }
    let mut case = Case {
        name: "f",
        pipes: [before, Some(main), after],
        finalizers: filters.iter().filter(|f| f.kind == LOG).map(|f| f.name).collect(),
        filters,
        borders: choices.percent(30).then(|| [border(choices), border(choices), border(choices)]),
        easegress: None,
        frame_bytes: choices.percent(20).then(|| 1 + choices.below(4096)),
        marks: choices.percent(20).then(|| (None, choices.byte().into())),
        status: STATUSES[choices.below(STATUSES.len())],
    };
    if case.borders.is_none() && choices.percent(30) {
        case.easegress = Some([choices.percent(50), choices.percent(50)]);
    }
    if case.pipes[1].as_ref().is_some_and(|main| main.flow.is_some()) && !choices.percent(10) {
        keep_used(&mut case);
    }
    if choices.percent(50) {
        mistakes::plant(choices, &mut case);
    }
    case
}

fn filters(choices: &mut Choices<'_>) -> Vec<Filter> {
    let count = choices.below(FILTERS.len() + 1);
    let each = FILTERS[..count].iter().map(|name| {
        let (kind, results) = match choices.below(8) {
            0 => (LOG, &[][..]),
            1..3 => (KINDS[0].0, KINDS[0].1),
            3..5 => (KINDS[1].0, KINDS[1].1),
            _ => (KINDS[2].0, KINDS[2].1),
        };
        let settings = match choices.below(results.len() + 2) {
            0 => Settings::None,
            n => results.get(n - 1).map_or(Settings::None, |result| Settings::Says(result)),
        };
        Filter { name, kind, settings }
    });
    each.collect()
}

fn border(choices: &mut Choices<'_>) -> Border {
    [(); 2].map(|()| match choices.below(3) {
        0 => None,
        n => Some(n == 1),
    })
}

/// Nodes that can stand in the pipeline, and jumps that go forward.
fn nodes(
    choices: &mut Choices<'_>,
    stage: usize,
    filters: &[Filter],
    used: &mut Vec<Name>,
    aliases: &mut Vec<Name>,
) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let call = match stage {
        1 if !choices.percent(12) => Some(choices.below(4)),
        _ => None,
    };
    let count = choices.below(5) + call.map_or(0, |call| call + 1);
    let mut responds = stage == 2;
    for i in 0..count {
        let what = if call == Some(i) {
            responds = true;
            let statuses = choices.percent(30).then(|| vec![(429, 429), (500, 503)]);
            What::Call { name: "up", statuses }
        } else if choices.percent(10) {
            What::Filter { filter: "END", alias: None }
        } else {
            let fits = |filter: &&Filter| {
                let kind = KINDS.iter().find(|kind| kind.0 == filter.kind);
                kind.is_some_and(|kind| if responds { kind.3 } else { kind.2 })
            };
            let fitting: Vec<&Filter> = filters.iter().filter(fits).collect();
            if fitting.is_empty() {
                continue;
            }
            let filter = fitting[choices.below(fitting.len())].name;
            let alias = match used.contains(&filter) || choices.percent(20) {
                true => aliases.pop(),
                false => None,
            };
            used.push(filter);
            What::Filter { filter, alias }
        };
        nodes.push(Node { what, jumps: Vec::new() });
    }
    jumps(choices, filters, &mut nodes);
    nodes
}

fn jumps(choices: &mut Choices<'_>, filters: &[Filter], nodes: &mut Vec<Node>) {
    for i in 0..nodes.len() {
        let results = results(filters, &nodes[i]);
        let later: Vec<Name> =
            nodes[i + 1..].iter().filter(|node| !node.is_end()).map(Node::name).collect();
        for result in [""].iter().chain(results) {
            if choices.percent(if result.is_empty() { 15 } else { 50 }) {
                let target = choices.below(later.len() + 1);
                let target = later.get(target).copied().unwrap_or("END");
                nodes[i].jumps.push((result, target));
            }
        }
    }
    // What stands behind an end is most often not reached.
    if choices.percent(85) {
        let mut kept: Vec<Node> = Vec::new();
        for node in nodes.drain(..) {
            let behind_end = kept.last().is_some_and(Node::is_end);
            let is_target =
                kept.iter().any(|k| k.jumps.iter().any(|(_, target)| *target == node.name()));
            if behind_end && (node.is_end() || !is_target) {
                kept.pop();
            }
            kept.push(node);
        }
        *nodes = kept;
    }
}

pub(super) fn results(filters: &[Filter], node: &Node) -> &'static [Name] {
    match node.what {
        What::Call { .. } => &["failureCode", "timeout", "serverError"],
        What::Filter { filter, .. } => {
            let kind = filters.iter().find(|known| known.name == filter).map(|filter| filter.kind);
            KINDS.iter().find(|known| Some(known.0) == kind).map_or(&[], |kind| kind.1)
        }
    }
}

/// Leaves out the definitions that nothing names.
fn keep_used(case: &mut Case) {
    let flows = case.pipes.iter().flatten().filter_map(|pipe| pipe.flow.as_ref());
    let named: Vec<Name> = flows
        .flatten()
        .filter_map(|node| match node.what {
            What::Filter { filter, .. } => Some(filter),
            What::Call { .. } => None,
        })
        .chain(case.finalizers.iter().copied())
        .collect();
    case.filters.retain(|filter| named.contains(&filter.name));
}
