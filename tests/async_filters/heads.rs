//! The head: seen and edited while it stands, held where that was granted, gone afterwards.

use http::{HeaderValue, StatusCode, request, response};
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{
    Capabilities, Capability, Declaration, Error, ErrorKind, LocalReply, MessageTraits,
};

use crate::kit::*;
use crate::stage::{Gate, copy, editor};

fn holder() -> Declaration {
    editor().require(Capability::HoldHead)
}

fn mark(fields: &mut http::HeaderMap) {
    fields.insert("x-seen", HeaderValue::from_static("yes"));
}

fn edited_in_the_first_poll<H: Dir>() {
    async fn edit(mut input: Input, output: Output) -> Result<(), Error> {
        input.headers(mark)?;
        copy(input, output).await
    }
    let mut run = Stage::<H>::new([])
        .raw("edit", async_filter(Declaration::new(), edit))
        .script(script("B"))
        .run();
    run.head_of(H::with("x", "1"), false).expect("B.H(0)", "H(0)");
    assert_eq!(run.sunk_head().get("x-seen"), Some("yes"));
    assert_eq!(run.sunk_head().get("x"), Some("1"));
    run.data_end("ab").expect(r#"B.D("ab",1)"#, r#"D("ab") end"#);
    run.finish("complete");
}

/// Without *hold head* it goes on after the first poll; then it is a typed error to ask for it.
fn gone_after_the_first_poll<H: Dir>() {
    async fn late(mut input: Input, mut output: Output) -> Result<(), Error> {
        output.release_head()?;
        let chunk = input.next().await?;
        let kind = input.headers(mark).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::HeadGone));
        let kind = output.declare_bytes(2).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::HeadGone));
        output.send(chunk.unwrap_or_default()).await
    }
    let mut run = Stage::<H>::new([]).raw("late", async_filter(Declaration::new(), late)).run();
    run.head(false).sink("H(0)").data_end("ab").sink(r#"D("ab") end"#);
    run.finish("complete");
}

