//! What has to be true of an exchange that is over.
//!
//! The bytes are looked at from hop to hop: what a filter let go is what the next one that looks at
//! bytes is shown, in order, and what the last one let go is what the sink was given. Where nothing
//! was cut it is all of it, and then the body is also what the edits make of the whole at once.

use tidegate::exchange::Direction;
use tidegate::resume::Resumed;
use tidegate::{ErrorKind, Outcome, ResumeHandle};

use super::case::{Case, Early, Edit, Extra, PlanSpec, SideSpec, Stream};
use super::marks::{ADDED, ADDED_FIELD, REPLIED, is_body, mark_of};
use super::ran::Ran;
use super::world::{Ending, World};
use crate::kit::executor::TaskReport;

/// Handles that have outlived their message do nothing (I11).
pub(crate) fn handles_are_gone(old: &[ResumeHandle]) {
    for handle in old {
        assert_eq!(handle.resume(), Resumed::Gone, "C8: a late resume does nothing");
    }
}

/// Nobody keeps a waker of a task that is over.
pub(crate) fn wakers_are_gone(tasks: &[TaskReport]) {
    for task in tasks.iter().filter(|task| task.name != "third") {
        assert_eq!(task.wakers_left, 0, "C8: a waker was leaked: {tasks:?}");
    }
}

pub(crate) fn check(case: &Case, stream: &Stream, ran: &Ran, world: &World) {
    let broken = world.lock().broken.take();
    assert_eq!(broken, None, "seen by a filter of exchange {}", ran.stream);
    if ran.whole {
        request_ends(ran);
    }
    is_left_alone(&case.plan, ran);
    response_ends(ran);
    if !stream.unlinked {
        replies_arrive(&case.plan, stream, ran);
    }
    for (half, direction) in [Direction::Request, Direction::Response].into_iter().enumerate() {
        closes(&case.plan, ran, direction);
        marks(ran, direction);
        bytes(&case.plan, stream, ran, direction);
        trailers(&case.plan, stream, ran, direction, &stream.sides[half]);
    }
}

/// I9, C2: what looks complete is, and nothing else does.
fn request_ends(ran: &Ran) {
    let (seen, outcome) = (&ran.logs[0].seen, ran.outcome(Direction::Request));
    if seen.complete {
        assert!(outcome.is_some_and(Outcome::is_complete), "{outcome:?}, but {seen:?}");
    }
    if seen.reset {
        assert!(!outcome.is_some_and(Outcome::is_complete), "{outcome:?}, but {seen:?}");
    }
    if outcome.is_some_and(Outcome::is_complete) && !seen.dropped {
        let has_all = seen.declared_bytes == Some(seen.body.len());
        assert!(seen.complete || has_all, "{outcome:?}, but {seen:?}");
    }
}

/// H28: a complete response ends its request only where the policy says so.
fn is_left_alone(plan: &PlanSpec, ran: &Ran) {
    let error = ran.outcome(Direction::Request).and_then(Outcome::error);
    let is_ended = error.is_some_and(|error| error.kind() == ErrorKind::AnsweredEarly);
    assert!(!is_ended || !matches!(plan.early, Early::Forward), "{error:?} in spite of the policy");
}

fn response_ends(ran: &Ran) {
    let (seen, outcome) = (&ran.logs[1].seen, ran.outcome(Direction::Response));
    if outcome.is_some_and(Outcome::is_complete) && !seen.dropped {
        let has_all = seen.declared_bytes == Some(seen.body.len());
        assert!(seen.complete || has_all, "{outcome:?}, but {seen:?}");
    }
    if seen.reset {
        assert!(outcome.is_some_and(|it| it.error().is_some()), "{outcome:?}, but {seen:?}");
    }
    // A client that stayed has an answer, or has seen that there is none.
    if !seen.dropped && !matches!(outcome, Some(Outcome::Cancelled)) {
        assert!(seen.complete || seen.reset || outcome.is_some(), "{outcome:?}, but {seen:?}");
    }
}

/// A reply of the request is delivered, or the head had gone, or the response was over.
fn replies_arrive(plan: &PlanSpec, stream: &Stream, ran: &Ran) {
    let replied =
        matches!(ran.outcome(Direction::Request), Some(Outcome::Replaced { by: Some(_), .. }));
    if !replied {
        return;
    }
    let seen = &ran.logs[1].seen;
    assert!(!ran.logs[0].seen.complete, "the upstream sees no end");
    let is_bare = ran.chain(plan, Direction::Response).is_empty()
        && Ran::is_plain(stream, Direction::Response)
        && !stream.sides[1].bodiless;
    let lengths_hold = matches!(
        stream.sides[1].declares,
        super::case::Declares::Nothing | super::case::Declares::Truth
    );
    if is_bare && lengths_hold {
        let delivered = seen.status == Some(403) && seen.complete && seen.body == [REPLIED; 3];
        let head_had_gone = seen.head && seen.status != Some(403);
        assert!(delivered != head_had_gone, "{seen:?}");
    }
}

