//! Random flows, run as exchanges and by the interpreter: the same nodes in the same order with the
//! same results, the same calls, the same ends (R6). And what the build refuses as unreachable is
//! what no choice of results comes to.

use std::collections::BTreeSet;

use tidegate::Head;
use tidegate::flow::{FallThrough, FlowErrorKind, Node, Stage, StageEnd, Stages, Summary};

use crate::drawn::{Case, Drawn, DrawnNode, Kind, MakeNode, case, flow};
use crate::reference::{Ended, RefNode, run_flow, run_wrapper};
use crate::rig::{Act, Log, exchange};
use crate::rng::Rng;

/// Probes that say what was drawn, at different times.
struct Probes<'a>(&'a Log);

impl MakeNode for Probes<'_> {
    fn node<H: Head>(&self, node: &DrawnNode) -> Node<H> {
        let act = [Act::Says, Act::SaysAtEnd, Act::SaysInResume][node.when](node.says);
        self.0.node(&node.name, &node.results, act)
    }
}

fn nodes_of(drawn: &Drawn) -> Vec<RefNode> {
    let each = drawn.nodes.iter();
    each.map(|node| RefNode { name: node.name.clone(), jumps: node.jumps.clone() }).collect()
}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// Name and result, in order, the call included.
    ran: Vec<(String, String)>,
    called: bool,
    before: Option<StageEnd>,
    main: Option<StageEnd>,
    after: Option<StageEnd>,
}

fn run_reference(case: &Case) -> Told {
    let told = std::cell::RefCell::new(Told::default());
    let run = |drawn: &Drawn| -> Ended {
        run_flow(&nodes_of(drawn), drawn.continues, |number, name| {
            let node = &drawn.nodes[number];
            let mut told = told.borrow_mut();
            told.called |= node.kind == Kind::Call;
            if node.kind != Kind::End {
                told.ran.push((name.to_owned(), node.says.to_owned()));
            }
            node.says.to_owned()
        })
    };
    let lets = |fall: FallThrough, ended: Ended| {
        (!ended.stopped || fall.stopped) && (!ended.failed || fall.failed)
    };
    let before = case.before.as_ref().map(&run);
    let main_runs = before.is_none_or(|ended| lets(case.stages.to_main, ended));
    let main = main_runs.then(|| run(&case.main));
    let after_runs = match (before, main) {
        (_, Some(main)) => lets(case.stages.to_after, main),
        (Some(before), None) => lets(case.stages.past_main, before),
        (None, None) => true,
    };
    let after = case.after.as_ref().filter(|_| after_runs).map(&run);
    let mut told = told.into_inner();
    told.before = before.map(end_of);
    told.main = main.map(end_of);
    told.after = after.map(end_of);
    told
}

fn end_of(ended: Ended) -> StageEnd {
    match (ended.stopped, ended.failed) {
        (false, false) => StageEnd::Through,
        (true, false) => StageEnd::Stopped,
        (false, true) => StageEnd::Failed,
        (true, true) => unreachable!("a pipeline ends once"),
    }
}

fn told_by(summary: &Summary) -> Told {
    let ran = summary.trace.iter().map(|entry| {
        let result = entry.result.as_deref().unwrap_or("(never went on)");
        (entry.node.to_string(), result.to_owned())
    });
    let Summary { before, main, after, called, .. } = *summary;
    Told { ran: ran.collect(), called, before, main, after }
}

