//! H18: whatever comes behind an end, whichever end it was, reaches nobody.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tidegate::chain::InputError;
use tidegate::exchange::EarlyResponse;
use tidegate::{
    BoundPlan, Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter, LocalReply,
    Marks, MessageTraits, Origin, Outcome, Output, Plan, ResumeHandle, Resumed, Timeout, View,
};

use crate::kit::*;
use crate::stage::{Stage as Exchange, reset_by, sunk};

/// How a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    DeclaredByFilter,
    Reset,
    Cancelled,
    Aborted,
    TimedOut,
    LongerThanDeclared,
    ShorterThanDeclared,
    Panicked,
    FailedByFilter,
    RepliedByFilter,
    RepliedFromOutside,
    OverItsLimit,
    Stalled,
}

const ENDS: [End; 14] = [
    End::Complete,
    End::DeclaredByFilter,
    End::Reset,
    End::Cancelled,
    End::Aborted,
    End::TimedOut,
    End::LongerThanDeclared,
    End::ShorterThanDeclared,
    End::Panicked,
    End::FailedByFilter,
    End::RepliedByFilter,
    End::RepliedFromOutside,
    End::OverItsLimit,
    End::Stalled,
];

/// What comes too late.
#[derive(Debug, Clone, Copy)]
enum Late {
    Head,
    Data,
    LastData,
    EmptyData,
    End,
    Trailers,
    Resume,
    ResumeByNumber,
    Reply,
    Reset,
    TimeOut,
    Abort,
    Cancel,
    Marks,
    Announcement,
}

const LATE: [Late; 15] = [
    Late::Head,
    Late::Data,
    Late::LastData,
    Late::EmptyData,
    Late::End,
    Late::Trailers,
    Late::Resume,
    Late::ResumeByNumber,
    Late::Reply,
    Late::Reset,
    Late::TimeOut,
    Late::Abort,
    Late::Cancel,
    Late::Marks,
    Late::Announcement,
];

/// What the filters of a chain have seen.
#[derive(Default)]
struct Seen {
    calls: AtomicU64,
    closes: AtomicU64,
    handles: Mutex<Vec<ResumeHandle>>,
}

/// Counts its calls. The acting one does to data what leads to `end`.
struct Counting {
    seen: Arc<Seen>,
    acts: bool,
    end: End,
    closed: bool,
}

impl Counting {
    fn note<H: Dir>(&self, view: &mut View<'_, H>) {
        assert!(!self.closed, "no call after close");
        self.seen.calls.fetch_add(1, Relaxed);
        // Nobody could be taken for lost, but the one that is to be.
        if self.end != End::Stalled {
            self.seen.handles.lock().unwrap().push(view.resume_handle());
        }
    }
}

impl<H: Dir> Filter<H> for Counting {
    fn declare(&self) -> Declaration {
        Declaration::new().prefer(Capability::ChangeLength).marks(Marks::from_high(2))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.note(view);
        PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.note(view);
        match self.end {
            _ if !self.acts || view.is_local_reply() => PASS,
            End::DeclaredByFilter => END,
            End::Panicked => panic!("as it is meant to"),
            End::FailedByFilter => view.fail(Error::filter_failed("as it is meant to")),
            End::RepliedByFilter => view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no")),
            End::OverItsLimit => BUF,
            End::Stalled => SAW,
            _ => HOLD,
        }
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.note(view);
        PASS
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.note(view);
        PASS
    }

    fn close(&mut self, _: &Outcome) {
        assert!(!self.closed, "closed once");
        self.closed = true;
        self.seen.closes.fetch_add(1, Relaxed);
    }
}

fn plan_to<H: Dir>(end: End, seen: &Arc<Seen>) -> BoundPlan<H> {
    let mut plan = Plan::builder();
    for (name, acts) in [("<", false), ("F", true), (">", false)] {
        let seen = Arc::clone(seen);
        plan = plan.filter(name, move || Counting {
            seen: Arc::clone(&seen),
            acts,
            end,
            closed: false,
        });
    }
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge that can do it")
}

fn drain<H: Dir>(chain: &mut Chain<H>) {
    for _ in 0..100 {
        if chain.poll_output().is_none() && !chain.has_work() {
            return;
        }
    }
    panic!("the chain does not come to rest");
}

