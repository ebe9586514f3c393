//! A chain alone.

use bytes::Bytes;
use http::{StatusCode, request, response};
use tidegate::filter::EditErrorKind;
use tidegate::{
    BodyBuf, Capability, Chain, Declaration, Head, Interest, LocalReply, Marks, Output, Plan,
    Verdict, limits,
};

use crate::support::{
    Call, Closed, PlanExt, chain, check_trailers, outcome_name, request_head, response_head,
};

type RequestPlan = Plan<request::Parts>;

/// A chain whose head has left.
fn opened<H: Head>(plan: &Plan<H>, head: H) -> Chain<H> {
    let mut chain = chain(plan);
    chain.handle_head(head, false).unwrap();
    while chain.poll_output().is_some() {}
    chain
}

fn data<H: Head>(chain: &mut Chain<H>, bytes: impl Into<Bytes>) {
    chain.handle_data(bytes.into(), false).unwrap();
}

fn watches() -> Declaration {
    Declaration::new().interest(Interest::DATA)
}

/// Takes far more output than there is.
fn drain<H: Head>(chain: &mut Chain<H>) {
    for _ in 0..10_000 {
        let _ = chain.poll_output();
    }
}

/// `has_work` stayed true for ever when the last call of the budget was the last there was to make.
#[test]
fn a_spent_budget_with_nothing_left_is_not_work() {
    let plan = RequestPlan::builder()
        .probe("passes", watches(), &Closed::default(), || |_, _| Verdict::PASS)
        .max_frame_bytes(16)
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, vec![0; 16 * limits::MAX_CALLS_PER_DRIVE as usize]);
    drain(&mut chain);
    assert!(!chain.has_work());
}

