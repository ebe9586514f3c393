//! Mistakes, as people and generators make them. Not each of them makes a case wrong.

use super::case::{Case, Filter, LONG, Name, Node, Settings, What};
use super::draw::ALIASES;
use super::kinds::{LOG, REFUSED};
use crate::targets::choices::Choices;

/// Names for where another one should be.
const NAMES: [Name; 12] =
    ["a", "b", "c", "n7", "n6", "up", "END", "end", "", "upstream", "z", LONG];

/// One or two of them.
pub(super) fn plant(choices: &mut Choices<'_>, case: &mut Case) {
    for _ in 0..1 + choices.below(2) {
        match choices.below(4) {
            0 => in_definitions(choices, case),
            1 => around(choices, case),
            _ => in_nodes(choices, case),
        }
    }
}

fn name(choices: &mut Choices<'_>) -> Name {
    NAMES[choices.below(NAMES.len())]
}

fn in_definitions(choices: &mut Choices<'_>, case: &mut Case) {
    let spare = Filter { name: name(choices), kind: "both", settings: Settings::None };
    let at = choices.below(case.filters.len());
    let Some(filter) = case.filters.get_mut(at) else {
        case.filters.push(spare);
        return;
    };
    match choices.below(9) {
        0 => filter.name = spare.name,
        1 => filter.kind = ["both", "ask", "page", LOG][choices.below(4)],
        2 => filter.kind = ["none", "", LONG][choices.below(3)],
        3 => filter.settings = Settings::Number,
        4 => filter.settings = Settings::Field,
        5 => filter.settings = Settings::Deep,
        6 => filter.settings = Settings::Says(["no", REFUSED, "odd", ""][choices.below(4)]),
        7 => case.filters.push(spare),
        _ => {
            case.filters.remove(at);
        }
    }
}

fn around(choices: &mut Choices<'_>, case: &mut Case) {
    match choices.below(9) {
        0 => case.easegress = Some([true, false]),
        1 => case.borders = Some([[None, Some(true)], [Some(false), None], [None, None]]),
        2 => case.frame_bytes = Some(0),
        3 => case.marks = Some((Some(choices.byte().into()), choices.byte().into())),
        4 => case.finalizers.push(name(choices)),
        5 => case.finalizers = case.finalizers.repeat(2),
        6 => case.name = ["", LONG][choices.below(2)],
        7 => case.finalizers.truncate(choices.below(2)),
        _ => {
            if let Some(pipe) = &mut case.pipes[choices.below(3)] {
                pipe.flow = None;
            }
        }
    }
}

fn in_nodes(choices: &mut Choices<'_>, case: &mut Case) {
    let stage = choices.below(3);
    let Some(nodes) = case.pipes[stage].as_mut().and_then(|pipe| pipe.flow.as_mut()) else {
        return;
    };
    let (at, to) = (choices.below(nodes.len()), choices.below(nodes.len()));
    let what = choices.below(11);
    if what == 0 || nodes.is_empty() {
        let call = What::Call { name: name(choices), statuses: None };
        let filter = What::Filter { filter: name(choices), alias: None };
        let what = if choices.percent(50) { call } else { filter };
        nodes.insert(at, Node { what, jumps: Vec::new() });
        return;
    }
    match what {
        1 => nodes.swap(at, to),
        2 => {
            nodes.remove(at);
        }
        3 => {
            let node = nodes[at].clone();
            nodes.insert(to, node);
        }
        4 => nodes[at].what = What::Filter { filter: "END", alias: None },
        5 => rename(choices, &mut nodes[at]),
        6 => {
            if let What::Filter { filter, .. } = &mut nodes[at].what {
                *filter = name(choices);
            }
        }
        7 => nodes[at].jumps.clear(),
        _ => jump(choices, nodes, at, to),
    }
}

fn rename(choices: &mut Choices<'_>, node: &mut Node) {
    let to = name(choices);
    match &mut node.what {
        What::Filter { alias, .. } => *alias = Some(to),
        What::Call { name, .. } => *name = to,
    }
}

/// A jump to somewhere, on something.
fn jump(choices: &mut Choices<'_>, nodes: &mut [Node], at: usize, to: usize) {
    let target = match choices.below(4) {
        0 => name(choices),
        1 => ALIASES[choices.below(ALIASES.len())],
        _ => nodes[to].name(),
    };
    let results = ["", "no", "odd", "bad", "failureCode", "timeout", "gone", LONG];
    let result = results[choices.below(results.len())];
    nodes[at].jumps.retain(|(on, _)| *on != result);
    nodes[at].jumps.push((result, target));
}
