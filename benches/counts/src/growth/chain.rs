//! Inside one chain: its chunks, its filters, what it holds.

use std::hint::black_box;

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{self, async_filter};
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Declaration, Error, Filter, Head, Interest, Marks,
    MessageTraits, Output, Plan, Verdict, View,
};

use crate::chain::Source;
use crate::rows::Pass;

use super::{Growth, Job, growth};

pub(super) const GROWTHS: &[Growth] = &[
    growth("chunks", "chunk", &[1, 100, 10_000, 1_000_000], chunks),
    filters("filters", |filters| by_filters(filters, Kind::Pass)),
    filters("filters_uninterested", |filters| by_filters(filters, Kind::Heads)),
    filters("filters_holding", |filters| by_filters(filters, Kind::Hold)),
    growth("held", "segment", &DECADES, |segments| held(segments, 1024, Let::Go)),
    growth("held_small", "segment", &DECADES, |segments| held(segments, 1, Let::Go)),
    growth("held_in_drops", "segment", &DECADES, |segments| held(segments, 1024, Let::Drip)),
    growth("held_and_dropped", "segment", &DECADES, |segments| held(segments, 1024, Let::Fall)),
    growth("held_by_async", "segment", &DECADES, gathered),
    growth("output_queue", "segment", &DECADES, queued),
    growth("frame_in_pieces", "piece", &DECADES, pieces),
    growth("cut_from_front", "record", &DECADES, cut),
    growth("found_behind", "segment", &DECADES, found),
];

/// Chunks that go through so many filters.
const CHUNKS: usize = 500;

const fn filters(name: &'static str, make: fn(usize) -> Job) -> Growth {
    Growth {
        units: |filters| filters * CHUNKS,
        ..growth(name, "chunk at a filter", &[1, 8, 64], make)
    }
}

const DECADES: [usize; 4] = [10, 1000, 10_000, 100_000];

#[derive(Clone, Copy)]
enum Kind {
    Pass,
    Heads,
    Hold,
    /// Holds, and lets go a segment a resume.
    Drip,
}

impl<H: Head> Filter<H> for Kind {
    fn declare(&self) -> Declaration {
        let interest = if matches!(self, Self::Heads) { Interest::HEAD } else { Interest::ALL };
        Declaration::new().interest(interest).marks(Marks::from_high(u64::MAX))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        black_box(view.new_bytes());
        match self {
            Self::Pass | Self::Heads => Verdict::PASS,
            Self::Hold | Self::Drip => Verdict::HOLD,
        }
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        if matches!(self, Self::Drip) { Verdict::pass_first(1024) } else { Verdict::PASS }
    }
}

fn chain(filters: usize, kind: Kind) -> Chain<request::Parts> {
    let builder = Plan::builder().output_marks(Marks::from_high(u64::MAX));
    let builder = (0..filters).fold(builder, |builder, _| builder.filter("one", move || kind));
    opened(&builder.build().expect("few filters"))
}

fn opened(plan: &Plan<request::Parts>) -> Chain<request::Parts> {
    let plan = plan.bind(Capabilities::ALL).expect("no needs");
    let mut chain = plan.chain(MessageTraits::new()).expect("no needs");
    let (head, ()) = http::Request::new(()).into_parts();
    chain.handle_head(head, false).expect("the first head");
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    chain
}

/// A message with so many chunks through 8 filters, its making and its end.
fn chunks(chunks: usize) -> Job {
    let builder = Plan::builder();
    let builder = (0..8).fold(builder, |builder, _| builder.filter("pass", Pass::default));
    let plan = builder.build().expect("few filters");
    Box::new(move || {
        let mut chain = opened(&plan);
        for _ in 0..chunks {
            give(&mut chain, Source::Static.next());
            assert!(drained(&mut chain) > 0);
        }
        chain.handle_end().expect("the end is taken");
        assert!(matches!(chain.poll_output(), Some(Output::End)));
    })
}

fn give(chain: &mut Chain<request::Parts>, data: Bytes) {
    chain.handle_data(black_box(data), false).expect("data is wanted");
}

fn drained(chain: &mut Chain<request::Parts>) -> usize {
    let mut bytes = 0;
    while let Some(data) = chain.poll_data() {
        bytes += black_box(data).len();
    }
    bytes
}

