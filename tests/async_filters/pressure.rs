//! Back-pressure by awaiting: what is sent beyond what was taken waits for room (I7).

use bytes::Bytes;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{Error, Interest, Marks, Output as Given};

use crate::kit::*;
use crate::stage::{Gate, Notes, editor};

/// Sends far more than it takes.
async fn produce(mut input: Input, mut output: Output) -> Result<(), Error> {
    input.next().await?;
    for n in 0..10u8 {
        output.send(vec![b'0' + n; 4]).await?;
    }
    Ok(())
}

/// A slow sink: never more than the mark of the output queue and one mark of the filter's are made,
/// and everything comes in the end.
fn a_slow_sink<H: Dir>() {
    let marks = editor().marks(Marks::from_high(8));
    let mut run =
        Stage::<H>::new([]).raw("produce", async_filter(marks, produce)).output_high(8).run();
    run.head(false).sink("H(0)").hold_sink();
    run.data_end("go");
    let mut taken = 0;
    while run.chain.outcome().is_none() {
        assert!(run.chain.held_bytes() <= 16 + 8, "{} held", run.chain.held_bytes());
        run.take_one();
        taken += 1;
    }
    assert!(taken > 4, "a piece a time");
    run.sink(r#"D("0000111122223333444455556666777788889999") end"#);
    run.finish("complete");
}

/// Bytes that take the place of others need no room.
fn a_replacer_never_waits<H: Dir>() {
    let notes = Notes::default();
    let noted = notes.clone();
    let upper = move |mut input: Input, mut output: Output| {
        let notes = noted.clone();
        async move {
            while let Some(chunk) = input.next().await? {
                output.send(chunk.to_ascii_uppercase()).await?;
                notes.add("sent");
            }
            Ok(())
        }
    };
    let marks = editor().marks(Marks::from_high(0));
    let mut run = Stage::<H>::new([]).raw("upper", async_filter(marks, upper)).run();
    run.head(false).data("ab").data_end("cd").sink(r#"H(0) D("ABCD") end"#);
    notes.expect("sent sent");
    run.finish("complete");
}

/// A chunk above the filter's own high mark goes in pieces.
fn a_chunk_above_the_mark<H: Dir>() {
    async fn large(_: Input, mut output: Output) -> Result<(), Error> {
        output.send(Bytes::from_static(b"0123456789abcdef")).await
    }
    let marks = editor().marks(Marks::from_high(5));
    let mut run =
        Stage::<H>::new([]).raw("large", async_filter(marks, large)).script(script("B")).run();
    run.head(true).drop_calls();
    run.sink(r#"H(0) D("0123456789abcdef") end"#);
    run.finish("complete");
}

/// A mark of 0 has no room for anything that was not there: a typed error and no hang.
fn no_room_at_all<H: Dir>() {
    async fn add(_: Input, mut output: Output) -> Result<(), Error> {
        output.send("x").await
    }
    let marks = editor().marks(Marks::from_high(0));
    let mut run = Stage::<H>::new([]).raw("add", async_filter(marks, add)).run();
    run.head(false).sink("reset(add limit 0)");
    run.finish("failed add limit 0");
}

/// Very many very small chunks in one poll: their bookkeeping stays bounded, and their order kept.
fn very_small_chunks<H: Dir>() {
    async fn crumbs(mut input: Input, mut output: Output) -> Result<(), Error> {
        let body = input.collect(10_000).await?;
        for byte in body.chunks().flatten() {
            output.send(vec![*byte]).await?;
        }
        Ok(())
    }
    let text: Vec<u8> = (0..5_000u32).map(|n| b'a' + (n % 26) as u8).collect();
    let mut run = Stage::<H>::new([]).raw("crumbs", async_filter(editor(), crumbs)).run();
    run.hold_sink().head(false).frame(Bytes::from(text.clone()), true);
    let (mut pieces, mut body) = (0, Vec::new());
    while run.chain.outcome().is_none() {
        if let Some(Given::Data(bytes)) = run.chain.poll_output() {
            pieces += 1;
            body.extend_from_slice(&bytes);
        }
    }
    assert!(pieces < 100, "{pieces} pieces");
    assert!(body == text, "the same bytes in the same order");
    run.abandon();
}

/// What comes while the filter waits for room stays with it, and the source pauses; a holder
/// behind it, not the filter, is what everybody waits for.
fn behind_a_holder<H: Dir>() {
    async fn double(mut input: Input, mut output: Output) -> Result<(), Error> {
        while let Some(chunk) = input.next().await? {
            output.send(chunk.clone()).await?;
            output.send(chunk).await?;
        }
        Ok(())
    }
    let marks = Marks::from_high(4);
    let mut run = Stage::<H>::new([])
        .raw("double", async_filter(editor().marks(marks), double))
        .script(script("B").data(HOLD).data(HOLD).marks(marks))
        .run();
    run.head(false).data("abc").wants(false);
    run.expect(r#"B.H(0) B.D("abcabc",0)"#, "H(0)");
    run.resume("B").expect(r#"B.resume("abcabc",0)"#, r#"D("abcabc")"#).wants(true);
    run.data_end("de").expect(r#"B.D("dede",1)"#, "");
    run.resume("B");
    run.drop_calls();
    run.sink(r#"D("dede") end"#);
    run.finish("complete");
}

/// It was over its high mark, has taken some and waits for the rest with what is left, between the
/// marks: the source goes on, as nothing else could ever bring it below the low one. It takes 900
/// bytes at most; then `more` come, and the end.
fn collecting<H: Dir>(before: impl IntoIterator<Item = Script<H>>, more: usize) -> Run<H> {
    let chunk = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
    let gate = Gate::default();
    let opened = gate.clone();
    let collects = move |mut input: Input, mut output: Output| {
        let opened = opened.opened();
        async move {
            opened.await;
            input.next().await?;
            let body = input.collect(900).await?;
            output.send(body.len().to_string()).await
        }
    };
    let filter = async_filter(editor().marks(Marks::from_high(1000)), collects);
    let mut run = Stage::<H>::new(before).raw("collects", filter).run();
    run.head(false).frame(chunk(600), false).frame(chunk(600), false).wants(false);
    gate.open();
    run.chain.handle_resumes();
    run.open_sink().holds(600).wants(true);
    run.frame(chunk(more), true);
    run
}

fn collects_between_the_marks<H: Dir>() {
    let mut run = collecting::<H>([], 200);
    run.sink(r#"H(0) D("800") end"#);
    run.finish("complete");

    let mut run = collecting::<H>([], 400);
    run.sink("H(0) reset(collects limit 900)");
    run.finish("failed collects limit 900");
}

/// At a station that is not the first.
fn collects_between_the_marks_further_on<H: Dir>() {
    let mut run = collecting::<H>([script("A").wants(Interest::NONE)], 200);
    run.sink(r#"H(0) D("800") end"#);
    run.finish("complete");
}

/// Small pieces of one poll are not copied: nothing has come to rest.
fn pieces_of_one_poll_are_not_packed<H: Dir>() {
    const PIECES: [&str; 3] = ["one", "two", "three"];
    async fn pieces(_: Input, mut output: Output) -> Result<(), Error> {
        for piece in PIECES {
            output.send(piece).await?;
        }
        Ok(())
    }
    let mut run = Stage::<H>::new([]).raw("pieces", async_filter(editor(), pieces)).run();
    run.head(false);
    let given = run.take_pieces();
    let places = |piece: &Bytes| piece.as_ptr();
    let expected: Vec<_> = PIECES.iter().map(|piece| piece.as_ptr()).collect();
    assert_eq!(given.iter().map(places).collect::<Vec<_>>(), expected);
    run.end().sink("H(0) end");
    run.finish("complete");
}

both!(
    collects_between_the_marks_further_on,
    pieces_of_one_poll_are_not_packed,
    collects_between_the_marks,
    a_slow_sink,
    a_replacer_never_waits,
    a_chunk_above_the_mark,
    no_room_at_all,
    very_small_chunks,
    behind_a_holder,
);
