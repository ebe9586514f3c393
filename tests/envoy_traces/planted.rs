//! That a difference is noticed: recordings and runs with a mistake in them.

use std::sync::LazyLock;

use crate::explain::Reason;
use crate::judge::{Judgement, compare};
use crate::model::TRACES;
use crate::moment::{Moment, Seen};
use crate::play::play;
use crate::runs::JUDGED;
use crate::trace::{Direction, Record, Trace, Wire};

/// Scenarios in which Envoy breaks no rule, and all that differs is told exactly by a decision,
/// with what was seen of our run.
static SOUND: LazyLock<Vec<(&Trace, Vec<Moment>)>> = LazyLock::new(|| {
    let both = TRACES.iter().zip(JUDGED.iter());
    let sound = both.filter(|(trace, (_, judgement))| is_exact(judgement) && !trace.script.loose);
    sound.map(|(trace, _)| (trace, play(trace).expect("it was played before").moments)).collect()
});

fn is_exact(judgement: &Judgement) -> bool {
    match judgement {
        Judgement::Same => true,
        Judgement::Differs(findings) => findings.iter().all(|finding| match &finding.reason {
            Some(Reason::Caveat(caveat)) => caveat.is_narrow(),
            Some(Reason::Broken(_) | Reason::Follows(_)) | None => false,
        }),
        Judgement::NoCounterpart(_) | Judgement::Faulty(_) => false,
    }
}

/// Plants a mistake into each of our runs of a sound scenario, and counts the runs that had a place
/// for it. Every one must be unexplained.
#[track_caller]
fn expect_unexplained(what: &str, plant: impl Fn(&mut Vec<Moment>) -> bool) -> usize {
    let mut planted = 0;
    for (trace, ours) in SOUND.iter() {
        let mut ours = ours.clone();
        if !plant(&mut ours) {
            continue;
        }
        planted += 1;
        let judgement = compare(trace, &ours);
        assert!(!judgement.unexplained().is_empty(), "{}: {what} is explained", trace.name);
    }
    planted
}

/// Changes what a sink has seen, from the first moment on at which `change` can.
fn from_then_on(moments: &mut [Moment], change: impl Fn(&mut Seen) -> bool) -> bool {
    let mut any = false;
    for moment in moments {
        for direction in Direction::BOTH {
            any |= change(moment.sink_mut(direction));
        }
    }
    any
}

#[test]
fn a_lost_byte_is_noticed() {
    let planted = expect_unexplained("a lost byte", |moments| {
        from_then_on(moments, |sink| sink.body.0.pop().is_some())
    });
    assert!(planted > 100, "only {planted} scenarios have a body");
}

#[test]
fn bytes_in_another_order_are_noticed() {
    let planted = expect_unexplained("another order", |moments| {
        from_then_on(moments, |sink| {
            let before = sink.body.clone();
            sink.body.0.reverse();
            sink.body != before
        })
    });
    assert!(planted > 100, "only {planted} scenarios have a body that can be turned round");
}

#[test]
fn a_missing_end_is_noticed() {
    let planted = expect_unexplained("a missing end", |moments| {
        from_then_on(moments, |sink| std::mem::take(&mut sink.end))
    });
    assert!(planted > 100, "only {planted} scenarios end");
}

#[test]
fn lost_trailers_are_noticed() {
    let planted = expect_unexplained("lost trailers", |moments| {
        from_then_on(moments, |sink| sink.trailers.take().is_some())
    });
    assert!(planted > 10, "only {planted} scenarios have trailers");
}

#[test]
fn a_step_too_late_is_noticed() {
    let planted = expect_unexplained("a late byte", |moments| {
        let late: Vec<Seen> = moments.iter().map(|moment| moment.origin.clone()).collect();
        let mut any = false;
        for (moment, before) in moments.iter_mut().skip(1).zip(late) {
            any |= moment.origin != before;
            moment.origin = before;
        }
        any
    });
    assert!(planted > 100, "only {planted} scenarios have an origin");
}

#[test]
fn a_byte_that_a_filter_sees_twice_is_noticed() {
    let planted = expect_unexplained("a byte seen twice", |moments| {
        let mut any = false;
        for seen in moments.iter_mut().flat_map(|moment| moment.filters.values_mut()) {
            if let Some(&last) = seen.body.0.last() {
                seen.body.0.push(last);
                any = true;
            }
        }
        any
    });
    assert!(planted > 100, "only {planted} scenarios show body to a filter");
}

/// The recording itself is falsified: a peer receives two bytes the other way round.
#[test]
fn a_falsified_recording_is_noticed() {
    let mut planted = 0;
    for (trace, ours) in SOUND.iter() {
        let mut falsified = (*trace).clone();
        if !falsified.steps.iter_mut().any(swap) {
            continue;
        }
        planted += 1;
        let judgement = compare(&falsified, ours);
        assert!(!judgement.unexplained().is_empty(), "{}: swapped bytes", trace.name);
    }
    assert!(planted > 100, "only {planted} recordings have two bytes to swap");
}

/// Swaps the first two bytes that differ of a piece that a peer received in this step.
fn swap(record: &mut Record) -> bool {
    let pieces = record.client.iter_mut().chain(&mut record.origin);
    for piece in pieces {
        let Wire::Data(data) = piece else { continue };
        let bytes = &mut data.data.0;
        if let Some(at) = bytes.windows(2).position(|pair| pair[0] != pair[1]) {
            bytes.swap(at, at + 1);
            return true;
        }
    }
    false
}