/// Brings a message to `end`: with body held on the way, and the head taken by the sink or not.
fn bring_to<H: Dir>(chain: &mut Chain<H>, end: End, head_taken: bool) {
    let head = match end {
        End::LongerThanDeclared | End::ShorterThanDeclared => H::declaring(4),
        _ => H::plain(),
    };
    chain.handle_head(head, false).expect("the head is taken");
    if head_taken {
        drain(chain);
    }
    chain.handle_data(Bytes::from_static(b"abc"), false).expect("data is taken");
    let internal = |kind| Error::new(kind, Origin::Internal);
    match end {
        End::Complete => {
            chain.handle_resume(1);
            chain.handle_end().expect("the end is taken");
            chain.handle_resume(1);
        }
        End::Reset => chain.handle_reset(internal(ErrorKind::Reset)),
        End::Cancelled => chain.cancel(),
        End::Aborted => chain.abort(internal(ErrorKind::Reset)),
        End::TimedOut => chain.handle_timeout(Timeout::Total),
        End::LongerThanDeclared => {
            // F is over its mark: one frame in flight.
            chain.handle_data(Bytes::from_static(b"de"), false).expect("one frame is taken");
        }
        End::ShorterThanDeclared => chain.handle_end().expect("an end is always taken"),
        End::RepliedFromOutside => chain.handle_reply(LocalReply::new(StatusCode::FORBIDDEN)),
        End::DeclaredByFilter
        | End::Panicked
        | End::FailedByFilter
        | End::RepliedByFilter
        | End::OverItsLimit
        | End::Stalled => {}
    }
    if chain.outcome().is_none() {
        // What has its end with the sink; and a stall, which is looked for when nothing comes out.
        drain(chain);
    }
    assert!(chain.outcome().is_some(), "{end:?} is an end");
}

/// Gives what is late; it must be refused, or mean nothing.
fn give_late<H: Dir>(chain: &mut Chain<H>, late: Late, seen: &Seen) {
    let field = (HeaderName::from_static("x-late"), HeaderValue::from_static("1"));
    let refused = match late {
        Late::Head => chain.handle_head(H::plain(), false),
        Late::Data => chain.handle_data(Bytes::from_static(b"late"), false),
        Late::LastData => chain.handle_data(Bytes::from_static(b"late"), true),
        Late::EmptyData => chain.handle_data(Bytes::new(), false),
        Late::End => chain.handle_end(),
        Late::Trailers => chain.handle_trailers(HeaderMap::from_iter([field])),
        Late::Resume => {
            for handle in seen.handles.lock().unwrap().iter() {
                assert_eq!(handle.resume(), Resumed::Gone);
            }
            chain.handle_resumes();
            return;
        }
        Late::ResumeByNumber => return (0..4).for_each(|station| chain.handle_resume(station)),
        Late::Reply => return chain.handle_reply(LocalReply::new(StatusCode::CONFLICT)),
        Late::Reset => return chain.handle_reset(reset_by(Origin::Downstream)),
        Late::TimeOut => return chain.handle_timeout(Timeout::Idle),
        Late::Abort => return chain.abort(reset_by(Origin::Internal)),
        Late::Cancel => return chain.cancel(),
        Late::Marks => return (0..4).for_each(|k| chain.set_marks(k, Marks::from_high(0))),
        Late::Announcement => return chain.send_only_trailers(Vec::new()),
    };
    assert!(matches!(refused, Err(InputError::Ended)), "{late:?}: {refused:?}");
}

