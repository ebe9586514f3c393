use core::task::{Context, Poll, Waker};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Wake;

use http::StatusCode;

use super::{Mail, mailbox};
use crate::error::{Error, ErrorKind, Origin, Timeout};
use crate::filter::LocalReply;
use crate::frame::Outcome;
use crate::sync::Arc;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn waker() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (Arc::clone(&wakes), Waker::from(wakes))
}

const COMPLETE: Outcome = Outcome::Complete { discarded_bytes: 0, unsent_trailers: 0 };

#[test]
fn a_reply_wakes_the_response_once_and_is_read_once() {
    let (request, mut response) = mailbox();
    let (wakes, waker) = waker();
    let cx = Context::from_waker(&waker);
    assert!(response.poll_mail(&cx).is_pending());
    assert!(response.poll_mail(&cx).is_pending());
    assert!(!response.has_mail());

    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    assert_eq!(wakes.0.load(Relaxed), 1);
    assert!(response.has_mail());
    let Poll::Ready(Mail::Reply(reply)) = response.poll_mail(&cx) else { panic!("no reply") };
    assert_eq!(reply.status(), StatusCode::FORBIDDEN);
    assert!(!response.has_mail());
    assert!(response.poll_mail(&cx).is_pending());
}

#[test]
fn a_letter_posted_before_the_poll_needs_no_wake() {
    let (request, mut response) = mailbox();
    let (wakes, waker) = waker();
    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    assert!(response.poll_mail(&Context::from_waker(&waker)).is_ready());
    assert_eq!(wakes.0.load(Relaxed), 0);
}

#[test]
fn the_newest_waker_counts() {
    let (request, mut response) = mailbox();
    let ((old_wakes, old), (new_wakes, new)) = (waker(), waker());
    assert!(response.poll_mail(&Context::from_waker(&old)).is_pending());
    assert!(response.poll_mail(&Context::from_waker(&new)).is_pending());
    drop(old);
    assert_eq!(Arc::strong_count(&old_wakes), 1, "the old waker is let go");
    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    assert_eq!((old_wakes.0.load(Relaxed), new_wakes.0.load(Relaxed)), (0, 1));
}

#[test]
fn the_first_letter_counts_and_the_second_comes_back() {
    let (request, mut response) = mailbox();
    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    let back = request.reply(LocalReply::new(StatusCode::CONFLICT)).unwrap_err();
    assert_eq!(back.status(), StatusCode::CONFLICT);
    let cx = Context::from_waker(Waker::noop());
    assert!(matches!(response.poll_mail(&cx), Poll::Ready(Mail::Reply(_))));
}

#[test]
fn a_reply_comes_back_when_the_response_is_gone() {
    let (request, response) = mailbox();
    drop(response);
    assert!(request.reply(LocalReply::new(StatusCode::FORBIDDEN)).is_err());
}

#[test]
fn a_failed_request_is_told_with_whom_it_waited_for() {
    for awaits in [false, true] {
        let (request, mut response) = mailbox();
        request.set_awaits_client(awaits);
        assert_eq!(response.awaits_client(), awaits);
        let kind = ErrorKind::TimedOut(Timeout::Idle);
        request.finish(&Outcome::TimedOut(Error::new(kind, Origin::Internal)));
        drop(request);
        assert!(!response.awaits_client(), "an ended request waits for nobody");
        let cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Mail::Failed { error, awaited_client }) = response.poll_mail(&cx) else {
            panic!("no mail")
        };
        assert_eq!((error.kind(), awaited_client), (kind, awaits));
    }
}

#[test]
fn a_request_that_ends_well_or_is_dropped_says_nothing() {
    let cx = Context::from_waker(Waker::noop());
    let (request, mut response) = mailbox();
    request.finish(&COMPLETE);
    drop(request);
    assert!(response.poll_mail(&cx).is_pending());
    assert!(response.request_outcome().is_some_and(|outcome| outcome.is_complete()));

    let (request, mut response) = mailbox();
    drop(request);
    assert!(response.poll_mail(&cx).is_pending());
    assert!(matches!(response.request_outcome(), Some(Outcome::Cancelled)));
}

#[test]
fn a_complete_response_leaves_the_request_alone() {
    let (mut request, response) = mailbox();
    response.finish(&COMPLETE);
    drop(response);
    assert!(request.poll_reset(&Context::from_waker(Waker::noop())).is_pending());
    assert!(request.response_outcome().is_some_and(|outcome| outcome.is_complete()));
}

