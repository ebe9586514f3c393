//! What is wrong with a case, according to the rules alone: written from the pages of
//! `flow::config` and `flow`, and naive.

use super::case::{Case, LONG, Name, Node, STAGES, Settings, What};
use super::kinds::{KINDS, LOG};

/// Something wrong. Of the earliest phase there are only those that may be told first.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) phase: u8,
    pub(super) class: &'static str,
    pub(super) place: String,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    Request,
    Call,
    Response,
    End,
}

/// A node, as its place makes it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) is: Is,
    pub(super) name: Name,
    pub(super) filter: Option<Name>,
    pub(super) results: &'static [&'static str],
    pub(super) jumps: Vec<(Name, Name)>,
    pub(super) statuses: Option<Vec<(u16, u16)>>,
    place: String,
    name_place: String,
}

const CALL_RESULTS: &[&str] =
    &["failureCode", "timeout", "serverError", "clientError", "internalError"];

pub(super) fn faults(case: &Case) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut found = |phase, fault: Option<(&'static str, String)>| {
        faults.extend(fault.map(|(class, place)| Fault { phase, class, place }));
    };
    for place in too_long(case) {
        found(0, Some(("MAX_CONFIG_NAME_BYTES", place)));
    }
    found(1, bad_filter(case));
    let filters = case.filters.iter().enumerate();
    found(
        2,
        filters.clone().find_map(|(i, filter)| match filter.name {
            "" => Some(("empty definition", format!("filters[{i}].name"))),
            "END" => Some(("reserved definition", format!("filters[{i}].name"))),
            _ => None,
        }),
    );
    found(
        3,
        filters.clone().find_map(|(i, filter)| {
            let is_second = case.filters[..i].iter().any(|earlier| earlier.name == filter.name);
            is_second.then(|| ("duplicate definition", format!("filters[{i}].name")))
        }),
    );
    for stage in 0..3 {
        found(4 + stage as u8, bad_reference(case, stage));
    }
    found(7, bad_finalizer(case));
    let two = case.borders.is_some() && case.easegress.is_some();
    found(8, two.then(|| ("two modes", "easegress".to_owned())));
    if let Some((Some(low), high)) = case.marks {
        let place = || "limits.response_output.low_bytes".to_owned();
        found(9, (low > high).then(|| ("marks", place())));
    }
    let no_frames = case.frame_bytes == Some(0);
    found(10, no_frames.then(|| ("empty frames", "limits.max_frame_bytes".to_owned())));
    // What nodes are is not known before each of them names a filter.
    if faults.is_empty() {
        let steps = STAGES.map(|stage| steps(case, stage));
        let mut found = |phase, fault: Option<(&'static str, String)>| {
            faults.extend(fault.map(|(class, place)| Fault { phase, class, place }));
        };
        found(11, (0..3).find_map(|stage| misplaced(&steps, stage)));
        found(12, (0..3).find_map(|stage| bad_jump(case, &steps, stage)));
        found(13, unused(case, &steps));
    }
    faults
}

/// `key` as a part of a path.
fn part(key: &str) -> String {
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word { format!(".{key}") } else { format!("[{key:?}]") }
}

fn nodes(case: &Case, stage: usize) -> &[Node] {
    case.pipes[stage].as_ref().and_then(|pipe| pipe.flow.as_deref()).unwrap_or_default()
}

fn too_long(case: &Case) -> Vec<String> {
    let mut names = vec![("name".to_owned(), case.name)];
    for (i, filter) in case.filters.iter().enumerate() {
        names.push((format!("filters[{i}].name"), filter.name));
        names.push((format!("filters[{i}].kind"), filter.kind));
    }
    for (stage, key) in STAGES.iter().enumerate() {
        for (i, node) in nodes(case, stage).iter().enumerate() {
            let place = format!("{key}.flow[{i}]");
            match &node.what {
                What::Filter { filter, alias } => {
                    names.push((format!("{place}.filter"), filter));
                    names.extend(alias.map(|alias| (format!("{place}.as"), alias)));
                }
                What::Call { name, .. } => names.push((format!("{place}.call"), name)),
            }
            for (result, target) in &node.jumps {
                names.push((format!("{place}.jump_if"), result));
                names.push((format!("{place}.jump_if{}", part(result)), target));
            }
        }
    }
    for (i, name) in case.finalizers.iter().enumerate() {
        names.push((format!("finalizers[{i}]"), name));
    }
    names.into_iter().filter(|(_, name)| *name == LONG).map(|(place, _)| place).collect()
}

fn kind(name: &str) -> Option<&'static (&'static str, &'static [&'static str], bool, bool)> {
    KINDS.iter().find(|kind| kind.0 == name)
}

