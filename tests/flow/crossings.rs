//! What happens to the request while its response is under way, and the other way round.

use http::{request, response};
use tidegate::error::Timeout;
use tidegate::flow::{Call, FallThrough, Flow, Pipeline, StageEnd, Stages, Summary};
use tidegate::{Error, ErrorKind, Origin};

use crate::rig::{Act, Log, Seen, drain_request, drain_response, send, sides, start};

/// A request node that may jump to a page, a call that does so on every result, a response node,
/// the page, an access log.
fn flow(log: &Log, request: Act, response: Act) -> Flow {
    let all = Call::RESULTS.into_iter();
    let call = all.fold(Call::new("call"), |call, result| call.jump(result, "page"));
    let auth = log.node::<request::Parts>("auth", &["denied", "stop"], request);
    let main = Pipeline::new()
        .request(auth.jump("denied", "page").jump_to_end("stop"))
        .call(call)
        .response(log.node::<response::Parts>("gzip", &[], response))
        .response(log.node("page", &[], Act::Says("")));
    let after = Pipeline::new().response(log.node("access-log", &[], Act::Says("")));
    log.build(Flow::builder("shop").main(main).after(after))
}

fn heads(log: &Log) -> String {
    log.all("head").join(" ")
}

#[track_caller]
fn only(log: &Log) -> Summary {
    let [summary] = log.summaries().try_into().expect("one summary");
    summary
}

#[test]
fn a_request_that_goes_on_behind_its_answer_changes_nothing() {
    for (says, called) in [("denied", false), ("stop", false), ("", true)] {
        let log = Log::default();
        let flow = flow(&log, Act::SaysAtEnd(says), Act::Says(""));
        let (mut request, mut response) = sides(&flow);
        let mut seen = Seen::default();
        send(&mut request, false);
        drain_request(&mut request, &mut seen);
        // The edge's clock runs out while the request head is held.
        response.handle_timeout(Timeout::Total);
        drain_response(&mut response, &mut seen);
        assert_eq!((seen.status, heads(&log)), (Some(504), "auth access-log".into()));
        drop(response);
        // Whatever the request comes to now: one that was denied never reaches the upstream.
        let _ = request.handle_end();
        while let Some(output) = request.poll_output() {
            seen.called |= matches!(output, tidegate::Output::Head { .. });
        }
        assert_eq!(seen.called, called);
        drop(request);
        let summary = only(&log);
        assert_eq!(
            (summary.main, summary.after),
            (Some(StageEnd::Failed), Some(StageEnd::Through))
        );
        assert_eq!(summary.called, called);
    }
}

#[test]
fn a_request_node_that_blames_the_upstream_has_failed_itself() {
    let log = Log::default();
    let flow = flow(&log, Act::BlamesUpstream, Act::Says(""));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, false);
    drain_request(&mut request, &mut seen);
    drain_response(&mut response, &mut seen);
    drop((request, response));
    // It is no result of the call, so the page is not next.
    assert_eq!((seen.status, heads(&log)), (Some(502), "auth access-log".into()));
    assert_eq!(only(&log).main, Some(StageEnd::Failed));
}

#[test]
fn a_limit_that_is_passed_behind_the_head_fails_main() {
    let log = Log::default();
    let flow = flow(&log, Act::OverflowsLate, Act::Says(""));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, false);
    drain_request(&mut request, &mut seen);
    while request.wants_input() {
        request.handle_data(vec![0; 40_000].into(), false).unwrap();
    }
    drain_request(&mut request, &mut seen);
    drain_response(&mut response, &mut seen);
    drop((request, response));
    assert_eq!((seen.status, heads(&log)), (Some(413), "auth access-log".into()));
    assert_eq!((only(&log).main, seen.called), (Some(StageEnd::Failed), true));
}

#[test]
fn a_limit_that_is_passed_behind_the_head_is_no_stop() {
    let log = Log::default();
    let stops = FallThrough { stopped: true, failed: false };
    let stages = Stages { to_after: stops, ..Stages::default() };
    let auth = log.node::<request::Parts>("auth", &[], Act::OverflowsLate);
    let main = Pipeline::new().request(auth).call(Call::new("call"));
    let after = Pipeline::new().response(log.node("access-log", &[], Act::Says("")));
    let flow = log.build(Flow::builder("shop").main(main).after(after).stages(stages));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, false);
    while request.wants_input() {
        request.handle_data(vec![0; 40_000].into(), false).unwrap();
    }
    drain_request(&mut request, &mut seen);
    drain_response(&mut response, &mut seen);
    assert_eq!((seen.status, heads(&log)), (Some(413), "auth".into()));
}

