//! What is shown of things in logs and errors: counts, kinds and names, never body bytes (I14).

#![allow(clippy::unwrap_used, reason = "clippy knows tests, but not what they share")]

use std::error::Error as _;
use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request;
use tidegate::chain::{InputError, PlanError};
use tidegate::exchange::{Direction, ExchangePlan, Refused, mailbox};
use tidegate::filter::{EditError, EditErrorKind};
use tidegate::pipe::{Cut, SendError, TrySendError, pipe};
use tidegate::resume::ResumeSet;
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Declaration, Filter, Head, Interest, Marks,
    MessageTraits, Plan, Verdict, View,
};

/// A body that must not be seen.
const SECRET: &[u8] = b"secret";

#[track_caller]
fn shows(what: &dyn Debug, parts: &[&str]) {
    let text = format!("{what:?}");
    for part in parts {
        assert!(text.contains(part), "{text:?} does not contain {part:?}");
    }
    assert!(!text.contains("secret") && !text.contains("115, 101"), "{text:?} shows body");
}

#[track_caller]
fn says(what: &dyn Display, text: &str) {
    assert_eq!(what.to_string(), text);
}

struct Passes;
impl<H: Head> Filter<H> for Passes {}

/// Needs what an edge may not have.
struct Adds;
impl<H: Head> Filter<H> for Adds {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::AddTrailers)
    }
}

fn chain_of<F: Filter<request::Parts> + 'static>(
    make: impl Fn() -> F + Send + Sync + 'static,
) -> Chain<request::Parts> {
    let plan = Plan::builder().filter("one", make).build().unwrap();
    plan.bind(Capabilities::ALL).unwrap().chain(MessageTraits::new()).unwrap()
}

fn head() -> request::Parts {
    http::Request::new(()).into_parts().0
}

#[test]
fn halves_of_a_pipe_show_what_they_hold() {
    let (mut sender, mut receiver) = pipe::<Bytes, (), ()>(Marks::from_high(4));
    sender.try_send(Bytes::from_static(SECRET)).unwrap();
    shows(&sender, &["Sender", "high_bytes: 4", "side: Above", "held_bytes: 102", "closed: false"]);
    shows(&receiver, &["Receiver", "fetched_items: 0", "fetched_bytes: 0"]);
    receiver.close(());
    shows(&sender, &["closed: true"]);
}

#[test]
fn errors_of_a_pipe_show_no_item() {
    let secret = || Bytes::from_static(SECRET);
    shows(&TrySendError::Full(secret()), &["Full(..)"]);
    shows(&TrySendError::Closed(secret()), &["Closed(..)"]);
    shows(&TrySendError::Ended(secret()), &["Ended(..)"]);
    shows(&SendError::Closed(secret()), &["Closed(..)"]);
    shows(&SendError::Ended(secret()), &["Ended(..)"]);
    says(&TrySendError::Full(()), "the pipe is full");
    says(&TrySendError::Closed(()), "the receiver of the pipe is gone");
    says(&TrySendError::Ended(()), "the sender of the pipe had ended");
    says(&SendError::Closed(()), "the receiver of the pipe is gone");
    says(&SendError::Ended(()), "the sender of the pipe had ended");
    assert_eq!(TrySendError::Full(7).into_inner(), 7);
    assert_eq!(SendError::Closed(7).into_inner(), 7);
}

#[test]
fn a_cut_says_who_cut_and_why() {
    let why = || std::io::Error::other("why");
    says(&Cut::Failed(why()), "the sender failed: why");
    says(&Cut::Aborted(why()), "the sender aborted: why");
    says(&Cut::<std::io::Error>::Cancelled, "the sender was dropped before the end");
    for cut in [Cut::Failed(why()), Cut::Aborted(why())] {
        assert_eq!(cut.source().expect("the reason").to_string(), "why");
    }
    assert!(Cut::<std::io::Error>::Cancelled.source().is_none());
}

