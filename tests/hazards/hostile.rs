//! H50, H52: whatever a peer sends, and whatever numbers it or a filter names, ends in a value and
//! not in a panic. These tests run with debug assertions and overflow checks.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use tidegate::body::{ExchangeLayer, RequestBody};
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter, Interest, LocalReply,
    Marks, MessageTraits, Origin, Output, Plan, Timeout, Verdict, View,
};
use tower::{Layer, Service, service_fn};

use crate::edge::{Call, Closed, Collected, PlanExt, Source, Step, Task, no_filters};
use crate::kit::{Dir, Rng, both};

/// Does something by the number of the call; any of it may be out of place.
struct Erratic {
    rng: Rng,
}

const LARGE: [usize; 4] = [0, 1, usize::MAX - 1, usize::MAX];

impl Erratic {
    fn act<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let large = LARGE[self.rng.below(LARGE.len())];
        match self.rng.below(8) {
            0 => drop(view.push(Bytes::from_static(b"more"))),
            1 => drop(view.take()),
            2 => drop(view.set_kept_bytes(large as u64)),
            3 => _ = view.set_declared_bytes(large as u64),
            4 => drop(view.set_trailers(HeaderMap::new())),
            5 => view.drop_interest(Interest::ALL),
            _ => {}
        }
        match self.rng.below(9) {
            0 => Verdict::HOLD.again(),
            1 => Verdict::HOLD.or_reject(),
            2 => Verdict::HOLD.quiet().again(),
            3 => Verdict::pass_first(large),
            4 if self.rng.below(4) == 0 => Verdict::END,
            5 if self.rng.below(4) == 0 => view.reply(LocalReply::new(StatusCode::FORBIDDEN)),
            6 if self.rng.below(4) == 0 => view.fail(Error::filter_failed("erratic")),
            _ => Verdict::PASS,
        }
    }
}

impl<H: Dir> Filter<H> for Erratic {
    fn declare(&self) -> Declaration {
        Capability::ALL.into_iter().fold(Declaration::new(), Declaration::prefer)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }
}

/// Lengths that are none, or too large, or true.
const LENGTHS: [&str; 16] = [
    "",
    "0",
    "3",
    "12",
    "-1",
    "+3",
    "0x3",
    "3 ",
    "3,3",
    "3,4",
    ",",
    "3,",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "\u{e9}",
];

fn head<H: Dir>(rng: &mut Rng) -> H {
    let mut head = H::plain();
    for _ in 0..rng.below(3) {
        let value = LENGTHS[rng.below(LENGTHS.len())];
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            head.headers_mut().append("content-length", value);
        }
    }
    head
}

/// Any input at any time, in order or not.
fn input<H: Dir>(chain: &mut Chain<H>, rng: &mut Rng) {
    let data = |rng: &mut Rng| Bytes::from(vec![b'x'; [0, 1, 3, 700][rng.below(4)]]);
    match rng.below(14) {
        0 | 1 => drop(chain.handle_head(head(rng), rng.below(4) == 0)),
        2..=5 => drop(chain.handle_data(data(rng), rng.below(6) == 0)),
        6 => drop(chain.handle_end()),
        7 => {
            let mut trailers = HeaderMap::new();
            for _ in 0..rng.below(3) {
                trailers.append("content-length", HeaderValue::from_static("9"));
            }
            let _ = chain.handle_trailers(trailers);
        }
        8 => chain.handle_resume(rng.below(70)),
        9 if rng.below(4) == 0 => chain.handle_timeout(Timeout::Idle),
        10 if rng.below(4) == 0 => {
            chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream))
        }
        11 if rng.below(4) == 0 => chain.handle_reply(LocalReply::text(StatusCode::OK, "reply")),
        12 => {
            let high = LARGE[rng.below(LARGE.len())] as u64;
            chain.set_marks(rng.below(chain.len() + 1), Marks::from_high(high));
        }
        _ => chain.send_only_trailers(vec![HeaderName::from_static("x-sum")]),
    }
}