fn bad_filter(case: &Case) -> Option<(&'static str, String)> {
    case.filters.iter().enumerate().find_map(|(i, filter)| {
        let settings = format!("filters[{i}].settings");
        let known = kind(filter.kind);
        match (filter.settings, known) {
            (_, None) if filter.kind != LOG => Some(("unknown kind", format!("filters[{i}].kind"))),
            (Settings::Deep, _) => Some(("MAX_SETTINGS_DEPTH", settings + &"[0]".repeat(32))),
            (Settings::None, _) => None,
            (Settings::Number, _) | (Settings::Says(_), None) => {
                Some(("settings", settings + ".says"))
            }
            (Settings::Field, _) => Some(("settings", settings + ".sayz")),
            (Settings::Says(""), Some(_)) => None,
            (Settings::Says(result), Some(kind)) => {
                (!kind.1.contains(&result)).then_some(("refused", settings))
            }
        }
    })
}

fn bad_reference(case: &Case, stage: usize) -> Option<(&'static str, String)> {
    let pipe = case.pipes[stage].as_ref()?;
    if pipe.flow.is_none() && STAGES[stage] != "main" {
        return Some(("no flow", STAGES[stage].to_owned()));
    }
    nodes(case, stage).iter().enumerate().rev().find_map(|(i, node)| {
        let What::Filter { filter, alias } = node.what else { return None };
        let place = format!("{}.flow[{i}]", STAGES[stage]);
        if filter == "END" {
            let named = alias.map(|_| ("named end", format!("{place}.as")));
            let jumps = !node.jumps.is_empty();
            return named
                .or_else(|| jumps.then(|| ("jumps of an end", format!("{place}.jump_if"))));
        }
        match case.filter(filter) {
            None => Some(("unknown filter", format!("{place}.filter"))),
            Some(filter) if filter.kind == LOG => Some(("wrong use", format!("{place}.filter"))),
            Some(_) => None,
        }
    })
}

fn bad_finalizer(case: &Case) -> Option<(&'static str, String)> {
    case.finalizers.iter().enumerate().find_map(|(i, name)| {
        let class = match case.filter(name) {
            _ if case.finalizers[..i].contains(name) => "repeated finalizer",
            None => "unknown filter",
            Some(filter) if filter.kind != LOG => "wrong use",
            Some(_) => return None,
        };
        Some((class, format!("finalizers[{i}]")))
    })
}

/// The steps of a pipeline whose nodes all name filters that can be there.
pub(super) fn steps(case: &Case, key: &str) -> Vec<Step> {
    let stage = STAGES.iter().position(|stage| *stage == key).expect("one of the three");
    let Some(pipe) = &case.pipes[stage] else { return Vec::new() };
    let Some(nodes) = &pipe.flow else { return all_filters(case) };
    let of = |node: &Node| match node.what {
        What::Filter { filter, .. } => case.filter(filter).and_then(|filter| kind(filter.kind)),
        What::Call { .. } => None,
    };
    let is_call = |node: &Node| matches!(node.what, What::Call { .. });
    let only_response = |node: &Node| of(node).is_some_and(|kind| !kind.2);
    let call = nodes.iter().position(is_call);
    let border = match key {
        "before" => nodes.len(),
        "after" => 0,
        _ => call.or_else(|| nodes.iter().position(only_response)).unwrap_or(nodes.len()),
    };
    let each = nodes.iter().enumerate().map(|(i, node)| {
        let place = format!("{key}.flow[{i}]");
        let (is, key, filter) = match (&node.what, of(node)) {
            (What::Call { .. }, _) => (Is::Call, "call", None),
            (What::Filter { filter: "END", .. }, _) => (Is::End, "filter", None),
            (What::Filter { filter, alias }, found) => {
                let (_, _, request, response) = found.expect("it was looked up");
                let is_request = if *request && *response { i < border } else { *request };
                let is = if is_request { Is::Request } else { Is::Response };
                (is, if alias.is_some() { "as" } else { "filter" }, Some(*filter))
            }
        };
        let results = if is == Is::Call { CALL_RESULTS } else { of(node).map_or(&[][..], |k| k.1) };
        let mut jumps = node.jumps.clone();
        jumps.sort_unstable();
        let statuses = match &node.what {
            What::Call { statuses, .. } => statuses.clone(),
            What::Filter { .. } => None,
        };
        let (name, name_place) = (node.name(), format!("{place}.{key}"));
        Step { is, name, filter, results, jumps, statuses, place, name_place }
    });
    each.collect()
}

