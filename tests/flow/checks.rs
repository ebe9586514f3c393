//! What cannot be built, and what the error says (R1, R2, R3).

use http::{request, response};
use tidegate::chain::PlanError;
use tidegate::exchange::Direction;
use tidegate::flow::{
    Call, Flow, FlowError, FlowErrorKind as Kind, Node, OnUnhandled, Pipeline, Stage, Step,
};
use tidegate::{Declaration, Filter, Head, limits};

/// A filter with results and nothing else.
struct Quiet(&'static [&'static str]);

impl<H: Head> Filter<H> for Quiet {
    fn declare(&self) -> Declaration {
        self.0.iter().fold(Declaration::new(), |declaration, &name| declaration.result(name))
    }
}

fn req(name: &str, results: &'static [&'static str]) -> Node<request::Parts> {
    Node::new(name, move || Quiet(results))
}

fn resp(name: &str, results: &'static [&'static str]) -> Node<response::Parts> {
    Node::new(name, move || Quiet(results))
}

fn call() -> Call {
    Call::new("call")
}

/// A main pipeline around which everything else is well.
fn main() -> Pipeline {
    Pipeline::new().call(call())
}

#[track_caller]
fn refused(flow: tidegate::flow::FlowBuilder) -> FlowError {
    flow.build().expect_err("a flow that cannot be")
}

/// Where: stage, step, name, result, target.
type At<'a> = (Stage, Option<usize>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