#[test]
fn resume_sets_and_handles_show_stations() {
    let set = ResumeSet::new(3);
    shows(&set, &["ResumeSet", "stations: 3"]);
    shows(&set.handle(2), &["ResumeHandle", "station: 2"]);
}

#[test]
fn verdicts_and_capabilities_show_what_they_mean() {
    shows(&Verdict::PASS, &["Pass"]);
    shows(&Verdict::END, &["End"]);
    shows(&Verdict::HOLD.or_reject(), &["Hold", "overflow: Reject", "quiet: false"]);
    shows(&Verdict::HOLD.quiet(), &["Hold", "overflow: BackPressure", "quiet: true"]);
    shows(&Verdict::pass_first(5), &["First", "bytes: 5", "overflow: BackPressure"]);
    // Said twice is said once.
    assert_eq!(Verdict::HOLD.or_reject().or_reject(), Verdict::HOLD.or_reject());
    assert_eq!(Verdict::HOLD.quiet().quiet(), Verdict::HOLD.quiet());
    assert_eq!(Verdict::PASS.again().again(), Verdict::PASS.again());
    shows(&Capabilities::NONE.with(Capability::SeeEnd), &["{SeeEnd}"]);
    assert_eq!(format!("{:?}", Capabilities::NONE), "{}");
    let names = Capability::ALL.map(|each| each.to_string());
    assert_eq!(
        names,
        [
            "add trailers",
            "hold the head for body",
            "keep bytes to the end",
            "edit bytes",
            "change length",
            "see the end",
            "see trailers",
        ]
    );
}

/// Tries an edit that is not granted, and keeps what is shown of the view and of the error.
struct Prying(Arc<Mutex<Vec<String>>>);

impl<H: Head> Filter<H> for Prying {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::ALL)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let error = view.push(Bytes::from_static(SECRET)).unwrap_err();
        shows(&error, &["EditError", "kind: Undeclared(EditBytes)", "returned_bytes: 6"]);
        shows(view, &["View", "station: 0", "body_bytes: 6", "new_at: 0", "input_ended: true"]);
        shows(view, &["head: false", "trailers: false"]);
        self.0.lock().unwrap().push(error.to_string());
        Verdict::PASS
    }
}

#[test]
fn a_view_and_a_refused_edit_show_counts() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let given = Arc::clone(&seen);
    let mut chain = chain_of(move || Prying(Arc::clone(&given)));
    chain.handle_head(head(), false).unwrap();
    chain.handle_data(Bytes::from_static(SECRET), true).unwrap();
    shows(&chain, &["Chain", "filters: [\"one\"]", "head_at: ", "tail_at: ", "stats: "]);
    let told = "`edit bytes` was not declared by the filter or not granted by the edge";
    assert_eq!(*seen.lock().unwrap(), [told], "and no assertion failed in the callback");
}

/// Collects what its edits are refused with.
struct Refusals(Arc<Mutex<Vec<(EditErrorKind, String)>>>);

impl<H: Head> Filter<H> for Refusals {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength).marks(Marks::from_high(8))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let note = |error: EditError| {
            self.0.lock().unwrap().push((error.kind(), error.to_string()));
        };
        note(view.push(Bytes::from_static(&[0; 9])).unwrap_err());
        view.push(Bytes::from_static(&[0; 8])).unwrap();
        note(view.push(Bytes::from_static(&[0; 1])).unwrap_err());
        Verdict::PASS
    }
}

#[test]
fn a_refused_edit_says_why() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let given = Arc::clone(&seen);
    let mut chain = chain_of(move || Refusals(Arc::clone(&given)));
    chain.handle_head(head(), false).unwrap();
    chain.handle_data(Bytes::from_static(b"x"), true).unwrap();
    let large = "the edit is larger than the filter's high mark of 8 bytes".to_owned();
    let full = "no room for added body now".to_owned();
    let seen = seen.lock().unwrap();
    assert_eq!(
        *seen,
        [(EditErrorKind::TooLarge { high_bytes: 8 }, large), (EditErrorKind::Full, full)]
    );
}

