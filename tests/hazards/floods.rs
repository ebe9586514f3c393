//! H9, H12 and H13: what nobody counts as body: collected copies, frames without payload, fields.

use std::convert::Infallible;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, request, response};
use http_body_util::{BodyExt, Full};
use tidegate::async_filter::{Input as AsyncInput, Output as AsyncOutput, async_filter};
use tidegate::body::{ExchangeLayer, FilteredBody, Opening, RequestBody};
use tidegate::pipe::pipe;
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter, Head, Marks,
    MessageTraits, Output, Plan, View, limits,
};
use tower::{ServiceExt, service_fn};

use crate::counting::live_bytes;
use crate::edge::block_on;
use crate::kit::*;

/// As many different fields as a map can hold: h2 #909 panicked at the next.
fn full_map() -> HeaderMap {
    let mut map = HeaderMap::new();
    for number in 0_u32.. {
        let name: HeaderName = format!("x-{number}").parse().expect("a field name");
        if map.try_append(name, HeaderValue::from_static("1")).is_err() {
            break;
        }
    }
    assert!(map.len() > 20_000, "{} fields", map.len());
    map
}

fn bound<H: Dir>(plan: Plan<H>) -> Chain<H> {
    let plan = plan.bind(Capabilities::ALL).expect("an edge that can do it");
    plan.chain(MessageTraits::new()).expect("a chain")
}

/// h2 #909, hyper #4108: a map that is as full as can be goes through filters and edges as head and
/// as trailers. How many fields a peer may send is for the parser before the chain to say; the
/// engine copies none, adds none of its own that it need not, and does not panic at the one more.
fn h13_a_full_map_of_fields_passes<H: Dir>() {
    let mut head = H::plain();
    *head.headers_mut() = full_map();
    let trailers = full_map();
    let fields = trailers.len();
    let plan = Plan::<H>::builder().filter("A", || DeclaresNothing);
    let mut chain = bound(plan.filter("B", || AddsTrailers).build().expect("a plan"));
    let before = live_bytes();
    chain.handle_head(head, false).expect("the head is taken");
    let Some(Output::Head { head, .. }) = chain.poll_output() else { panic!("a head") };
    chain.handle_data(Bytes::from_static(b"x"), false).expect("data is taken");
    assert!(matches!(chain.poll_output(), Some(Output::Data(_))));
    chain.handle_trailers(trailers).expect("trailers are taken");
    let Some(Output::Trailers(trailers)) = chain.poll_output() else { panic!("trailers") };
    // They are the maps that were given: a copy of one would be a megabyte.
    assert!(live_bytes() - before < 64 * 1024, "{} bytes more", live_bytes() - before);
    assert_eq!((head.headers().len(), trailers.len()), (fields, fields));
}

/// Is asked for trailers, and adds none.
struct AddsTrailers;

impl<H: Head> Filter<H> for AddsTrailers {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::AddTrailers)
    }
}

/// Declares a length from inside the head callback.
struct DeclaresLength;

impl<H: Head> Filter<H> for DeclaresLength {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        view.set_declared_bytes(5);
        PASS
    }
}

/// h2 #909 from inside: where the engine is to add a field to a head that is full already, the
/// message fails or goes without it, and nothing panics.
fn h13_a_field_that_does_not_fit_is_no_panic<H: Dir>() {
    let mut head = H::plain();
    *head.headers_mut() = full_map();
    let plan = Plan::<H>::builder().filter("A", || DeclaresLength).build().expect("a plan");
    let mut chain = bound(plan);
    chain.handle_head(head, false).expect("the head is taken");
    let outcome = chain.outcome().map(render::outcome);
    assert!(outcome.is_none(), "without a length: {outcome:?}");
}

/// The same at the edge of `http_body`, which states the length of a source that knows it.
#[test]
fn h13_a_length_that_does_not_fit_the_head_is_left_out_by_the_edge() {
    let mut head = request::Parts::plain();
    head.headers = full_map();
    let chain = bound(Plan::builder().build().expect("a plan"));
    let mut body = FilteredBody::new(chain, head, Full::new(Bytes::from_static(b"hello")));
    let opening = block_on(std::future::poll_fn(|cx| Pin::new(&mut body).poll_head(cx)));
    let Ok(Opening::Head(head)) = opening else { panic!("a head") };
    assert!(!head.headers.contains_key("content-length"));
    assert_eq!(block_on(body.collect()).expect("no filter fails it").to_bytes(), "hello");
}

/// The same at the tower edge, which announces trailers, asks for them, and frames the body.
#[test]
fn h13_fields_that_do_not_fit_the_head_are_left_out_by_the_layer() {
    fn adder<H: Dir>() -> Plan<H> {
        let name = HeaderName::from_static("x-sum");
        let mut script = script::<H>("A").adds_trailers().no_handle();
        script.declaration = script.declaration.trailer(name);
        let plan = Plan::builder().filter("A", script.into_factory(&Default::default()));
        plan.build().expect("a plan")
    }
    // A GET that cannot be framed would lose its body on the way: it is answered instead.
    for (method, status, echoed) in [("POST", 200, "hello"), ("GET", 500, "")] {
        let layer = ExchangeLayer::new(adder::<request::Parts>(), adder::<response::Parts>());
        let echo = service_fn(|request: Request<RequestBody<Full<Bytes>>>| async {
            let mut response = Response::new(request.into_body());
            *response.headers_mut() = full_map();
            Ok::<_, Infallible>(response)
        });
        let service = tower::Layer::layer(&layer.expect("a plan"), echo);
        let mut request = Request::new(Full::new(Bytes::from_static(b"hello")));
        *request.method_mut() = method.parse().expect("a method");
        *request.headers_mut() = full_map();
        request.headers_mut().remove("x-0");
        request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        let response = block_on(service.oneshot(request)).expect("the layer does not fail");
        assert_eq!(response.status(), status);
        let body = block_on(response.into_body().collect()).expect("no filter fails it");
        assert_eq!(body.to_bytes(), echoed, "{method}");
    }
}