#[track_caller]
fn assert_error(error: &FlowError, at: At<'_>, kind: &Kind, text: &str) {
    let place = error.place();
    let actual = (
        place.stage,
        place.step,
        place.name.as_deref(),
        place.result.as_deref(),
        place.target.as_deref(),
    );
    assert_eq!(actual, at);
    assert_eq!(error.kind(), kind);
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_flow_has_a_main_pipeline() {
    let error = refused(Flow::builder("shop").before(Pipeline::new().request(req("a", &[]))));
    let text = "main pipeline: there is no main pipeline";
    assert_error(&error, (Stage::Main, None, None, None, None), &Kind::NoMain, text);
}

#[test]
fn r1_names_are_unique_in_the_whole_flow_whether_targets_or_not() {
    let before = Pipeline::new().request(req("auth", &[]));
    let pipeline = Pipeline::new().request(req("x", &[])).request(req("auth", &[])).call(call());
    let error = refused(Flow::builder("shop").before(before).main(pipeline));
    assert_error(
        &error,
        (Stage::Main, Some(1), Some("auth"), None, None),
        &Kind::DuplicateName { stage: Stage::Before, step: 0 },
        "main pipeline, node 1 `auth`: the name is that of node 0 of the before pipeline",
    );
    // The call has a name like all others, and so have nodes of the other direction.
    for after in ["call", "x"] {
        let pipeline = Pipeline::new().request(req("x", &[])).call(call());
        let after_pipeline = Pipeline::new().response(resp(after, &[]));
        let error = refused(Flow::builder("shop").main(pipeline).after(after_pipeline));
        let step = usize::from(after == "call");
        assert_eq!(error.kind(), &Kind::DuplicateName { stage: Stage::Main, step });
        assert_eq!((error.place().stage, error.place().step), (Stage::After, Some(0)));
    }
}

#[test]
fn r3_end_is_reserved_and_names_are_not_empty() {
    let error = refused(Flow::builder("shop").main(main().response(resp("END", &[]))));
    let at = (Stage::Main, Some(1), Some("END"), None, None);
    let text = "main pipeline, node 1 `END`: the name is reserved";
    assert_error(&error, at, &Kind::ReservedName, text);
    let error = refused(Flow::builder("shop").main(Pipeline::new().call(Call::new("END"))));
    assert_eq!(error.kind(), &Kind::ReservedName);
    let error = refused(Flow::builder("shop").main(main().response(resp("", &[]))));
    let text = "main pipeline, node 1 ``: a node without a name";
    assert_error(&error, (Stage::Main, Some(1), Some(""), None, None), &Kind::EmptyName, text);
}

#[test]
fn r3_an_end_has_neither_alias_nor_jump() {
    // By construction: there is nothing in it to say one with.
    assert!(matches!(Step::End, Step::End));
    assert_eq!(Step::End.name(), tidegate::flow::END);
    // Any number of ends are no duplicates.
    let pipeline = Pipeline::new()
        .request(req("a", &["x", "y"]).jump("x", "b").jump("y", "call"))
        .end()
        .request(req("b", &["x"]).jump("x", "call"))
        .end()
        .call(call());
    Flow::builder("shop").main(pipeline).build().expect("a flow");
}

#[test]
fn filters_stand_where_their_messages_are() {
    let flow = || Flow::builder("shop");
    let cases = [
        (
            flow().before(Pipeline::new().call(call())).main(main()),
            (Stage::Before, 0, "call"),
            Kind::CallOutsideMain,
        ),
        (
            flow().before(Pipeline::new().response(resp("r", &[]))).main(main()),
            (Stage::Before, 0, "r"),
            Kind::ResponseInBefore,
        ),
        (
            flow().main(main()).after(Pipeline::new().call(Call::new("second"))),
            (Stage::After, 0, "second"),
            Kind::CallOutsideMain,
        ),
        (
            flow().main(main()).after(Pipeline::new().request(req("q", &[]))),
            (Stage::After, 0, "q"),
            Kind::RequestInAfter,
        ),
        (
            flow().main(main().request(req("q", &[]))),
            (Stage::Main, 1, "q"),
            Kind::RequestTooLate { behind: 0 },
        ),
        (
            flow().main(Pipeline::new().response(resp("r", &[])).request(req("q", &[]))),
            (Stage::Main, 1, "q"),
            Kind::RequestTooLate { behind: 0 },
        ),
        (
            flow().main(Pipeline::new().response(resp("r", &[])).call(call())),
            (Stage::Main, 0, "r"),
            Kind::ResponseTooEarly { call: 1 },
        ),
        (
            flow().main(main().response(resp("r", &[])).call(Call::new("second"))),
            (Stage::Main, 2, "second"),
            Kind::SecondCall { first: 0 },
        ),
        (
            flow().main(Pipeline::new().call(call().failure_statuses([503, 1000]))),
            (Stage::Main, 0, "call"),
            Kind::InvalidStatus { status: 1000 },
        ),
    ];
    for (flow, (stage, step, name), kind) in cases {
        let error = refused(flow);
        assert_eq!(error.kind(), &kind);
        let place = error.place();
        assert_eq!(
            (place.stage, place.step, place.name.as_deref()),
            (stage, Some(step), Some(name))
        );
    }
}

#[test]
fn r2_jumps_are_on_declared_results() {
    let pipeline = Pipeline::new()
        .request(req("auth", &["denied", "busy"]).jump("refused", "page"))
        .call(call())
        .response(resp("page", &[]));
    assert_error(
        &refused(Flow::builder("shop").main(pipeline)),
        (Stage::Main, Some(0), Some("auth"), Some("refused"), Some("page")),
        &Kind::UndeclaredResult { declared: vec!["denied".into(), "busy".into()] },
        "main pipeline, node 0 `auth`, result `refused`, target `page`: the result is not \
         declared: the node declares `denied`, `busy`",
    );
    let pipeline = main().response(resp("page", &[]).jump("refused", "END"));
    let error = refused(Flow::builder("shop").main(pipeline));
    assert!(error.to_string().ends_with("the node declares none"), "{error}");
    let pipeline = Pipeline::new().call(call().jump("shortCircuited", "page"));
    let error = refused(Flow::builder("shop").main(pipeline.response(resp("page", &[]))));
    let declared = Call::RESULTS.map(str::to_owned).to_vec();
    assert_eq!(error.kind(), &Kind::UndeclaredResult { declared });
}

#[test]
fn r1_jumps_go_forward_within_their_pipeline() {
    let build = |target: &str| {
        let before = Pipeline::new().request(req("gate", &[]));
        let pipeline = Pipeline::new()
            .request(req("first", &[]))
            .request(req("auth", &["denied"]).jump("denied", target))
            .call(call())
            .response(resp("page", &[]));
        let after = Pipeline::new().response(resp("log", &[]));
        Flow::builder("shop").before(before).main(pipeline).after(after)
    };
    let at = |target| (Stage::Main, Some(1), Some("auth"), Some("denied"), Some(target));
    let head = "main pipeline, node 1 `auth`, result `denied`";
    let cases = [
        ("nowhere", Kind::UnknownTarget, "no node is called so"),
        ("", Kind::UnknownTarget, "no node is called so"),
        ("first", Kind::BackwardTarget { step: 0 }, "jumps go forward, and the target is node 0"),
        ("auth", Kind::BackwardTarget { step: 1 }, "jumps go forward, and the target is node 1"),
        (
            "gate",
            Kind::ForeignTarget { stage: Stage::Before, step: 0 },
            "jumps stay in their pipeline: this is node 0 of the before pipeline",
        ),
        (
            "log",
            Kind::ForeignTarget { stage: Stage::After, step: 0 },
            "jumps stay in their pipeline: this is node 0 of the after pipeline",
        ),
    ];
    for (target, kind, text) in cases {
        let text = format!("{head}, target `{target}`: {text}");
        assert_error(&refused(build(target)), at(target), &kind, &text);
    }
    for target in ["call", "page", "END"] {
        build(target).build().expect("a flow");
    }
}

#[test]
fn one_result_has_one_jump() {
    let node = req("auth", &["denied"]).jump("denied", "call").jump("denied", "END");
    assert_error(
        &refused(Flow::builder("shop").main(Pipeline::new().request(node).call(call()))),
        (Stage::Main, Some(0), Some("auth"), Some("denied"), Some("END")),
        &Kind::DuplicateJump,
        "main pipeline, node 0 `auth`, result `denied`, target `END`: two jumps on one result",
    );
}

#[test]
fn nodes_where_nothing_leads_are_errors() {
    let unreachable = |pipeline: Pipeline| {
        let error = refused(Flow::builder("shop").main(pipeline));
        assert_eq!(error.kind(), &Kind::Unreachable);
        let place = error.place();
        assert!(place.to_string().contains("main pipeline, node"), "{place}");
        (place.step.unwrap(), place.name.clone().unwrap())
    };
    // Behind an END.
    let pipeline = Pipeline::new().request(req("a", &[])).end().call(call());
    assert_eq!(unreachable(pipeline), (2, "call".into()));
    // Behind a node all of whose results jump past it.
    let node = || req("a", &["x"]).jump("", "call");
    let pipeline = Pipeline::new().request(node().jump("x", "call")).request(req("b", &[]));
    assert_eq!(unreachable(pipeline.call(call())), (1, "b".into()));
    // A result that nobody handles ends the pipeline, so it does not lead there either ...
    let pipeline = Pipeline::new().request(node()).request(req("b", &[])).call(call());
    assert_eq!(unreachable(pipeline), (1, "b".into()));
    // ... unless the pipeline goes on.
    let pipeline = Pipeline::new().request(node()).request(req("b", &[])).call(call());
    let pipeline = pipeline.on_unhandled(OnUnhandled::Continue);
    Flow::builder("shop").main(pipeline).build().expect("a flow");
    // Then an END is an error too.
    let pipeline = Pipeline::new().end().end();
    assert_eq!(unreachable(pipeline), (1, "END".into()));
    // Behind one that cannot be reached itself: the first is named.
    let pipeline = main().end().response(resp("r", &["x"]).jump("x", "s")).response(resp("s", &[]));
    assert_eq!(unreachable(pipeline), (2, "r".into()));
}

#[test]
fn a_chain_has_a_bounded_number_of_stations() {
    let pipeline = (0..limits::MAX_FILTERS)
        .fold(Pipeline::new(), |pipeline, n| pipeline.request(req(&format!("n{n}"), &[])));
    let flow = || Flow::builder("shop").main(pipeline.clone().call(call()));
    flow().build().expect("as many as there may be");
    let error = refused(flow().before(Pipeline::new().request(req("one more", &[]))));
    let direction = Direction::Request;
    let error_kind = PlanError::TooManyFilters { filters: limits::MAX_FILTERS + 1 };
    assert_eq!(error.kind(), &Kind::Plan { direction, error: error_kind });
    assert_eq!(error.place().step, None);
}

#[test]
fn nodes_can_be_made_from_makers_whose_types_are_not_known() {
    type Make = std::sync::Arc<dyn Fn() -> Box<dyn Filter<request::Parts>> + Send + Sync>;
    let make: Make = std::sync::Arc::new(|| Box::new(Quiet(&["denied"])));
    // One maker serves two nodes; a box is a filter itself.
    let other = std::sync::Arc::clone(&make);
    let pipeline = Pipeline::new()
        .request(Node::boxed("a", make).jump("denied", "c"))
        .request(Node::new("b", move || other()).jump("denied", "c"))
        .step(Step::Request(req("c", &[])))
        .step(Step::Call(call()));
    let flow = Flow::builder("shop").main(pipeline).build().expect("a flow");
    let names: Vec<&str> = flow.plan().request().filters().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(flow.name(), "shop");
}
