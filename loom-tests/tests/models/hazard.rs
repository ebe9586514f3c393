//! Models of the shared-buffer hazard, on the real `Chain`: filters that own what they hold, and
//! are resumed from other threads while the message goes on. No byte is lost, doubled, or passes
//! another one.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, StatusCode, request};
use tidegate_loom_tests::chain::{Chain, MessageTraits, Output, Plan};
use tidegate_loom_tests::error::{Error, ErrorKind, Origin};
use tidegate_loom_tests::filter::{
    Capabilities, Declaration, Filter, Interest, LocalReply, Verdict, View,
};
use tidegate_loom_tests::frame::Outcome;
use tidegate_loom_tests::kit::{JoinHandle, Model, Payload, Task, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::resume::{ResumeHandle, Resumed};

pub const MODELS: &[Model] = models!("hazard";
    two_holds_released: 10_590 Bounded;
    h39_two_holds_released_while_input_comes: 37_300 Bounded;
    resume_before_the_verdict: 11_200 Exhaustive;
    resume_racing_a_declared_end: 11_030 Bounded;
    resume_racing_a_reset: 6530 Exhaustive;
    resume_racing_a_reply: 4510 Bounded;
    h42_resume_racing_the_drop: 6530 Exhaustive;
    lost_handle_is_a_stall: 530 Exhaustive;
    resumed_and_lost_handle_is_no_stall: 8580 Exhaustive;
);

/// What the other threads and the model's asserts know of one filter.
#[derive(Default)]
struct Seen {
    /// Its handle, once it holds.
    handle: Mutex<Option<ResumeHandle>>,
    /// What the thread that resumes it wrote before.
    payload: Payload,
    /// The thread that was given the handle inside a callback.
    thread: Mutex<Option<JoinHandle<Resumed>>>,
    /// Its calls of `resume`, and of `close`.
    calls: Mutex<(u32, u32)>,
}

impl Seen {
    fn take_handle(&self) -> ResumeHandle {
        self.handle.lock().unwrap().take().expect("the filter holds")
    }

    fn calls(&self) -> (u32, u32) {
        *self.calls.lock().unwrap()
    }
}

/// Passes the first `passes` bodies it sees, then holds until it is resumed, then does `then`.
struct Holder {
    seen: Arc<Seen>,
    passes: usize,
    resumed: bool,
    then: fn(&mut View<'_, request::Parts>) -> Verdict,
    /// Called with each new handle, from inside the callback.
    gives: Option<fn(ResumeHandle, &Arc<Seen>)>,
}

impl Filter<request::Parts> for Holder {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA)
    }

    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        assert_eq!(self.seen.calls().1, 0, "called after close");
        if self.resumed || self.passes > 0 {
            self.passes = self.passes.saturating_sub(1);
            return Verdict::PASS;
        }
        if view.new_at() == 0 {
            let handle = view.resume_handle();
            match self.gives {
                Some(give) => give(handle, &self.seen),
                None => *self.seen.handle.lock().unwrap() = Some(handle),
            }
        }
        Verdict::HOLD
    }

    fn resume(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        assert_eq!(self.seen.calls().1, 0, "called after close");
        assert_eq!(self.seen.payload.read(), 7, "resumed before anybody did");
        self.seen.calls.lock().unwrap().0 += 1;
        self.resumed = true;
        (self.then)(view)
    }

    fn close(&mut self, _: &Outcome) {
        self.seen.calls.lock().unwrap().1 += 1;
    }
}

fn pass(_: &mut View<'_, request::Parts>) -> Verdict {
    Verdict::PASS
}

fn holder(seen: &Arc<Seen>, passes: usize) -> Holder {
    Holder { seen: Arc::clone(seen), passes, resumed: false, then: pass, gives: None }
}

/// The message and the task that drives it, as an edge does.
struct Driver {
    chain: Chain<request::Parts>,
    task: Task,
    sent: Vec<u8>,
    last: Option<Output<request::Parts>>,
}

impl Driver {
    fn new(chain: Chain<request::Parts>) -> Self {
        Self { chain, task: Task::new(), sent: Vec::new(), last: None }
    }

