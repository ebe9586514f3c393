//! What runs, and what the client sees.

use http::{request, response};
use tidegate::filter::ResultError;
use tidegate::flow::{Call, Flow, Node, OnUnhandled, Pipeline, Stage, StageEnd, Stages, Summary};
use tidegate::{Declaration, ErrorKind, Filter, Outcome, Verdict, View};

use crate::rig::{
    Act, Log, Seen, Upstream, answer, drain_request, drain_response, exchange, send, sides, start,
};

fn call() -> Call {
    Call::new("call")
}

fn req(log: &Log, name: &str, results: &[&'static str], act: Act) -> Node<request::Parts> {
    log.node(name, results, act)
}

fn resp(log: &Log, name: &str, results: &[&'static str], act: Act) -> Node<response::Parts> {
    log.node(name, results, act)
}

/// An after-pipeline with an access log.
fn access_log(log: &Log) -> Pipeline {
    Pipeline::new().response(resp(log, "access-log", &[], Act::Says("")))
}

/// Runs one exchange of `main`, with an access log behind it.
fn run(log: &Log, main: Pipeline, upstream: Upstream) -> (Seen, Summary) {
    run_staged(log, main, Stages::default(), upstream)
}

fn run_staged(log: &Log, main: Pipeline, stages: Stages, upstream: Upstream) -> (Seen, Summary) {
    let flow = Flow::builder("shop").main(main).after(access_log(log)).stages(stages);
    let flow = log.build(flow);
    let seen = exchange(&flow, upstream);
    let [summary] = log.summaries().try_into().expect("one summary");
    (seen, summary)
}

fn heads(log: &Log) -> String {
    log.all("head").join(" ")
}

fn client(seen: &Seen) -> (Option<u16>, &str) {
    (seen.status, &*seen.body)
}

#[test]
fn easegress_1213_the_access_log_sees_an_upstream_failure_exactly_once() {
    let staged = |stages, handled: bool| {
        let log = Log::default();
        let mut main =
            Pipeline::new().call(call()).response(resp(&log, "gzip", &[], Act::Says("")));
        if handled {
            let page = resp(&log, "page", &[], Act::Edits(502));
            main = Pipeline::new()
                .call(call().jump("failureCode", "page"))
                .response(resp(&log, "gzip", &[], Act::Says("")))
                .response(page);
        }
        let (seen, summary) = run_staged(&log, main, stages, Upstream::Answers(500));
        (seen.status, heads(&log), summary.main)
    };
    let failed = Some(StageEnd::Failed);
    // By default, and in Easegress's mode where it falls through.
    for stages in [Stages::default(), Stages::easegress(false, true)] {
        assert_eq!(staged(stages, false), (Some(500), "access-log".into(), failed));
    }
    // As the issue had it.
    let stages = Stages::easegress(false, false);
    assert_eq!(staged(stages, false), (Some(500), String::new(), failed));
    // One that is handled is no failure.
    let expected = (Some(502), "page access-log".into(), Some(StageEnd::Through));
    assert_eq!(staged(stages, true), expected);
}

#[test]
fn a_jump_over_the_call_is_a_503_that_a_node_may_edit_or_replace() {
    for (act, expected) in [
        (Act::Says(""), (Some(503), "")),
        (Act::Edits(200), (Some(200), "page")),
        (Act::Replies(200, ""), (Some(200), "reply")),
    ] {
        let log = Log::default();
        let main = Pipeline::new()
            .request(req(&log, "auth", &["denied"], Act::Says("denied")).jump("denied", "page"))
            .request(req(&log, "meter", &[], Act::Says("")))
            .call(call())
            .response(resp(&log, "gzip", &[], Act::Says("")))
            .response(resp(&log, "page", &[], act.clone()));
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        assert_eq!(client(&seen), expected, "{act:?}");
        assert!(!seen.called && !summary.called);
        assert_eq!(heads(&log), "auth page access-log");
        assert_eq!(summary.status.map(|status| status.as_u16()), expected.0);
        // A reply without a jump stops its pipeline, though it was the last node.
        let stopped = matches!(act, Act::Replies(..));
        let end = if stopped { StageEnd::Stopped } else { StageEnd::Through };
        assert_eq!(summary.main, Some(end));
    }
}

#[test]
fn end_before_the_call_is_a_503_behind_main() {
    for (main_of, end) in [("end", StageEnd::Stopped), ("fail", StageEnd::Failed)] {
        let log = Log::default();
        let auth = req(&log, "auth", &["end", "fail"], Act::Says(main_of)).jump_to_end("end");
        let page = resp(&log, "page", &[], Act::Edits(200));
        let main = Pipeline::new().request(auth).call(call()).response(page);
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        assert_eq!(client(&seen), (Some(503), ""));
        assert_eq!((heads(&log), summary.main), ("auth access-log".into(), Some(end)));
    }
}

#[test]
fn a_flow_without_a_call_never_calls() {
    let log = Log::default();
    let main = Pipeline::new().request(req(&log, "auth", &[], Act::Says(""))).response(resp(
        &log,
        "page",
        &[],
        Act::Edits(200),
    ));
    let (seen, summary) = run(&log, main, Upstream::Answers(200));
    assert_eq!(client(&seen), (Some(200), "page"));
    assert_eq!((heads(&log), summary.called), ("auth page access-log".into(), false));
}

#[test]
fn a_local_reply_enters_where_its_result_jumps_to() {
    let replied = |result, jump: &'static str| {
        let log = Log::default();
        let auth = req(&log, "auth", &["denied"], Act::Replies(403, result));
        let main = Pipeline::new()
            .request(auth.jump("denied", jump))
            .request(req(&log, "meter", &["x"], Act::Says("")).jump("x", "page"))
            .call(call())
            .response(resp(&log, "gzip", &[], Act::Says("")))
            .response(resp(&log, "page", &[], Act::Says("")));
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        assert_eq!(client(&seen), (Some(403), "reply"));
        assert!(
            matches!(&summary.request, Outcome::Replaced { by: Some(by), .. } if **by == *"auth")
        );
        (heads(&log), summary.main.unwrap())
    };
    use StageEnd::{Stopped, Through};
    assert_eq!(replied("denied", "page"), ("auth page access-log".into(), Through));
    assert_eq!(replied("denied", "END"), ("auth access-log".into(), Stopped));
    // Success has no jump: the pipeline is stopped.
    assert_eq!(replied("", "page"), ("auth access-log".into(), Stopped));
    // There is no request for a node before the call.
    assert_eq!(replied("denied", "meter"), ("auth access-log".into(), Stopped));
    assert_eq!(replied("denied", "call"), ("auth access-log".into(), Stopped));
}

#[test]
fn a_reply_with_a_result_that_nobody_handles_has_failed_or_is_none() {
    for (on_unhandled, end) in
        [(OnUnhandled::End, StageEnd::Failed), (OnUnhandled::Continue, StageEnd::Stopped)]
    {
        let log = Log::default();
        let main = Pipeline::new()
            .request(req(&log, "auth", &["denied"], Act::Replies(403, "denied")))
            .call(call())
            .on_unhandled(on_unhandled);
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        assert_eq!((seen.status, summary.main), (Some(403), Some(end)));
    }
}

#[test]
fn a_reply_of_before_skips_main_whatever_its_switch_says() {
    for (stages, expected) in [
        (Stages::default(), "gate access-log"),
        (Stages::easegress(true, true), "gate access-log"),
        (Stages::easegress(true, false), "gate"),
    ] {
        let log = Log::default();
        let before = Pipeline::new().request(req(&log, "gate", &[], Act::Replies(401, "")));
        let main = Pipeline::new()
            .request(req(&log, "auth", &[], Act::Says("")))
            .call(call())
            .response(resp(&log, "gzip", &[], Act::Says("")));
        let flow = Flow::builder("shop").before(before).main(main).after(access_log(&log));
        let flow = log.build(flow.stages(stages));
        let seen = exchange(&flow, Upstream::Answers(200));
        let [summary] = log.summaries().try_into().unwrap();
        assert_eq!(client(&seen), (Some(401), "reply"));
        assert_eq!(heads(&log), expected);
        assert_eq!((summary.before, summary.main), (Some(StageEnd::Stopped), None));
    }
}

#[test]
fn a_reply_on_the_response_goes_where_its_result_says_or_behind_main() {
    for (result, expected, end) in [
        ("", "first access-log", StageEnd::Stopped),
        ("bad", "first third access-log", StageEnd::Through),
    ] {
        let log = Log::default();
        let main = Pipeline::new()
            .call(call())
            .response(resp(&log, "first", &["bad"], Act::Replies(418, result)).jump("bad", "third"))
            .response(resp(&log, "second", &[], Act::Says("")))
            .response(resp(&log, "third", &[], Act::Says("")));
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        assert_eq!(client(&seen), (Some(418), "reply"));
        assert_eq!((heads(&log), summary.main), (expected.into(), Some(end)));
    }
}

#[test]
fn a_failure_meets_only_the_after_pipeline() {
    let acts = [(Act::Panics, 500), (Act::Fails, 500), (Act::Stalls, 500), (Act::Overflows, 413)];
    for (act, status) in acts {
        let log = Log::default();
        let main = Pipeline::new()
            .request(req(&log, "auth", &["x"], act.clone()).jump("x", "page"))
            .call(call())
            .response(resp(&log, "page", &[], Act::Says("")));
        let flow = Flow::builder("shop").main(main).after(access_log(&log));
        let flow = log.build(flow);
        let (mut request, mut response) = sides(&flow);
        let mut seen = Seen::default();
        send(&mut request, false);
        if matches!(act, Act::Overflows) {
            while request.wants_input() {
                let _ = request.handle_data(vec![b'x'; 60_000].into(), false);
            }
        }
        let _ = request.handle_end();
        drain_request(&mut request, &mut seen);
        drain_response(&mut response, &mut seen);
        drop((request, response));
        let [summary] = log.summaries().try_into().unwrap();
        assert_eq!(seen.status, Some(status), "{act:?}");
        assert_eq!(heads(&log), "auth access-log", "{act:?}");
        assert_eq!(summary.main, Some(StageEnd::Failed), "{act:?}");
        assert_eq!(&*summary.trace[0].node, "auth");
        assert_eq!(summary.trace[0].result, None, "its head never left");
    }
}

#[test]
fn a_failure_of_a_response_node_is_answered_through_the_after_pipeline() {
    for act in [Act::Panics, Act::Fails, Act::Stalls] {
        let log = Log::default();
        let main = Pipeline::new()
            .call(call())
            .response(resp(&log, "gzip", &["x"], act.clone()).jump("x", "page"))
            .response(resp(&log, "page", &[], Act::Says("")));
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        assert_eq!(client(&seen), (Some(500), ""), "{act:?}");
        assert_eq!((heads(&log), summary.main), ("gzip access-log".into(), Some(StageEnd::Failed)));
        assert!(summary.response.error().is_some(), "{:?}", summary.response);
        assert_eq!(summary.after, Some(StageEnd::Through));
    }
}

#[test]
fn a_failure_of_an_after_node_is_answered_past_the_flow() {
    for act in [Act::Panics, Act::Fails] {
        let log = Log::default();
        let after = Pipeline::new().response(resp(&log, "first", &[], act)).response(resp(
            &log,
            "second",
            &[],
            Act::Says(""),
        ));
        let flow = Flow::builder("shop").main(Pipeline::new().call(call())).after(after);
        let flow = log.build(flow);
        let seen = exchange(&flow, Upstream::Answers(200));
        let [summary] = log.summaries().try_into().unwrap();
        assert_eq!((seen.status, heads(&log)), (Some(500), "first".into()));
        assert_eq!(summary.main, Some(StageEnd::Through));
        assert_eq!(summary.after, Some(StageEnd::Failed));
    }
}

#[test]
fn a_failure_behind_the_result_never_jumps() {
    // The result was told when the head went, and its jump was taken then; the head is held behind.
    let log = Log::default();
    let main = Pipeline::new()
        .call(call())
        .response(resp(&log, "check", &["x"], Act::FailsLate("x")).jump("x", "hold"))
        .response(resp(&log, "skipped", &[], Act::Says("")))
        .response(resp(&log, "hold", &["y"], Act::SaysAtEnd("y")).jump("y", "page"))
        .response(resp(&log, "page", &[], Act::Says("")));
    let (seen, summary) = run(&log, main, Upstream::Answers(200));
    assert_eq!((seen.status, heads(&log)), (Some(500), "check hold access-log".into()));
    assert_eq!(summary.main, Some(StageEnd::Failed));
    let results: Vec<_> = summary.trace.iter().map(|entry| entry.result.as_deref()).collect();
    assert_eq!(results, [Some(""), Some("x"), None, Some("")]);

    // The same of a request whose head is with the upstream: that is no result of the call.
    let log = Log::default();
    let all = Call::RESULTS.into_iter().fold(call(), |call, result| call.jump(result, "page"));
    let main = Pipeline::new()
        .request(req(&log, "check", &[], Act::FailsLate("")))
        .call(all)
        .response(resp(&log, "page", &[], Act::Says("")));
    let flow = log.build(Flow::builder("shop").main(main).after(access_log(&log)));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, true);
    drain_request(&mut request, &mut seen);
    drain_response(&mut response, &mut seen);
    drop((request, response));
    let [summary] = log.summaries().try_into().unwrap();
    assert_eq!((seen.status, heads(&log)), (Some(500), "check access-log".into()));
    assert_eq!(summary.main, Some(StageEnd::Failed));
}

