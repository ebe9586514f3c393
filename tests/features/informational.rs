//! Informational heads (1xx): through all filters, never held, before the final head.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use http::{HeaderValue, StatusCode, response};
use tidegate::chain::{InputError, PlanBuilder};
use tidegate::filter::Interim;
use tidegate::{
    Capabilities, Chain, Error, ErrorKind, Filter, Interest, LocalReply, MessageTraits, Origin,
    Outcome, Output, Plan, Verdict, View, limits,
};

use crate::kit::*;

type Responses = Run<response::Parts>;

fn hints() -> response::Parts {
    let mut head = <response::Parts as Dir>::plain();
    head.status = StatusCode::EARLY_HINTS;
    head.headers.insert("link", HeaderValue::from_static("</a>"));
    head
}

/// Gives the chain a head and takes what comes out.
fn inform(run: &mut Responses) {
    run.chain.handle_informational(hints()).expect("it is taken");
    run.cut_in();
}

#[test]
fn any_number_goes_through_all_filters_before_the_head() {
    let mut run = Responses::new([script("A"), script("B")]);
    inform(&mut run);
    inform(&mut run);
    run.expect("A.I[103] B.I[103] A.I[103] B.I[103]", "I[103] I[103]");
    run.head(true).expect("A.H(1) B.H(1)", "H(1)");
    run.finish("complete");
}

#[test]
fn filters_edit_and_drop() {
    let a = script("A").informational(|head: &mut response::Parts| {
        head.headers.insert("link", HeaderValue::from_static("</b>"));
        Interim::Pass
    });
    let b = script("B").informational(|head: &mut response::Parts| {
        assert_eq!(head.headers["link"], "</b>");
        Interim::Drop
    });
    let mut run = Responses::new([a, b, script("C")]);
    inform(&mut run);
    run.expect("A.I[103] B.I[103]", "");
    assert_eq!(run.stats().dropped_informational, 1);
    run.head(true).expect("A.H(1) B.H(1) C.H(1)", "H(1)");
    run.finish("complete");
}

#[test]
fn only_filters_that_look_at_heads_are_asked() {
    let mut run = Responses::new([script("A").wants(Interest::DATA), script("B")]);
    inform(&mut run);
    run.expect("B.I[103]", "I[103]");
    run.cancel();
    run.finish_closing("B", "cancelled");
}

#[test]
fn a_filter_that_saw_one_is_closed_once_whatever_follows() {
    // Nothing.
    let mut run = Responses::new([script("A"), script("B")]);
    inform(&mut run);
    run.expect("A.I[103] B.I[103]", "I[103]");
    run.cancel();
    run.finish("cancelled");
    // A reset.
    let mut run = Responses::new([script("A"), script("B")]);
    inform(&mut run);
    run.reset().expect("A.I[103] B.I[103]", "I[103] reset(reset)");
    run.finish("reset reset");
    // A head that is dropped half-way.
    let a = script("A").informational(|_| Interim::Drop);
    let mut run = Responses::new([a, script("B")]);
    inform(&mut run);
    run.expect("A.I[103]", "");
    run.cancel();
    run.finish_closing("A", "cancelled");
}

#[test]
fn a_local_reply_after_one_is_seen_by_all() {
    let mut run = Responses::new([script("A"), script("B")]);
    run.hold_sink();
    inform(&mut run);
    run.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"));
    assert!(matches!(run.chain.handle_informational(hints()), Err(InputError::OutOfOrder)));
    run.open_sink().expect(
        r#"A.I[103] B.I[103] A.H[403 local](0) B.H[403 local](0) A.D("no",1) B.D("no",1)"#,
        r#"I[103] H[403](0) D("no") end"#,
    );
    run.finish("replaced 403");
}

