//! Tokens used where they are not good: a typed error each time, never another message's bytes.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderName, HeaderValue};
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{
    BodyBuf, Capabilities, Capability, Error, ErrorKind, LocalReply, MessageTraits,
    Output as Given, Plan,
};

use crate::kit::*;
use crate::stage::{Notes, copy, editor};

type Tokens = Arc<Mutex<Option<(Input, Output)>>>;

/// A filter that gives its tokens away and passes everything.
fn gives(
    tokens: &Tokens,
) -> impl Fn(Input, Output) -> std::future::Ready<Result<(), Error>> + use<> {
    let tokens = Arc::clone(tokens);
    move |input, output| {
        *tokens.lock().expect("tokens") = Some((input, output));
        std::future::ready(Ok(()))
    }
}

/// Every operation there is.
async fn try_all((mut input, mut output): (Input, Output)) {
    fn outside<T>(result: Result<T, Error>) {
        assert_eq!(result.map(drop).map_err(|error| error.kind()), Err(ErrorKind::OutsidePoll));
    }
    outside(input.next().await);
    outside(input.collect(1).await);
    outside(input.trailers().await);
    outside(input.edit_trailers(|_| ()));
    outside(input.headers(|_| ()));
    outside(input.is_ended());
    outside(input.is_local_reply());
    outside(input.declared_bytes());
    outside(input.granted(Capability::EditBytes));
    outside(output.send("x").await);
    outside(output.send_all(BodyBuf::from("x")).await);
    outside(output.set_trailers(http::HeaderMap::new()));
    outside(output.declare_bytes(1));
    outside(output.release_head());
    outside(output.reply(LocalReply::new(http::StatusCode::OK)));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("misuse does not wait"),
    }
}

/// While the message lives but no future is polled, on another thread, and when it is over.
fn outside_any_poll<H: Dir>() {
    for at in 0..3 {
        let tokens = Tokens::default();
        let mut run =
            Stage::<H>::new([]).raw("gives", async_filter(editor(), gives(&tokens))).run();
        run.head(false).data("ab");
        let tokens = tokens.lock().expect("tokens").take().expect("they were given");
        let mut left = Some(tokens);
        if at < 2 {
            let tokens = left.take().expect("they were given");
            let tried = || block_on(try_all(tokens));
            if at == 0 { tried() } else { thread::scope(|s| s.spawn(tried).join()).expect("tried") }
        }
        run.data_end("c").sink(r#"H(0) D("abc") end"#);
        run.finish("complete");
        if let Some(tokens) = left {
            block_on(try_all(tokens));
        }
    }
}

/// In the poll of another filter of the same message.
fn in_another_filters_poll<H: Dir>() {
    let tokens = Tokens::default();
    let notes = Notes::default();
    let (found, noted) = (Arc::clone(&tokens), notes.clone());
    let thief = move |mut input: Input, mut output: Output| {
        let stolen = found.lock().expect("tokens").take();
        let notes = noted.clone();
        async move {
            while let Some(chunk) = input.next().await? {
                output.send(chunk).await?;
            }
            try_all(stolen.expect("they were given")).await;
            notes.add("tried");
            // Its own still work.
            output.send("!").await
        }
    };
    let mut run = Stage::<H>::new([])
        .raw("gives", async_filter(editor(), gives(&tokens)))
        .raw("thief", async_filter(editor(), thief))
        .run();
    run.head(false).data_end("ab").sink(r#"H(0) D("ab!") end"#);
    run.finish("complete");
    notes.expect("tried");
}

/// In the next message of the same filter: its tokens are others.
fn in_the_next_message<H: Dir>() {
    let kept = Tokens::default();
    let round = Arc::new(Mutex::new(0));
    let keeper = {
        let (kept, round) = (Arc::clone(&kept), Arc::clone(&round));
        move |mut input: Input, mut output: Output| {
            *round.lock().expect("a round") += 1;
            let (kept, round) = (Arc::clone(&kept), *round.lock().expect("a round"));
            async move {
                if round == 1 {
                    *kept.lock().expect("tokens") = Some((input, output));
                    return Ok(());
                }
                let stale = kept.lock().expect("tokens").take().expect("they were kept");
                try_all(stale).await;
                while let Some(chunk) = input.next().await? {
                    output.send(chunk).await?;
                }
                Ok(())
            }
        }
    };
    let plan = Stage::<H>::new([]).raw("keeper", async_filter(editor(), keeper)).plan();
    let plan = plan.bind(Capabilities::ALL).expect("an edge");
    for _ in 0..2 {
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), true).expect("a head");
        assert!(matches!(chain.poll_output(), Some(Given::Head { end_of_stream: true, .. })));
    }
    assert_eq!(*round.lock().expect("a round"), 2);
}

