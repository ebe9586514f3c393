//! What the layer does to heads for the sake of HTTP/1, and what it leaves alone.

use std::convert::Infallible;

use http::{HeaderMap, Method, Request, Response, Version, request, response};
use http_body::Body;
use tidegate::body::RequestBody;
use tidegate::{Declaration, Interest, Plan, Verdict};
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::layer;
use crate::needs::adds;
use crate::support::{Closed, PlanExt, Source, Step, block_on, no_filters};

/// The request's fields, and the exact length of its body, as the inner service sees them.
fn seen(
    request: Request<Source>,
    request_plan: Plan<request::Parts>,
    response_plan: Plan<response::Parts>,
) -> (HeaderMap, Option<u64>) {
    let service = layer(request_plan, response_plan, &Closed::default()).layer(service_fn(
        |request: Request<RequestBody<Source>>| async move {
            let exact = request.body().size_hint().exact();
            let mut response = Response::new(Source::empty());
            response.extensions_mut().insert((request.headers().clone(), exact));
            Ok::<_, Infallible>(response)
        },
    ));
    let mut response = block_on(service.oneshot(request)).unwrap();
    response.extensions_mut().remove().unwrap()
}

fn post(version: Version, source: Source) -> Request<Source> {
    Request::post("/").version(version).body(source).unwrap()
}

/// Looks at trailers, or at nothing.
fn looks(interest: Interest) -> Plan<response::Parts> {
    Plan::builder()
        .probe("looks", Declaration::new().interest(interest), &Closed::default(), || {
            |_, _| Verdict::PASS
        })
        .build()
        .unwrap()
}

#[test]
fn trailers_are_asked_for_if_a_response_filter_looks_at_them() {
    let (headers, _) =
        seen(post(Version::HTTP_11, Source::empty()), no_filters(), looks(Interest::TRAILERS));
    assert_eq!(
        (&headers["te"], &headers["connection"]),
        (&"trailers".parse().unwrap(), &"te".parse().unwrap())
    );
    // A field of the connection must not be on HTTP/2; there is nothing to ask on HTTP/1.0.
    let (headers, _) =
        seen(post(Version::HTTP_2, Source::empty()), no_filters(), looks(Interest::TRAILERS));
    assert_eq!(headers["te"], "trailers");
    assert!(!headers.contains_key("connection"));
    for (version, interest) in
        [(Version::HTTP_10, Interest::ALL), (Version::HTTP_11, Interest::HEAD | Interest::DATA)]
    {
        let (headers, _) = seen(post(version, Source::empty()), no_filters(), looks(interest));
        assert!(headers.is_empty(), "{headers:?}");
    }
}

#[test]
fn what_the_client_asks_is_kept() {
    let mut request = post(Version::HTTP_11, Source::empty());
    request.headers_mut().insert("te", "gzip, trailers".parse().unwrap());
    request.headers_mut().insert("connection", "TE, close".parse().unwrap());
    let before = request.headers().clone();
    assert_eq!(seen(request, no_filters(), looks(Interest::ALL)).0, before);
    let mut request = post(Version::HTTP_11, Source::empty());
    request.headers_mut().insert("te", "gzip".parse().unwrap());
    let (headers, _) = seen(request, no_filters(), looks(Interest::ALL));
    assert_eq!(headers.get_all("te").iter().collect::<Vec<_>>(), ["gzip", "trailers"]);
}

#[test]
fn without_filters_nothing_is_changed() {
    for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
        let source = Source::new([Step::Data(b"x")]);
        let (headers, exact) = seen(post(version, source), no_filters(), no_filters());
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(exact, None);
    }
}

#[test]
fn added_trailers_are_announced_and_the_length_goes() {
    let mut request = post(Version::HTTP_11, Source::of("body"));
    request.headers_mut().insert("content-length", "4".parse().unwrap());
    request.headers_mut().insert("trailer", "x-first".parse().unwrap());
    let (headers, exact) = seen(request, adds(true), no_filters());
    assert_eq!(headers.get_all("trailer").iter().collect::<Vec<_>>(), ["x-first", "x-digest"]);
    assert!(!headers.contains_key("content-length"));
    assert_eq!(exact, None);
}

#[test]
fn announced_trailers_that_pass_take_the_length_away_too() {
    let mut request = post(Version::HTTP_11, Source::of("body"));
    request.headers_mut().insert("content-length", "4".parse().unwrap());
    request.headers_mut().insert("trailer", "x-check".parse().unwrap());
    let (headers, exact) = seen(request, no_filters(), no_filters());
    assert!(!headers.contains_key("content-length"));
    assert_eq!(exact, None, "hyper would write a length, and send no trailers");
}

#[test]
fn a_request_without_body_stays_one() {
    for required in [false, true] {
        let request = Request::get("/").body(Source::empty()).unwrap();
        let (headers, exact) = seen(request, adds(required), no_filters());
        assert_eq!(headers.contains_key("trailer"), required);
        assert_eq!(exact, (!required).then_some(0));
    }
}

#[test]
fn a_body_that_hyper_would_leave_out_is_framed() {
    for (method, framed) in [(Method::GET, true), (Method::HEAD, true), (Method::POST, false)] {
        let source = Source::new([Step::Data(b"x")]);
        let request = Request::builder().method(&method).uri("/").body(source).unwrap();
        let (headers, _) = seen(request, no_filters(), no_filters());
        assert_eq!(headers.contains_key("transfer-encoding"), framed, "{method}");

        let request = Request::builder().method(&method).uri("/").body(Source::empty()).unwrap();
        assert!(seen(request, no_filters(), no_filters()).0.is_empty());
    }
}