/// With *hold head* it stays until the first byte is sent, and is edited as long.
fn held_until_the_first_byte<H: Dir>() {
    async fn sniff(mut input: Input, mut output: Output) -> Result<(), Error> {
        let first = input.next().await?;
        let second = input.next().await?;
        input.headers(mark)?;
        for chunk in [first, second].into_iter().flatten() {
            output.send(chunk).await?;
        }
        copy(input, output).await
    }
    let mut run = Stage::<H>::new([]).raw("sniff", async_filter(holder(), sniff)).run();
    run.head(false).sink("").data("ab").sink("").data("cd").sink(r#"H(0) D("abcd")"#);
    assert_eq!(run.sunk_head().get("x-seen"), Some("yes"));
    run.data_end("e").sink(r#"D("e") end"#);
    run.finish("complete");

    // The end comes first.
    let mut run = Stage::<H>::new([]).raw("sniff", async_filter(holder(), sniff)).run();
    run.head(false).sink("").end().sink("H(1)");
    run.finish("complete");
}

fn let_go_on_request<H: Dir>() {
    let gate = Gate::default();
    let opened = gate.clone();
    let wait = move |mut input: Input, mut output: Output| {
        let opened = opened.opened();
        async move {
            opened.await;
            input.headers(mark)?;
            output.release_head()?;
            copy(input, output).await
        }
    };
    let mut run = Stage::<H>::new([]).raw("wait", async_filter(holder(), wait)).run();
    run.head(false).data("ab").sink("").holds(2);
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().sink(r#"H(0) D("ab")"#);
    assert_eq!(run.sunk_head().get("x-seen"), Some("yes"));
    run.end().sink("end");
    run.finish("complete");
}

/// An answer that comes from elsewhere decides on the message while its head is held.
fn refused_after_an_answer<H: Dir>() {
    let gate = Gate::default();
    let opened = gate.clone();
    let ask = move |_: Input, output: Output| {
        let opened = opened.opened();
        async move {
            opened.await;
            output.reply(LocalReply::new(StatusCode::UNAUTHORIZED))
        }
    };
    let mut run = Stage::<H>::new([]).raw("ask", async_filter(holder(), ask)).run();
    run.head(false).data("ab").sink("");
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().sink(if H::REQUEST { "reply(401,0)" } else { "H[401](1)" });
    run.finish("replaced 401 by ask");
}

/// A preferred *hold head* that the edge cannot meet: the head goes, and the future can know.
fn not_granted<H: Dir>() {
    async fn sniff(mut input: Input, mut output: Output) -> Result<(), Error> {
        let mark = if input.granted(Capability::HoldHead)? { "held" } else { "gone" };
        let first = input.next().await?;
        output.send(mark).await?;
        output.send(first.unwrap_or_default()).await
    }
    let declaration = || editor().prefer(Capability::HoldHead);
    for (edge, sunk) in [
        (Capabilities::ALL, r#"H(0) D("heldab") end"#),
        (Capabilities::ALL.without(Capability::HoldHead), r#"H(0) D("goneab") end"#),
    ] {
        let mut run =
            Stage::<H>::new([]).edge(edge).raw("sniff", async_filter(declaration(), sniff)).run();
        run.head(false).data_end("ab").sink(sunk);
        run.finish("complete");
    }
}

/// A length that the filter declares is kept, and kept to (I12).
fn declared_length<H: Dir>() {
    async fn upper(mut input: Input, mut output: Output) -> Result<(), Error> {
        assert_eq!(input.declared_bytes()?, Some(2));
        let body = input.collect(10).await?;
        output.declare_bytes(body.len() as u64 + 2)?;
        output.send("<").await?;
        output.send_all(body).await?;
        output.send(">").await
    }
    let mut run = Stage::<H>::new([]).raw("upper", async_filter(holder(), upper)).run();
    run.head_of(H::declaring(2), false).data_end("ab").sink(r#"H(0) D("<ab>") end"#);
    assert_eq!(run.sunk_head().get("content-length"), Some("4"));
    run.finish("complete");

    async fn lies(_: Input, mut output: Output) -> Result<(), Error> {
        output.declare_bytes(3)?;
        output.send("1234").await
    }
    let mut run = Stage::<H>::new([]).raw("lies", async_filter(editor(), lies)).run();
    run.head(false).sink("reset(over 3)");
    run.finish("failed over 3");
}

/// A message without a body takes none from a filter either.
fn no_body<H: Dir>() {
    async fn adds(_: Input, mut output: Output) -> Result<(), Error> {
        match output.send("x").await {
            Err(error) if error.kind() == ErrorKind::BodyForbidden => Ok(()),
            other => panic!("{other:?}"),
        }
    }
    let mut run = Stage::<H>::new([])
        .traits(MessageTraits::new().bodiless())
        .raw("adds", async_filter(editor(), adds))
        .run();
    run.head(true).sink("H(1)");
    run.finish("complete");
}

/// A result is said while the head is here, and only one that was declared.
fn results<H: Dir>() {
    async fn says(mut input: Input, mut output: Output) -> Result<(), Error> {
        output.set_result("declared")?;
        let chunk = input.next().await?;
        let kind = output.set_result("declared").map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::HeadGone));
        output.send(chunk.unwrap_or_default()).await
    }
    let declared = Declaration::new().result("declared");
    let mut run = Stage::<H>::new([]).raw("says", async_filter(declared, says)).run();
    run.head(false).sink("H(0)").data_end("ab").sink(r#"D("ab") end"#);
    run.finish("complete");

    let mut run = Stage::<H>::new([]).raw("says", async_filter(Declaration::new(), says)).run();
    run.head(false).sink("reset(says undeclared result)");
    run.finish("failed says undeclared result");
}

both!(
    results,
    edited_in_the_first_poll,
    gone_after_the_first_poll,
    held_until_the_first_byte,
    let_go_on_request,
    refused_after_an_answer,
    not_granted,
    declared_length,
    no_body,
);

/// A filter of one direction knows the whole head.
#[test]
fn whole_heads() {
    async fn path(mut input: Input<request::Parts>, _: Output) -> Result<(), Error> {
        input.head(|head| head.uri = http::Uri::from_static("/moved"))
    }
    let mut run = Stage::<request::Parts>::new([]).raw("path", async_filter(editor(), path)).run();
    run.head(true).sink("H(1)");
    assert_eq!(run.sunk_head().uri, "/moved");
    run.finish("complete");

    async fn status(mut input: Input<response::Parts>, _: Output) -> Result<(), Error> {
        input.head(|head| head.status = StatusCode::ACCEPTED)
    }
    let mut run =
        Stage::<response::Parts>::new([]).raw("status", async_filter(editor(), status)).run();
    run.head(true).sink("H[202](1)");
    run.finish("complete");
}

/// The response filters behind a local reply can tell.
#[test]
fn local_replies_are_told() {
    async fn tell(mut input: Input, _: Output) -> Result<(), Error> {
        let local = input.is_local_reply()?;
        input.headers(|fields| fields.insert("x-local", HeaderValue::from(u16::from(local))))?;
        Ok(())
    }
    let mut run = Stage::<response::Parts>::new([]).raw("tell", async_filter(editor(), tell)).run();
    run.reply(LocalReply::new(StatusCode::NOT_FOUND)).sink("H[404](1)");
    assert_eq!(run.sunk_head().get("x-local"), Some("1"));
    run.finish("replaced 404");
}