/// Envoy CVE-2026-26311: filters ran after a reset, because one of the entries did not look.
/// Here every input and every event, alone and after all others, behind every end.
fn h18_nothing_behind_an_end_reaches_a_filter<H: Dir>() {
    for end in ENDS {
        for head_taken in [true, false] {
            for drained in [true, false] {
                for first in 0..LATE.len() {
                    let seen = Arc::<Seen>::default();
                    let plan = plan_to::<H>(end, &seen);
                    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
                    bring_to(&mut chain, end, head_taken);
                    if drained {
                        drain(&mut chain);
                    }
                    let calls = seen.calls.load(Relaxed);
                    let outcome = format!("{:?}", chain.outcome());
                    let closes = if end == End::Panicked { 2 } else { 3 };
                    for late in LATE.iter().cycle().skip(first).take(LATE.len()) {
                        give_late(&mut chain, *late, &seen);
                        let case = format!("{late:?} behind {end:?}, {head_taken}, {drained}");
                        assert_eq!(seen.calls.load(Relaxed), calls, "calls: {case}");
                        assert_eq!(seen.closes.load(Relaxed), closes, "closes: {case}");
                        assert_eq!(chain.held_bytes(), 0, "{case}");
                        assert!(!chain.wants_input() && !chain.has_work(), "{case}");
                        assert!(chain.input_stopped() && !chain.is_holding(), "{case}");
                        assert_eq!(format!("{:?}", chain.outcome()), outcome, "{case}");
                    }
                    let parting = chain.poll_output();
                    assert!(
                        parting.is_none()
                            || (!drained
                                && matches!(parting, Some(Output::Reset(_) | Output::Reply(_)))),
                        "nothing but the news of the end comes out: {end:?}"
                    );
                    assert!(chain.poll_output().is_none(), "and once: {end:?}");
                    drop(chain);
                    assert_eq!(seen.calls.load(Relaxed), calls, "{end:?}");
                    assert_eq!(seen.closes.load(Relaxed), closes, "{end:?}");
                }
            }
        }
    }
}

/// The state of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SideState {
    Open,
    Complete,
    Reset,
}

const SIDE_STATES: [SideState; 3] = [SideState::Open, SideState::Complete, SideState::Reset];

/// The same for both sides of an exchange in all nine pairs of states: what comes too late on one
/// side reaches no filter that was closed, and does not change the other side's end.
#[test]
fn h18_nothing_behind_an_end_reaches_a_filter_of_an_exchange() {
    for request in SIDE_STATES {
        for response in SIDE_STATES {
            let filters = ([script("A"), script("B")], [script("X"), script("Y")]);
            let mut stage = Exchange::new(EarlyResponse::Forward, filters.0, filters.1);
            stage.both_heads();
            stage.request_data("one");
            assert_eq!(sunk(&mut stage.request), "D(one)");
            match response {
                SideState::Open => {}
                SideState::Complete => stage.response.handle_end().expect("taken"),
                SideState::Reset => stage.response.handle_reset(reset_by(Origin::Upstream)),
            }
            drop(sunk(&mut stage.response));
            match request {
                SideState::Open => {}
                SideState::Complete => drop(stage.request.handle_end()),
                SideState::Reset => stage.request.handle_reset(reset_by(Origin::Downstream)),
            }
            drop((sunk(&mut stage.request), sunk(&mut stage.response)));
            let case = format!("request {request:?}, response {response:?}");
            // A response that broke takes its request with it.
            let request_over = request != SideState::Open || response == SideState::Reset;
            assert_eq!(stage.request.chain().outcome().is_some(), request_over, "{case}");
            assert_eq!(
                stage.response.chain().outcome().is_some(),
                response != SideState::Open,
                "{case}"
            );
            let told = stage.told.take();
            let closed = stage.closes();
            drop(std::mem::take(&mut stage.log().lock().calls));
            if request_over {
                late_on(&mut stage.request, &case);
            }
            if response != SideState::Open {
                late_on(&mut stage.response, &case);
            }
            drop((sunk(&mut stage.request), sunk(&mut stage.response)));
            assert_eq!(stage.log().lock().calls, [""; 0], "{case}: told {told}, {closed}");
            assert_eq!(stage.closes(), "", "{case}");
            assert_eq!(stage.told.take(), "", "{case}");
        }
    }
}

fn late_on<H: Dir>(side: &mut tidegate::exchange::Side<H>, case: &str) {
    assert!(side.handle_head(H::plain(), false).is_err(), "{case}");
    assert!(side.handle_data(Bytes::from_static(b"late"), false).is_err(), "{case}");
    assert!(side.handle_data(Bytes::from_static(b"late"), true).is_err(), "{case}");
    assert!(side.handle_end().is_err(), "{case}");
    assert!(side.handle_trailers(HeaderMap::new()).is_err(), "{case}");
    side.handle_reset(reset_by(Origin::Internal));
    side.handle_timeout(Timeout::Total);
}

both!(h18_nothing_behind_an_end_reaches_a_filter);
