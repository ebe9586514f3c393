//! Rule I11 for async filters: nothing is allocated for a chunk, and on a filter that is used again
//! not even the future costs one: its place is kept.

#[path = "support/counting.rs"]
mod counting;

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{
    Capabilities, Chain, Declaration, Error, Filter, MessageTraits, Outcome, Output as Given, Plan,
    Verdict, View,
};

use counting::allocations;

type Instance = Box<dyn Filter<request::Parts>>;

/// Filters that wait for their next message.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Instance>>>);

/// A filter from the shelf, which goes back there when its message is over.
struct Borrowed {
    filter: Option<Instance>,
    shelf: Shelf,
}

impl Shelf {
    fn take(&self, make: impl FnOnce() -> Instance) -> Borrowed {
        let known = self.0.lock().expect("a shelf").pop();
        Borrowed { filter: Some(known.unwrap_or_else(make)), shelf: self.clone() }
    }
}

impl Borrowed {
    fn get(&mut self) -> &mut Instance {
        self.filter.as_mut().expect("it goes back last")
    }
}

impl Filter<request::Parts> for Borrowed {
    fn declare(&self) -> Declaration {
        self.filter.as_ref().expect("it goes back last").declare()
    }

    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.get().head(view)
    }

    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.get().data(view)
    }

    fn trailers(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.get().trailers(view)
    }

    fn resume(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.get().resume(view)
    }

    fn close(&mut self, outcome: &Outcome) {
        self.get().close(outcome);
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(mut filter) = self.filter.take()
            && filter.recycle()
        {
            self.shelf.0.lock().expect("a shelf").push(filter);
        }
    }
}

/// Passes everything: what a message costs without an async filter.
struct Pass;

impl Filter<request::Parts> for Pass {
    fn recycle(&mut self) -> bool {
        true
    }
}

async fn copy(mut input: Input, mut output: Output) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk).await?;
    }
    Ok(())
}

fn plan<F: Filter<request::Parts> + 'static>(
    make: impl Fn() -> F + Send + Sync + 'static,
) -> tidegate::BoundPlan<request::Parts> {
    let shelf = Shelf::default();
    let plan = Plan::builder().filter("one", move || shelf.take(|| Box::new(make()))).build();
    plan.expect("a plan").bind(Capabilities::ALL).expect("an edge")
}

fn opened(plan: &tidegate::BoundPlan<request::Parts>) -> Chain<request::Parts> {
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    let (head, ()) = http::Request::new(()).into_parts();
    chain.handle_head(head, false).expect("the head is taken");
    assert!(matches!(chain.poll_output(), Some(Given::Head { .. })));
    chain
}

fn carry(chain: &mut Chain<request::Parts>, chunks: usize) {
    for _ in 0..chunks {
        chain.handle_data(Bytes::from_static(b"0123456789"), false).expect("data is taken");
        chain.handle_resumes();
        assert!(matches!(chain.poll_output(), Some(Given::Data(data)) if data.len() == 10));
        assert!(chain.poll_output().is_none());
    }
}

fn message(plan: &tidegate::BoundPlan<request::Parts>) {
    let mut chain = opened(plan);
    carry(&mut chain, 3);
    chain.handle_end().expect("the end is taken");
    assert!(matches!(chain.poll_output(), Some(Given::End)));
}

/// Two messages that end and one that is dropped half way warm it up.
fn warm(plan: &tidegate::BoundPlan<request::Parts>) {
    message(plan);
    carry(&mut opened(plan), 2);
    message(plan);
}

#[test]
fn nothing_for_a_chunk() {
    let plan = plan(async_filter(Declaration::new(), copy));
    let mut chain = opened(&plan);
    carry(&mut chain, 4);
    assert_eq!(allocations(|| carry(&mut chain, 1000)), 0);
}

/// A future that lets itself be woken for every chunk, from the filter's own waker.
#[test]
fn nothing_for_a_chunk_that_waits_for_a_wake() {
    let place: Arc<Mutex<Option<Waker>>> = Arc::default();
    let left = Arc::clone(&place);
    let waits = move |mut input: Input, mut output: Output| {
        let left = Arc::clone(&left);
        async move {
            while let Some(chunk) = input.next().await? {
                let mut polled = false;
                std::future::poll_fn(|cx| {
                    if std::mem::replace(&mut polled, true) {
                        return Poll::Ready(());
                    }
                    *left.lock().expect("a place") = Some(cx.waker().clone());
                    Poll::Pending
                })
                .await;
                output.send(chunk).await?;
            }
            Ok(())
        }
    };
    let plan = plan(async_filter(Declaration::new(), waits));
    let mut chain = opened(&plan);
    let turn = |chain: &mut Chain<request::Parts>, chunks: usize| {
        for _ in 0..chunks {
            chain.handle_data(Bytes::from_static(b"0123456789"), false).expect("data is taken");
            assert!(chain.poll_output().is_none(), "it waits");
            let waker = place.lock().expect("a place").take().expect("it left a waker");
            waker.wake();
            chain.handle_resumes();
            assert!(matches!(chain.poll_output(), Some(Given::Data(data)) if data.len() == 10));
            assert!(chain.poll_output().is_none());
        }
    };
    turn(&mut chain, 4);
    assert_eq!(allocations(|| turn(&mut chain, 1000)), 0);
}