/// Main without a flow.
fn all_filters(case: &Case) -> Vec<Step> {
    let named = |name: Name| {
        let outer = nodes(case, 0).iter().chain(nodes(case, 2));
        let mut filters = outer.filter_map(|node| match node.what {
            What::Filter { filter, .. } => Some(filter),
            What::Call { .. } => None,
        });
        filters.any(|filter| filter == name) || case.finalizers.contains(&name)
    };
    let mut steps = Vec::new();
    let mut call = None;
    for (i, filter) in case.filters.iter().enumerate() {
        let Some((_, results, request, response)) = kind(filter.kind) else { continue };
        if named(filter.name) {
            continue;
        }
        if !request && call.is_none() {
            call = Some(steps.len());
        }
        let is_request = *request && (!response || call.is_none());
        let place = format!("filters[{i}]");
        steps.push(Step {
            is: if is_request { Is::Request } else { Is::Response },
            name: filter.name,
            filter: Some(filter.name),
            results,
            jumps: Vec::new(),
            statuses: None,
            name_place: format!("{place}.name"),
            place,
        });
    }
    let call = call.unwrap_or(steps.len());
    steps.insert(
        call,
        Step {
            is: Is::Call,
            name: "upstream",
            filter: None,
            results: CALL_RESULTS,
            jumps: Vec::new(),
            statuses: None,
            place: "main".to_owned(),
            name_place: "main.flow".to_owned(),
        },
    );
    steps
}

fn misplaced(steps: &[Vec<Step>; 3], stage: usize) -> Option<(&'static str, String)> {
    let here = &steps[stage];
    here.iter().enumerate().find_map(|(i, step)| {
        let before = &here[..i];
        let first_call = here.iter().position(|step| step.is == Is::Call);
        let wrong = match (STAGES[stage], step.is) {
            ("main", Is::Call) => (first_call != Some(i)).then_some("second call"),
            ("main", Is::Request) => {
                let late = before.iter().any(|step| matches!(step.is, Is::Call | Is::Response));
                late.then_some("request too late")
            }
            ("main", Is::Response) => {
                first_call.is_some_and(|call| call > i).then_some("response too early")
            }
            (_, Is::Call) => Some("call outside main"),
            ("before", Is::Response) => Some("response in before"),
            ("after", Is::Request) => Some("request in after"),
            (_, _) => None,
        };
        if let Some(wrong) = wrong {
            return Some((wrong, step.place.clone()));
        }
        let earlier = steps[..stage].iter().flatten().chain(before);
        let wrong = match step.name {
            _ if step.is == Is::End => return None,
            "" => "empty name",
            "END" => "reserved name",
            name if earlier.filter(|step| step.is != Is::End).any(|step| step.name == name) => {
                "duplicate name"
            }
            _ => return None,
        };
        Some((wrong, step.name_place.clone()))
    })
}

fn bad_jump(case: &Case, steps: &[Vec<Step>; 3], stage: usize) -> Option<(&'static str, String)> {
    let here = &steps[stage];
    for (i, step) in here.iter().enumerate() {
        for (result, target) in &step.jumps {
            let place = || format!("{}.jump_if{}", step.place, part(result));
            if !result.is_empty() && !step.results.contains(result) {
                return Some(("undeclared result", place()));
            }
            let is_there =
                |stage: &[Step]| stage.iter().any(|s| s.is != Is::End && s.name == *target);
            if *target == "END" || is_there(&here[i + 1..]) {
                continue;
            }
            let class = match () {
                () if is_there(here) => "backward target",
                () if steps.iter().any(|stage| is_there(stage)) => "foreign target",
                () => "unknown target",
            };
            return Some((class, place()));
        }
    }
    let continues = case.pipes[stage].as_ref().is_some_and(|pipe| pipe.continues);
    let reached = reached(here, continues);
    let lost = (0..here.len()).find(|i| !reached.contains(i))?;
    Some(("unreachable", here[lost].place.clone()))
}

/// The steps that some results lead to.
fn reached(steps: &[Step], continues: bool) -> Vec<usize> {
    let mut reached = vec![0];
    let mut next = 0;
    while let Some(&i) = reached.get(next) {
        next += 1;
        let Some(step) = steps.get(i) else { continue };
        let mut leads = Vec::new();
        for result in [""].iter().chain(step.results) {
            match step.jumps.iter().find(|(on, _)| on == result) {
                _ if step.is == Is::End => {}
                Some((_, target)) => {
                    leads.extend(steps.iter().position(|s| s.is != Is::End && s.name == *target));
                }
                None if result.is_empty() || continues => leads.push(i + 1),
                None => {}
            }
        }
        for lead in leads {
            if !reached.contains(&lead) {
                reached.push(lead);
            }
        }
    }
    reached
}

fn unused(case: &Case, steps: &[Vec<Step>; 3]) -> Option<(&'static str, String)> {
    let is_used = |name: Name| {
        let mut nodes = steps.iter().flatten();
        nodes.any(|step| step.filter == Some(name)) || case.finalizers.contains(&name)
    };
    let lost = case.filters.iter().position(|filter| !is_used(filter.name))?;
    Some(("unused", format!("filters[{lost}]")))
}