/// A future that drives another chain, with async filters of its own, inside its poll: each future
/// reaches its own message, also behind the inner one.
fn a_chain_inside_a_filter<H: Dir>() {
    let inner = Plan::<H>::builder()
        .filter(
            "inner",
            async_filter(editor(), async |mut input: Input, mut output: Output| {
                while let Some(chunk) = input.next().await? {
                    output.send(format!("[{}]", String::from_utf8_lossy(&chunk))).await?;
                }
                Ok(())
            }),
        )
        .build()
        .expect("a plan")
        .bind(Capabilities::ALL)
        .expect("an edge");
    let outer = move |mut input: Input, mut output: Output| {
        let mut chain = inner.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("a head");
        assert!(matches!(chain.poll_output(), Some(Given::Head { .. })));
        async move {
            while let Some(chunk) = input.next().await? {
                chain.handle_data(chunk, false).expect("data");
                while let Some(Given::Data(bytes)) = chain.poll_output() {
                    output.send(bytes).await?;
                }
            }
            // The inner message is dropped within the poll of the outer one.
            drop(chain);
            assert!(input.is_ended()?);
            output.send(".").await
        }
    };
    let mut run = Stage::<H>::new([])
        .raw("outer", async_filter(editor(), outer))
        .raw("copy", async_filter(editor(), copy))
        .run();
    run.head(false).data("ab").sink(r#"H(0) D("[ab]")"#).data_end("c").sink(r#"D("[c].") end"#);
    run.finish("complete");
}

/// An inner message that panics leaves the outer one where it was.
fn a_panic_inside_an_inner_chain<H: Dir>() {
    let inner = Plan::<H>::builder()
        .filter("bad", async_filter(editor(), |_: Input, _: Output| async { panic!("inner") }))
        .build()
        .expect("a plan")
        .bind(Capabilities::ALL)
        .expect("an edge");
    let outer = move |input: Input, output: Output| {
        let mut chain = inner.chain(MessageTraits::new()).expect("a chain");
        async move {
            chain.handle_head(H::plain(), false).expect("a head");
            let Some(Given::Reset(error)) = chain.poll_output() else { panic!("no reset") };
            assert_eq!(error.kind(), ErrorKind::Panicked);
            copy(input, output).await
        }
    };
    let mut run = Stage::<H>::new([]).raw("outer", async_filter(editor(), outer)).run();
    run.head(false).data_end("ab").sink(r#"H(0) D("ab") end"#);
    run.finish("complete");
}

/// Inside the closures that look at the head and the trailers, the other token still works.
fn inside_a_look_at_the_head<H: Dir>() {
    async fn nested(mut input: Input, mut output: Output) -> Result<(), Error> {
        input.headers(|_| output.declare_bytes(2)).map(|inner| {
            // The head is on loan, and nothing is declared.
            assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::HeadGone));
        })?;
        input.headers(|_| output.release_head())??;
        copy(input, output).await
    }
    let mut run = Stage::<H>::new([]).raw("nested", async_filter(editor(), nested)).run();
    run.head(false).data_end("ab").sink(r#"H(0) D("ab") end"#);
    assert_eq!(run.sunk_head().get("content-length"), None);
    run.finish("complete");

    // A panic inside one, caught by the future itself, loses nothing.
    async fn caught(mut input: Input, output: Output) -> Result<(), Error> {
        let look = AssertUnwindSafe(|| input.headers(|_| panic!("a look")));
        assert!(catch_unwind(look).is_err());
        input.headers(|fields| fields.insert("x", HeaderValue::from_static("1")))?;
        copy(input, output).await
    }
    let mut run = Stage::<H>::new([]).raw("caught", async_filter(editor(), caught)).run();
    run.head(true).sink("H(1)");
    assert_eq!(run.sunk_head().get("x"), Some("1"));
    run.finish("complete");
}

/// A caller's own bytes that are dropped by an operation, and panic, lose nothing of the message;
/// and a waker of it does not reach the next one.
fn an_owner_that_panics_inside<H: Dir>() {
    struct Panics;
    impl AsRef<[u8]> for Panics {
        fn as_ref(&self) -> &[u8] {
            b"v"
        }
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(thread::panicking(), "an owner panics");
        }
    }
    let kept = Arc::new(Mutex::new(None::<Waker>));
    let notes = Notes::default();
    let (keeps, noted) = (Arc::clone(&kept), notes.clone());
    let filter = move |_: Input, mut output: Output| {
        let (kept, notes) = (Arc::clone(&keeps), noted.clone());
        poll_fn(move |cx| {
            let mut kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if kept.is_some() {
                notes.add("second");
                return Poll::Pending;
            }
            *kept = Some(cx.waker().clone());
            let value = HeaderValue::from_maybe_shared(Bytes::from_owner(Panics)).expect("a value");
            output
                .set_trailers(std::iter::once((HeaderName::from_static("x"), value)).collect())?;
            let lose = AssertUnwindSafe(|| output.set_trailers(http::HeaderMap::new()));
            assert!(catch_unwind(lose).is_err());
            Poll::Ready(Ok(()))
        })
    };
    let declared = editor().require(Capability::AddTrailers);
    let plan = Stage::<H>::new([]).raw("loses", async_filter(declared, filter)).plan();
    let plan = plan.bind(Capabilities::ALL).expect("an edge");
    let chain = || {
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("a head");
        chain
    };
    // The operation was done before the former trailers were dropped: nothing is lost by it.
    assert!(matches!(chain().poll_output(), Some(Given::Head { .. })));
    let mut second = chain();
    notes.expect("second");
    kept.lock().expect("a waker").take().expect("a waker").wake();
    second.handle_resumes();
    second.handle_data(Bytes::from_static(b"x"), false).expect("data");
    notes.expect("");
}

