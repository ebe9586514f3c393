//! What is told of a head that several change, each in its own way: all of it, against what came.

use std::sync::Arc;

use http::{HeaderValue, request};
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::exchange::{ExchangePlan, ExchangePlanBuilder};
use tidegate::ext_proc::mode::BodyMode;
use tidegate::{Capability, Declaration, Error, Filter, Head, Verdict, View};

use crate::filters::{Mark, Pass};
use crate::messages::{
    CommonResponse, ProcessingResponse, request_body, request_headers, request_trailers,
};
use crate::support::{Talk, both, common};

const HEAD: [(&str, &str); 6] = [
    (":method", "POST"),
    (":path", "/"),
    (":scheme", "http"),
    (":authority", "a"),
    ("content-length", "5"),
    ("x-came", "1"),
];

/// What a filter made of async functions does with its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    Looks,
    Edits,
    /// When the body has come.
    EditsBehindBody,
}

async fn work(late: Late, mut input: Input, mut output: Output) -> Result<(), Error> {
    if late == Late::EditsBehindBody {
        let mut body = input.collect(1 << 16).await?;
        input.headers(edit)?;
        while let Some(piece) = body.pop_front() {
            output.send(piece).await?;
        }
        return Ok(());
    }
    input.headers(|headers| {
        if late == Late::Edits {
            edit(headers);
        }
    })
}

fn edit(headers: &mut http::HeaderMap) {
    headers.insert("x-async", HeaderValue::from_static("yes"));
    headers.remove("x-came");
}

fn with_future(
    plan: ExchangePlanBuilder,
    late: Late,
    declaration: Declaration,
) -> ExchangePlanBuilder {
    let make = async_filter(declaration, move |input, output| work(late, input, output));
    plan.request("async", make)
}

