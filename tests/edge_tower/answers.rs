//! What the client is answered when something fails before there is a response.

use std::convert::Infallible;
use std::future::pending;

use http::{Request, Response, StatusCode, request, response};
use tidegate::body::RequestBody;
use tidegate::{Declaration, Error, Head, LocalReply, Marks, Plan, Verdict};
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::layer;
use crate::support::{
    Call, Closed, PlanExt, Source, Step, block_on, collect, collect_async, no_filters, with_length,
};

/// Fails, panics or holds at `at`.
#[derive(Debug, Clone, Copy)]
enum Does {
    Fail,
    Panic,
    Stall,
    Reject,
}

fn plan<H: Head>(at: Call, does: Does) -> Plan<H> {
    let declaration =
        Declaration::new().marks(Marks::new(1, 2).unwrap()).require(tidegate::Capability::HoldHead);
    Plan::builder()
        .probe("fails", declaration, &Closed::default(), move || {
            move |call, view| {
                if call != at {
                    return Verdict::PASS;
                }
                match does {
                    Does::Fail => view.fail(Error::filter_failed("as planned")),
                    Does::Panic => panic!("as planned"),
                    Does::Stall => Verdict::HOLD.quiet(),
                    Does::Reject => Verdict::HOLD.or_reject(),
                }
            }
        })
        .build()
        .unwrap()
}

/// The status and the outcomes, with an inner service that reads all of the request and answers, or
/// waits for ever.
fn status(
    request: Request<Source>,
    plan: Plan<request::Parts>,
    answers: bool,
) -> (StatusCode, Vec<String>) {
    let told = Closed::default();
    let service = layer(plan, no_filters(), &told).layer(service_fn(
        move |request: Request<RequestBody<Source>>| async move {
            collect_async(&mut request.into_body()).await;
            if !answers {
                pending::<()>().await;
            }
            Ok::<_, Infallible>(Response::new(Source::empty()))
        },
    ));
    let response = block_on(service.oneshot(request)).unwrap();
    let status = response.status();
    assert!(collect(&mut response.into_body()).error.is_none());
    (status, told.all())
}

#[test]
fn for_a_request_that_fails() {
    let two = || Request::new(Source::new([Step::Data(b"two"), Step::Data(b"two")]));
    for answers in [false, true] {
        for (does, expected, outcome) in [
            (Does::Fail, StatusCode::INTERNAL_SERVER_ERROR, "failed"),
            (Does::Panic, StatusCode::INTERNAL_SERVER_ERROR, "failed"),
            (Does::Stall, StatusCode::INTERNAL_SERVER_ERROR, "stalled"),
            (Does::Reject, StatusCode::PAYLOAD_TOO_LARGE, "limit"),
        ] {
            let (status, told) = status(two(), plan(Call::Data, does), answers);
            assert_eq!(status, expected, "{does:?}");
            assert_eq!(told, [format!("request {outcome}"), "response replaced".to_owned()]);
        }
        for (does, expected) in [
            (Does::Fail, StatusCode::INTERNAL_SERVER_ERROR),
            (Does::Panic, StatusCode::INTERNAL_SERVER_ERROR),
            (Does::Stall, StatusCode::INTERNAL_SERVER_ERROR),
        ] {
            let (status, _) = status(two(), plan(Call::Head, does), answers);
            assert_eq!(status, expected, "{does:?} at the head");
        }
    }
}

#[test]
fn for_a_request_that_the_client_broke() {
    let broken = || Source::new([Step::Data(b"x"), Step::Yield, Step::Error]);
    for answers in [false, true] {
        let (code, told) = status(Request::new(broken()), no_filters(), answers);
        assert_eq!(code, StatusCode::BAD_REQUEST);
        assert_eq!(told, ["request reset", "response replaced"]);

        let (head, source) = Request::new(Source::new([Step::Data(b"x")])).into_parts();
        let short = Request::from_parts(with_length(head, 2), source);
        let (code, told) = status(short, no_filters(), answers);
        assert_eq!(code, StatusCode::BAD_REQUEST);
        assert_eq!(told, ["request failed", "response replaced"]);
    }
}

#[test]
fn for_a_length_that_is_none() {
    let mut request = Request::new(Source::of("x"));
    request.headers_mut().insert("content-length", "1, 2".parse().unwrap());
    let (code, told) = status(request, no_filters(), true);
    assert_eq!(code, StatusCode::BAD_REQUEST);
    assert_eq!(told, ["request failed", "response replaced"]);
}

/// The same with a failing response.
fn response_status(answer: Response<Source>, plan: Plan<response::Parts>) -> StatusCode {
    let answer = std::sync::Mutex::new(Some(answer));
    let told = Closed::default();
    let answer = std::sync::Arc::new(answer);
    let service = layer(no_filters(), plan, &told).layer(service_fn(
        move |_: Request<RequestBody<Source>>| {
            let answer = answer.lock().unwrap().take().unwrap();
            async { Ok::<_, Infallible>(answer) }
        },
    ));
    let response = block_on(service.oneshot(Request::new(Source::empty()))).unwrap();
    let status = response.status();
    let all = collect(&mut response.into_body());
    assert!(all.error.is_none(), "{:?}", all.error);
    assert_eq!(told.all().len(), 2, "{:?}", told.all());
    status
}

#[test]
fn for_a_response_that_fails_before_its_head_is_sent() {
    let two = || Response::new(Source::new([Step::Data(b"two"), Step::Data(b"two")]));
    for (does, expected) in [
        (Does::Fail, StatusCode::INTERNAL_SERVER_ERROR),
        (Does::Panic, StatusCode::INTERNAL_SERVER_ERROR),
        (Does::Stall, StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        assert_eq!(response_status(two(), plan(Call::Head, does)), expected, "{does:?}");
    }
    let mut bad = two();
    bad.headers_mut().insert("content-length", "two".parse().unwrap());
    assert_eq!(response_status(bad, no_filters()), StatusCode::BAD_GATEWAY);

    // The filter has the head until all body is there, and the source breaks before.
    let holds = Plan::builder()
        .probe(
            "holds",
            Declaration::new().require(tidegate::Capability::HoldHead),
            &Closed::default(),
            || |_, view| if view.input_ended() { Verdict::PASS } else { Verdict::HOLD },
        )
        .build()
        .unwrap();
    let broken = Response::new(Source::new([Step::Data(b"x"), Step::Error]));
    assert_eq!(response_status(broken, holds), StatusCode::BAD_GATEWAY);
}

#[test]
fn a_response_filter_replies_for_itself() {
    let replies = Plan::builder()
        .probe("replies", Declaration::new(), &Closed::default(), || {
            |_, view| view.reply(LocalReply::text(StatusCode::IM_A_TEAPOT, "short"))
        })
        .build()
        .unwrap();
    let answer = Response::new(Source::new([Step::Data(b"x"), Step::Gate]));
    assert_eq!(response_status(answer, replies), StatusCode::IM_A_TEAPOT);
}