#[test]
fn a_response_that_ends_before_its_time_resets_the_request() {
    let by_reply = Outcome::Replaced { by: None, status: StatusCode::FORBIDDEN };
    for (outcome, origin) in [(Outcome::Cancelled, Origin::Downstream), (by_reply, Origin::Filter)]
    {
        let (mut request, response) = mailbox();
        let (wakes, waker) = waker();
        let cx = Context::from_waker(&waker);
        assert!(request.poll_reset(&cx).is_pending());
        response.finish(&outcome);
        assert_eq!(wakes.0.load(Relaxed), 1);
        assert!(request.has_mail());
        let Poll::Ready(error) = request.poll_reset(&cx) else { panic!("no reset") };
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Reset, origin));
    }
}

#[test]
fn a_response_dropped_without_an_outcome_is_cancelled() {
    let (mut request, response) = mailbox();
    drop(response);
    assert!(request.poll_reset(&Context::from_waker(Waker::noop())).is_ready());
    assert!(matches!(request.response_outcome(), Some(Outcome::Cancelled)));
}

#[test]
fn a_dropped_half_lets_its_waker_go() {
    let (mut request, mut response) = mailbox();
    let ((wakes, waker), (other_wakes, other)) = (waker(), waker());
    assert!(request.poll_reset(&Context::from_waker(&waker)).is_pending());
    assert!(response.poll_mail(&Context::from_waker(&other)).is_pending());
    drop((waker, other));
    drop(request);
    assert_eq!(Arc::strong_count(&wakes), 1);
    drop(response);
    assert_eq!(Arc::strong_count(&other_wakes), 1);
}

#[test]
fn a_half_that_has_its_letter_keeps_no_waker() {
    let (request, mut response) = mailbox();
    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    let (wakes, waker) = waker();
    assert!(response.poll_mail(&Context::from_waker(&waker)).is_ready());
    assert!(response.poll_mail(&Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1, "nothing can be posted any more");
}

/// A waker may run the task inline: it must find no lock held (H44).
#[test]
fn a_waker_may_use_the_mailbox() {
    struct Inline(super::Mutex<Option<super::ResponseHalf>>, AtomicUsize);

    impl Wake for Inline {
        fn wake(self: Arc<Self>) {
            let mut response = super::lock(&self.0).take().unwrap();
            let cx = Context::from_waker(Waker::noop());
            assert!(response.poll_mail(&cx).is_ready());
            response.finish(&Outcome::Cancelled);
            self.1.fetch_add(1, Relaxed);
        }
    }

    let (mut request, mut response) = mailbox();
    let inline = Arc::new(Inline(super::Mutex::new(None), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&inline));
    assert!(response.poll_mail(&Context::from_waker(&waker)).is_pending());
    *super::lock(&inline.0) = Some(response);
    request.reply(LocalReply::new(StatusCode::FORBIDDEN)).unwrap();
    assert_eq!(inline.1.load(Relaxed), 1);
    assert!(request.poll_reset(&Context::from_waker(Waker::noop())).is_ready());
}

/// Panics when it is woken, and when the last of it is dropped.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the waker panics when dropped");
        }
    }
}

/// What a half is dropped for is done, and a second panic would abort the process.
#[test]
fn no_waker_panics_out_of_the_drop_of_a_half() {
    let (mut request, mut response) = mailbox();
    let waker = Waker::from(Arc::new(Panics));
    assert!(response.poll_mail(&Context::from_waker(&waker)).is_pending());
    assert!(request.poll_reset(&Context::from_waker(&waker)).is_pending());
    std::mem::forget(waker);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _dropped_while_unwinding = response;
        panic!("another panic");
    }));
    assert!(panicked.is_err());
    assert!(matches!(request.response_outcome(), Some(Outcome::Cancelled)));
    assert!(request.poll_reset(&Context::from_waker(Waker::noop())).is_ready());

    let (mut request, response) = mailbox();
    assert!(request.poll_reset(&Context::from_waker(&Waker::from(Arc::new(Panics)))).is_pending());
    drop(request);
    assert!(matches!(response.request_outcome(), Some(Outcome::Cancelled)));
}

#[test]
fn both_halves_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin>() {}
    check::<super::RequestHalf>();
    check::<super::ResponseHalf>();
}