/// I9: every filter that was started is closed once, with the outcome, unless it panicked.
fn closes(plan: &PlanSpec, ran: &Ran, direction: Direction) {
    let outcome = ran.outcome(direction).map(Ending::of);
    for id in ran.chain(plan, direction) {
        let record = &ran.records[id];
        if record.is_async {
            assert!(record.started <= 1, "filter {id} has one future a message");
            continue;
        }
        assert!(record.started <= 1, "filter {id} is started once");
        let was_closed = record.closed.len();
        match (record.started, record.panicked) {
            // The head has gone by one that does not look at heads.
            (0, _) if plan.filters[id / 2].interest & 1 == 0 => {
                assert!(was_closed <= 1, "filter {id} is closed once");
            }
            (0, _) => assert_eq!(was_closed, 0, "filter {id} was not started"),
            // In its close, or before.
            (_, true) => assert!(was_closed <= 1, "filter {id} is closed once"),
            (_, false) => assert_eq!(was_closed, 1, "filter {id} is closed once: {outcome:?}"),
        }
        if let Some(told) = record.closed.first() {
            assert_eq!(Some(*told), outcome, "filter {id} is told another outcome");
        }
    }
}

/// Nothing of another exchange gets out.
fn marks(ran: &Ran, direction: Direction) {
    let seen = &ran.log(direction).seen;
    let marks = [seen.mark, seen.trailers.as_ref().and_then(mark_of)];
    for mark in marks.into_iter().flatten() {
        assert_eq!(mark, ran.stream, "the {direction} gives out a field of another exchange");
    }
}

/// What comes to a hop.
struct Flow {
    bytes: Vec<u8>,
    /// All of it has to arrive.
    all: bool,
    /// A filter that does not look at bytes ended the message: where, nobody knows.
    cut: bool,
}

/// C1, I1: conservation from hop to hop.
fn bytes(plan: &PlanSpec, stream: &Stream, ran: &Ran, direction: Direction) {
    let log = ran.log(direction);
    let seen = &log.seen;
    mixes_nothing(&seen.body);
    let outcome = ran.outcome(direction);
    let is_complete = outcome.is_some_and(Outcome::is_complete) && seen.end_was_given;
    let chain = ran.chain(plan, direction);
    if !is_complete && outcome_is_reply(ran, direction) {
        for id in chain {
            mixes_nothing(&ran.records[id].shown);
        }
        return;
    }
    // What stands before a filter that declared the end is dropped.
    let last_end = chain.iter().rposition(|id| ran.records[*id].ended);
    let all = is_complete && last_end.is_none();
    let mut flow = Flow { bytes: log.sent.clone(), all, cut: false };
    for (k, id) in chain.iter().enumerate() {
        let (record, spec) = (&ran.records[*id], &plan.filters[id / 2]);
        if record.sees_reply {
            // What comes here is not what was sent, also if it is an empty reply that is cut off
            // before its head is out. What filters see of it is checked when they are called.
            assert!(!seen.body.iter().copied().any(is_body), "replaced, but given out: {seen:?}");
            return;
        }
        if spec.interest & 2 == 0 && !spec.is_async {
            assert!(record.shown.is_empty(), "filter {id} does not look at bytes");
            flow.cut |= record.ended;
            // What it adds, it adds behind everything.
            flow.bytes.extend_from_slice(&record.let_go);
            continue;
        }
        let shown = record.shown.len();
        arrives(&flow, &record.shown, flow.all && !record.passes_by, &format!("filter {id}"));
        let mut bytes = record.let_go.clone();
        // An async filter that ends the message takes what it wants before.
        let goes_by = record.passes_by && !(record.ended && spec.is_async);
        if goes_by && flow.cut {
            return;
        }
        if goes_by {
            bytes.extend_from_slice(&flow.bytes[shown..]);
        }
        let is_behind_the_end = last_end.is_none_or(|end| k >= end);
        let is_known = !goes_by || (flow.all && !record.ended);
        flow = Flow {
            bytes,
            all: is_complete && is_behind_the_end && is_known,
            cut: goes_by && record.ended,
        };
    }
    arrives(&flow, &seen.body, flow.all, "the sink");
    if is_complete {
        if let Some(declared_bytes) = seen.declared_bytes
            && !stream.sides[usize::from(direction == Direction::Response)].bodiless
            && !matches!(seen.status, Some(204 | 304))
        {
            assert_eq!(seen.body.len(), declared_bytes, "I12: the length that was declared");
        }
        if last_end.is_none() {
            is_what_the_edits_make(plan, stream, ran, direction, &chain);
        }
    }
}