/// The fields that `reply` sets, and those that it takes away.
fn told(reply: &ProcessingResponse) -> (Vec<(String, String)>, Vec<String>) {
    let CommonResponse { header_mutation, .. } = common(reply);
    let mutation = header_mutation.unwrap_or_default();
    let fields = mutation.set_headers.into_iter().map(|each| each.header.expect("a field"));
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("text");
    let mut set: Vec<_> = fields.map(|it| (it.key, text(&it.raw_value))).collect();
    set.sort();
    (set, mutation.remove_headers)
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const MODES: [BodyMode; 4] = [
    BodyMode::Streamed,
    BodyMode::Buffered,
    BodyMode::BufferedPartial,
    BodyMode::FullDuplexStreamed,
];

/// What a head is answered with, where one filter does this with it.
fn answer_to_head(late: Late, mode: BodyMode) -> ProcessingResponse {
    let plan = with_future(ExchangePlan::builder(), late, Declaration::new());
    let mut talk = Talk::new(plan.build().expect("a plan"), both(mode));
    talk.send(request_headers(&HEAD, false)).swap_remove(0)
}

#[test]
fn what_an_async_filter_changes_in_a_head_is_told() {
    for mode in MODES {
        let expected = (owned(&[("x-async", "yes")]), vec!["x-came".to_owned()]);
        assert_eq!(told(&answer_to_head(Late::Edits, mode)), expected, "{mode}");
    }
}

#[test]
fn an_async_filter_that_looks_at_a_head_changes_nothing() {
    for mode in MODES {
        let reply = answer_to_head(Late::Looks, mode);
        assert_eq!(common(&reply), CommonResponse::default(), "{mode}");
    }
}

#[test]
fn what_filters_of_both_kinds_change_in_a_head_is_told_together() {
    for is_first in [true, false] {
        for mode in [BodyMode::Streamed, BodyMode::Buffered, BodyMode::FullDuplexStreamed] {
            let mut plan = ExchangePlan::builder();
            if !is_first {
                plan = plan.request("mark", || Mark);
            }
            plan = with_future(plan, Late::Edits, Declaration::new());
            if is_first {
                plan = plan.request("mark", || Mark);
            }
            let mut talk = Talk::new(plan.build().expect("a plan"), both(mode));
            let reply = talk.send(request_headers(&HEAD, false));
            let set = owned(&[("x-async", "yes"), ("x-marked", "yes")]);
            assert_eq!(told(&reply[0]), (set, vec!["x-came".to_owned()]), "{mode} {is_first}");
        }
    }
}

/// The head was answered before, and what is made of it later goes with the body.
#[test]
fn what_an_async_filter_changes_behind_the_body_is_told_with_it() {
    let declaration = Declaration::new()
        .require(Capability::HoldHead)
        .require(Capability::KeepToEnd)
        .require(Capability::EditBytes);
    let plan = with_future(ExchangePlan::builder(), Late::EditsBehindBody, declaration);
    let mut talk = Talk::new(plan.build().expect("a plan"), both(BodyMode::Buffered));
    let reply = talk.send(request_headers(&HEAD, false));
    assert_eq!(common(&reply[0]), CommonResponse::default());
    let reply = talk.send(request_body(&b"hello"[..], true));
    let expected = (owned(&[("x-async", "yes")]), vec!["x-came".to_owned()]);
    assert_eq!(told(&reply[0]), expected);
}

/// The engine takes the length off behind who may break it; that is no change, and the length of
/// the body is told with it.
#[test]
fn the_length_is_told_behind_an_async_filter_that_may_break_it() {
    for late in [Late::Looks, Late::Edits] {
        let declaration = Declaration::new().require(Capability::ChangeLength);
        let plan = with_future(ExchangePlan::builder(), late, declaration);
        let plan = plan.request("mark", || Mark);
        let mut talk = Talk::new(plan.build().expect("a plan"), both(BodyMode::Buffered));
        let (mut set, mut removed) = (owned(&[("x-marked", "yes")]), Vec::new());
        if late == Late::Edits {
            set.insert(0, ("x-async".to_owned(), "yes".to_owned()));
            removed.push("x-came".to_owned());
        }
        let reply = talk.send(request_headers(&HEAD, false));
        assert_eq!(told(&reply[0]), (set, removed), "{late:?}");
        let reply = talk.send(request_body(&b"hello"[..], true));
        assert_eq!(told(&reply[0]), (owned(&[("content-length", "6")]), Vec::new()), "{late:?}");
    }
}

/// Asks for the head to change it, and leaves it; or takes one field away, or gives one.
#[derive(Clone, Copy)]
enum Edit {
    Nothing,
    Remove(&'static str),
    Set(&'static str, &'static str),
    Length(u64),
}

impl<H: Head> Filter<H> for Edit {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new();
        match self {
            Self::Length(_) => declaration.require(Capability::ChangeLength),
            _ => declaration,
        }
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Self::Length(bytes) = *self {
            assert!(view.set_declared_bytes(bytes));
            return Verdict::PASS;
        }
        let headers = view.head_mut().expect("it stands here").headers_mut();
        match *self {
            Self::Nothing | Self::Length(_) => {}
            Self::Remove(name) => drop(headers.remove(name)),
            Self::Set(name, value) => {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        Verdict::PASS
    }
}

fn edits(edits: &[Edit]) -> ExchangePlan {
    let names = ["a", "b", "c", "d"];
    let mut plan = ExchangePlan::builder();
    for (name, edit) in names.into_iter().zip(edits.iter().copied()) {
        plan = plan.request(name, move || edit);
    }
    plan.build().expect("a plan")
}

#[test]
fn what_one_filter_changes_and_the_next_changes_back_is_not_told() {
    for mode in MODES {
        let plan = edits(&[Edit::Set("x-came", "2"), Edit::Nothing, Edit::Set("x-came", "1")]);
        let mut talk = Talk::new(plan, both(mode));
        let reply = talk.send(request_headers(&HEAD, false));
        assert_eq!(common(&reply[0]), CommonResponse::default(), "{mode}");
        let plan = edits(&[Edit::Set("y", "2"), Edit::Remove("y"), Edit::Remove("x-came")]);
        let mut talk = Talk::new(plan, both(mode));
        let reply = talk.send(request_headers(&HEAD, false));
        assert_eq!(told(&reply[0]), (Vec::new(), vec!["x-came".to_owned()]), "{mode}");
    }
}

/// The length in the answer is that of the body, and is said only where one came.
#[test]
fn a_length_that_a_filter_took_off_or_set_is_told_against_what_came() {
    let set = |edits_made: &[Edit], head: &[(&str, &str)]| {
        let plan = edits(edits_made);
        let mut talk = Talk::new(plan, both(BodyMode::Buffered));
        let reply = talk.send(request_headers(head, false));
        let early = told(&reply[0]);
        let reply = talk.send(request_body(&b"hello"[..], true));
        (early, told(&reply[0]))
    };
    let nothing = (Vec::new(), Vec::new());
    let same = (nothing.clone(), nothing.clone());
    assert_eq!(set(&[Edit::Remove("content-length")], &HEAD), same);
    assert_eq!(set(&[Edit::Length(5)], &HEAD), same);
    assert_eq!(set(&[Edit::Length(5)], &HEAD[..4]), same);
    let marked = (owned(&[("y", "1")]), Vec::new());
    let both = [Edit::Length(5), Edit::Set("y", "1")];
    assert_eq!(set(&both, &HEAD), (marked.clone(), nothing.clone()));
    let both = [Edit::Set("y", "1"), Edit::Remove("content-length")];
    assert_eq!(set(&both, &HEAD[..4]), (marked, nothing));
}

/// A session on what another one left: nothing of the head before is known.
#[test]
fn the_head_before_is_forgotten_with_its_message() {
    let plan = edits(&[Edit::Set("y", "1"), Edit::Nothing]);
    for value in ["1", "2", "3"] {
        for mode in [BodyMode::Streamed, BodyMode::Buffered] {
            let mut talk = Talk::new(plan.clone(), both(mode));
            let head: Vec<_> = HEAD.into_iter().chain([("only", value)]).collect();
            let reply = talk.send(request_headers(&head, false));
            assert_eq!(told(&reply[0]), (owned(&[("y", "1")]), Vec::new()));
            assert_eq!(talk.send(request_body(&b"hello"[..], false)).len(), 1);
            assert_eq!(talk.send(request_trailers(&[])).len(), 1);
        }
    }
    let mut talk = Talk::new(crate::filters::pair(|| Pass), both(BodyMode::Streamed));
    let reply = talk.send(request_headers(&HEAD, true));
    assert_eq!(common(&reply[0]), CommonResponse::default());
}

/// Puts something of the filter's own into the extensions of the head.
struct Leave(Arc<()>);

impl Filter<request::Parts> for Leave {
    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        let head = view.head_mut().expect("it stands here");
        head.extensions.insert(Arc::clone(&self.0));
        head.headers.insert("y", HeaderValue::from_static("1"));
        Verdict::PASS
    }
}

/// What is remembered of a head to say what became of it has nothing of the filters' in it.
#[test]
fn what_filters_leave_with_a_head_goes_with_it() {
    let left = Arc::new(());
    let filters = Arc::clone(&left);
    let plan = ExchangePlan::builder().request("leave", move || Leave(Arc::clone(&filters)));
    let plan = plan.build().expect("a plan");
    let mut talk = Talk::new(plan.clone(), both(BodyMode::Buffered));
    let before = Arc::strong_count(&left);
    talk.send(request_headers(&HEAD, false));
    assert_eq!(Arc::strong_count(&left), before + 2, "the filter and the head have it");
    assert_eq!(talk.send(request_body(&b"hello"[..], false)).len(), 1);
    assert_eq!(Arc::strong_count(&left), before + 1, "the filter has it");
}
