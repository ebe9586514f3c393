//! A filter that edits each chunk: it puts other bytes in its place, or some into its middle.

use std::hint::black_box;

use bytes::Bytes;
use http::request;
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Filter, Head, MessageTraits, Output, Plan,
    Verdict, View,
};

use crate::chain::{CHUNK_BYTES, Source};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_replace", "floor_replace", "chunk", 6400, || floor(replaced)),
    row("floor_splice", "floor_splice", "chunk", 6400, || floor(spliced)),
    row("replace", "floor_replace", "chunk", 6400, || edited(Edit::Replace)),
    row("splice", "floor_splice", "chunk", 6400, || edited(Edit::Splice)),
];

static OTHER: [u8; CHUNK_BYTES] = [8; CHUNK_BYTES];
const AT: usize = 1000;
const WORD: &[u8] = b"12345678";

/// The three pieces that a chunk becomes.
type Pieces = [Bytes; 3];

fn replaced(_: Bytes) -> Pieces {
    [Bytes::from_static(&OTHER), Bytes::new(), Bytes::new()]
}

fn spliced(mut chunk: Bytes) -> Pieces {
    let mut rest = chunk.split_off(AT);
    drop(rest.split_to(WORD.len()));
    [chunk, Bytes::from_static(WORD), rest]
}

/// The edit by hand, in a call that is not inlined.
fn floor(edit: fn(Bytes) -> Pieces) -> Run {
    let edit = black_box(edit);
    Box::new(move |chunks| {
        let mut out_bytes = 0;
        for _ in 0..chunks {
            for piece in edit(black_box(Source::Static.next())) {
                out_bytes += black_box(piece).len() as u64;
            }
        }
        assert_eq!(out_bytes, chunks * CHUNK_BYTES as u64);
    })
}

#[derive(Clone, Copy)]
enum Edit {
    Replace,
    Splice,
}

impl<H: Head> Filter<H> for Edit {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    #[inline(never)]
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let edited = match self {
            Self::Replace => view.replace(0..CHUNK_BYTES, Bytes::from_static(&OTHER)),
            Self::Splice => view.replace(AT..AT + WORD.len(), Bytes::from_static(WORD)),
        };
        edited.expect("it was granted, and there is room");
        Verdict::PASS
    }
}

fn edited(edit: Edit) -> Run {
    let plan = Plan::builder().filter("edit", move || edit).build().expect("one filter");
    let plan = plan.bind(Capabilities::ALL).expect("no needs");
    let mut chain: Chain<request::Parts> = plan.chain(MessageTraits::new()).expect("no needs");
    let (head, ()) = http::Request::new(()).into_parts();
    chain.handle_head(head, false).expect("the first head");
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    Box::new(move |chunks| {
        let mut out_bytes = 0;
        for _ in 0..chunks {
            chain.handle_data(black_box(Source::Static.next()), false).expect("it is open");
            while let Some(data) = chain.poll_data() {
                out_bytes += black_box(data).len() as u64;
            }
            assert!(chain.poll_output().is_none() && chain.wants_input());
        }
        assert_eq!(out_bytes, chunks * CHUNK_BYTES as u64);
    })
}