#[test]
fn a_response_that_fails_behind_its_head_has_failed_and_is_cut_off() {
    let log = Log::default();
    let main = Pipeline::new().call(call()).response(resp(&log, "gzip", &[], Act::Says("")));
    let flow = log.build(Flow::builder("shop").main(main).after(access_log(&log)));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, true);
    drain_request(&mut request, &mut seen);
    start(&mut response, 200);
    drain_response(&mut response, &mut seen);
    answer(&mut response, Upstream::Breaks);
    drain_response(&mut response, &mut seen);
    drop((request, response));
    let [summary] = log.summaries().try_into().unwrap();
    assert_eq!((client(&seen), seen.reset), ((Some(200), "pong"), true));
    assert_eq!((heads(&log), summary.main), ("gzip access-log".into(), Some(StageEnd::Failed)));
    assert_eq!(summary.after, Some(StageEnd::Through));
}

#[test]
fn the_call_has_the_results_of_easegress() {
    for (upstream, result, status) in [
        (Upstream::Answers(200), "", 200),
        (Upstream::Answers(418), "failureCode", 418),
        (Upstream::Answers(500), "", 500),
        (Upstream::Breaks, "serverError", 502),
        (Upstream::TimesOut, "timeout", 504),
        (Upstream::ClientBreaks, "clientError", 400),
        (Upstream::Unreachable, "internalError", 500),
    ] {
        let log = Log::default();
        let call = call().failure_statuses([418]);
        let jumps = Call::RESULTS.into_iter().fold(call, |call, result| call.jump(result, "page"));
        let main = Pipeline::new()
            .call(jumps)
            .response(resp(&log, "gzip", &[], Act::Says("")))
            .response(resp(&log, "page", &[], Act::Says("")));
        let (seen, summary) = run(&log, main, upstream);
        assert_eq!(seen.status, Some(status), "{upstream:?}");
        let expected = if result.is_empty() { "gzip page access-log" } else { "page access-log" };
        assert_eq!(heads(&log), expected, "{upstream:?}");
        assert_eq!(summary.trace[0].result.as_deref(), Some(result), "{upstream:?}");
    }
}

