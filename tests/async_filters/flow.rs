//! Body, trailers and ends through async filters.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{Capability, Declaration, Error, ErrorKind, LocalReply, Marks};

use crate::kit::*;
use crate::stage::{Drops, Notes, copy, editor};

fn a_copy_changes_nothing<H: Dir>() {
    let mut run = Stage::<H>::new([])
        .raw("copy", async_filter(Declaration::new(), copy))
        .script(script("B"))
        .run();
    run.head(false).expect("B.H(0)", "H(0)");
    run.data("ab").expect(r#"B.D("ab",0)"#, r#"D("ab")"#);
    run.data_end("cd").expect(r#"B.D("cd",1)"#, r#"D("cd") end"#);
    run.finish("complete");
}

fn a_copy_of_nothing_is_nothing<H: Dir>() {
    let mut run = Stage::<H>::new([])
        .raw("copy", async_filter(Declaration::new(), copy))
        .script(script("B"))
        .run();
    run.head(true).expect("B.H(1)", "H(1)");
    run.finish("complete");

    let mut run = Stage::<H>::new([]).raw("copy", async_filter(Declaration::new(), copy)).run();
    run.head(false).end().sink("H(0) end");
    run.finish("complete");
}

/// Trailers pass a filter that knows nothing of them, behind what it sends (I5).
fn trailers_pass<H: Dir>() {
    let mut run = Stage::<H>::new([])
        .raw("copy", async_filter(Declaration::new(), copy))
        .script(script("B"))
        .run();
    run.head(false).data("ab").trailers("x", "1");
    run.expect(r#"B.H(0) B.D("ab",0) B.T(x: 1)"#, r#"H(0) D("ab") T(x: 1)"#);
    run.finish("complete");
}

/// What it takes and does not send is its own; what it holds back is sent at the end.
fn buffer_all<H: Dir>() {
    async fn buffer(mut input: Input, mut output: Output) -> Result<(), Error> {
        let body = input.collect(1024).await?;
        output.send(format!("{}:", body.len())).await?;
        output.send_all(body).await
    }
    for cut in 0..3 {
        let mut run = Stage::<H>::new([])
            .raw("buffer", async_filter(editor(), buffer))
            .script(script("B"))
            .run();
        run.head(false).data("ab").expect("B.H(0)", "H(0)").holds(2);
        match cut {
            0 => run.data_end("cd"),
            1 => run.data("cd").end(),
            _ => run.data("cd").trailers("x", "1"),
        };
        run.drop_calls();
        run.sink(if cut == 2 { r#"D("4:abcd") T(x: 1)"# } else { r#"D("4:abcd") end"# });
        run.finish("complete");
    }
}

/// More than it may collect is a typed error while the body is still there, and before the source
/// would be paused for good.
fn collect_is_bounded<H: Dir>() {
    async fn collect(mut input: Input, _: Output) -> Result<(), Error> {
        input.collect(u64::MAX).await.map(drop)
    }
    let marks = Marks::from_high(4);
    let mut run =
        Stage::<H>::new([]).raw("all", async_filter(editor().marks(marks), collect)).run();
    run.head(false).data("abcd").sink("H(0)").wants(true);
    run.data("e").sink("reset(all limit 4)");
    run.finish("failed all limit 4");

    async fn collect_or_pass(mut input: Input, _: Output) -> Result<(), Error> {
        match input.collect(2).await {
            Err(error) if matches!(error.kind(), ErrorKind::Limit { limit_bytes: 2, .. }) => Ok(()),
            other => other.map(drop),
        }
    }
    let mut run = Stage::<H>::new([]).raw("some", async_filter(editor(), collect_or_pass)).run();
    run.head(false).data("ab").sink("H(0)");
    run.data("c").sink(r#"D("abc")"#).data_end("d").sink(r#"D("d") end"#);
    run.finish("complete");
}

/// The future has returned: nothing is lost, everything passes, and its calls end.
fn a_return_passes_the_rest<H: Dir>() {
    async fn first(mut input: Input, mut output: Output) -> Result<(), Error> {
        if let Some(chunk) = input.next().await? {
            output.send(format!("<{}>", String::from_utf8_lossy(&chunk))).await?;
        }
        Ok(())
    }
    let mut run = Stage::<H>::new([]).raw("first", async_filter(editor(), first)).run();
    run.head(false).data("ab").data("cd").trailers("x", "1");
    run.sink(r#"H(0) D("<ab>cd") T(x: 1)"#);
    assert_eq!(run.stats().calls, 2, "the head and the first chunk");
    run.finish("complete");

    let nothing = async |_: Input, _: Output| Ok(());
    let mut run = Stage::<H>::new([])
        .raw("nothing", async_filter(Declaration::new(), nothing))
        .script(script("B"))
        .run();
    run.head(false).data_end("ab").expect(r#"B.H(0) B.D("ab",1)"#, r#"H(0) D("ab") end"#);
    run.finish("complete");
}

/// Input that had been shown and not taken passes, behind what was sent.
fn unread_input_passes_at_the_return<H: Dir>() {
    async fn late(mut input: Input, mut output: Output) -> Result<(), Error> {
        input.collect(3).await.map(drop).or_else(|_| Ok::<_, Error>(()))?;
        output.send("<").await
    }
    let mut run = Stage::<H>::new([]).raw("late", async_filter(editor(), late)).run();
    run.head(false).data("ab").sink("H(0)").data("cd").sink(r#"D("<abcd")"#);
    run.data_end("e").sink(r#"D("e") end"#);
    run.finish("complete");
}

fn a_declared_end<H: Dir>() {
    async fn until_z(mut input: Input, mut output: Output) -> Result<(), Error> {
        while let Some(chunk) = input.next().await? {
            if let Some(at) = chunk.iter().position(|&byte| byte == b'z') {
                output.send(chunk.slice(..at)).await?;
                return output.end();
            }
            output.send(chunk).await?;
        }
        Ok(())
    }
    let mut run = Stage::<H>::new([])
        .raw("until-z", async_filter(editor(), until_z))
        .script(script("B"))
        .run();
    run.head(false).data("ab").data("czd");
    run.expect(r#"B.H(0) B.D("ab",0) B.D("c",1)"#, r#"H(0) D("abc") end"#);
    assert!(run.chain.input_stopped());
    run.finish("complete");
}

/// A digest of what went by, as trailers: where none came, in place of those that did, and with an
/// end of its own.
fn added_trailers<H: Dir>() {
    fn length(bytes: usize) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert("x-length", HeaderValue::from(bytes));
        map
    }
    async fn count(mut input: Input, mut output: Output) -> Result<(), Error> {
        let mut bytes = 0;
        while let Some(chunk) = input.next().await? {
            bytes += chunk.len();
            output.send(chunk).await?;
        }
        output.set_trailers(length(bytes))
    }
    let adder = || Declaration::new().require(Capability::AddTrailers);
    let mut run = Stage::<H>::new([]).raw("count", async_filter(adder(), count)).run();
    run.head(false).data("ab").data_end("cd").sink(r#"H(0) D("abcd") T(x-length: 4)"#);
    run.finish("complete");

    let mut run = Stage::<H>::new([]).raw("count", async_filter(adder(), count)).run();
    run.head(false).data("ab").trailers("x", "1").sink(r#"H(0) D("ab") T(x-length: 2)"#);
    run.finish("complete");

    async fn early(_: Input, mut output: Output) -> Result<(), Error> {
        output.set_trailers(length(7))
    }
    let mut run = Stage::<H>::new([]).raw("early", async_filter(adder(), early)).run();
    run.head(false).data_end("ab").sink(r#"H(0) D("ab") T(x-length: 7)"#);
    run.finish("complete");

    async fn cut(mut input: Input, mut output: Output) -> Result<(), Error> {
        input.next().await?;
        output.set_trailers(length(0))?;
        output.end()
    }
    let cutter = adder().require(Capability::ChangeLength);
    let mut run = Stage::<H>::new([]).raw("cut", async_filter(cutter, cut)).run();
    run.head(false).data("ab").sink("H(0) T(x-length: 0)");
    run.finish("complete");

    let mut run = Stage::<H>::new([]).raw("early", async_filter(editor(), early)).run();
    run.head(false).sink("reset(early undeclared add trailers)");
    run.finish("failed early undeclared add trailers");
}

/// Waiting for the trailers lets the body pass; they can be read and edited in their place.
fn read_and_edited_trailers<H: Dir>() {
    async fn edit(mut input: Input, mut output: Output) -> Result<(), Error> {
        output.send("<").await?;
        let seen = input.trailers().await?;
        let seen = seen.as_ref().and_then(|map| map.get("x")).cloned();
        let edited = input.edit_trailers(|map| {
            map.remove("x");
            map.insert("y", seen.unwrap_or_else(|| HeaderValue::from_static("none")));
        })?;
        output.send(if edited.is_some() { ">" } else { "!" }).await
    }
    let mut run = Stage::<H>::new([]).raw("edit", async_filter(editor(), edit)).run();
    run.head(false).sink(r#"H(0) D("<")"#).data("ab").sink(r#"D("ab")"#).data("c");
    run.trailers("x", "1").sink(r#"D("c>") T(y: 1)"#);
    run.finish("complete");

    let mut run = Stage::<H>::new([]).raw("edit", async_filter(editor(), edit)).run();
    run.head(false).data_end("ab").sink(r#"H(0) D("<ab!") end"#);
    run.finish("complete");
}

fn an_error_fails_the_message<H: Dir>() {
    async fn fail(mut input: Input, _: Output) -> Result<(), Error> {
        input.next().await?;
        Err(Error::filter_failed("no"))
    }
    let mut run = Stage::<H>::new([script("A")])
        .raw("bad", async_filter(editor(), fail))
        .script(script("B"))
        .run();
    run.head(false).data("ab");
    run.expect(r#"A.H(0) B.H(0) A.D("ab",0)"#, "H(0) reset(bad filter)");
    run.finish("failed bad filter");
}

fn a_panic_ends_this_message_only<H: Dir>() {
    let drops = Drops::default();
    let counted = drops.clone();
    let panics = move |mut input: Input, _: Output| {
        let guard = counted.guard();
        async move {
            input.next().await?;
            let _guard = guard;
            panic!("as the test wants it");
        }
    };
    let mut run = Stage::<H>::new([script("A")])
        .raw("bad", async_filter(editor(), panics))
        .script(script("B"))
        .run();
    run.head(false).data("ab");
    run.expect(r#"A.H(0) B.H(0) A.D("ab",0)"#, "H(0) reset(bad panicked)");
    run.finish("failed bad panicked");
    drops.expect(1);

    // The next message on this thread, and one that panics while its future is made.
    let mut run = Stage::<H>::new([]).raw("copy", async_filter(editor(), copy)).run();
    run.head(false).data_end("ab").sink(r#"H(0) D("ab") end"#);
    run.finish("complete");
    let make = |_: Input, _: Output| -> std::future::Ready<Result<(), Error>> { panic!("early") };
    let mut run = Stage::<H>::new([]).raw("bad", async_filter(editor(), make)).run();
    run.head(false).sink("reset(bad panicked)");
    run.finish("failed bad panicked");
}

/// A panic while the future is dropped is contained: by the close, and where the message goes on.
fn a_panic_in_the_drop<H: Dir>() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("as the test wants it");
        }
    }
    async fn waits(mut input: Input, _: Output) -> Result<(), Error> {
        let _bomb = Bomb;
        while input.next().await?.is_some() {}
        Ok(())
    }
    let mut run =
        Stage::<H>::new([]).raw("bad", async_filter(editor(), waits)).script(script("B")).run();
    run.head(false).cancel().expect("B.H(0)", "H(0)");
    run.finish("cancelled");

    let mut run =
        Stage::<H>::new([]).raw("bad", async_filter(editor(), waits)).script(script("B")).run();
    run.head(false).end().expect("B.H(0)", "H(0) reset(bad panicked)");
    run.finish("failed bad panicked");
}

fn replies<H: Dir>() {
    let at_once = async |_: Input, output: Output| {
        output.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"))
    };
    let mut run =
        Stage::<H>::new([script("A")]).raw("no", async_filter(Declaration::new(), at_once)).run();
    run.head(false).calls("A.H(0)");
    if H::REQUEST {
        run.sink("reply(403,2)");
    } else {
        run.sink(r#"H[403](0) D("no") end"#);
    }
    run.finish("replaced 403 by no");
}

/// The reply counts, whatever the future does afterwards.
fn a_reply_is_the_last_word<H: Dir>() {
    let notes = Notes::default();
    let noted = notes.clone();
    let late = move |mut input: Input, output: Output| {
        let notes = noted.clone();
        async move {
            input.headers(|fields| fields.clear())?;
            let seen = input.next().await?;
            output.reply(LocalReply::new(StatusCode::IM_A_TEAPOT))?;
            notes.add(format!("{seen:?}"));
            input.next().await?;
            notes.add("never");
            Ok(())
        }
    };
    let holds = Declaration::new().require(Capability::HoldHead);
    let mut run = Stage::<H>::new([]).raw("late", async_filter(holds, late)).run();
    run.head(false).sink("").data("ab");
    run.sink(if H::REQUEST { "reply(418,0)" } else { "H[418](1)" });
    notes.expect(r#"Some(b"ab")"#);
    run.finish("replaced 418 by late");
}

/// A filter that only adds: the input passes it by where it is not taken.
fn a_producer<H: Dir>() {
    async fn add(mut input: Input, mut output: Output) -> Result<(), Error> {
        for n in 0..4u8 {
            output.send(Bytes::from(vec![b'0' + n])).await?;
        }
        input.trailers().await?;
        output.send(".").await
    }
    let mut run =
        Stage::<H>::new([]).raw("add", async_filter(editor(), add)).script(script("B")).run();
    run.head(true).drop_calls();
    run.sink(r#"H(0) D("0123.") end"#);
    run.finish("complete");
}

/// What a panic drops was lent to the future, and is counted as with any other filter (I1).
fn a_panic_counts_what_it_drops<H: Dir>() {
    let bad = |mut input: Input, _: Output| async move {
        if let Ok(body) = input.collect(3).await {
            drop(body);
        }
        panic!("over the limit")
    };
    let mut run = Stage::<H>::new([]).raw("bad", async_filter(editor(), bad)).run();
    run.head(false).data("ab").data("cd").sink("H(0) reset(bad panicked)");
    assert_eq!(run.finish("failed bad panicked").discarded_bytes, 4);
}

both!(
    a_panic_counts_what_it_drops,
    a_copy_changes_nothing,
    a_copy_of_nothing_is_nothing,
    trailers_pass,
    buffer_all,
    collect_is_bounded,
    a_return_passes_the_rest,
    unread_input_passes_at_the_return,
    a_declared_end,
    added_trailers,
    read_and_edited_trailers,
    an_error_fails_the_message,
    a_panic_ends_this_message_only,
    a_panic_in_the_drop,
    replies,
    a_reply_is_the_last_word,
    a_producer,
);
