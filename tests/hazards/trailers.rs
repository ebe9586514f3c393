//! H36: trailers come out as they went in: all of them, in order, repeated fields repeated, behind
//! all body, once, and not in the head.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, request};
use tidegate::async_filter::{Input, Output as AsyncOutput, async_filter};
use tidegate::chain::PlanBuilder;
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, Filter, Interest, MessageTraits, Outcome,
    Output, Plan, Verdict, View,
};

use crate::kit::{Dir, both};

/// Fields of which some stand there more than once, and some are also in heads.
const FIELDS: [(&str, &str); 8] = [
    ("x-a", "1"),
    ("content-length", "99"),
    ("x-b", "1"),
    ("x-a", "2"),
    ("host", "elsewhere"),
    ("x-c", ""),
    ("x-a", "1"),
    ("x-d", "4"),
];

fn fields(count: usize) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &FIELDS[..count] {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

/// Names and values in order.
fn list(map: &HeaderMap) -> Vec<(&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// What a filter does on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Passes,
    /// Knows nothing of trailers, and keeps all data to the end.
    KeepsData,
    /// Keeps all data and the trailers, until it is asked again.
    KeepsAll,
    /// Takes the body out, and puts it back at the end.
    Takes,
    DropsInterests,
    /// May add trailers, and adds none.
    AddsNone,
    /// Looks at heads only.
    HeadOnly,
}

const DOES: [Does; 7] = [
    Does::Passes,
    Does::KeepsData,
    Does::KeepsAll,
    Does::Takes,
    Does::DropsInterests,
    Does::AddsNone,
    Does::HeadOnly,
];

struct Doer {
    does: Does,
    taken: Vec<Bytes>,
}

impl Doer {
    fn put_back<H: Dir>(&mut self, view: &mut View<'_, H>) {
        let taken = std::mem::take(&mut self.taken);
        view.set_kept_bytes(0).expect("a granted edit");
        for bytes in taken {
            view.push(bytes).expect("it had room before");
        }
    }
}

impl<H: Dir> Filter<H> for Doer {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new();
        match self.does {
            Does::Takes => declaration.require(Capability::ChangeLength),
            Does::AddsNone => declaration.require(Capability::AddTrailers),
            Does::HeadOnly => declaration.interest(Interest::HEAD),
            Does::KeepsData => declaration.interest(Interest::DATA),
            Does::Passes | Does::KeepsAll | Does::DropsInterests => declaration,
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.does {
            Does::KeepsData if !view.input_ended() => Verdict::HOLD,
            Does::KeepsAll if view.input_ended() => Verdict::HOLD.again(),
            Does::KeepsAll => Verdict::HOLD,
            Does::DropsInterests => {
                view.drop_interest(Interest::ALL);
                Verdict::PASS
            }
            Does::Takes => {
                let mut taken = view.take().expect("a granted edit");
                self.taken.extend(taken.segments().cloned());
                let kept: usize = self.taken.iter().map(Bytes::len).sum();
                view.set_kept_bytes(kept as u64).expect("it was in the view");
                if view.input_ended() {
                    self.put_back(view);
                    return Verdict::PASS;
                }
                Verdict::HOLD
            }
            _ => Verdict::PASS,
        }
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.does {
            Does::KeepsAll => Verdict::HOLD.again(),
            Does::Takes => {
                self.put_back(view);
                Verdict::PASS
            }
            _ => Verdict::PASS,
        }
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
    }
}

async fn passes(mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk).await?;
    }
    let _ = input.trailers().await?;
    Ok(())
}

fn chain<H: Dir>(plan: PlanBuilder<H>) -> Chain<H> {
    let bound = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
    bound.chain(MessageTraits::new()).expect("a message that can do it")
}

fn plan<H: Dir>(does: &[Does]) -> PlanBuilder<H> {
    does.iter().enumerate().fold(Plan::builder(), |plan, (k, &does)| {
        plan.filter(format!("{does:?} {k}"), move || Doer { does, taken: Vec::new() })
    })
}

/// What came out: body, trailers; and how many fields were left in the head.
#[derive(Debug, Default, PartialEq)]
struct Out {
    head_fields: usize,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    ends: usize,
}

impl Out {
    fn take<H: Dir>(&mut self, chain: &mut Chain<H>) {
        loop {
            match chain.poll_output() {
                Some(output) => {
                    assert_eq!(self.ends, 0, "an output behind the end");
                    match output {
                        Output::Head { head, .. } => self.head_fields = head.headers().len(),
                        Output::Data(data) => self.body.extend_from_slice(&data),
                        Output::Trailers(trailers) => {
                            self.trailers = Some(trailers);
                            self.ends += 1;
                        }
                        Output::End => self.ends += 1,
                        _ => panic!("neither asked for nor needed"),
                    }
                }
                None if chain.has_work() => {}
                None => return,
            }
        }
    }
}

fn carry<H: Dir>(chain: &mut Chain<H>, trailers: HeaderMap) -> Out {
    let mut out = Out::default();
    chain.handle_head(H::with("x-head", "1"), false).expect("the head is taken");
    out.take(chain);
    for piece in ["one", "two"] {
        chain.handle_data(Bytes::from_static(piece.as_bytes()), false).expect("data is taken");
        out.take(chain);
    }
    chain.handle_trailers(trailers).expect("trailers are taken");
    out.take(chain);
    out
}

