//! Needs of filters against what the edge, and one message, can do.

use std::convert::Infallible;

use http::{HeaderName, Request, Response, StatusCode, Version, request, response};
use tidegate::body::{ExchangeLayer, HttpEdge, RequestBody};
use tidegate::{Capability, Declaration, Head, MessageTraits, Plan, Verdict};
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::layer;
use crate::support::{CHECK, Call, Closed, PlanExt, Source, block_on, collect, no_filters};

const DIGEST: HeaderName = HeaderName::from_static("x-digest");

/// Adds a trailer, if it may.
pub(crate) fn adds<H: Head>(required: bool) -> Plan<H> {
    let declaration = Declaration::new().trailer(DIGEST);
    let declaration = if required {
        declaration.require(Capability::AddTrailers)
    } else {
        declaration.prefer(Capability::AddTrailers)
    };
    Plan::builder()
        .probe("adds", declaration, &Closed::default(), || {
            |call, view| {
                if call == Call::Trailers && view.granted(Capability::AddTrailers) {
                    let trailers = view.trailers_mut().unwrap();
                    trailers.insert(DIGEST, "abc".parse().unwrap());
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap()
}

#[test]
fn a_need_that_the_edge_cannot_meet_is_refused_at_construction() {
    let unmet =
        ExchangeLayer::with_edge(HttpEdge::DATA_ONLY, adds(true), no_filters()).unwrap_err();
    assert_eq!((unmet.filter(), unmet.capability()), ("adds", Capability::AddTrailers));
    let unmet =
        ExchangeLayer::with_edge(HttpEdge::DATA_ONLY, no_filters(), adds(true)).unwrap_err();
    assert_eq!(
        unmet.to_string(),
        "filter `adds` requires `add trailers`, which this edge cannot do"
    );
    assert!(ExchangeLayer::with_edge(HttpEdge::DATA_ONLY, adds(false), adds(false)).is_ok());
    assert!(ExchangeLayer::new(adds(true), adds(true)).is_ok());
}

fn answer(
    request: Request<Source>,
    request_plan: Plan<request::Parts>,
    response_plan: Plan<response::Parts>,
) -> (Response<tidegate::body::ResponseBody<Source>>, Vec<String>) {
    let told = Closed::default();
    let service = layer(request_plan, response_plan, &told).layer(service_fn(
        |request: Request<RequestBody<Source>>| async move {
            let source = Source::of("body").exact(4);
            let mut response = Response::new(source);
            if let Some(te) = request.headers().get("te") {
                response.headers_mut().insert("x-te", te.clone());
            }
            Ok::<_, Infallible>(response)
        },
    ));
    (block_on(service.oneshot(request)).unwrap(), told.all())
}

fn get(version: Version, te: Option<&str>) -> Request<Source> {
    let mut request = Request::get("/").version(version);
    if let Some(te) = te {
        request = request.header("te", te);
    }
    request.body(Source::empty()).unwrap()
}

#[test]
fn a_client_that_does_not_accept_trailers_is_refused_what_requires_them() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (response, told) = answer(get(version, None), no_filters(), adds(true));
        assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
        assert_eq!(told, ["response failed"]);
        let (response, _) = answer(get(version, Some("trailers")), no_filters(), adds(true));
        assert_eq!(response.status(), StatusCode::OK);
    }
    let old = get(Version::HTTP_10, Some("trailers"));
    assert_eq!(answer(old, no_filters(), adds(true)).0.status(), StatusCode::NOT_ACCEPTABLE);
}

#[test]
fn a_request_that_cannot_have_trailers_is_refused_what_requires_them() {
    let (response, told) = answer(get(Version::HTTP_10, None), adds(true), no_filters());
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(told, ["request failed", "response replaced"]);
}

#[test]
fn a_preferred_need_is_granted_where_it_can_be() {
    let cases = [
        (Version::HTTP_11, None, false),
        (Version::HTTP_11, Some("trailers"), true),
        (Version::HTTP_11, Some("gzip, Trailers;q=1"), false),
        (Version::HTTP_11, Some("deflate, TRAILERS"), true),
        (Version::HTTP_2, None, false),
        (Version::HTTP_2, Some("trailers"), true),
        (Version::HTTP_10, Some("trailers"), false),
    ];
    for (version, te, granted) in cases {
        let (response, _) = answer(get(version, te), no_filters(), adds(false));
        assert_eq!(response.status(), StatusCode::OK);
        let announced = response.headers().get("trailer").map(|value| value.as_bytes());
        assert_eq!(announced, granted.then_some(&b"x-digest"[..]), "{version:?} {te:?}");
        let framed_by_length = response.headers().contains_key("content-length");
        assert_eq!(framed_by_length, !granted, "{version:?} {te:?}");
        let all = collect(&mut response.into_body());
        assert_eq!(all.text(), "body");
        assert_eq!(all.trailers.is_some_and(|all| all.contains_key(DIGEST)), granted);
    }
}

#[test]
fn nothing_is_added_to_a_response_to_head() {
    for required in [false, true] {
        let request = Request::head("/").header("te", "trailers").body(Source::empty()).unwrap();
        let (response, _) = answer(request, no_filters(), adds(required));
        assert_eq!(response.status(), StatusCode::OK);
        // The inner service answered as to GET.
        assert_eq!(response.headers()["content-length"], "4");
        assert!(!response.headers().contains_key("trailer"));
        assert!(http_body::Body::is_end_stream(response.body()));
        assert!(collect(&mut response.into_body()).data.is_empty());
    }
}

#[test]
fn trailers_that_come_with_a_message_are_sent_where_the_client_can_take_them() {
    // HTTP/2 sends them to anybody; HTTP/1 sends what was announced, to those who ask.
    for (version, te, announced, sent) in [
        (Version::HTTP_2, None, false, true),
        (Version::HTTP_11, Some("trailers"), true, true),
        (Version::HTTP_11, Some("trailers"), false, false),
        (Version::HTTP_11, None, true, false),
        (Version::HTTP_10, Some("trailers"), true, false),
    ] {
        let unsent = Closed::default();
        let noted = unsent.clone();
        let service = ExchangeLayer::new(no_filters(), no_filters())
            .unwrap()
            .on_finish(std::sync::Arc::new(move |_, outcome, _| {
                if let tidegate::Outcome::Complete { unsent_trailers: 1.., .. } = outcome {
                    noted.push("counted".to_owned());
                }
            }))
            .layer(service_fn(move |_: Request<RequestBody<Source>>| async move {
                let steps = [crate::support::Step::Data(b"x"), crate::support::Step::Trailers("t")];
                let mut response = Response::new(Source::new(steps));
                if announced {
                    response.headers_mut().insert("trailer", CHECK.into());
                }
                Ok::<_, Infallible>(response)
            }));
        let response = block_on(service.oneshot(get(version, te))).unwrap();
        assert_eq!(response.headers().contains_key("trailer"), announced && sent, "{version:?}");
        let all = collect(&mut response.into_body());
        assert_eq!(all.trailers.is_some_and(|all| all.contains_key(CHECK)), sent, "{version:?}");
        assert_eq!(unsent.all().is_empty(), sent);
    }
}

#[test]
fn what_an_edge_says_of_messages() {
    // Traits have no face of their own: seen through what a chain grants.
    fn grants(plan: &Plan<response::Parts>, traits: MessageTraits) -> bool {
        plan.bind(tidegate::Capabilities::ALL).unwrap().chain(traits).is_ok()
    }
    let plan = adds(true);
    let (head, _) = get(Version::HTTP_11, Some("trailers")).into_parts();
    assert!(grants(&plan, HttpEdge::HYPER.response_traits(&head)));
    assert!(!grants(&plan, HttpEdge::DATA_ONLY.response_traits(&head)));
    assert!(!grants(&plan, HttpEdge::DATA_ONLY.request_traits(&head)));
    let (head, _) = get(Version::HTTP_11, None).into_parts();
    assert!(!grants(&plan, HttpEdge::HYPER.response_traits(&head)));
    assert!(grants(&plan, HttpEdge::HYPER.request_traits(&head)));
}