/// HAProxy 3.0.31 (an assertion that payload could reach), Envoy ("abnormal process termination"):
/// twenty inputs in any order to filters that do anything. No panic, and nothing behind an end.
fn h52_no_order_of_inputs_reaches_an_assertion<H: Dir>() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let high = [0, 1, 5, 1 << 20, u64::MAX][rng.below(5)];
        let plan = (0..rng.below(4)).fold(Plan::<H>::builder(), |plan, k| {
            let seed = seed * 8 + k as u64;
            plan.filter(format!("erratic {k}"), move || Erratic { rng: Rng::new(seed) })
        });
        let plan = plan.output_marks(Marks::from_high(high)).max_frame_bytes(1 + rng.below(9));
        let bound = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
        let mut ended = false;
        for _ in 0..20 {
            input(&mut chain, &mut rng);
            let _ = (chain.wants_input(), chain.held_bytes(), chain.remaining_bytes());
            for _ in 0..rng.below(6) {
                let Some(output) = chain.poll_output() else { continue };
                assert!(!ended, "seed {seed}: an output behind the end");
                ended = match output {
                    Output::Head { end_of_stream, .. } => end_of_stream,
                    Output::Data(_) | Output::Informational(_) => false,
                    Output::Trailers(_) | Output::End | Output::Reply(_) | Output::Reset(_) => true,
                };
                assert!(!ended || chain.outcome().is_some(), "seed {seed}: an end, no outcome");
            }
        }
    }
}

/// A map with as many fields as there can be: one more panics in `http`.
fn full_map() -> HeaderMap {
    let mut map = HeaderMap::new();
    for number in 0.. {
        let name = HeaderName::from_bytes(format!("x-{number}").as_bytes()).expect("a name");
        if map.try_append(name, HeaderValue::from_static("1")).is_err() {
            break;
        }
    }
    map
}

fn adder<H: Dir>() -> Plan<H> {
    let declaration = Declaration::new()
        .require(Capability::AddTrailers)
        .trailer(HeaderName::from_static("x-digest"));
    Plan::builder()
        .probe("adds", declaration, &Closed::default(), || {
            |call, view: &mut View<'_, H>| {
                if call == Call::Trailers
                    && let Some(trailers) = view.trailers_mut()
                {
                    let _ = trailers.try_insert("x-digest", HeaderValue::from_static("1"));
                }
                Verdict::PASS
            }
        })
        .build()
        .expect("a plan")
}

/// h2 #909 (a map panics beyond 32,768 fields), for heads: the layer wants to say more in a head
/// that has no room for it, in both directions, with every method and version. It goes without.
#[test]
fn h52_a_head_without_room_for_a_field_is_no_panic() {
    for method in [Method::GET, Method::POST, Method::HEAD] {
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            for adds in [false, true] {
                let layer = if adds && version > Version::HTTP_10 {
                    ExchangeLayer::new(adder(), adder())
                } else {
                    ExchangeLayer::new(no_filters(), no_filters())
                };
                let mut service = layer.expect("a layer").layer(service_fn(answer));
                let source = Source::new([Step::Data(b"body"), Step::Trailers("t")]).exact(4);
                let mut request = Request::new(source);
                *request.method_mut() = method.clone();
                *request.version_mut() = version;
                *request.headers_mut() = full_map();
                request.headers_mut().remove("x-0");
                request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
                let mut call = pin!(service.call(request));
                let response = Task::new().finish(|cx| call.as_mut().poll(cx)).expect("a response");
                let case = format!("{method} {version:?}, adds: {adds}");
                let mut body = response.into_body();
                let mut all = Collected::default();
                Task::new().finish(|cx| all.poll(&mut body, cx));
                assert!(all.error.is_none(), "{case}: {:?}", all.error);
            }
        }
    }
}

async fn answer(request: Request<RequestBody<Source>>) -> Result<Response<Source>, Infallible> {
    let (head, mut body) = request.into_parts();
    let mut all = Collected::default();
    std::future::poll_fn(|cx| all.poll(&mut body, cx)).await;
    // hyper leaves out the body of such a request if nothing says that there is one.
    let framed =
        ["content-length", "transfer-encoding"].iter().any(|name| head.headers.contains_key(*name));
    let left_out = head.version == Version::HTTP_11 && head.method != Method::POST && !framed;
    assert_eq!(all.error.is_some(), left_out, "{} {:?}", head.method, head.version);
    let mut response = Response::new(Source::new([Step::Data(b"body")]).exact(4));
    *response.headers_mut() = full_map();
    Ok(response)
}

both!(h52_no_order_of_inputs_reaches_an_assertion);