/// hyper #4107 (repeated fields overwritten), lighttpd and http4s CVE-2025-59822 (trailers merged
/// into the head): through every pair of filters, and an async one.
fn h36_trailers_come_out_as_they_went_in<H: Dir>() {
    for count in [0, 1, 4, 8] {
        let trailers = fields(count);
        for first in DOES {
            for second in DOES {
                for is_async in [false, true] {
                    let mut plan = plan::<H>(&[first, second]);
                    if is_async {
                        plan = plan.filter("async", async_filter(Declaration::new(), passes));
                    }
                    let mut chain = chain(plan);
                    let out = carry(&mut chain, trailers.clone());
                    let case = format!("{count} fields, {first:?}, {second:?}, async: {is_async}");
                    assert_eq!(out.body, b"onetwo", "{case}");
                    assert_eq!((out.head_fields, out.ends), (1, 1), "{case}");
                    let came = out.trailers.as_ref().map(list).unwrap_or_default();
                    assert_eq!(came, list(&trailers), "{case}");
                    assert!(chain.outcome().is_some_and(Outcome::is_complete), "{case}");
                }
            }
        }
    }
}

/// hyper #4011, #4152 (fields that were announced in another case got lost): an edge that can send
/// only what it has announced. What is left keeps its order, and what is not is counted.
fn h36_what_cannot_be_sent_is_counted_and_the_rest_keeps_its_order<H: Dir>() {
    let trailers = fields(FIELDS.len());
    let names = ["x-a", "content-length", "x-b", "host", "x-c", "x-d"];
    for mask in 0..1_u32 << names.len() {
        for told_late in [false, true] {
            let announced = |name: &str| {
                names.iter().position(|each| *each == name).is_some_and(|k| mask & (1 << k) != 0)
            };
            let mut chain = chain(plan::<H>(&[Does::Passes]));
            let list_of_names: Vec<HeaderName> = names
                .iter()
                .filter(|name| announced(name))
                .map(|name| HeaderName::from_bytes(name.to_uppercase().as_bytes()).unwrap())
                .collect();
            chain.handle_head(H::plain(), false).expect("the head is taken");
            let mut out = Out::default();
            if told_late {
                // The trailers are at the exit when the edge says what it can send.
                chain.handle_trailers(trailers.clone()).expect("trailers are taken");
                chain.send_only_trailers(list_of_names);
            } else {
                chain.send_only_trailers(list_of_names);
                out.take(&mut chain);
                chain.handle_trailers(trailers.clone()).expect("trailers are taken");
            }
            out.take(&mut chain);
            let kept: Vec<(&str, &[u8])> =
                list(&trailers).into_iter().filter(|(name, _)| announced(name)).collect();
            let came = out.trailers.as_ref().map(list).unwrap_or_default();
            assert_eq!(came, kept, "announced: {mask:b}");
            let unsent = (FIELDS.len() - kept.len()) as u64;
            assert_eq!(chain.stats().unsent_trailers, unsent);
        }
    }
}

/// H51 and Envoy CVE-2021-32778 (a cost that grew with the square of what a peer sent): as many
/// trailers as a map can have, and as many announced. Compared one by one, this would not end.
#[test]
fn h51_very_many_trailers_are_matched_with_very_many_names() {
    const COUNT: usize = 24_000;
    let name = |number: usize| HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
    let mut chain = chain(plan::<request::Parts>(&[Does::Passes]));
    chain.handle_head(request::Parts::plain(), false).expect("the head is taken");
    let mut out = Out::default();
    out.take(&mut chain);
    chain.send_only_trailers((0..COUNT).map(|number| name(2 * number)).collect());
    let mut trailers = HeaderMap::new();
    for number in 0..COUNT {
        trailers.append(name(number), HeaderValue::from_static("1"));
    }
    chain.handle_trailers(trailers).expect("trailers are taken");
    out.take(&mut chain);
    assert_eq!(out.trailers.map(|map| map.len()), Some(COUNT / 2));
    assert_eq!(chain.stats().unsent_trailers, COUNT as u64 / 2);
}

/// QUIC gives trailers before the body (Envoy #13871): they are the end, and what comes behind
/// them is refused and changes nothing.
fn h36_nothing_follows_trailers<H: Dir>() {
    for does in DOES {
        let mut chain = chain(plan::<H>(&[does]));
        let trailers = fields(4);
        let mut out = Out::default();
        chain.handle_head(H::plain(), false).expect("the head is taken");
        chain.handle_data(Bytes::from_static(b"one"), false).expect("data is taken");
        chain.handle_trailers(trailers.clone()).expect("trailers are taken");
        assert!(chain.handle_data(Bytes::from_static(b"late"), false).is_err());
        assert!(chain.handle_trailers(fields(8)).is_err());
        assert!(chain.handle_end().is_err());
        out.take(&mut chain);
        assert_eq!(out.body, b"one", "{does:?}");
        assert_eq!(out.trailers.as_ref().map(list), Some(list(&trailers)), "{does:?}");
        assert!(chain.outcome().is_some_and(Outcome::is_complete), "{does:?}");
    }
}

both!(
    h36_nothing_follows_trailers,
    h36_trailers_come_out_as_they_went_in,
    h36_what_cannot_be_sent_is_counted_and_the_rest_keeps_its_order,
);