/// hyper #3495, Go CVE-2023-39326: a kilobyte of framing for each byte. What has no payload costs
/// nothing here: empty frames, however many, are no frames.
fn h12_frames_without_payload_cost_nothing<H: Dir>() {
    let mut chain = bound(Plan::<H>::builder().filter("A", || DeclaresNothing).build().unwrap());
    chain.handle_head(H::plain(), false).expect("the head is taken");
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    let before = (live_bytes(), chain.stats());
    for _ in 0..100_000 {
        chain.handle_data(Bytes::new(), false).expect("it is nothing");
    }
    assert_eq!(chain.stats(), before.1, "no calls, no bytes");
    assert!(live_bytes() - before.0 < 1024, "{} bytes of heap", live_bytes() - before.0);
}

struct DeclaresNothing;

impl<H: Head> Filter<H> for DeclaresNothing {}

/// The same for informational heads, which have no payload either and can be sent without number:
/// those that a slow client has not taken are at most `MAX_INFORMATIONAL_HEADS`.
#[test]
fn h12_informational_heads_are_bounded() {
    let mut chain = bound(Plan::<response::Parts>::builder().build().expect("a plan"));
    for _ in 0..10_000 {
        let mut head = response::Parts::plain();
        head.status = StatusCode::PROCESSING;
        chain.handle_informational(head).expect("it is in order");
    }
    let mut given = 0;
    while let Some(Output::Informational(_)) = chain.poll_output() {
        given += 1;
    }
    assert_eq!(given, limits::MAX_INFORMATIONAL_HEADS);
    let dropped = u64::from(10_000 - limits::MAX_INFORMATIONAL_HEADS);
    assert_eq!(chain.stats().dropped_informational, dropped);
}

/// A pipe of items without weight is bounded by their slots.
#[test]
fn h12_items_without_weight_do_not_pass_the_mark_of_a_pipe() {
    let (mut sender, _receiver) = pipe::<Bytes, (), ()>(Marks::from_high(64 * 1024));
    let mut sent: u64 = 0;
    while sender.try_send(Bytes::new()).is_ok() {
        sent += 1;
    }
    assert!(sent <= 64 * 1024 / limits::PIPE_ITEM_COST_BYTES + 1, "{sent} items");
}

async fn collects(limit: u64, mut input: AsyncInput, mut output: AsyncOutput) -> Result<(), Error> {
    let body = input.collect(limit).await?;
    output.send_all(body).await
}

/// Envoy CVE-2024-34364 (a mirrored body without a cap), Go #56352 (`ReadAll`): what collects takes
/// a limit, and one that is passed is a typed error, at the first byte too many. All lengths around
/// the limit, in pieces of all sizes; the limit is also never more than the filter's mark.
fn h09_what_collects_has_a_limit<H: Dir>() {
    const HIGH_BYTES: u64 = 12;
    for limit in [0, 1, 7, HIGH_BYTES, HIGH_BYTES + 1, u64::MAX] {
        for body_bytes in 0..20_u64 {
            for piece_bytes in 1..5 {
                let declaration = Declaration::new()
                    .require(Capability::KeepToEnd)
                    .marks(Marks::from_high(HIGH_BYTES));
                let collects = move |input, output| collects(limit, input, output);
                let plan = Plan::<H>::builder().filter("A", async_filter(declaration, collects));
                let mut chain = bound(plan.build().expect("a plan"));
                chain.handle_head(H::plain(), false).expect("the head is taken");
                let mut left = body_bytes;
                while left != 0 && chain.wants_input() {
                    let piece = left.min(piece_bytes);
                    left -= piece;
                    let piece = usize::try_from(piece).expect("a length");
                    chain.handle_data(Bytes::from(vec![b'x'; piece]), false).expect("wanted");
                }
                if chain.outcome().is_none() {
                    chain.handle_end().expect("an end is always taken");
                }
                let mut sunk = 0;
                while let Some(output) = chain.poll_output() {
                    if let Output::Data(data) = output {
                        sunk += data.len() as u64;
                    }
                }
                let most = limit.min(HIGH_BYTES);
                let shown = format!("{body_bytes} bytes in {piece_bytes}s, limit {limit}");
                let error = chain.outcome().and_then(|outcome| outcome.error().cloned());
                if body_bytes <= most {
                    assert!(error.is_none() && sunk == body_bytes, "{shown}: {error:?}");
                } else {
                    let kind = error.map(|error| error.kind());
                    let expected = ErrorKind::Limit { limit: "collected body", limit_bytes: most };
                    assert_eq!((kind, sunk), (Some(expected), 0), "{shown}");
                }
            }
        }
    }
}

both!(
    h09_what_collects_has_a_limit,
    h12_frames_without_payload_cost_nothing,
    h13_a_full_map_of_fields_passes,
    h13_a_field_that_does_not_fit_is_no_panic,
);