fn outcome_is_reply(ran: &Ran, direction: Direction) -> bool {
    let answers = matches!(ran.log(direction).seen.status, Some(200 | 204 | 304) | None);
    let replied = ran.outcome(direction).map(Ending::of);
    let log = ran.log(direction);
    !answers
        || matches!(replied, Some(Ending::Replaced | Ending::Limit))
        || log.seen.body.contains(&REPLIED)
        || (direction == Direction::Response
            && ran.records.iter().any(|record| record.shown.contains(&REPLIED)))
}

fn arrives(flow: &Flow, got: &[u8], all: bool, whom: &str) {
    let Flow { bytes, .. } = flow;
    if flow.cut {
        let mut sent = bytes.iter().filter(|byte| **byte != ADDED);
        let mut came = got.iter().filter(|byte| **byte != ADDED);
        assert!(came.all(|byte| sent.next() == Some(byte)), "C1: {whom}: {got:?} of {bytes:?}");
        return;
    }
    assert!(
        bytes.starts_with(got) && (!all || bytes.len() == got.len()),
        "C1: {whom} got {} bytes of {}, different from byte {:?} on:\n got {got:?}\nfrom {bytes:?}",
        got.len(),
        bytes.len(),
        bytes.iter().zip(got).position(|(a, b)| a != b),
    );
}

/// A body is of the peer, or of a reply, never of both.
fn mixes_nothing(body: &[u8]) {
    let replied = body.contains(&REPLIED);
    assert!(!replied || !body.iter().any(|byte| is_body(*byte)), "two messages in one: {body:?}");
}

/// The reference: the whole body at once, one edit after the other.
fn is_what_the_edits_make(
    plan: &PlanSpec,
    stream: &Stream,
    ran: &Ran,
    direction: Direction,
    chain: &[usize],
) {
    let mut body = ran.log(direction).sent.clone();
    for id in chain {
        let (record, spec) = (&ran.records[*id], &plan.filters[id / 2]);
        let program = &stream.programs[id / 2][id % 2];
        let is_edited = program.edit != Edit::Keep && spec.interest & 2 != 0 && !spec.is_async;
        if !is_edited {
            continue;
        }
        if !record.edits || record.passes_by {
            // It did what it could.
            return;
        }
        match program.edit {
            Edit::Remove(_) => body.retain(|byte| !program.edit.concerns(*byte)),
            Edit::Replace(_) => {
                for byte in body.iter_mut().filter(|byte| program.edit.concerns(**byte)) {
                    *byte = program.edit.replacement(*byte);
                }
            }
            Edit::Keep | Edit::Grow(_) => {}
        }
    }
    let mut out = ran.log(direction).seen.body.clone();
    out.retain(|byte| *byte != ADDED);
    assert_eq!(out, body, "C1: the {direction} is not what the edits make of it");
}

/// I5: trailers come out once, behind everything, and are nobody's invention.
fn trailers(plan: &PlanSpec, stream: &Stream, ran: &Ran, direction: Direction, spec: &SideSpec) {
    let (log, outcome) = (ran.log(direction), ran.outcome(direction));
    let chain = ran.chain(plan, direction);
    if let Some(trailers) = &log.seen.trailers {
        let added = trailers.contains_key(ADDED_FIELD);
        let may_add = chain.iter().any(|id| {
            let steps = &stream.programs[id / 2][id % 2].steps;
            steps.iter().any(|step| step.extra == Extra::Trailer)
        });
        assert!(!added || may_add, "a trailer that nobody added: {trailers:?}");
        let came = mark_of(trailers).is_some();
        assert!(!came || log.trailers, "trailers that did not come: {trailers:?}");
        assert!(!spec.trailers_unsent || direction == Direction::Response && !log.seen.complete);
    }
    let Some(Outcome::Complete { unsent_trailers, .. }) = outcome else { return };
    let is_ended_by_a_filter = chain.iter().any(|id| ran.records[*id].ended);
    if log.trailers && log.seen.end_was_given && !is_ended_by_a_filter {
        let came = log.seen.trailers.as_ref().is_some_and(|trailers| mark_of(trailers).is_some());
        assert!(came || *unsent_trailers > 0, "I5: trailers were lost: {:?}", log.seen);
    }
}