/// Says a result too late, and one that it did not declare.
struct Careless {
    log: Log,
    undeclared: bool,
}

impl Filter<response::Parts> for Careless {
    fn declare(&self) -> Declaration {
        Declaration::new().result("known")
    }

    fn head(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
        self.log.note("head careless");
        if self.undeclared {
            assert_eq!(view.set_result("unknown"), Err(ResultError::Undeclared));
        }
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
        assert_eq!(view.set_result("known"), Err(ResultError::HeadGone));
        self.log.note("late careless");
        Verdict::PASS
    }
}

#[test]
fn r2_an_undeclared_result_fails_and_a_late_one_is_refused() {
    for undeclared in [false, true] {
        let log = Log::default();
        let own = log.clone();
        let node = Node::new("careless", move || Careless { log: own.clone(), undeclared });
        let main = Pipeline::new()
            .call(call())
            .response(node.jump("known", "page"))
            .response(resp(&log, "gzip", &[], Act::Says("")))
            .response(resp(&log, "page", &[], Act::Says("")));
        let (seen, summary) = run(&log, main, Upstream::Answers(200));
        if undeclared {
            assert_eq!((seen.status, heads(&log)), (Some(500), "careless access-log".into()));
            let error = summary.response.error().expect("it failed");
            assert!(matches!(error.kind(), ErrorKind::Undeclared { .. }), "{error:?}");
            assert_eq!((error.filter(), summary.main), (Some("careless"), Some(StageEnd::Failed)));
        } else {
            assert_eq!(heads(&log), "careless gzip page access-log");
            assert_eq!((seen.status, summary.main), (Some(200), Some(StageEnd::Through)));
            assert!(!log.all("late").is_empty(), "it was refused");
        }
    }
}

