//! Which nodes of a case run, step by step, and one exchange through its flow.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tidegate::flow::config::{FlowConfig, Kinds};
use tidegate::flow::{Flow, Stage, StageEnd, Summary};
use tidegate::{Capabilities, MessageTraits, Output};

use super::case::{Case, Name, STAGES, Settings};
use super::rules::{self, Is, Step};

/// The names of the filters of both chains.
pub(super) fn stations(case: &Case) -> (Vec<String>, Vec<String>) {
    let steps: Vec<Step> = STAGES.iter().flat_map(|stage| rules::steps(case, stage)).collect();
    let of = |is: Is| {
        let steps = steps.iter().filter(|step| step.is == is);
        steps.map(|step| step.name.to_owned()).collect()
    };
    (of(Is::Request), of(Is::Response))
}

/// What is known of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    /// Stages and nodes.
    nodes: Vec<(usize, String)>,
    called: bool,
    status: Option<u16>,
    ends: [Option<StageEnd>; 3],
}

/// Goes through a pipeline. `status`: of the response, once there is one.
fn walk(case: &Case, stage: usize, status: &mut Option<u16>, ran: &mut Ran) {
    let steps = rules::steps(case, STAGES[stage]);
    let continues = case.pipes[stage].as_ref().is_some_and(|pipe| pipe.continues);
    let mut at = 0;
    let end = loop {
        let Some(step) = steps.get(at) else { break StageEnd::Through };
        if step.is == Is::End {
            break StageEnd::Stopped;
        }
        ran.nodes.push((stage, step.name.to_owned()));
        let result = match step.is {
            Is::Call => {
                ran.called = true;
                *status = Some(case.status);
                let failures = step.statuses.clone().unwrap_or_else(|| vec![(500, 599)]);
                let fails = |&(first, last): &(u16, u16)| (first..=last).contains(&case.status);
                if failures.iter().any(fails) { "failureCode" } else { "" }
            }
            _ => said(case, step.filter.expect("a filter")),
        };
        match step.jumps.iter().find(|(on, _)| *on == result) {
            Some((_, "END")) => break StageEnd::Stopped,
            Some((_, target)) => {
                let found = steps.iter().position(|s| s.is != Is::End && s.name == *target);
                at = found.expect("the rules have looked");
            }
            None if result.is_empty() || continues => at += 1,
            None => break StageEnd::Failed,
        }
    };
    ran.ends[stage] = Some(end);
}

fn said(case: &Case, filter: &str) -> Name {
    match case.filter(filter).expect("the rules have looked").settings {
        Settings::Says(result) => result,
        _ => "",
    }
}

/// Whether the border with that number lets the next pipeline run behind `end`.
fn lets(case: &Case, border: usize, end: StageEnd) -> bool {
    let index = match end {
        StageEnd::Through => return true,
        StageEnd::Stopped => 0,
        StageEnd::Failed => 1,
    };
    match (case.easegress, case.borders) {
        (Some([before, main]), _) => {
            if border == 0 {
                before
            } else {
                main
            }
        }
        (None, Some(borders)) => borders[border][index].unwrap_or(border > 0),
        (None, None) => border > 0,
    }
}

fn expected(case: &Case) -> Ran {
    let mut ran = Ran::default();
    let mut status = None;
    if case.pipes[0].is_some() {
        walk(case, 0, &mut status, &mut ran);
    }
    let before = ran.ends[0];
    if before.is_none_or(|end| lets(case, 0, end)) {
        walk(case, 1, &mut status, &mut ran);
    }
    let after = match (ran.ends[1], before) {
        (Some(end), _) => lets(case, 1, end),
        (None, Some(end)) => lets(case, 2, end),
        (None, None) => true,
    };
    if after && case.pipes[2].is_some() {
        walk(case, 2, &mut status, &mut ran);
    }
    // Without the upstream the answer is a 503, where nodes for responses do not change it.
    ran.status = Some(status.unwrap_or(503));
    ran
}

/// Builds the flow with a finalizer that keeps what it is told, and drives one exchange.
pub(super) fn run(case: &Case, config: &FlowConfig, kinds: &Kinds) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    let flow = config.build_with(kinds, |flow| {
        flow.finalizer("keep", move |summary: &Summary| {
            keep.lock().expect("nobody panics").push(seen(summary));
        })
    });
    exchange(&flow.expect("it was built before"), case.status);
    let told = told.lock().expect("nobody panics");
    assert_eq!(*told, [expected(case)], "what ran");
}

fn seen(summary: &Summary) -> Ran {
    let stage = |stage| match stage {
        Stage::Before => 0,
        Stage::Main => 1,
        Stage::After => 2,
    };
    let nodes = summary.trace.iter().map(|entry| (stage(entry.stage), entry.node.to_string()));
    Ran {
        nodes: nodes.collect(),
        called: summary.called,
        status: summary.status.map(|status| status.as_u16()),
        ends: [summary.before, summary.main, summary.after],
    }
}

fn exchange(flow: &Flow, status: u16) {
    let bound = flow.plan().bind(Capabilities::ALL, Capabilities::ALL).expect("nothing is needed");
    let sides = bound.exchange(MessageTraits::new(), MessageTraits::new());
    let (mut request, mut response) = sides.expect("nothing is needed");
    request.handle_head(Request::new(()).into_parts().0, true).expect("the first head");
    let cx = Context::from_waker(Waker::noop());
    let mut called = false;
    while let Poll::Ready(Some(output)) = request.poll_next(&cx) {
        called |= matches!(output, Output::Head { .. });
    }
    if called {
        let mut head = Response::new(()).into_parts().0;
        head.status = StatusCode::from_u16(status).expect("a status");
        response.handle_head(head, false).expect("the first head");
        if status != 204 {
            response.handle_data(Bytes::from_static(b"pong"), false).expect("there is room");
        }
        response.handle_end().expect("the first end");
    }
    // A side that woke itself has more to do.
    for _ in 0..4 {
        while let Poll::Ready(Some(_)) = response.poll_next(&cx) {}
        while let Poll::Ready(Some(_)) = request.poll_next(&cx) {}
    }
}
