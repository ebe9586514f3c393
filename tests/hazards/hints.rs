//! H33: a body that knows its size, trailers behind it, and filters between: what the layer says of
//! the length, and whether the trailers arrive.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, Request, Response, Version, response};
use http_body::Body;
use tidegate::body::{ExchangeLayer, RequestBody};
use tidegate::{Capability, Declaration, Outcome, Plan, Verdict};
use tower::{Layer, Service, service_fn};

use crate::edge::{Call, Closed, Collected, PlanExt, Source, Step, block_on, collect, no_filters};

/// What the response meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Nothing,
    Looks,
    Changes,
    AddsTrailers,
    KeepsToTheEnd,
}

const DOES: [Does; 5] =
    [Does::Nothing, Does::Looks, Does::Changes, Does::AddsTrailers, Does::KeepsToTheEnd];

const ADDED: HeaderName = HeaderName::from_static("x-added");

fn plan(does: Does) -> Plan<response::Parts> {
    let declaration = match does {
        Does::Nothing => return no_filters(),
        Does::Looks | Does::KeepsToTheEnd => Declaration::new(),
        Does::Changes => Declaration::new().require(Capability::ChangeLength),
        Does::AddsTrailers => Declaration::new().prefer(Capability::AddTrailers).trailer(ADDED),
    };
    Plan::builder()
        .probe("does", declaration, &Closed::default(), move || {
            move |call, view| match (does, call) {
                (Does::Changes, Call::Data) if view.input_ended() => {
                    view.push("+".into()).expect("room for an edit");
                    Verdict::PASS
                }
                (Does::AddsTrailers, Call::Trailers) if view.granted(Capability::AddTrailers) => {
                    let trailers = view.trailers_mut().expect("they are shown");
                    trailers.insert(ADDED, HeaderValue::from_static("yes"));
                    Verdict::PASS
                }
                (Does::KeepsToTheEnd, Call::Data) if !view.input_ended() => Verdict::HOLD,
                _ => Verdict::PASS,
            }
        })
        .build()
        .expect("a plan")
}

/// One answer, and who asked for it.
#[derive(Debug, Clone, Copy)]
struct Case {
    version: Version,
    te: bool,
    does: Does,
    /// The body knows its size.
    exact: bool,
    /// The head says it.
    declared: bool,
    /// The head says that a trailer comes.
    announced: bool,
    trailers: bool,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        let versions = [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2];
        versions.into_iter().flat_map(|version| {
            DOES.into_iter().flat_map(move |does| {
                (0..32_u32).map(move |flags| {
                    let flag = |bit: u32| flags & (1 << bit) != 0;
                    Self {
                        version,
                        does,
                        te: flag(0),
                        exact: flag(1),
                        declared: flag(2),
                        announced: flag(3),
                        trailers: flag(4),
                    }
                })
            })
        })
    }

    fn answer(self) -> Response<Source> {
        let mut steps = vec![Step::Data(b"bo"), Step::Data(b"dy")];
        if self.trailers {
            steps.push(Step::Trailers("t"));
        }
        let source = Source::new(steps);
        let mut response =
            Response::new(if self.exact { source.exact(4) } else { source.telling_end() });
        let headers = response.headers_mut();
        if self.declared {
            headers.insert("content-length", HeaderValue::from_static("4"));
        }
        if self.announced {
            headers.insert("trailer", HeaderValue::from_static("x-check"));
        }
        response
    }

    /// The head and body that a server would be given, what it said of its size, and the outcome.
    fn serve(self) -> (response::Parts, Option<u64>, Collected, Option<Outcome>) {
        let outcome: Arc<Mutex<Option<Outcome>>> = Arc::default();
        let noted = Arc::clone(&outcome);
        let layer = ExchangeLayer::new(no_filters(), plan(self.does)).expect("a layer");
        let layer = layer.on_finish(Arc::new(move |direction, outcome, _| {
            if direction.to_string() == "response" {
                *noted.lock().expect("no panic") = Some(outcome.clone());
            }
        }));
        let mut service =
            layer.layer(service_fn(move |request: Request<RequestBody<Source>>| async move {
                drop(request);
                Ok::<_, Infallible>(self.answer())
            }));
        let mut request = Request::new(Source::empty());
        *request.version_mut() = self.version;
        if self.te {
            request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        }
        let call = pin!(service.call(request));
        let (head, mut body) = block_on(call).expect("it does not fail").into_parts();
        let exact = body.size_hint().exact();
        let all = collect(&mut body);
        drop(body);
        let outcome = outcome.lock().expect("no panic").take();
        (head, exact, all, outcome)
    }
}

/// linkerd2-proxy #4616, hyper #2712 (an exact size made HTTP/1 write a length, and the trailers
/// vanished): every answer to every client. An HTTP/1 server that is told a length is given no
/// trailers; those that a client can take arrive; and those that cannot be sent are counted.
#[test]
fn h33_a_length_that_is_told_hides_no_trailers() {
    let mut cases = 0;
    for case in Case::all() {
        cases += 1;
        let (head, exact, all, outcome) = case.serve();
        let declared = head.headers.get("content-length").map(|value| value.to_str().unwrap());
        let length = declared.map(|value| value.parse().unwrap()).or(exact);
        let is_http1 = case.version < Version::HTTP_2;
        assert!(all.error.is_none(), "{case:?}: {:?}", all.error);
        if let Some(length) = length {
            assert_eq!(all.data.len() as u64, length, "{case:?}: a false length");
            assert!(!is_http1 || all.trailers.is_none(), "{case:?}: trailers behind a length");
        }
        let came = |name: &str| all.trailers.as_ref().is_some_and(|map| map.contains_key(name));
        let takes_all = case.version == Version::HTTP_2;
        let takes_announced = case.version == Version::HTTP_11 && case.te;
        let passes = case.trailers && (takes_all || (takes_announced && case.announced));
        assert_eq!(came("x-check"), passes, "{case:?}: {:?}", all.trailers);
        let adds = case.does == Does::AddsTrailers && case.te && case.version > Version::HTTP_10;
        assert_eq!(came("x-added"), adds, "{case:?}: {:?}", all.trailers);
        let lost = u64::from(case.trailers && !passes);
        match outcome {
            Some(Outcome::Complete { unsent_trailers, .. }) => {
                assert_eq!(unsent_trailers, lost, "{case:?}");
            }
            other => panic!("{case:?}: {other:?}"),
        }
    }
    assert_eq!(cases, 480);
}