/// Chunks through so many filters. Those that hold are resumed in their order.
fn by_filters(filters: usize, kind: Kind) -> Job {
    let mut chain = chain(filters, kind);
    Box::new(move || {
        for _ in 0..CHUNKS {
            give(&mut chain, Source::Static.next());
            if matches!(kind, Kind::Hold) {
                (0..filters).for_each(|station| chain.handle_resume(station));
            }
            assert!(drained(&mut chain) > 0);
        }
    })
}

#[derive(Clone, Copy)]
enum Let {
    Go,
    Drip,
    Fall,
}

/// So many segments come to rest, and leave.
fn held(segments: usize, bytes: usize, leave: Let) -> Job {
    let kind = if matches!(leave, Let::Drip) { Kind::Drip } else { Kind::Hold };
    let mut chain = chain(1, kind);
    let chunk = Source::Static.next().slice(..bytes);
    Box::new(move || {
        (0..segments).for_each(|_| give(&mut chain, chunk.clone()));
        let mut gone = 0;
        let resumes = match leave {
            Let::Go => 1,
            Let::Drip => segments,
            Let::Fall => return,
        };
        for _ in 0..resumes {
            chain.handle_resume(0);
            gone += drained(&mut chain);
            // Work that a call left over.
            while chain.has_work() {
                chain.handle_work();
                gone += drained(&mut chain);
            }
        }
        assert_eq!(gone, segments * bytes);
    })
}

/// An async filter gathers so many segments, and sends them.
fn gathered(segments: usize) -> Job {
    async fn gather(
        mut input: async_filter::Input,
        mut output: async_filter::Output,
    ) -> Result<(), Error> {
        let mut all = BodyBuf::new();
        while let Some(chunk) = input.next().await? {
            all.push(chunk);
        }
        output.send_all(all).await
    }
    let needs =
        Declaration::new().require(Capability::ChangeLength).marks(Marks::from_high(u64::MAX));
    let plan = Plan::builder().filter("gather", async_filter(needs, gather));
    let mut chain = opened(&plan.build().expect("one filter"));
    Box::new(move || {
        (0..segments).for_each(|_| give(&mut chain, Source::Static.next().slice(..1024)));
        chain.handle_end().expect("the end is taken");
        let mut gone = 0;
        while let Some(output) = chain.poll_output() {
            match output {
                Output::Data(data) => gone += data.len(),
                Output::End => break,
                other => panic!("{other:?}"),
            }
            chain.handle_resumes();
            if chain.has_work() {
                chain.handle_work();
            }
        }
        assert_eq!(gone, segments * 1024);
    })
}

/// A sink that takes nothing until all has come.
fn queued(segments: usize) -> Job {
    let mut chain = chain(8, Kind::Pass);
    let chunk = Source::Static.next().slice(..1024);
    Box::new(move || {
        (0..segments).for_each(|_| give(&mut chain, chunk.clone()));
        assert_eq!(drained(&mut chain), segments * 1024);
    })
}

/// One frame that is let in in so many pieces.
fn pieces(pieces: usize) -> Job {
    let plan = Plan::builder().filter("one", || Kind::Pass).max_frame_bytes(512);
    let plan = plan.output_marks(Marks::from_high(u64::MAX)).build().expect("one filter");
    let mut chain = opened(&plan);
    let frame = Bytes::from(vec![7; pieces * 512]);
    Box::new(move || {
        give(&mut chain, frame);
        let mut gone = drained(&mut chain);
        while chain.has_work() {
            chain.handle_work();
            gone += drained(&mut chain);
        }
        assert_eq!(gone, pieces * 512);
    })
}

/// Records are cut from the front of a buffer with so many segments.
fn cut(records: usize) -> Job {
    let segment = Source::Static.next().slice(..1024);
    let mut buf: BodyBuf = (0..records).map(|_| segment.clone()).collect();
    Box::new(move || {
        for _ in 0..records {
            assert_eq!(black_box(buf.split_to(1023)).len(), 1023);
        }
    })
}

/// A search through so many segments, for what is at their end.
fn found(segments: usize) -> Job {
    let segment = Source::Static.next().slice(..64);
    let mut buf: BodyBuf = (0..segments).map(|_| segment.clone()).collect();
    buf.push(Bytes::from_static(b"needle"));
    Box::new(move || assert_eq!(black_box(&buf).find(b"needle", 0), Some(segments * 64)))
}