#[test]
fn a_response_that_comes_before_the_news_of_its_request_is_the_calls() {
    // The request is replaced, but the response of its upstream is the first to be looked at.
    for holds in [true, false] {
        let log = Log::default();
        let act = if holds { Act::SaysAtEnd("") } else { Act::Says("") };
        let flow = flow(&log, Act::RepliesLate(409), act);
        let (mut request, mut response) = sides(&flow);
        let (mut seen, mut late) = (Seen::default(), Seen::default());
        request.handle_head(http::Request::new(()).into_parts().0, false).unwrap();
        drain_request(&mut request, &mut seen);
        request.handle_data("ping".into(), false).unwrap();
        drain_request(&mut request, &mut late);
        start(&mut response, 200);
        let expected = if holds { "auth gzip" } else { "auth gzip page access-log" };
        assert_eq!((heads(&log), seen.called), (expected.into(), true));
        if holds {
            // Then the reply goes where the response is: what is left of the flow is after.
            drain_response(&mut response, &mut seen);
            assert_eq!((seen.status, heads(&log)), (Some(409), "auth gzip access-log".into()));
        }
        drop((request, response));
        let summary = only(&log);
        let main = if holds { StageEnd::Stopped } else { StageEnd::Through };
        assert_eq!(summary.main, Some(main));
        let call = summary.trace.iter().find(|entry| &*entry.node == "call").unwrap();
        assert_eq!(call.result.as_deref(), Some(""));
    }
}

#[test]
fn a_response_that_is_cut_off_before_the_news_of_its_request_has_failed() {
    let log = Log::default();
    let flow = flow(&log, Act::RepliesLate(409), Act::Stalls);
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    request.handle_head(http::Request::new(()).into_parts().0, false).unwrap();
    drain_request(&mut request, &mut seen);
    request.handle_data("ping".into(), false).unwrap();
    start(&mut response, 200);
    drop((response, request));
    // The reply of the request node stopped nothing: it was never looked at.
    assert_eq!((heads(&log), only(&log).main), ("auth gzip".into(), Some(StageEnd::Failed)));
}

#[test]
fn an_answer_that_is_cut_off_before_it_comes_in_has_failed_the_pipeline_it_is_for() {
    let log = Log::default();
    let flow = flow(&log, Act::Replies(403, "denied"), Act::Says(""));
    let (mut request, response) = sides(&flow);
    send(&mut request, true);
    drain_request(&mut request, &mut Seen::default());
    drop((response, request));
    let summary = only(&log);
    assert_eq!((heads(&log), summary.main), ("auth".into(), Some(StageEnd::Failed)));
    assert_eq!(summary.after, None);
}

#[test]
fn a_request_that_fails_behind_its_response_has_failed_main_and_one_that_is_reset_has_not() {
    for (fails, main) in [(true, StageEnd::Failed), (false, StageEnd::Through)] {
        let log = Log::default();
        let act = if fails { Act::FailsLate("") } else { Act::Says("") };
        let flow = flow(&log, act, Act::Says(""));
        let (mut request, mut response) = sides(&flow);
        let mut seen = Seen::default();
        request.handle_head(http::Request::new(()).into_parts().0, false).unwrap();
        drain_request(&mut request, &mut seen);
        start(&mut response, 200);
        let _ = response.handle_end();
        drain_response(&mut response, &mut seen);
        assert_eq!((seen.status, seen.called), (Some(200), true));
        if fails {
            request.handle_data("ping".into(), false).unwrap();
        } else {
            request.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
        }
        drain_request(&mut request, &mut seen);
        drop((request, response));
        assert_eq!(only(&log).main, Some(main), "fails: {fails}");
    }
}

#[test]
fn a_client_that_breaks_off_while_a_node_holds_the_head_fails_its_pipeline_without_a_jump() {
    let log = Log::default();
    let flow = flow(&log, Act::Stalls, Act::Says(""));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, false);
    drain_request(&mut request, &mut seen);
    request.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
    drain_request(&mut request, &mut seen);
    drain_response(&mut response, &mut seen);
    drop((request, response));
    assert_eq!((seen.status, heads(&log)), (Some(400), "auth access-log".into()));
    assert_eq!((only(&log).main, seen.called), (Some(StageEnd::Failed), false));
}