    /// A message behind its head, with `chunks` in the chain.
    fn started(chain: Chain<request::Parts>, chunks: &[&'static str]) -> Self {
        let mut driver = Self::new(chain);
        driver.chain.handle_head(Request::new(()).into_parts().0, false).unwrap();
        for chunk in chunks {
            driver.chain.handle_data(Bytes::from_static(chunk.as_bytes()), false).unwrap();
        }
        driver
    }

    /// Works until it may go to rest: `body` keeps the same order.
    fn poll(&mut self) {
        for registered in [false, true] {
            self.chain.handle_resumes();
            while let Some(output) = self.chain.poll_output() {
                assert!(self.last.is_none(), "an output behind the end");
                match output {
                    Output::Head { end_of_stream: false, .. } => {}
                    Output::Data(bytes) => self.sent.extend_from_slice(&bytes),
                    last => self.last = Some(last),
                }
            }
            if let Some(set) = self.chain.resume_set()
                && !registered
            {
                set.register(&self.task.waker());
            }
        }
    }

    /// As an executor: polls if it was woken.
    fn poll_if_woken(&mut self) {
        if self.task.take_woken() {
            self.poll();
        }
    }

    #[track_caller]
    fn assert_complete(&self, sent: &str) {
        assert_eq!(std::str::from_utf8(&self.sent), Ok(sent));
        assert!(matches!(self.last, Some(Output::End)), "{:?}", self.last);
        assert!(self.chain.outcome().is_some_and(Outcome::is_complete));
    }
}

fn chain(filters: [Option<Holder>; 2]) -> Chain<request::Parts> {
    // A plan wants makers that can be called again; each of these holders exists once, and the
    // declaration is asked of another one.
    let mut plan = Plan::builder();
    for (filter, name) in filters.into_iter().zip(["A", "B"]) {
        let Some(filter) = filter else { continue };
        let spare = holder(&Arc::default(), 0);
        let made = Mutex::new(vec![filter, spare]);
        plan = plan.filter(name, move || made.lock().unwrap().pop().expect("made twice"));
    }
    let plan = plan.build().unwrap().bind(Capabilities::ALL).unwrap();
    plan.chain(MessageTraits::new()).unwrap()
}

/// A thread that writes what the filter will read, and resumes it.
fn resume_on_thread(seen: &Arc<Seen>) -> JoinHandle<Resumed> {
    let (seen, handle) = (Arc::clone(seen), seen.take_handle());
    spawn(move || {
        seen.payload.write(7);
        handle.resume()
    })
}

/// B holds "1", and A behind it in the stream holds "2". Both are resumed from threads of their own
/// while the driver polls: "12" and the end come out, whoever is first.
fn two_holds_released() {
    let (a, b) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let mut driver =
        Driver::started(chain([Some(holder(&a, 1)), Some(holder(&b, 0))]), &["1", "2"]);
    driver.chain.handle_end().unwrap();
    driver.poll();
    let (first, second) = (resume_on_thread(&a), resume_on_thread(&b));
    driver.poll();
    first.join().unwrap();
    second.join().unwrap();
    driver.poll_if_woken();
    driver.assert_complete("12");
    assert_eq!((a.calls(), b.calls()), ((1, 1), (1, 1)));
}

/// The same while more input comes: nothing that comes later passes what is held.
fn h39_two_holds_released_while_input_comes() {
    let (a, b) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let mut driver =
        Driver::started(chain([Some(holder(&a, 1)), Some(holder(&b, 0))]), &["1", "2"]);
    driver.poll();
    let (first, second) = (resume_on_thread(&a), resume_on_thread(&b));
    driver.poll();
    driver.chain.handle_data(Bytes::from_static(b"3"), false).unwrap();
    driver.poll();
    driver.chain.handle_end().unwrap();
    driver.poll();
    first.join().unwrap();
    second.join().unwrap();
    driver.poll_if_woken();
    driver.assert_complete("123");
    assert_eq!((a.calls(), b.calls()), ((1, 1), (1, 1)));
}

/// The thread has the handle while the callback that asked for it is still running: the resume
/// comes after the hold, however early it was.
fn resume_before_the_verdict() {
    let seen = Arc::new(Seen::default());
    let mut filter = holder(&seen, 0);
    filter.gives = Some(|handle, seen| {
        let writer = Arc::clone(seen);
        let thread = spawn(move || {
            writer.payload.write(7);
            handle.resume()
        });
        *seen.thread.lock().unwrap() = Some(thread);
    });
    let mut driver = Driver::started(chain([Some(filter), None]), &["1"]);
    driver.chain.handle_end().unwrap();
    driver.poll();
    let thread = seen.thread.lock().unwrap().take().expect("the filter holds");
    assert_eq!(thread.join().unwrap(), Resumed::Queued);
    driver.poll_if_woken();
    driver.assert_complete("1");
    assert_eq!(seen.calls(), (1, 1));
}

/// B ends the message when it is resumed, A is resumed at the same time: what A held comes before
/// the end or not at all, and A is not called once it has ended.
fn resume_racing_a_declared_end() {
    let (a, b) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let mut ends = holder(&b, 0);
    ends.then = |_| Verdict::END;
    let mut driver = Driver::started(chain([Some(holder(&a, 1)), Some(ends)]), &["1", "2"]);
    driver.poll();
    let (first, second) = (resume_on_thread(&a), resume_on_thread(&b));
    driver.poll();
    first.join().unwrap();
    second.join().unwrap();
    driver.poll_if_woken();
    let asked = a.calls().0;
    driver.assert_complete(if asked == 1 { "12" } else { "1" });
    assert_eq!((a.calls().1, b.calls()), (1, (1, 1)));
}

/// The peer resets while a filter is resumed: what it held is sent before the reset, or never.
fn resume_racing_a_reset() {
    let seen = Arc::new(Seen::default());
    let mut driver = Driver::started(chain([Some(holder(&seen, 0)), None]), &["1"]);
    driver.poll();
    let resumer = resume_on_thread(&seen);
    driver.poll();
    driver.chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
    driver.poll();
    let calls = seen.calls();
    assert_eq!(calls.1, 1);
    resumer.join().unwrap();
    driver.poll_if_woken();
    assert_eq!(seen.calls(), calls, "called after the reset");
    assert_eq!(driver.sent, [b"".as_slice(), b"1"][calls.0 as usize]);
    assert!(matches!(driver.last, Some(Output::Reset(_))));
    assert!(matches!(driver.chain.outcome(), Some(Outcome::Reset(_))));
}

/// A replies when it is resumed, B is resumed at the same time: one reply, as the last output, and
/// nobody is called behind it.
fn resume_racing_a_reply() {
    let (a, b) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let mut replies = holder(&a, 1);
    replies.then = |view| view.reply(LocalReply::new(StatusCode::FORBIDDEN));
    let mut driver = Driver::started(chain([Some(replies), Some(holder(&b, 0))]), &["1", "2"]);
    driver.poll();
    let (first, second) = (resume_on_thread(&a), resume_on_thread(&b));
    driver.poll();
    first.join().unwrap();
    second.join().unwrap();
    driver.poll_if_woken();
    assert!(matches!(driver.last, Some(Output::Reply(_))), "{:?}", driver.last);
    assert!(matches!(driver.chain.outcome(), Some(Outcome::Replaced { .. })));
    // What B let go may have been replaced before the sink took it.
    assert!(driver.sent.is_empty() || driver.sent == b"1" && b.calls().0 == 1);
    assert_eq!((a.calls(), b.calls().1), ((1, 1), 1));
}

/// The message goes away while a filter is resumed: it is closed once, and not called after that.
fn h42_resume_racing_the_drop() {
    let seen = Arc::new(Seen::default());
    let mut driver = Driver::started(chain([Some(holder(&seen, 0)), None]), &["1"]);
    driver.poll();
    let resumer = resume_on_thread(&seen);
    driver.poll();
    let task = driver.task.clone();
    let asked = seen.calls().0;
    drop(driver);
    assert_eq!(seen.calls(), (asked, 1));
    resumer.join().unwrap();
    assert_eq!(seen.calls(), (asked, 1));
    assert_eq!(task.wakers(), 0, "the waker outlived the message");
}

/// The only handle goes without a resume: the message fails, and says who stands still.
fn lost_handle_is_a_stall() {
    let seen = Arc::new(Seen::default());
    let mut driver = Driver::started(chain([Some(holder(&seen, 0)), None]), &["1"]);
    driver.chain.handle_end().unwrap();
    driver.poll();
    let handle = seen.take_handle();
    let dropper = spawn(move || drop(handle));
    driver.poll();
    dropper.join().unwrap();
    driver.poll_if_woken();
    let Some(Outcome::Stalled(error)) = driver.chain.outcome() else {
        panic!("no stall: {:?}", driver.chain.outcome());
    };
    assert_eq!(error.filter(), Some("A"));
    assert!(matches!(driver.last, Some(Output::Reset(_))));
    assert_eq!(seen.calls(), (0, 1));
}

/// The only handle resumes and goes at once: never a stall.
fn resumed_and_lost_handle_is_no_stall() {
    let seen = Arc::new(Seen::default());
    let mut driver = Driver::started(chain([Some(holder(&seen, 0)), None]), &["1"]);
    driver.chain.handle_end().unwrap();
    driver.poll();
    let resumer = resume_on_thread(&seen);
    driver.poll();
    resumer.join().unwrap();
    driver.poll_if_woken();
    driver.assert_complete("1");
    assert_eq!(seen.calls(), (1, 1));
}
