//! A small message from beginning to end (T3), beside the floor and what people use today, and what
//! an exchange that waits costs in memory (T10). Compare within one run only.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::BodyExt;

#[path = "rows/lifecycle.rs"]
mod rows;

use rows::{CHUNK_BYTES, CHUNKS, Floor, Messages, chunk, fields, head, header_maps};

const FILTERS: usize = 8;

fn lifecycle(c: &mut Criterion) {
    let mut group = c.benchmark_group("small_message");
    group.bench_function("header_maps", |b| b.iter(header_maps));
    for filters in [0, FILTERS] {
        let mut floor = Floor::new(filters);
        group.bench_function(BenchmarkId::new("floor_reused", filters), |b| {
            b.iter(|| floor.message());
        });
        let recycled = Messages::new(filters, true);
        group.bench_function(BenchmarkId::new("chain_recycled", filters), |b| {
            b.iter(|| recycled.message());
        });
        let fresh = Messages::new(filters, false);
        group.bench_function(BenchmarkId::new("chain_fresh", filters), |b| {
            b.iter(|| fresh.message());
        });
        group.bench_function(BenchmarkId::new("map_frame_boxed", filters), |b| {
            b.iter(|| boxed_message(filters));
        });
    }
    group.finish();
}

/// A message of [`CHUNKS`] chunks and trailers.
struct Small(usize);

impl Body for Small {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0 += 1;
        Poll::Ready(match self.0 {
            1..=CHUNKS => Some(Ok(Frame::data(chunk()))),
            5 => Some(Ok(Frame::trailers(black_box(fields())))),
            _ => None,
        })
    }
}

/// The same behind `layers` boxed layers of `map_frame`, made for the message.
fn boxed_message(layers: usize) {
    black_box(head());
    let mut body = Small(0).boxed_unsync();
    for _ in 0..layers {
        let mut seen_bytes = 0;
        body = body
            .map_frame(move |frame| {
                seen_bytes += frame.data_ref().map_or(0, Bytes::len);
                black_box(seen_bytes);
                frame
            })
            .boxed_unsync();
    }
    let mut cx = Context::from_waker(Waker::noop());
    let (mut out_bytes, mut trailers) = (0, 0);
    while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) {
        let frame = black_box(frame);
        out_bytes += frame.data_ref().map_or(0, Bytes::len);
        trailers += frame.trailers_ref().map_or(0, HeaderMap::len);
    }
    assert_eq!((out_bytes, trailers), (CHUNKS * CHUNK_BYTES, 1));
}

const _: () = assert!(CHUNKS == 4, "the trailers are the fifth frame");

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = lifecycle
}
criterion_main!(benches);