/// The same with frames of the default size: a release was metered into a budget's worth of calls.
#[test]
fn a_release_in_as_many_pieces_as_the_budget_is_not_work_for_ever() {
    let plan = RequestPlan::builder()
        .probe("holds", watches(), &Closed::default(), || {
            |_, view| if view.body().len() >= 1024 { Verdict::PASS } else { Verdict::HOLD }
        })
        .probe("passes", watches().marks(Marks::from_high(1)), &Closed::default(), || {
            |_, _| Verdict::PASS
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, vec![0; 1000]);
    data(&mut chain, vec![0; 24]);
    drain(&mut chain);
    assert!(!chain.has_work(), "{} calls", chain.stats().calls);
}

/// Trailers that one filter had set with another verdict than `END` followed the `END` of the next.
#[test]
fn an_end_takes_no_trailers_of_another_filter() {
    let adds = Declaration::new().require(Capability::AddTrailers);
    let plan = RequestPlan::builder()
        .probe("sets", adds, &Closed::default(), || {
            |call, view| {
                if call == Call::Data {
                    view.set_trailers(check_trailers("stale")).unwrap();
                }
                Verdict::PASS
            }
        })
        .probe("ends", Declaration::new(), &Closed::default(), || {
            |call, view| {
                let ends = call == Call::Data && view.body().len() == 3;
                if ends { Verdict::END } else { Verdict::PASS }
            }
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, "x");
    while chain.poll_output().is_some() {}
    data(&mut chain, "end");
    assert!(matches!(chain.poll_output(), Some(Output::Data(_))));
    let last = chain.poll_output();
    assert!(matches!(last, Some(Output::End)), "{last:?}");
}

/// Trailers set by a filter that then replied followed an `END` in the middle of that reply.
#[test]
fn an_end_in_a_reply_takes_no_trailers_of_the_replier() {
    let adds = Declaration::new().require(Capability::AddTrailers);
    let changes = Declaration::new().require(Capability::ChangeLength);
    let plan = Plan::<response::Parts>::builder()
        .probe("replies", adds, &Closed::default(), || {
            |_, view| {
                view.set_trailers(check_trailers("stale")).unwrap();
                view.reply(LocalReply::text(StatusCode::FORBIDDEN, vec![b'n'; 100_000]))
            }
        })
        .probe("ends", changes, &Closed::default(), || {
            |call, view| {
                let ends = call == Call::Data && view.body().len() > 2;
                if ends { Verdict::END } else { Verdict::PASS }
            }
        })
        .build()
        .unwrap();
    let mut chain = chain(&plan);
    chain.handle_head(response_head(), false).unwrap();
    let mut last = None;
    while let Some(output) = chain.poll_output() {
        last = Some(output);
    }
    assert!(matches!(last, Some(Output::End)), "{last:?}");
}

/// Sums over what filters stated to keep overflowed, and the engine panicked outside of any filter.
#[test]
fn h50_kept_bytes_that_overflow_are_refused() {
    let edits = Declaration::new().require(Capability::EditBytes);
    let plan = RequestPlan::builder()
        .probe("keeps", edits.marks(Marks::from_high(u64::MAX)), &Closed::default(), || {
            |call, view| {
                if call == Call::Data {
                    let refused = view.set_kept_bytes(u64::MAX).unwrap_err().kind();
                    let high_bytes = limits::MAX_KEPT_BYTES;
                    assert_eq!(refused, EditErrorKind::TooLarge { high_bytes });
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, "x");
    chain.handle_end().unwrap();
    while chain.poll_output().is_some() {}
    assert_eq!(chain.outcome().map(outcome_name).as_deref(), Some("complete"));
}

/// What a filter pushed in shreds lay in the output queue with a slot of bookkeeping for each.
#[test]
fn bookkeeping_of_the_output_queue_is_bounded() {
    let changes = Declaration::new().require(Capability::ChangeLength);
    let plan = RequestPlan::builder()
        .probe("shreds", changes, &Closed::default(), || {
            |call, view| {
                for _ in 0..if call == Call::Data { 60_000 } else { 0 } {
                    view.push(Bytes::from_static(b"x")).unwrap();
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, "x");
    let mut taken = BodyBuf::new();
    chain.take_output(&mut taken, usize::MAX);
    assert_eq!(taken.len(), 60_001);
    let (segments, bytes) = (taken.segment_count(), taken.bookkeeping_bytes());
    let most = limits::BOOKKEEPING_BASE_BYTES + taken.len() * limits::BOOKKEEPING_BYTES_PER_BYTE;
    assert!(bytes <= most, "{bytes} bytes for {segments} segments");
}

/// What a later push is told by a filter that took everything, stated to keep it, and said
/// `verdict`.
fn push_after_taking(verdict: Verdict) -> Vec<String> {
    let told = Closed::default();
    let log = told.clone();
    let changes = Declaration::new().require(Capability::ChangeLength).marks(Marks::from_high(10));
    let plan = RequestPlan::builder()
        .probe("takes", changes, &Closed::default(), move || {
            let log = log.clone();
            move |call, view| match call {
                Call::Data if view.new_bytes() > 0 => {
                    let kept = view.take().unwrap();
                    view.set_kept_bytes(kept.len() as u64).unwrap();
                    verdict
                }
                Call::Resume => {
                    let pushed = view.push(Bytes::from_static(b"12345"));
                    log.push(format!("{:?}", pushed.map_err(|error| error.kind())));
                    Verdict::PASS
                }
                _ => Verdict::PASS,
            }
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, "0123456789");
    chain.handle_resume(0);
    told.all()
}

/// Kept bytes were counted as added ones behind a `PASS`, but not behind a `HOLD`.
#[test]
fn taken_bytes_that_are_kept_are_no_growth_whatever_the_verdict() {
    assert_eq!(push_after_taking(Verdict::HOLD), ["Ok(())"]);
    assert_eq!(push_after_taking(Verdict::PASS), ["Ok(())"]);
}

/// The count lost what was packed in the output queue as soon as that queue was empty.
#[test]
fn packed_bytes_never_go_down() {
    let edits = Declaration::new().require(Capability::EditBytes);
    let plan = RequestPlan::builder()
        .probe("holds", edits, &Closed::default(), || {
            |call, view| {
                let holds = call == Call::Data && view.body().len() == 600;
                if holds { Verdict::HOLD } else { Verdict::PASS }
            }
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan, request_head());
    data(&mut chain, "a");
    data(&mut chain, "b");
    let before = chain.stats().packed_bytes;
    assert_ne!(before, 0);
    while chain.poll_output().is_some() {}
    data(&mut chain, vec![7; 600]);
    let after = chain.stats().packed_bytes;
    assert!(after >= before, "{before}, then {after}");
}
