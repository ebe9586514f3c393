//! Models of the mailbox between the two halves of an exchange.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use http::StatusCode;
use tidegate_loom_tests::error::{Error, ErrorKind, Origin, Timeout};
use tidegate_loom_tests::exchange::{Mail, RequestHalf, ResponseHalf, mailbox};
use tidegate_loom_tests::filter::LocalReply;
use tidegate_loom_tests::frame::Outcome;
use tidegate_loom_tests::kit::{Fuse, Hook, Model, Payload, Task, panics, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::resume::ResumeSet;

pub const MODELS: &[Model] = models!("exchange";
    reply_racing_poll: 9 Exhaustive;
    reply_racing_response_head: 77 Exhaustive;
    reply_racing_response_drop: 4 Exhaustive;
    reset_racing_request_poll: 9 Exhaustive;
    reset_racing_resume: 590 Exhaustive;
    failure_racing_reply: 4 Exhaustive;
    both_end_well_at_once: 20 Exhaustive;
    both_end_badly_at_once: 85 Exhaustive;
    outcome_is_fixed_once: 9 Exhaustive;
    h42_request_dropped_at_each_step: 10 Exhaustive;
    h42_both_dropped_at_once: 31 Exhaustive;
    response_migrates: 25 Exhaustive;
    h44_waker_runs_the_response_inline: 5 Exhaustive;
    response_outcome_is_fixed_once: 9 Exhaustive;
    h43_panicking_wake_of_a_letter: 9 Exhaustive;
    panicking_clone_at_a_poll: 4 Exhaustive;
);

const COMPLETE: Outcome = Outcome::Complete { discarded_bytes: 0, unsent_trailers: 0 };

fn forbidden() -> LocalReply {
    LocalReply::new(StatusCode::FORBIDDEN)
}

fn failed(kind: ErrorKind) -> Outcome {
    Outcome::Failed(Error::new(kind, Origin::Internal))
}

fn poll_mail(response: &mut ResponseHalf, task: &Task) -> Option<Mail> {
    match task.poll(|cx| response.poll_mail(cx)) {
        Poll::Ready(mail) => Some(mail),
        Poll::Pending => None,
    }
}

fn poll_reset(request: &mut RequestHalf, task: &Task) -> Option<Error> {
    match task.poll(|cx| request.poll_reset(cx)) {
        Poll::Ready(error) => Some(error),
        Poll::Pending => None,
    }
}

fn is_reply(mail: &Option<Mail>) -> bool {
    matches!(mail, Some(Mail::Reply(reply)) if reply.status() == StatusCode::FORBIDDEN)
}

/// A reply is read by the poll that races it, or its task is woken; it is read once, and what its
/// thread wrote before is seen with it.
fn reply_racing_poll() {
    let (request, mut response) = mailbox();
    let (task, payload) = (Task::new(), Arc::new(Payload::new()));
    let replier = spawn({
        let payload = Arc::clone(&payload);
        move || {
            payload.write(7);
            request.reply(forbidden()).unwrap();
            request
        }
    });
    let mut mail = poll_mail(&mut response, &task);
    if mail.is_some() {
        assert_eq!(payload.read(), 7);
    }
    let request = replier.join().unwrap();
    if mail.is_none() {
        assert!(task.take_woken(), "the reply was lost");
        assert!(response.has_mail());
        mail = poll_mail(&mut response, &task);
    }
    assert!(is_reply(&mail));
    assert!(!response.has_mail() && poll_mail(&mut response, &task).is_none());
    assert_eq!(task.wakers(), 0, "nothing more can come");
    assert!(request.reply(forbidden()).is_err());
}

/// The response side looks for a reply, finds none, takes the response's head and ends well. A
/// reply that was too late says so or is never read, and nobody resets the request.
fn reply_racing_response_head() {
    let (mut request, mut response) = mailbox();
    let (task, request_task) = (Task::new(), Task::new());
    let replier = spawn(move || {
        let sent = request.reply(forbidden()).is_ok();
        request.finish(&Outcome::Replaced { by: None, status: StatusCode::FORBIDDEN });
        let reset = poll_reset(&mut request, &request_task);
        (request, sent, reset)
    });
    let mail = if response.has_mail() { poll_mail(&mut response, &task) } else { None };
    let outcome = match &mail {
        Some(_) => Outcome::Replaced { by: None, status: StatusCode::FORBIDDEN },
        None => COMPLETE,
    };
    response.finish(&outcome);
    drop(response);
    let (mut request, sent, reset) = replier.join().unwrap();
    assert!(mail.is_none() || is_reply(&mail) && sent);
    let reset = reset.or_else(|| poll_reset(&mut request, &Task::new()));
    assert_eq!(reset.is_some(), mail.is_some(), "a complete response leaves the request alone");
    assert_eq!(request.response_outcome().unwrap().is_complete(), mail.is_none());
}

/// The response goes away while the reply is on its way: it comes back, or it is dropped with the
/// mailbox; the request is told once that nobody waits.
fn reply_racing_response_drop() {
    let (request, mut response) = mailbox();
    let task = Task::new();
    assert!(poll_mail(&mut response, &task).is_none());
    let body = Arc::new([1_u8]);
    let kept = Arc::clone(&body);
    let replier = spawn(move || {
        struct Body(Arc<[u8; 1]>);
        impl AsRef<[u8]> for Body {
            fn as_ref(&self) -> &[u8] {
                &*self.0
            }
        }
        let reply = LocalReply::text(StatusCode::FORBIDDEN, bytes::Bytes::from_owner(Body(body)));
        let back = request.reply(reply).err();
        (request, back)
    });
    drop(response);
    let (mut request, back) = replier.join().unwrap();
    assert_eq!(Arc::strong_count(&kept) - 1, usize::from(back.is_some()));
    assert_eq!(task.wakers(), 0);
    assert!(task.wakes() <= 1 && (back.is_none() || task.wakes() == 0));
    assert_eq!(poll_reset(&mut request, &task).unwrap().origin(), Origin::Downstream);
    assert!(poll_reset(&mut request, &task).is_none());
}

/// The response ends before its time: the request's poll sees it, or its task is woken.
fn reset_racing_request_poll() {
    let (mut request, response) = mailbox();
    let (task, payload) = (Task::new(), Arc::new(Payload::new()));
    let resetter = spawn({
        let payload = Arc::clone(&payload);
        move || {
            payload.write(7);
            response.finish(&failed(ErrorKind::Filter));
        }
    });
    let mut reset = poll_reset(&mut request, &task);
    if reset.is_some() {
        assert_eq!(payload.read(), 7);
    }
    resetter.join().unwrap();
    if reset.is_none() {
        assert!(task.take_woken(), "the reset was lost");
        reset = poll_reset(&mut request, &task);
    }
    assert_eq!(reset.unwrap().kind(), ErrorKind::Filter);
    assert_eq!(task.wakers(), 0);
}

/// One task waits for a resume of its chain and for a reset of its exchange, and both come at once,
/// from two threads: it sees both.
fn reset_racing_resume() {
    let (mut request, response) = mailbox();
    let (set, task) = (ResumeSet::new(1), Task::new());
    let kept = set.handle(0);
    let handle = kept.clone();
    let resumer = spawn(move || _ = handle.resume());
    let resetter = spawn(move || drop(response));
    let mut poll = |resumed: &mut u64, reset: &mut bool| {
        set.register(&task.waker());
        *resumed |= set.take_pending();
        *reset |= poll_reset(&mut request, &task).is_some();
    };
    let (mut resumed, mut reset) = (0, false);
    poll(&mut resumed, &mut reset);
    resumer.join().unwrap();
    resetter.join().unwrap();
    if task.take_woken() {
        poll(&mut resumed, &mut reset);
    }
    assert_eq!((resumed, reset), (1, true));
    drop(kept);
}

/// The request fails while a filter of it has replied: one letter reaches the response, the first.
fn failure_racing_reply() {
    let (request, mut response) = mailbox();
    let (task, request) = (Task::new(), Arc::new(request));
    request.set_awaits_client(true);
    let failer = spawn({
        let request = Arc::clone(&request);
        move || {
            request.finish(&Outcome::TimedOut(Error::new(
                ErrorKind::TimedOut(Timeout::Idle),
                Origin::Internal,
            )))
        }
    });
    let sent = request.reply(forbidden()).is_ok();
    failer.join().unwrap();
    match poll_mail(&mut response, &task) {
        Some(Mail::Reply(_)) => assert!(sent),
        Some(Mail::Failed { awaited_client, .. }) => assert!(!sent && awaited_client),
        other => panic!("no letter of these: {other:?}"),
    }
    assert!(poll_mail(&mut response, &task).is_none());
    assert!(matches!(response.request_outcome(), Some(Outcome::TimedOut(_))));
}

/// Both directions end as they should at the same time: neither tells the other, both outcomes are
/// there, and no waker is left.
fn both_end_well_at_once() {
    let (mut request, mut response) = mailbox();
    let (up, down) = (Task::new(), Task::new());
    assert!(poll_mail(&mut response, &down).is_none());
    let other = spawn(move || {
        assert!(poll_reset(&mut request, &up).is_none());
        request.finish(&COMPLETE);
        let seen = request.response_outcome().is_none_or(|outcome| outcome.is_complete());
        drop(request);
        assert_eq!((up.wakes(), up.wakers()), (0, 0));
        seen
    });
    response.finish(&COMPLETE);
    assert!(response.request_outcome().is_none_or(|outcome| outcome.is_complete()));
    assert!(poll_mail(&mut response, &down).is_none());
    assert!(other.join().unwrap());
    assert!(response.request_outcome().unwrap().is_complete());
    drop(response);
    assert_eq!((down.wakes(), down.wakers()), (0, 0));
}

/// Both directions fail at the same time: the letters cross, each is read once, and each outcome is
/// that of its own half.
fn both_end_badly_at_once() {
    let (mut request, mut response) = mailbox();
    let (up, down) = (Task::new(), Task::new());
    let other = spawn(move || {
        request.finish(&failed(ErrorKind::Filter));
        let reset = poll_reset(&mut request, &up);
        (request, reset, up)
    });
    response.finish(&failed(ErrorKind::Panicked));
    let mut mail = poll_mail(&mut response, &down);
    let (mut request, mut reset, up) = other.join().unwrap();
    if up.take_woken() {
        assert!(reset.is_none());
        reset = poll_reset(&mut request, &up);
    }
    if down.take_woken() {
        assert!(mail.is_none());
        mail = poll_mail(&mut response, &down);
    }
    assert_eq!(reset.unwrap().kind(), ErrorKind::Panicked);
    let Some(Mail::Failed { error, .. }) = mail else { panic!("no letter") };
    assert_eq!(error.kind(), ErrorKind::Filter);
    let kind = |outcome: Option<Outcome>| outcome.unwrap().error().unwrap().kind();
    assert_eq!(kind(request.response_outcome()), ErrorKind::Panicked);
    assert_eq!(kind(response.request_outcome()), ErrorKind::Filter);
}

/// Two ends of one half are stated at once: one of them counts, and that one is told.
fn outcome_is_fixed_once() {
    let (request, mut response) = mailbox();
    let request = Arc::new(request);
    let [first, second] = [ErrorKind::Filter, ErrorKind::Panicked].map(|kind| {
        let request = Arc::clone(&request);
        spawn(move || request.finish(&failed(kind)))
    });
    first.join().unwrap();
    second.join().unwrap();
    let fixed = response.request_outcome().unwrap().error().unwrap().kind();
    let task = Task::new();
    let Some(Mail::Failed { error, .. }) = poll_mail(&mut response, &task) else {
        panic!("no letter")
    };
    assert_eq!(error.kind(), fixed);
    request.finish(&COMPLETE);
    assert!(!response.request_outcome().unwrap().is_complete());
    assert!(poll_mail(&mut response, &task).is_none());
}

/// The same of the other half.
fn response_outcome_is_fixed_once() {
    let (mut request, response) = mailbox();
    let response = Arc::new(response);
    let [first, second] = [ErrorKind::Filter, ErrorKind::Panicked].map(|kind| {
        let response = Arc::clone(&response);
        spawn(move || response.finish(&failed(kind)))
    });
    first.join().unwrap();
    second.join().unwrap();
    let fixed = request.response_outcome().unwrap().error().unwrap().kind();
    let reset = poll_reset(&mut request, &Task::new()).expect("a letter");
    assert_eq!(reset.kind(), fixed);
    response.finish(&COMPLETE);
    assert!(!request.response_outcome().unwrap().is_complete());
}

/// A waker runs the response inside the wake, to its end: no lock is held then.
fn h44_waker_runs_the_response_inline() {
    let (request, response) = mailbox();
    let shared = Arc::new(Mutex::new(Some(response)));
    let inline = Hook::new({
        let shared = Arc::clone(&shared);
        move || {
            if let Some(mut response) = shared.try_lock().ok().and_then(|mut slot| slot.take()) {
                let mail = poll_mail(&mut response, &Task::new());
                assert!(is_reply(&mail));
                response.finish(&COMPLETE);
            }
        }
    });
    {
        let mut slot = shared.lock().unwrap();
        let response = slot.as_mut().expect("it is there");
        assert!(inline.poll(|cx| response.poll_mail(cx)).is_pending());
    }
    let request = Arc::new(request);
    let replier = spawn({
        let request = Arc::clone(&request);
        move || request.reply(forbidden()).unwrap()
    });
    assert!(request.response_outcome().is_none_or(|outcome| outcome.is_complete()));
    replier.join().unwrap();
    assert!(shared.lock().unwrap().is_none(), "the waker did not run");
    assert!(request.response_outcome().unwrap().is_complete());
}

/// The request goes away while the response waits for mail: cancelled, and no letter. The waker of
/// either is let go by its own half.
fn h42_request_dropped_at_each_step() {
    let (mut request, mut response) = mailbox();
    let (up, down) = (Task::new(), Task::new());
    assert!(poll_reset(&mut request, &up).is_none());
    let dropper = spawn(move || drop(request));
    assert!(poll_mail(&mut response, &down).is_none());
    // A reset that nobody takes any more is dropped.
    response.finish(&failed(ErrorKind::Filter));
    dropper.join().unwrap();
    assert_eq!(up.wakers(), 0);
    assert!(up.wakes() <= 1);
    assert!(matches!(response.request_outcome(), Some(Outcome::Cancelled)));
    assert!(poll_mail(&mut response, &down).is_none());
    drop(response);
    assert_eq!((down.wakes(), down.wakers()), (0, 0));
}

/// Both halves go away at once: neither wakes the other twice, and nothing is kept.
fn h42_both_dropped_at_once() {
    let (mut request, mut response) = mailbox();
    let (up, down) = (Task::new(), Task::new());
    assert!(poll_reset(&mut request, &up).is_none());
    assert!(poll_mail(&mut response, &down).is_none());
    let dropper = spawn(move || drop(request));
    drop(response);
    dropper.join().unwrap();
    assert!(up.wakes() <= 1 && down.wakes() == 0);
    assert_eq!((up.wakers(), down.wakers()), (0, 0));
}

/// The response moves to another task between two polls: the reply is read, or the task that polled
/// last is woken.
fn response_migrates() {
    let (request, mut response) = mailbox();
    let (before, after) = (Task::new(), Task::new());
    let replier = spawn(move || {
        request.reply(forbidden()).unwrap();
        request
    });
    let mut mail = poll_mail(&mut response, &before);
    if mail.is_none() {
        mail = poll_mail(&mut response, &after);
    }
    let request = replier.join().unwrap();
    if mail.is_none() {
        assert!(after.take_woken(), "the wake went to the task that is gone");
        mail = poll_mail(&mut response, &after);
    }
    assert!(is_reply(&mail));
    assert_eq!((before.wakers(), after.wakers()), (0, 0));
    drop(request);
}

/// The waker of the response panics: the reply is there all the same, and so is the outcome.
fn h43_panicking_wake_of_a_letter() {
    let (request, mut response) = mailbox();
    let polled = Fuse::Wake
        .lend(|waker| response.poll_mail(&std::task::Context::from_waker(waker)).is_pending());
    assert!(polled);
    let replier = spawn(move || {
        let panicked = panics(|| request.finish(&failed(ErrorKind::Filter)));
        (request, panicked)
    });
    let task = Task::new();
    let mut mail = poll_mail(&mut response, &task);
    let (request, panicked) = replier.join().unwrap();
    if mail.is_none() {
        assert!(task.take_woken() && !panicked, "the newest waker counts");
        mail = poll_mail(&mut response, &task);
    }
    assert!(matches!(mail, Some(Mail::Failed { .. })));
    drop(request);
    assert!(matches!(response.request_outcome(), Some(Outcome::Failed(_))));
}

/// A waker that cannot be cloned leaves the one before.
fn panicking_clone_at_a_poll() {
    let (request, mut response) = mailbox();
    let task = Task::new();
    assert!(poll_mail(&mut response, &task).is_none());
    let replier = spawn(move || {
        request.reply(forbidden()).unwrap();
        request
    });
    let mut mail = None;
    let panicked = panics(|| {
        let cx = Fuse::Clone;
        cx.lend(|waker| {
            if let Poll::Ready(ready) = response.poll_mail(&std::task::Context::from_waker(waker)) {
                mail = Some(ready);
            }
        });
    });
    let request = replier.join().unwrap();
    assert_eq!(task.wakes(), 1, "the waker that was there is woken");
    assert!(panicked != mail.is_some());
    let mail = mail.or_else(|| poll_mail(&mut response, &task));
    assert!(is_reply(&mail));
    drop(request);
}