/// The second message of the same filter: nothing that the first asked for reaches it, and no wake.
fn nothing_is_left_for_the_next_message<H: Dir>() {
    let kept = Arc::new(Mutex::new(None::<Waker>));
    let notes = Notes::default();
    let (keeps, noted) = (Arc::clone(&kept), notes.clone());
    let filter = move |mut input: Input, mut output: Output| {
        let (kept, notes) = (Arc::clone(&keeps), noted.clone());
        poll_fn(move |cx| {
            notes.add("polled");
            if kept
                .lock()
                .expect("a waker")
                .get_or_insert_with(|| cx.waker().clone())
                .will_wake(cx.waker())
            {
                output.set_trailers(
                    std::iter::once((HOST, HeaderValue::from_static("x"))).collect(),
                )?;
                output.declare_bytes(77)?;
                output.release_head()?;
            }
            match std::pin::pin!(input.trailers()).poll(cx) {
                Poll::Ready(trailers) => Poll::Ready(trailers.map(drop)),
                Poll::Pending => Poll::Pending,
            }
        })
    };
    let declared = editor().require(Capability::AddTrailers).require(Capability::HoldHead);
    let plan = Stage::<H>::new([]).raw("asks", async_filter(declared, filter)).plan();
    let plan = plan.bind(Capabilities::ALL).expect("an edge");
    let chain = || {
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("a head");
        chain
    };
    let mut first = chain();
    assert!(matches!(first.poll_output(), Some(Given::Head { .. })));
    drop(first);
    let mut second = chain();
    notes.expect("polled polled");
    assert!(second.poll_output().is_none(), "the head waits");
    kept.lock().expect("a waker").as_ref().expect("a waker").wake_by_ref();
    second.handle_resumes();
    assert!(second.poll_output().is_none());
    notes.expect("");
    second.handle_end().expect("the end");
    match second.poll_output() {
        Some(Given::Head { head, end_of_stream: true }) => assert!(head.headers().is_empty()),
        _ => panic!("a head and the end"),
    }
}

both!(
    nothing_is_left_for_the_next_message,
    an_owner_that_panics_inside,
    outside_any_poll,
    in_another_filters_poll,
    in_the_next_message,
    a_chain_inside_a_filter,
    a_panic_inside_an_inner_chain,
    inside_a_look_at_the_head,
);
