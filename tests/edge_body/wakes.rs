//! Polled only when woken: a `Pending` that nobody wakes is a hang, and fails here (H39).

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use http::request;
use proptest::prelude::*;
use tidegate::body::FilteredBody;
use tidegate::{
    Declaration, Filter, Head, Marks, Plan, ResumeHandle, Resumed, Verdict, View, limits,
};

use crate::support::{
    Call, Closed, Collected, PlanExt, Source, Step, Task, chain, collect, request_head,
};

/// Handles that filters gave away and nobody has used yet.
type Handles = Arc<Mutex<Vec<ResumeHandle>>>;

/// Holds as a list says, one item a call; resumed, it lets everything go.
struct Holds {
    holds: Vec<Hold>,
    calls: usize,
    handles: Handles,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Hold {
    No,
    Quiet,
    Loud,
    /// Resumes itself before it answers.
    Inline,
}

impl<H: Head> Filter<H> for Holds {
    fn declare(&self) -> Declaration {
        Declaration::new().marks(Marks::new(2, 6).unwrap())
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let hold = self.holds.get(self.calls).copied().unwrap_or(Hold::No);
        self.calls += 1;
        match hold {
            Hold::No => return Verdict::PASS,
            Hold::Quiet | Hold::Loud => self.handles.lock().unwrap().push(view.resume_handle()),
            Hold::Inline => {
                view.resume_handle().resume();
            }
        }
        if hold == Hold::Quiet { Verdict::HOLD.quiet() } else { Verdict::HOLD }
    }
}

fn hold() -> impl Strategy<Value = Hold> {
    prop_oneof![Just(Hold::No), Just(Hold::Quiet), Just(Hold::Loud), Just(Hold::Inline)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Data(b"abc")),
        1 => Just(Step::Data(b"")),
        1 => Just(Step::Data(b"0123456789")),
        2 => Just(Step::Yield),
        2 => Just(Step::Gate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever filters hold, whenever the source comes, and in whatever order gates open and
    /// handles are used: each event wakes the task, and the task needs no other poll.
    #[test]
    fn h39_no_wakeup_is_lost(
        steps in prop::collection::vec(step(), 0..12),
        trailers in any::<bool>(),
        tells_end in any::<bool>(),
        holds in prop::collection::vec(prop::collection::vec(hold(), 0..4), 0..3),
        choices in prop::collection::vec(any::<bool>(), 40),
    ) {
        let handles = Handles::default();
        let mut plan = Plan::<request::Parts>::builder();
        for (k, holds) in holds.iter().cloned().enumerate() {
            let handles = Arc::clone(&handles);
            plan = plan.filter(format!("holds {k}"), move || Holds {
                holds: holds.clone(),
                calls: 0,
                handles: Arc::clone(&handles),
            });
        }
        let mut expected = Vec::new();
        for step in &steps {
            if let Step::Data(data) = step {
                expected.extend_from_slice(data);
            }
        }
        let mut source = Source::new(
            steps.iter().cloned().chain(trailers.then_some(Step::Trailers("t"))),
        );
        if tells_end {
            source = source.telling_end();
        }
        let state = source.state();
        let mut body =
            FilteredBody::new(chain(&plan.build().unwrap()), request_head(), source);
        let task = Task::new();
        let mut all = Collected::default();
        let mut choices = choices.into_iter().cycle();
        let mut events = 0;
        while task.run(|cx| all.poll(&mut body, cx)).is_pending() {
            events += 1;
            prop_assert!(events < 200, "the message does not end");
            let handle = handles.lock().unwrap().pop();
            match handle {
                Some(handle) if choices.next().unwrap() => {
                    // The output of its filter may have ended: then nothing is to be done.
                    if handle.resume() == Resumed::Gone {
                        continue;
                    }
                }
                Some(handle) => {
                    handles.lock().unwrap().insert(0, handle);
                    state.open_gate();
                    continue;
                }
                None => state.open_gate(),
            }
            prop_assert!(task.is_woken(), "an event that nobody was woken for");
        }
        prop_assert!(all.error.is_none(), "{:?}", all.error);
        prop_assert_eq!(all.data, expected);
        prop_assert_eq!(all.trailers.is_some(), trailers);
    }
}

#[test]
fn work_that_a_filter_asks_of_itself_is_spread_over_polls() {
    const ASKS: u32 = limits::MAX_CALLS_PER_DRIVE * 3;
    let plan = Plan::<request::Parts>::builder()
        .probe("again", Declaration::new(), &Closed::default(), || {
            let mut left = ASKS;
            move |call, _| {
                if call == Call::Head {
                    return Verdict::PASS;
                }
                left = left.saturating_sub(1);
                if left == 0 { Verdict::PASS } else { Verdict::HOLD.again() }
            }
        })
        .build()
        .unwrap();
    let mut body = FilteredBody::new(chain(&plan), request_head(), Source::of("x"));
    let task = Task::new();
    let mut all = Collected::default();
    task.finish(|cx| all.poll(&mut body, cx));
    assert_eq!(all.text(), "x");
    assert!(task.polls() > 1, "one poll did everything");
}

#[test]
fn h40_a_source_that_is_always_ready_does_not_keep_the_task() {
    let plan = Plan::<request::Parts>::builder()
        .probe(
            "eats",
            Declaration::new().require(tidegate::Capability::ChangeLength),
            &Closed::default(),
            || {
                |call, view| {
                    if call == Call::Data {
                        drop(view.take().unwrap());
                    }
                    Verdict::PASS
                }
            },
        )
        .build()
        .unwrap();
    let source = Source::new((0..1000).map(|_| Step::Data(b"eaten")));
    let state = source.state();
    let mut body = FilteredBody::new(chain(&plan), request_head(), source);
    let task = Task::new();
    let mut all = Collected::default();
    assert!(task.poll(|cx| all.poll(&mut body, cx)).is_pending());
    assert!(task.is_woken());
    assert_eq!(state.polls(), limits::MAX_FRAMES_PER_POLL as usize);
    task.finish(|cx| all.poll(&mut body, cx));
    assert!(all.data.is_empty() && all.error.is_none());
}

#[test]
fn the_last_handle_to_go_wakes_the_task() {
    let handles = Handles::default();
    let given = Arc::clone(&handles);
    let plan = Plan::<request::Parts>::builder()
        .filter("holds", move || Holds {
            holds: vec![Hold::Quiet],
            calls: 0,
            handles: Arc::clone(&given),
        })
        .build()
        .unwrap();
    let mut body = FilteredBody::new(chain(&plan), request_head(), Source::of("held"));
    let task = Task::new();
    let mut all = Collected::default();
    assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
    handles.lock().unwrap().clear();
    assert!(task.is_woken());
    task.finish(|cx| all.poll(&mut body, cx));
    assert_eq!(all.error.unwrap().kind(), tidegate::ErrorKind::Stalled);
}

#[test]
fn a_finished_body_lets_its_task_go() {
    let handles = Handles::default();
    let given = Arc::clone(&handles);
    let plan = Plan::<request::Parts>::builder()
        .filter("holds", move || Holds {
            holds: vec![Hold::Loud],
            calls: 0,
            handles: Arc::clone(&given),
        })
        .build()
        .unwrap();
    let source = Source::new([Step::Data(b"held"), Step::Gate]);
    let mut body = FilteredBody::new(chain(&plan), request_head(), source);
    let task = Task::new();
    let mut all = Collected::default();
    assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
    drop(body);
    let handle = handles.lock().unwrap().pop().unwrap();
    assert_eq!(handle.resume(), Resumed::Gone);
    assert!(!task.is_woken());
    assert_eq!(Arc::strong_count(&task), 1, "a handle keeps the task alive");
}

#[test]
fn a_resume_while_the_body_is_polled_is_seen() {
    // The filter is resumed from within the source, between its hold and the Pending.
    struct Resumes(Source, Handles, AtomicBool);

    impl http_body::Body for Resumes {
        type Data = bytes::Bytes;
        type Error = crate::support::Broken;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            let frame = std::pin::Pin::new(&mut self.0).poll_frame(cx);
            if frame.is_pending() && !self.2.swap(true, SeqCst) {
                for handle in self.1.lock().unwrap().drain(..) {
                    handle.resume();
                }
            }
            frame
        }
    }

    let handles = Handles::default();
    let given = Arc::clone(&handles);
    let plan = Plan::<request::Parts>::builder()
        .filter("holds", move || Holds {
            holds: vec![Hold::Loud],
            calls: 0,
            handles: Arc::clone(&given),
        })
        .build()
        .unwrap();
    let source = Source::new([Step::Data(b"held"), Step::Gate]);
    let state = source.state();
    let source = Resumes(source, handles, AtomicBool::new(false));
    let mut body = FilteredBody::new(chain(&plan), request_head(), source);
    let task = Task::new();
    let mut all = Collected::default();
    assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
    assert_eq!(all.text(), "held");
    state.open_gate();
    task.finish(|cx| all.poll(&mut body, cx));
    assert!(collect(&mut body).error.is_none());
}
