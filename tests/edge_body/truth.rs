//! `size_hint` and `is_end_stream` say nothing that does not come true.

use std::pin::Pin;

use bytes::Bytes;
use http::response;
use http_body::Body;
use tidegate::body::{FilteredBody, Opening};
use tidegate::{Capability, Declaration, Plan, Verdict};

use crate::support::{
    Call, Closed, PlanExt, Source, Step, Task, chain, head_of, response_head, with_length,
};

/// What a body said of itself before one poll, and what came.
struct Said {
    end_of_stream: bool,
    exact: Option<u64>,
    lower: u64,
    came: Option<Came>,
}

#[derive(PartialEq)]
enum Came {
    Data(u64),
    Trailers,
    Error,
}

fn drive(mut body: FilteredBody<Source, response::Parts>) -> Vec<Said> {
    let mut said = Vec::new();
    loop {
        let hint = body.size_hint();
        let (end_of_stream, exact, lower) = (body.is_end_stream(), hint.exact(), hint.lower());
        let came = match Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx)) {
            None => None,
            Some(Err(_)) => Some(Came::Error),
            Some(Ok(frame)) => Some(match frame.data_ref() {
                Some(data) => Came::Data(data.len() as u64),
                None => Came::Trailers,
            }),
        };
        let last = came.is_none();
        said.push(Said { end_of_stream, exact, lower, came });
        if last && said.len() > 1 && said[said.len() - 2].came.is_none() {
            return said;
        }
    }
}

fn check(case: &str, declared: bool, said: &[Said]) {
    let clean = said.iter().all(|said| said.came != Some(Came::Error));
    for (at, now) in said.iter().enumerate() {
        let rest = &said[at..];
        if now.end_of_stream {
            assert!(rest.iter().all(|said| said.came.is_none()), "{case}: a false end at {at}");
        }
        let left: u64 = rest
            .iter()
            .map(|said| if let Some(Came::Data(bytes)) = said.came { bytes } else { 0 })
            .sum();
        if clean {
            assert!(now.lower <= left, "{case}: the hint at {at} is too low");
            assert!(now.exact.is_none_or(|exact| exact == left), "{case}: a false length at {at}");
        } else if let Some(exact) = now.exact {
            assert!(left <= exact, "{case}: more than the length at {at}");
        }
        let trailers_follow = rest.iter().any(|said| said.came == Some(Came::Trailers));
        if trailers_follow && !declared {
            // An HTTP/1 server would write a length and then send no trailers (H33).
            assert!(now.exact.is_none(), "{case}: a length at {at} hides trailers");
        }
    }
}

/// What a filter does to the body.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Nothing,
    Doubles,
    HoldsToTheEnd,
    AddsTrailers,
    Ends,
}

fn plan(does: Does) -> Plan<response::Parts> {
    let declaration = match does {
        Does::Nothing | Does::HoldsToTheEnd => Declaration::new(),
        Does::Doubles | Does::Ends => Declaration::new().require(Capability::ChangeLength),
        Does::AddsTrailers => Declaration::new().require(Capability::AddTrailers),
    };
    Plan::builder()
        .probe("does", declaration, &Closed::default(), move || {
            move |call, view| match (does, call) {
                (Does::Doubles, Call::Data) if view.new_bytes() > 0 => {
                    let mut copy = Vec::new();
                    view.body().chunks().for_each(|chunk| copy.extend_from_slice(chunk));
                    view.push(Bytes::from(copy)).unwrap();
                    Verdict::PASS
                }
                (Does::HoldsToTheEnd, Call::Data) if !view.input_ended() => Verdict::HOLD,
                (Does::AddsTrailers, Call::Trailers) => {
                    let trailers = view.trailers_mut().unwrap();
                    trailers.insert("x-added", "yes".parse().unwrap());
                    Verdict::PASS
                }
                (Does::Ends, Call::Data) => Verdict::END,
                _ => Verdict::PASS,
            }
        })
        .build()
        .unwrap()
}

#[test]
fn h33_size_hints_and_ends_come_true_over_all_cases() {
    let bodies: [&[&'static [u8]]; 4] = [&[], &[b"four"], &[b"ab", b"cd"], &[b"ab", b"", b"cd"]];
    let ends: [&[Step]; 4] =
        [&[], &[Step::Trailers("t")], &[Step::Error], &[Step::Yield, Step::Trailers("t")]];
    let all = [Does::Nothing, Does::Doubles, Does::HoldsToTheEnd, Does::AddsTrailers, Does::Ends];
    let mut cases = 0;
    for (body, end) in bodies.iter().flat_map(|body| ends.iter().map(move |end| (body, end))) {
        for does in all {
            for (length, tells_end, hints) in [
                (None, false, false),
                (None, true, false),
                (None, true, true),
                (Some(0), true, false),
                (Some(0), false, false),
                (Some(1), true, false),
            ] {
                let bytes: usize = body.iter().map(|data| data.len()).sum();
                let mut head = response_head();
                if let Some(more) = length {
                    head = with_length(head, bytes as u64 + more);
                }
                let steps = body.iter().map(|data| Step::Data(data)).chain(end.iter().cloned());
                let mut source = Source::new(steps);
                if tells_end {
                    source = source.telling_end();
                }
                if hints {
                    source = source.exact(bytes as u64);
                }
                let case = format!("{body:?} {end:?} {does:?} {length:?} {tells_end} {hints}");
                let mut body = FilteredBody::new(chain(&plan(does)), head, source);
                cases += 1;
                match Task::new().finish(|cx| Pin::new(&mut body).poll_head(cx)) {
                    Ok(Opening::Head(head)) => {
                        let declared = head.headers.contains_key("content-length");
                        check(&case, declared, &drive(body));
                    }
                    // A source that is known to be short when the head comes.
                    Err(_) => {
                        assert!(!body.is_end_stream());
                        assert_eq!(length, Some(1), "{case}");
                    }
                    Ok(other) => panic!("{case}: {other:?}"),
                }
            }
        }
    }
    assert_eq!(cases, 480);
}

#[test]
fn a_length_that_only_the_source_knows_is_declared() {
    let source = Source::of("hello").exact(5);
    let mut body = FilteredBody::new(chain(&plan(Does::Nothing)), response_head(), source);
    assert_eq!(head_of(&mut body).headers["content-length"], "5");
    assert_eq!(body.size_hint().exact(), Some(5));
}

#[test]
fn a_length_is_not_declared_where_it_may_change_or_trailers_are_announced() {
    let mut body = FilteredBody::new(
        chain(&plan(Does::Doubles)),
        response_head(),
        Source::of("hello").exact(5),
    );
    assert!(!head_of(&mut body).headers.contains_key("content-length"));
    assert_eq!(body.size_hint().exact(), None);

    let mut head = response_head();
    head.headers.insert("trailer", "x-check".parse().unwrap());
    let mut body =
        FilteredBody::new(chain(&plan(Does::Nothing)), head, Source::of("hello").exact(5));
    assert!(!head_of(&mut body).headers.contains_key("content-length"));
    assert_eq!(body.size_hint().exact(), None);
}