#[test]
fn plans_show_their_filters() {
    let plan = Plan::<request::Parts>::builder().filter("one", || Passes);
    shows(&plan, &["PlanBuilder", "filters: 1", "output_marks: ", "max_frame_bytes: "]);
    let plan = plan.build().unwrap();
    shows(&plan, &["\"one\": Declaration"]);
    shows(&plan.bind(Capabilities::NONE).unwrap(), &["BoundPlan", "edge: {}", "[\"one\"]"]);
    says(&PlanError::EmptyFrames, "max_frame_bytes is 0");
    let many = PlanError::TooManyFilters { filters: 65 };
    says(&many, "65 filters in one chain: limits::MAX_FILTERS is 64");
}

#[test]
fn plans_of_exchanges_show_both_directions() {
    let builder = ExchangePlan::builder()
        .request("in", || Passes)
        .response("out", || Passes)
        .pair("both", || (Passes, Passes));
    shows(&builder, &["request_filters: 2", "response_filters: 2", "pairs: 1"]);
    let plan = builder.build().unwrap();
    shows(&plan, &["ExchangePlan", "\"in\"", "\"out\"", "\"both\"", "pairs: 1"]);
    let bound = plan.bind(Capabilities::NONE, Capabilities::NONE).unwrap();
    shows(&bound, &["BoundExchangePlan", "\"in\"", "\"out\"", "pairs: 1", "early: Forward"]);
    let (request, response) = bound.exchange(MessageTraits::new(), MessageTraits::new()).unwrap();
    shows(&request, &["Side", "direction: Request", "stage: Unstarted", "early: Forward", "Chain"]);
    shows(&response, &["Side", "direction: Response"]);
    let names = |filters: Vec<(&str, &Declaration)>| -> Vec<String> {
        filters.into_iter().map(|(name, _)| name.to_owned()).collect()
    };
    assert_eq!(names(bound.request_filters().collect()), ["in", "both"]);
    // The response passes its filters the other way round.
    assert_eq!(names(bound.response_filters().collect()), ["both", "out"]);
}

#[test]
fn an_unmet_need_names_filter_and_direction() {
    let plan = ExchangePlan::builder().response("adder", || Adds).build().unwrap();
    let bound = plan.bind(Capabilities::ALL, Capabilities::ALL).unwrap();
    let plain = MessageTraits::new().without(Capability::AddTrailers);
    let refused: Refused = bound.exchange(MessageTraits::new(), plain).unwrap_err();
    assert_eq!(refused.direction(), Direction::Response);
    assert_eq!(refused.unmet().filter(), "adder");
    says(&refused, "response: filter `adder` requires `add trailers`, which this edge cannot do");
    says(&Direction::Request, "request");
}

#[test]
fn halves_of_a_mailbox_show_whether_there_is_mail() {
    let (request, response) = mailbox();
    shows(&response, &["ResponseHalf", "has_mail: false"]);
    shows(&request, &["RequestHalf", "has_mail: false"]);
    drop(request);
}

#[test]
fn input_that_is_refused_is_counted_not_shown() {
    shows(&InputError::NotWanted(Bytes::from_static(SECRET)), &["NotWanted(6 bytes)"]);
    shows(&InputError::Ended, &["Ended"]);
    shows(&InputError::OutOfOrder, &["OutOfOrder"]);
    shows(&InputError::NotInformational, &["NotInformational"]);
    says(&InputError::NotWanted(Bytes::new()), "the chain wants no input now");
    says(&InputError::Ended, "the input of this message has ended");
    says(&InputError::OutOfOrder, "head, data and trailers must come in this order");
    says(&InputError::NotInformational, "this head is a final one");
}

#[test]
fn a_body_buffer_shows_counts() {
    let body = BodyBuf::from_iter([Bytes::from_static(SECRET)]);
    shows(&body, &["BodyBuf"]);
    shows(&body.chunks(), &["Chunks"]);
    shows(&body.cursor(), &["Cursor", "position: 0"]);
}
