//! Which of the three pipelines run (R4, R6).

use http::{request, response};
use tidegate::flow::{Call, FallThrough, Flow, Node, Pipeline, StageEnd, Stages};

use crate::rig::{Act, Log, Upstream, exchange};

/// Easegress's table, as its handbook has it: before ended, its switch, whether main runs, main
/// ended, its switch, whether after runs. `None`: no matter what.
type Row = (bool, Option<bool>, bool, Option<bool>, Option<bool>, bool);

const EASEGRESS: [Row; 8] = [
    (false, None, true, Some(false), None, true),
    (false, None, true, Some(true), Some(false), false),
    (false, None, true, Some(true), Some(true), true),
    (true, Some(false), false, None, Some(false), false),
    (true, Some(false), false, None, Some(true), true),
    (true, Some(true), true, Some(false), None, true),
    (true, Some(true), true, Some(true), Some(false), false),
    (true, Some(true), true, Some(true), Some(true), true),
];

const BOTH: [bool; 2] = [false, true];

fn either(fixed: Option<bool>) -> Vec<bool> {
    fixed.map_or_else(|| BOTH.to_vec(), |fixed| vec![fixed])
}

/// How a pipeline can end that has ended, or not, in Easegress's sense.
fn ends(ended: bool) -> Vec<&'static str> {
    // By a jump to END, by an END of its own, and by a result that nobody handles.
    if ended { vec!["stop", "end", "fail"] } else { vec!["", "handled"] }
}

/// A pipeline of one node that ends so.
fn node<H: tidegate::Head>(log: &Log, name: &str, end: &'static str) -> Node<H> {
    let result = if end == "end" { "" } else { end };
    let node = log.node(name, &["stop", "fail", "handled"], Act::Says(result));
    node.jump_to_end("stop")
}

/// Whether main and after ran.
fn ran(
    stages: Stages,
    before: Option<&'static str>,
    main: &'static str,
    after: bool,
) -> (bool, bool) {
    let log = Log::default();
    let mut flow = Flow::builder("table").stages(stages);
    if let Some(end) = before {
        let mut pipeline = Pipeline::new().request(node::<request::Parts>(&log, "b", end));
        if end == "end" {
            pipeline = pipeline.end();
        }
        let pipeline = with_landing(pipeline, &log, "b", end, true);
        flow = flow.before(pipeline);
    }
    let pipeline = Pipeline::new().call(Call::new("call"));
    let mut pipeline = pipeline.response(node::<response::Parts>(&log, "m", main));
    if main == "end" {
        pipeline = pipeline.end();
    }
    flow = flow.main(with_landing(pipeline, &log, "m", main, false));
    if after {
        let nodes = Pipeline::new().response(log.node("a", &[], Act::Says("")));
        flow = flow.after(nodes);
    }
    let flow = log.build(flow);
    exchange(&flow, Upstream::Answers(200));
    let heads = log.all("head");
    let main_ran = heads.contains(&"m".to_owned());
    assert_eq!(main_ran, log.summaries()[0].called, "the call belongs to main");
    (main_ran, heads.contains(&"a".to_owned()))
}

/// A failure that is handled is none: the node's result jumps to one that ends well.
fn with_landing(
    pipeline: Pipeline,
    log: &Log,
    name: &str,
    end: &str,
    is_request: bool,
) -> Pipeline {
    if end != "handled" {
        return pipeline;
    }
    let landing = format!("{name}-landing");
    let node_name = name;
    if is_request {
        let first = log.node::<request::Parts>(node_name, &["handled"], Act::Says("handled"));
        let landed = log.node(&landing, &[], Act::Says(""));
        Pipeline::new().request(first.jump("handled", &landing)).request(landed)
    } else {
        let first = log.node::<response::Parts>(node_name, &["handled"], Act::Says("handled"));
        let landed = log.node(&landing, &[], Act::Says(""));
        let pipeline = Pipeline::new().call(Call::new("call"));
        pipeline.response(first.jump("handled", &landing)).response(landed)
    }
}

#[test]
fn r6_easegress_mode_is_its_table_bit_for_bit() {
    let mut rows = 0;
    for (before_ended, fall_before, main_runs, main_ended, fall_main, after_runs) in EASEGRESS {
        for (fall_before, fall_main) in either(fall_before)
            .into_iter()
            .flat_map(|b| either(fall_main).into_iter().map(move |m| (b, m)))
        {
            let stages = Stages::easegress(fall_before, fall_main);
            let mut befores: Vec<Option<&str>> = ends(before_ended).into_iter().map(Some).collect();
            if !before_ended {
                befores.push(None);
            }
            for before in befores {
                for main in main_ended.map_or_else(|| vec![""], ends) {
                    let row = format!("{before:?} {fall_before} {main:?} {fall_main}");
                    assert_eq!(ran(stages, before, main, true), (main_runs, after_runs), "{row}");
                    // Without an after-pipeline nothing else changes.
                    assert_eq!(ran(stages, before, main, false), (main_runs, false), "{row}");
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, 24 + 18 + 18 + 3 + 3 + 12 + 9 + 9, "every way through the table");
}

#[test]
fn r4_each_switch_looks_at_one_border_and_one_end() {
    use StageEnd::{Failed, Stopped, Through};
    let ends = [None, Some(Through), Some(Stopped), Some(Failed)];
    let lets = |fall: FallThrough, end| match end {
        Through => true,
        Stopped => fall.stopped,
        Failed => fall.failed,
    };
    for bits in 0..64u8 {
        let bit = |n: u8| bits >> n & 1 == 1;
        let fall = |n: u8| FallThrough { stopped: bit(n), failed: bit(n + 1) };
        let stages = Stages { to_main: fall(0), to_after: fall(2), past_main: fall(4) };
        for before in ends {
            let expected = before.is_none_or(|end| lets(fall(0), end));
            assert_eq!(stages.main_runs(before), expected, "{stages:?} {before:?}");
            for main in ends {
                let expected = match (before, main) {
                    (_, Some(main)) => lets(fall(2), main),
                    (Some(before), None) => lets(fall(4), before),
                    (None, None) => true,
                };
                assert_eq!(
                    stages.after_runs(before, main),
                    expected,
                    "{stages:?} {before:?} {main:?}"
                );
            }
        }
    }
}

#[test]
fn r4_by_default_main_needs_a_before_that_went_through_and_after_sees_everything() {
    let stages = Stages::default();
    for end in ["", "handled"] {
        assert_eq!(ran(stages, Some(end), "", true), (true, true));
    }
    for end in ["stop", "end", "fail"] {
        assert_eq!(ran(stages, Some(end), "", true), (false, true), "before: {end}");
        assert_eq!(ran(stages, None, end, true), (true, true), "main: {end}");
    }
}

#[test]
fn r4_main_switch_says_nothing_where_main_was_skipped() {
    // Easegress's dagger: its switch of main lets after run although main did not.
    let stages = Stages { past_main: FallThrough::NEVER, ..Stages::easegress(false, true) };
    assert_eq!(ran(stages, Some("fail"), "", true), (false, false));
    assert_eq!(ran(Stages::easegress(false, true), Some("fail"), "", true), (false, true));
    // Stopped and failed are told apart on each border.
    let stopped_only = FallThrough { stopped: true, failed: false };
    let stages =
        Stages { to_main: stopped_only, past_main: FallThrough::NEVER, ..Stages::default() };
    assert_eq!(ran(stages, Some("stop"), "", true), (true, true));
    assert_eq!(ran(stages, Some("fail"), "", true), (false, false));
}