#[test]
fn r6_random_flows_run_as_the_interpreter_says() {
    let (mut ran, mut jumped_over, mut called, mut skipped) = (0, 0, 0, 0);
    for seed in 0..4000 {
        let case = case(seed);
        let log = Log::default();
        if flow(&case, &Probes(&log)).build().is_err() {
            continue;
        }
        let flow = log.build(flow(&case, &Probes(&log)));
        let seen = exchange(&flow, case.upstream);
        let expected = run_reference(&case);
        let summaries = log.summaries();
        assert_eq!(summaries.len(), 1, "seed {seed}: {case:#?}");
        let actual = told_by(&summaries[0]);
        assert_eq!(actual, expected, "seed {seed}: {case:#?}");
        assert_eq!(seen.called, expected.called, "seed {seed}: {case:#?}");
        assert_eq!(seen.status, summaries[0].status.map(|status| status.as_u16()), "seed {seed}");
        assert!(seen.status.is_some() && !seen.reset, "seed {seed}: {seen:?} {case:#?}");
        if !seen.called {
            assert_eq!(seen.status, Some(503), "seed {seed}: {case:#?}");
        }
        // Only nodes that ran were made and called, each once, and each was closed.
        let heads = log.all("head");
        assert_eq!(log.all("made"), heads, "seed {seed}");
        let nodes = expected.ran.iter().filter(|(name, _)| !is_call(&case, name));
        let nodes: Vec<&String> = nodes.map(|(name, _)| name).collect();
        assert_eq!(heads.iter().collect::<Vec<_>>(), nodes, "seed {seed}: {case:#?}");
        assert_eq!(log.all("closed").len(), heads.len(), "seed {seed}");
        ran += 1;
        called += usize::from(seen.called);
        skipped += usize::from(expected.main.is_none());
        let responses = ran_response(&case, &expected);
        jumped_over += usize::from(!seen.called && responses);
    }
    // That the cases are what they are meant to be.
    assert!(ran > 1500, "{ran} flows could be built");
    assert!(called > 300 && skipped > 60 && jumped_over > 30, "{called} {skipped} {jumped_over}");
}

fn is_call(case: &Case, name: &str) -> bool {
    case.main.nodes.iter().any(|node| node.kind == Kind::Call && node.name == name)
}

/// Whether a response node of main ran.
fn ran_response(case: &Case, told: &Told) -> bool {
    let of_main = |name: &str| {
        case.main.nodes.iter().any(|node| node.kind == Kind::Response && node.name == name)
    };
    told.ran.iter().any(|(name, _)| of_main(name))
}

/// Which entries some choice of results comes to.
fn reached(drawn: &Drawn) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let nodes = nodes_of(drawn);
    let choices: Vec<Vec<&str>> = drawn
        .nodes
        .iter()
        .map(|node| [""].into_iter().chain(node.results.iter().copied()).collect())
        .collect();
    let ways: usize = choices.iter().map(Vec::len).product();
    for mut way in 0..ways {
        let mut said = Vec::new();
        for choice in &choices {
            said.push(choice[way % choice.len()]);
            way /= choice.len();
        }
        run_flow(&nodes, drawn.continues, |number, _| {
            reached.insert(number);
            said[number].to_owned()
        });
    }
    reached
}

#[test]
fn nodes_are_refused_exactly_if_no_results_lead_there() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..2000 {
        let case = case(seed);
        let log = Log::default();
        let built = flow(&case, &Probes(&log)).build();
        let parts = [(Stage::Before, case.before.as_ref()), (Stage::Main, Some(&case.main))];
        let parts = parts.into_iter().chain([(Stage::After, case.after.as_ref())]);
        let mut missed = parts.filter_map(|(stage, drawn)| {
            let drawn = drawn?;
            let reached = reached(drawn);
            let missed = (0..drawn.nodes.len()).find(|number| !reached.contains(number))?;
            Some((stage, missed))
        });
        match (built, missed.next()) {
            (Ok(_), None) => good += 1,
            (Err(error), Some((stage, step))) => {
                assert_eq!(error.kind(), &FlowErrorKind::Unreachable, "seed {seed}");
                assert_eq!(
                    (error.place().stage, error.place().step),
                    (stage, Some(step)),
                    "{seed}"
                );
                bad += 1;
            }
            (built, missed) => panic!("seed {seed}: {built:?}, but {missed:?}: {case:#?}"),
        }
    }
    assert!(good > 500 && bad > 500, "{good} {bad}");
}

#[test]
fn r6_easegress_mode_is_its_wrapper() {
    // Section 4.5 as it stands, with one flag, against the two facts.
    for bits in 0..256u32 {
        let bit = |n: u32| bits >> n & 1 == 1;
        let (fall_before, fall_main) = (bit(0), bit(1));
        let end = |ended: bool, failed: bool| match (ended, failed) {
            (false, _) => StageEnd::Through,
            (true, false) => StageEnd::Stopped,
            (true, true) => StageEnd::Failed,
        };
        let before = bit(2).then(|| end(bit(3), bit(4)));
        let (main, has_after) = (end(bit(5), bit(6)), bit(7));
        let (mut main_ran, mut after_ran) = (false, false);
        let mut run_before = || before != Some(StageEnd::Through);
        let mut run_main = || {
            main_ran = true;
            main != StageEnd::Through
        };
        let mut run_after = || {
            after_ran = true;
            false
        };
        run_wrapper(
            fall_before,
            fall_main,
            before.is_some().then_some(&mut run_before as &mut dyn FnMut() -> bool),
            &mut run_main,
            has_after.then_some(&mut run_after as &mut dyn FnMut() -> bool),
        );
        let stages = Stages::easegress(fall_before, fall_main);
        assert_eq!(stages.main_runs(before), main_ran, "{before:?} {stages:?}");
        let main = main_ran.then_some(main);
        assert_eq!(has_after && stages.after_runs(before, main), after_ran, "{before:?} {main:?}");
    }
}