/// A future that keeps a clone of its waker and wakes itself from inside its poll.
#[test]
fn nothing_for_a_wake_from_inside() {
    let spins = |mut input: Input, mut output: Output| async move {
        while let Some(chunk) = input.next().await? {
            let (mut polls, mut kept) = (0, None);
            std::future::poll_fn(|cx| {
                polls += 1;
                if polls == 3 {
                    return Poll::Ready(());
                }
                kept.insert(cx.waker().clone()).wake_by_ref();
                Poll::Pending
            })
            .await;
            output.send(chunk).await?;
        }
        Ok(())
    };
    let plan = plan(async_filter(Declaration::new(), spins));
    let mut chain = opened(&plan);
    let turn = |chain: &mut Chain<request::Parts>, chunks: usize| {
        for _ in 0..chunks {
            chain.handle_data(Bytes::from_static(b"0123456789"), false).expect("data is taken");
            let mut turns = 0;
            while chain.poll_output().is_none() {
                chain.handle_resumes();
                turns += 1;
                assert!(turns < 10, "it wakes itself");
            }
        }
    };
    turn(&mut chain, 4);
    assert_eq!(allocations(|| turn(&mut chain, 1000)), 0);
}

/// The target is one allocation a message, for the future's box. There is none: the box is kept.
#[test]
fn nothing_for_a_message_on_a_filter_that_is_used_again() {
    let (bare, async_) = (plan(|| Pass), plan(async_filter(Declaration::new(), copy)));
    warm(&bare);
    warm(&async_);
    let without = allocations(|| message(&bare));
    let with = allocations(|| message(&async_));
    assert_eq!(with, without, "allocations with an async filter, and without");
}

/// Asks for a handle, and gives it up when the message is over.
#[derive(Default)]
struct Asks(Option<tidegate::ResumeHandle>);

impl Filter<request::Parts> for Asks {
    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.0 = Some(view.resume_handle());
        Verdict::PASS
    }

    fn close(&mut self, _: &Outcome) {
        self.0 = None;
    }

    fn recycle(&mut self) -> bool {
        true
    }
}

/// A message whose future leaves its waker outside costs what a resume handle costs: the handle is
/// given up with the message, and not kept from the next.
#[test]
fn a_waker_outside_costs_a_handle() {
    let leaves = |mut input: Input, mut output: Output| async move {
        let mut kept = None;
        std::future::poll_fn(|cx| match kept.replace(cx.waker().clone()) {
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(_) => Poll::Ready(()),
        })
        .await;
        while let Some(chunk) = input.next().await? {
            output.send(chunk).await?;
        }
        Ok(())
    };
    let (asks, async_) = (plan(Asks::default), plan(async_filter(Declaration::new(), leaves)));
    warm(&asks);
    warm(&async_);
    let without = allocations(|| message(&asks));
    let with = allocations(|| message(&async_));
    assert_eq!(with, without, "allocations with an async filter, and with a handle");
}

/// A waker that somebody kept costs the next message a new one, and reaches only the old: also
/// where the filter had one of its own still, because its future waited for input too.
#[test]
fn a_waker_that_outlives_its_message() {
    outlives(false);
    outlives(true);
}

fn outlives(waits_for_input: bool) {
    let kept: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let polls: Arc<Mutex<usize>> = Arc::default();
    let (keeps, counts) = (Arc::clone(&kept), Arc::clone(&polls));
    let waits = move |mut input: Input, _: Output| {
        let (keeps, counts) = (Arc::clone(&keeps), Arc::clone(&counts));
        std::future::poll_fn(move |cx| {
            keeps.lock().expect("wakers").push(cx.waker().clone());
            *counts.lock().expect("a count") += 1;
            if waits_for_input {
                assert!(std::pin::pin!(input.next()).poll(cx).is_pending());
            }
            Poll::<Result<(), Error>>::Pending
        })
    };
    let plan = plan(async_filter(Declaration::new(), waits));
    drop(opened(&plan));
    let old = std::mem::take(&mut *kept.lock().expect("wakers"));
    let mut chain = opened(&plan);
    let before = *polls.lock().expect("a count");
    for waker in old {
        waker.wake_by_ref();
        waker.wake();
    }
    chain.handle_resumes();
    assert!(chain.poll_output().is_none());
    assert_eq!(*polls.lock().expect("a count"), before, "no poll for a wake of the last message");
    for waker in std::mem::take(&mut *kept.lock().expect("wakers")) {
        waker.wake();
    }
    chain.handle_resumes();
    assert!(chain.poll_output().is_none());
    assert_eq!(*polls.lock().expect("a count"), before + 1, "its own waker reaches it");
}