#[test]
fn a_late_reply_of_a_request_node_stops_main() {
    let log = Log::default();
    let main = Pipeline::new()
        .request(req(&log, "scan", &["bad"], Act::RepliesLate(422)).jump("bad", "page"))
        .call(call())
        .response(resp(&log, "page", &[], Act::Says("")));
    let (seen, summary) = run(&log, main, Upstream::ClientBreaks);
    assert_eq!(client(&seen), (Some(422), "late"));
    assert_eq!((heads(&log), summary.main), ("scan access-log".into(), Some(StageEnd::Stopped)));
}

#[test]
fn a_late_reply_follows_no_jump_of_the_node_that_holds_the_head() {
    let log = Log::default();
    let hold = req(&log, "hold", &["x"], Act::Stalls).jump("", "page").jump("x", "call");
    let main = Pipeline::new()
        .request(req(&log, "scan", &[], Act::RepliesLate(422)))
        .request(hold)
        .call(call())
        .response(resp(&log, "page", &[], Act::Says("")));
    let (seen, summary) = run(&log, main, Upstream::Answers(200));
    assert_eq!(client(&seen), (Some(422), "late"));
    assert_eq!(heads(&log), "scan hold access-log");
    assert_eq!(summary.main, Some(StageEnd::Stopped));
}