/// Probes that do whatever filters can do.
struct Unruly<'a> {
    log: &'a Log,
    seed: u64,
}

impl MakeNode for Unruly<'_> {
    fn node<H: Head>(&self, node: &DrawnNode) -> Node<H> {
        let seed = node.name.bytes().fold(self.seed, |seed, byte| seed * 31 + u64::from(byte));
        let mut rng = Rng::new(seed);
        let acts = [
            Act::Replies(403, node.says),
            Act::RepliesLate(409),
            Act::Fails,
            Act::FailsLate(node.says),
            Act::Stalls,
            Act::Edits(206),
        ];
        let act = if rng.below(4) == 0 {
            acts[rng.below(acts.len())].clone()
        } else {
            [Act::Says, Act::SaysAtEnd, Act::SaysInResume][node.when](node.says)
        };
        self.log.node(&node.name, &node.results, act)
    }
}

#[test]
fn whatever_filters_do_nodes_run_once_in_order_and_finalizers_once() {
    let (mut ran, mut replied, mut failed, mut after_ran) = (0, 0, 0, 0);
    for seed in 0..4000 {
        let case = case(seed);
        let log = Log::default();
        let make = Unruly { log: &log, seed };
        if flow(&case, &make).build().is_err() {
            continue;
        }
        let flow = log.build(flow(&case, &make));
        let seen = exchange(&flow, case.upstream);
        let summaries = log.summaries();
        assert_eq!(summaries.len(), 1, "seed {seed}: {case:#?}");
        let summary = &summaries[0];
        let heads = log.all("head");
        let places: Vec<_> = heads.iter().map(|name| place_of(&case, name)).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "seed {seed}: {heads:?} {case:#?}");
        // Who was called was closed, once each; who was not was not made.
        assert_eq!(log.all("closed").len(), heads.len(), "seed {seed}: {case:#?}");
        assert_eq!(log.all("made"), heads, "seed {seed}: {case:#?}");
        let traced = summary.trace.iter().filter(|entry| !is_call(&case, &entry.node));
        let traced: Vec<_> = traced.map(|entry| entry.node.to_string()).collect();
        assert_eq!(traced, heads, "seed {seed}: {case:#?}");
        assert_eq!(seen.called, summary.called, "seed {seed}: {case:#?}");
        let has_after = case.after.as_ref().and_then(|after| after.nodes.first());
        if let Some(first) = has_after.filter(|first| first.kind == Kind::Response)
            && case.stages == Stages::default()
        {
            assert!(heads.contains(&first.name), "seed {seed}: {seen:?} {case:#?}");
            after_ran += 1;
        }
        assert!(seen.status.is_some() || seen.reset, "seed {seed}: {seen:?} {case:#?}");
        let told = summary.status.map(|status| status.as_u16());
        assert_eq!(seen.status, told, "seed {seed}: {summary:?} {case:#?}");
        ran += 1;
        replied += usize::from(matches!(seen.status, Some(403 | 409)));
        let error = summary.response.error().or_else(|| summary.request.error());
        failed += usize::from(error.is_some());
    }
    assert!(ran > 1000 && replied > 100 && failed > 100 && after_ran > 50);
    assert!(replied + failed < ran, "some go well");
}

/// Stage and step of the node called `name`.
fn place_of(case: &Case, name: &str) -> (Stage, usize) {
    let parts = [(Stage::Before, case.before.as_ref()), (Stage::Main, Some(&case.main))];
    let parts = parts.into_iter().chain([(Stage::After, case.after.as_ref())]);
    let place = parts.filter_map(|(stage, drawn)| {
        let step = drawn?.nodes.iter().position(|node| node.name == name)?;
        Some((stage, step))
    });
    place.min().expect("a node of the flow")
}
