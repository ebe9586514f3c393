//! Futures that wait for somebody else: wakes from anywhere, at any time, any number of times;
//! and the stall when nobody is left who could wake (I8).

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{Error, Marks};
use tokio::sync::oneshot;

use crate::kit::*;
use crate::stage::{Drops, Gate, copy, editor};

/// Waits at the gate before it copies.
fn behind(
    gate: &Gate,
) -> impl Fn(Input, Output) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>
+ Send
+ Sync
+ 'static {
    let gate = gate.clone();
    move |input, output| {
        let opened = gate.opened();
        Box::pin(async move {
            opened.await;
            copy(input, output).await
        })
    }
}

/// Input waits at the filter, charged to its marks: over the high one the source pauses (I7).
fn input_waits_and_pauses_the_source<H: Dir>() {
    let gate = Gate::default();
    let marks = Marks::from_high(3);
    let mut run = Stage::<H>::new([])
        .raw("wait", async_filter(editor().marks(marks), behind(&gate)))
        .script(script("B"))
        .run();
    run.head(false).data("ab").wants(true).data("cd").wants(false).holds(4);
    assert_eq!(gate.polls(), 1, "what does not wait for input is not polled for it");
    run.expect("B.H(0)", "H(0)");
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().expect(r#"B.D("abcd",0)"#, r#"D("abcd")"#).wants(true);
    run.data_end("e").expect(r#"B.D("e",1)"#, r#"D("e") end"#);
    run.finish("complete");
}

fn woken_from_another_thread<H: Dir>() {
    let (sender, receiver) = oneshot::channel::<&'static str>();
    let receiver = Mutex::new(Some(receiver));
    let ask = move |mut input: Input, mut output: Output| {
        let receiver = receiver.lock().expect("a receiver").take().expect("one message");
        async move {
            let body = input.collect(100).await?;
            let answer = receiver.await.map_err(Error::filter_failed)?;
            output.send(answer).await?;
            output.send_all(body).await
        }
    };
    let mut run = Stage::<H>::new([]).raw("ask", async_filter(editor(), ask)).run();
    run.head(false).data_end("ab").sink("H(0)");
    thread::spawn(move || sender.send("yes:").expect("it waits")).join().expect("a sender");
    run.chain.handle_resumes();
    run.open_sink().sink(r#"D("yes:ab") end"#);
    run.finish("complete");
}

/// Woken before the callback has returned, when there is no handle yet: the wake is not lost.
fn woken_inside_the_poll<H: Dir>() {
    let twice = |mut input: Input, mut output: Output| async move {
        let mut yields = 0;
        let mut kept = None;
        poll_fn(|cx| {
            yields += 1;
            match yields {
                // From here, from another thread, and with the waker given away.
                1 => cx.waker().wake_by_ref(),
                2 => {
                    let waker = cx.waker().clone();
                    thread::spawn(move || waker.wake()).join().expect("a waking thread");
                }
                // With a clone that stays, before and after there is a handle.
                3 | 4 => kept.insert(cx.waker().clone()).wake_by_ref(),
                _ => return Poll::Ready(()),
            }
            Poll::Pending
        })
        .await;
        input.trailers().await?;
        output.send(".").await
    };
    let mut run = Stage::<H>::new([]).raw("twice", async_filter(editor(), twice)).run();
    run.head(false).sink("H(0)").data_end("ab").sink(r#"D("ab.") end"#);
    run.finish("complete");
}

/// A future that wakes itself for ever leaves the engine its turn (I13).
fn self_waking_is_bounded<H: Dir>() {
    let spin = |_: Input, _: Output| {
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<Result<(), Error>>::Pending
        })
    };
    let mut run = Stage::<H>::new([]).raw("spin", async_filter(editor(), spin)).run();
    run.hold_sink().head(false);
    let mut calls = run.stats().calls;
    for _ in 0..5 {
        assert!(run.chain.has_work() || run.chain.poll_output().is_some());
        run.chain.poll_output();
        assert!(run.stats().calls <= calls + 4, "one call for one turn");
        calls = run.stats().calls;
    }
    run.sink("").cancel();
    run.finish("cancelled");
}

/// A storm of wakes costs one poll.
fn a_storm_of_wakes<H: Dir>() {
    let gate = Gate::default();
    let mut run = Stage::<H>::new([]).raw("wait", async_filter(editor(), behind(&gate))).run();
    run.head(false).data("ab");
    let wakers: Vec<_> = (0..4).map(|_| gate.waker().expect("it waits")).collect();
    thread::scope(|scope| {
        for waker in &wakers {
            scope.spawn(|| (0..100).for_each(|_| waker.wake_by_ref()));
        }
    });
    run.chain.handle_resumes();
    run.open_sink();
    assert_eq!(gate.polls(), 2, "one poll for all of them");
    drop(wakers);
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().sink(r#"H(0) D("ab")"#).end().sink("end");
    run.finish("complete");
}

/// Needless wakes, before and while it waits for input, change nothing.
fn needless_wakes<H: Dir>() {
    let gate = Gate::default();
    let mut run = Stage::<H>::new([]).raw("wait", async_filter(editor(), behind(&gate))).run();
    run.head(false).data("ab").sink("H(0)");
    for _ in 0..3 {
        gate.jog();
        run.chain.handle_resumes();
        run.open_sink().sink("");
    }
    let old = gate.waker().expect("it waits");
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().sink(r#"D("ab")"#);
    old.wake_by_ref();
    run.chain.handle_resumes();
    run.open_sink().sink("").data_end("c").sink(r#"D("c") end"#);
    old.wake();
    run.finish("complete");
}

/// Nobody holds the waker, and the future waits for nothing that the chain could bring.
fn a_stall_is_named<H: Dir>() {
    let never = |_: Input, _: Output| std::future::pending::<Result<(), Error>>();
    let mut run = Stage::<H>::new([]).raw("never", async_filter(editor(), never)).run();
    run.head(false).data("ab").sink("H(0)").end().sink("reset(never stalled)");
    run.finish("stalled never stalled");

    // With the source paused, nobody will come either.
    let marks = editor().marks(Marks::from_high(1));
    let mut run = Stage::<H>::new([]).raw("never", async_filter(marks, never)).run();
    run.head(false).data("ab").sink("H(0) reset(never stalled)");
    run.finish("stalled never stalled");
}

/// The last waker goes unused while the message waits: a stall, at once and not at a timeout.
fn a_stall_when_the_last_waker_goes<H: Dir>() {
    let gate = Gate::default();
    let mut run = Stage::<H>::new([]).raw("wait", async_filter(editor(), behind(&gate))).run();
    run.head(false).data_end("ab").sink("H(0)");
    let twin = gate.waker().expect("it waits");
    gate.forget();
    run.chain.handle_resumes();
    run.open_sink().sink("");
    drop(twin);
    run.chain.handle_resumes();
    run.open_sink().sink("reset(wait stalled)");
    run.finish("stalled wait stalled");
}

/// A waker that was used and then dropped leaves the filter live as long as the poll it caused
/// finds another.
fn no_stall_behind_a_wake<H: Dir>() {
    let gate = Gate::default();
    let mut run = Stage::<H>::new([]).raw("wait", async_filter(editor(), behind(&gate))).run();
    run.head(false).data_end("ab").sink("H(0)");
    for _ in 0..3 {
        let waker = gate.waker().expect("it waits");
        gate.forget();
        waker.wake();
        run.chain.handle_resumes();
        run.open_sink().sink("");
    }
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().sink(r#"D("ab") end"#);
    run.finish("complete");
}

/// Waiting for input and for somebody else: whoever comes first.
fn either_input_or_a_wake<H: Dir>() {
    let gate = Gate::default();
    let opened = gate.clone();
    let either = move |mut input: Input, mut output: Output| {
        let opened = opened.opened();
        async move {
            let mut opened = std::pin::pin!(opened);
            loop {
                let chunk = tokio::select! {
                    biased;
                    () = &mut opened => break,
                    chunk = input.next() => chunk?,
                };
                let Some(chunk) = chunk else { return Ok(()) };
                output.send(chunk).await?;
            }
            output.send("!").await
        }
    };
    let mut run = Stage::<H>::new([]).raw("either", async_filter(editor(), either)).run();
    run.head(false).data("ab").sink(r#"H(0) D("ab")"#);
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().sink(r#"D("!")"#).data_end("cd").sink(r#"D("cd") end"#);
    run.finish("complete");

    // The gate is forgotten: the end of the input still ends it, and it is no stall.
    let gate = Gate::default();
    let opened = gate.clone();
    let either = move |mut input: Input, mut output: Output| {
        let opened = opened.opened();
        async move {
            let mut opened = std::pin::pin!(opened);
            loop {
                let chunk = tokio::select! {
                    biased;
                    () = &mut opened => return Ok(()),
                    chunk = input.next() => chunk?,
                };
                let Some(chunk) = chunk else { return Ok(()) };
                output.send(chunk).await?;
            }
        }
    };
    let mut run = Stage::<H>::new([]).raw("either", async_filter(editor(), either)).run();
    run.head(false).data("ab");
    gate.forget();
    run.data_end("cd").sink(r#"H(0) D("abcd") end"#);
    run.finish("complete");
}

/// Its waker was known outside once, while it waited for input. Now it waits for something that
/// nobody will wake it for: a stall, whatever was before.
fn a_stall_behind_other_waits<H: Dir>() {
    let outside = Arc::<Mutex<Option<Waker>>>::default();
    let leaves = Arc::clone(&outside);
    let late = move |mut input: Input, _: Output| {
        let leaves = Arc::clone(&leaves);
        async move {
            let mut polled = false;
            poll_fn(|cx| {
                if !std::mem::replace(&mut polled, true) {
                    *leaves.lock().expect("a place") = Some(cx.waker().clone());
                }
                std::pin::pin!(input.next()).poll(cx)
            })
            .await?;
            std::future::pending().await
        }
    };
    let mut run = Stage::<H>::new([]).raw("late", async_filter(editor(), late)).run();
    run.head(false).sink("H(0)");
    drop(outside.lock().expect("a place").take().expect("it left a waker"));
    run.chain.handle_resumes();
    run.open_sink().data("ab").sink("").end().sink("reset(late stalled)");
    run.finish("stalled late stalled");
}

/// The same, where somebody has the waker: until it is gone.
fn a_stall_behind_a_wait_for_input<H: Dir>() {
    let (first, second) = (Gate::default(), Gate::default());
    let (opens, waits) = (first.clone(), second.clone());
    let late = move |mut input: Input, _: Output| {
        let (opens, waits) = (opens.opened(), waits.opened());
        async move {
            tokio::select! {
                biased;
                () = opens => {}
                chunk = input.next() => drop(chunk?),
            }
            waits.await;
            Ok(())
        }
    };
    let mut run = Stage::<H>::new([]).raw("late", async_filter(editor(), late)).run();
    run.head(false).sink("H(0)");
    first.open();
    run.chain.handle_resumes();
    run.open_sink().sink("").end().sink("");
    assert_eq!(second.polls(), 1, "it does not wait for input any more");
    second.forget();
    run.chain.handle_resumes();
    run.open_sink().sink("reset(late stalled)");
    run.finish("stalled late stalled");
}

/// A wake that comes when the message is over does nothing.
fn a_wake_after_the_message<H: Dir>() {
    let gate = Gate::default();
    let mut run = Stage::<H>::new([]).raw("wait", async_filter(editor(), behind(&gate))).run();
    run.head(false).data("ab").sink("H(0)").cancel();
    gate.jog();
    run.finish("cancelled");
    gate.open();
}

/// However a message ends, the future is dropped once, with the close call.
fn dropped_once_whatever_happens<H: Dir>() {
    for end in 0..6 {
        let (gate, drops) = (Gate::default(), Drops::default());
        let (opened, counted) = (gate.clone(), drops.clone());
        let wait = move |input: Input, output: Output| {
            let (opened, guard) = (opened.opened(), counted.guard());
            async move {
                let _guard = guard;
                opened.await;
                copy(input, output).await
            }
        };
        let mut run = Stage::<H>::new([]).raw("wait", async_filter(editor(), wait)).run();
        run.head(false).data("ab").sink("H(0)");
        drops.expect(0);
        match end {
            0 => drop(run.reset().sink("reset(reset)")),
            1 => drop(run.cancel()),
            2 => {
                run.reply(tidegate::LocalReply::new(http::StatusCode::BAD_GATEWAY));
                run.sink(if H::REQUEST { "reply(502,0)" } else { "reset(reply too late)" });
            }
            3 => {
                gate.forget();
                run.chain.handle_resumes();
                run.end().sink("reset(wait stalled)");
            }
            4 => {
                gate.open();
                run.chain.handle_resumes();
                run.open_sink().sink(r#"D("ab")"#).end().sink("end");
            }
            _ => {}
        }
        if end < 5 {
            drops.expect(1);
        }
        run.abandon();
        drops.expect(1);
        gate.jog();
    }
}

both!(
    input_waits_and_pauses_the_source,
    woken_from_another_thread,
    woken_inside_the_poll,
    self_waking_is_bounded,
    a_storm_of_wakes,
    needless_wakes,
    a_stall_is_named,
    a_stall_when_the_last_waker_goes,
    no_stall_behind_a_wake,
    either_input_or_a_wake,
    a_stall_behind_other_waits,
    a_stall_behind_a_wait_for_input,
    a_wake_after_the_message,
    dropped_once_whatever_happens,
);