#[test]
fn a_late_reply_of_a_response_node_meets_the_nodes_of_after_that_have_had_no_head() {
    let log = Log::default();
    let main = Pipeline::new()
        .call(call())
        .response(resp(&log, "scan", &[], Act::RepliesLate(500)))
        .response(resp(&log, "gzip", &[], Act::Says("")));
    let after = Pipeline::new()
        .response(resp(&log, "hold", &[], Act::SaysAtEnd("")))
        .response(resp(&log, "access-log", &[], Act::Says("")));
    let flow = log.build(Flow::builder("shop").main(main).after(after));
    let seen = exchange(&flow, Upstream::Answers(200));
    let [summary] = log.summaries().try_into().unwrap();
    assert_eq!(client(&seen), (Some(500), "late"));
    assert_eq!(heads(&log), "scan gzip hold access-log");
    assert_eq!((summary.main, summary.after), (Some(StageEnd::Through), Some(StageEnd::Through)));
}

#[test]
fn nodes_that_are_left_out_are_neither_made_nor_called_nor_closed() {
    let log = Log::default();
    let auth = req(&log, "auth", &["denied"], Act::Says("denied")).jump("denied", "page");
    let skipped = (0..20).fold(Pipeline::new().request(auth), |pipeline, n| {
        pipeline.request(req(&log, &format!("q{n}"), &[], Act::Says("")))
    });
    let skipped = (0..20).fold(skipped.call(call()), |pipeline, n| {
        pipeline.response(resp(&log, &format!("r{n}"), &[], Act::Says("")))
    });
    let main = skipped.response(resp(&log, "page", &[], Act::Says("")));
    let (_, summary) = run(&log, main, Upstream::Answers(200));
    for what in ["made", "head"] {
        assert_eq!(log.all(what), ["auth", "page", "access-log"], "{what}");
    }
    assert_eq!(log.all("closed").len(), 3);
    let traced: Vec<&str> = summary.trace.iter().map(|entry| &*entry.node).collect();
    assert_eq!(traced, ["auth", "page", "access-log"]);
    let stages: Vec<Stage> = summary.trace.iter().map(|entry| entry.stage).collect();
    assert_eq!(stages, [Stage::Main, Stage::Main, Stage::After]);
}

#[test]
fn a_maker_that_panics_fails_its_message_only() {
    let log = Log::default();
    let made = std::sync::atomic::AtomicU32::new(0);
    let panicking = Node::new("bad", move || {
        // Not when it is asked for its declaration.
        let before = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(before != 1, "the maker panics");
        Careless { log: Log::default(), undeclared: false }
    });
    let main = Pipeline::new().call(call()).response(panicking);
    let flow = log.build(Flow::builder("shop").main(main).after(access_log(&log)));
    let seen = exchange(&flow, Upstream::Answers(200));
    assert_eq!((seen.status, heads(&log)), (Some(500), "access-log".into()));
    let seen = exchange(&flow, Upstream::Answers(200));
    assert_eq!(seen.status, Some(200));
    let ends: Vec<_> = log.summaries().iter().map(|summary| summary.main.unwrap()).collect();
    assert_eq!(ends, [StageEnd::Failed, StageEnd::Through]);
}