#[test]
fn none_is_taken_after_the_head_or_the_end() {
    let mut run = Responses::new([script("A").head(HOLD)]);
    run.head(false);
    assert!(matches!(run.chain.handle_informational(hints()), Err(InputError::OutOfOrder)));
    run.resume("A").expect(r#"A.H(0) A.resume("",0)"#, "H(0)");
    assert!(matches!(run.chain.handle_informational(hints()), Err(InputError::OutOfOrder)));
    run.end().expect(r#"A.D("",1)"#, "end");
    assert!(matches!(run.chain.handle_informational(hints()), Err(InputError::Ended)));
    run.finish("complete");
}

#[test]
fn a_final_head_is_not_taken_for_one() {
    let mut run = Responses::new([script("A")]);
    for status in [StatusCode::OK, StatusCode::SWITCHING_PROTOCOLS, StatusCode::NOT_MODIFIED] {
        let mut head = hints();
        head.status = status;
        let refused = run.chain.handle_informational(head);
        assert!(matches!(refused, Err(InputError::NotInformational)), "{status}");
    }
    run.expect("", "").cancel();
    run.finish_closing("", "cancelled");
}

#[test]
fn beyond_the_limit_they_are_dropped_and_counted() {
    let mut run = Responses::new([script("A")]);
    run.hold_sink();
    for _ in 0..limits::MAX_INFORMATIONAL_HEADS + 3 {
        inform(&mut run);
    }
    assert_eq!(run.stats().dropped_informational, 3);
    assert_eq!(run.drop_calls(), limits::MAX_INFORMATIONAL_HEADS as usize);
    run.open_sink();
    let all = vec!["I[103]"; limits::MAX_INFORMATIONAL_HEADS as usize].join(" ");
    run.sink(&all).head(true).expect("A.H(1)", "H(1)");
    run.finish("complete");
}

#[test]
fn a_panic_ends_the_message_and_closes_the_others() {
    let closed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&closed);
    let a = script("A").close_with(move |_| flag.store(true, SeqCst));
    let b = script("B").informational(|_| panic!("on purpose"));
    let mut run = Responses::new([a, b, script("C")]);
    run.chain.handle_informational(hints()).expect("it is taken");
    run.cut_in();
    run.expect("A.I[103] B.I[103]", "reset(B panicked)");
    assert!(closed.load(SeqCst));
    run.finish_closing("A", "failed B panicked");
}

struct Passes;

impl Filter<response::Parts> for Passes {}

/// What somebody has put beside a head, and what fails when it goes.
#[derive(Clone)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// Dropped in one go, the second panic would come while the first unwinds, and end the process.
#[test]
fn heads_that_nobody_took_are_dropped_one_by_one() {
    let plan = Plan::builder().filter("A", || Passes).build().expect("a plan");
    let bound = plan.bind(Capabilities::ALL).expect("an edge");
    let mut chain: Chain<response::Parts> = bound.chain(MessageTraits::new()).expect("a message");
    for _ in 0..2 {
        let mut head = hints();
        head.extensions.insert(Bomb);
        chain.handle_informational(head).expect("it is taken");
    }
    chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream));
    assert!(chain.outcome().is_some_and(|outcome| !outcome.is_complete()));
}

/// There is one final head, and it comes by itself.
#[test]
fn one_that_is_edited_into_a_final_head_fails_the_message() {
    for status in [StatusCode::OK, StatusCode::SWITCHING_PROTOCOLS] {
        let b = script("B").informational(move |head: &mut response::Parts| {
            head.status = status;
            Interim::Pass
        });
        let mut run = Responses::new([script("A"), b, script("C")]);
        inform(&mut run);
        run.expect("A.I[103] B.I[103]", "reset(B filter)");
        run.finish_closing("A B", "failed B filter");
    }
}

/// A 1xx, but 101, is never the final head: not from the source, of a reply, or edited by a filter.
#[test]
fn one_in_the_place_of_the_final_head_fails_the_message() {
    struct Edits;
    impl Filter<response::Parts> for Edits {
        fn head(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
            view.head_mut().expect("asked about it").status = StatusCode::EARLY_HINTS;
            Verdict::PASS
        }
    }
    let chain = |plan: PlanBuilder<response::Parts>| {
        let bound = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
        bound.chain(MessageTraits::new()).expect("nothing is required")
    };
    let fails = |mut chain: Chain<response::Parts>| {
        let Some(Output::Reset(error)) = chain.poll_output() else { panic!("{chain:?}") };
        assert!(matches!(error.kind(), ErrorKind::NotFinal), "{error}");
        assert!(chain.poll_output().is_none());
        assert!(matches!(chain.outcome(), Some(Outcome::Failed(_))), "{chain:?}");
    };

    let mut given = chain(Plan::builder());
    given.handle_head(hints(), false).expect("it is taken, and fails the message");
    fails(given);
    let mut replied = chain(Plan::builder());
    replied.handle_reply(LocalReply::new(StatusCode::CONTINUE));
    fails(replied);
    let mut edited = chain(Plan::builder().filter("edits", || Edits));
    edited.handle_head(<response::Parts as Dir>::plain(), true).expect("the first head");
    fails(edited);
}
