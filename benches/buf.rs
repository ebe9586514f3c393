//! The body buffer beside a plain `VecDeque<Bytes>`, the least that a chain of segments can be.
//!
//! The floor is unfair to the buffer in two ways: it keeps no length, and it cannot lose its
//! order. Judge by the pair in one run; figures of different builds move by a third.

use std::{collections::VecDeque, hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidegate::buf::BodyBuf;

/// The usual DATA frame, in bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// How many chunks wait at a time.
const WINDOW: usize = 64;

/// Letters, so that a search meets the bytes of its needle now and then, as in text.
static BODY: [u8; CHUNK_BYTES] = {
    let mut body = [0; CHUNK_BYTES];
    let mut i = 0;
    let mut x = 1_u32;
    while i < body.len() {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        body[i] = b'a' + ((x >> 16) % 26) as u8;
        i += 1;
    }
    body
};

const fn chunk() -> Bytes {
    Bytes::from_static(&BODY)
}

/// 64 chunks of 16 KiB wait, then leave one by one: a holder that releases (T7).
fn push_drain(c: &mut Criterion) {
    let mut group = c.benchmark_group("push+drain 64 x 16 KiB");
    group.throughput(Throughput::Elements(WINDOW as u64));
    let mut floor = VecDeque::new();
    group.bench_function("VecDeque", |b| {
        b.iter(|| {
            for _ in 0..WINDOW {
                floor.push_back(black_box(chunk()));
            }
            while let Some(chunk) = floor.pop_front() {
                black_box(chunk);
            }
        });
    });
    let mut buf = BodyBuf::new();
    group.bench_function("BodyBuf", |b| {
        b.iter(|| {
            for _ in 0..WINDOW {
                buf.push(black_box(chunk()));
            }
            while let Some(chunk) = buf.pop_front() {
                black_box(chunk);
            }
        });
    });
    group.finish();
}

/// 64 chunks are handed from one holder to the next and leave there: a release into an empty
/// station. The floor appends deques.
fn hand_over(c: &mut Criterion) {
    let mut group = c.benchmark_group("push, hand over, drain 64 x 16 KiB");
    group.throughput(Throughput::Elements(WINDOW as u64));
    let (mut floor, mut next) = (VecDeque::new(), VecDeque::new());
    group.bench_function("VecDeque", |b| {
        b.iter(|| {
            for _ in 0..WINDOW {
                floor.push_back(black_box(chunk()));
            }
            next.append(&mut floor);
            while let Some(chunk) = next.pop_front() {
                black_box(chunk);
            }
        });
    });
    let (mut buf, mut next) = (BodyBuf::new(), BodyBuf::new());
    group.bench_function("BodyBuf", |b| {
        b.iter(|| {
            for _ in 0..WINDOW {
                buf.push(black_box(chunk()));
            }
            next.append(&mut buf);
            while let Some(chunk) = next.pop_front() {
                black_box(chunk);
            }
        });
    });
    group.finish();
}

/// One chunk in, one out: what a chunk costs where nobody holds.
fn single(c: &mut Criterion) {
    let mut group = c.benchmark_group("push+pop 1 x 16 KiB");
    group.throughput(Throughput::Elements(1));
    let mut floor = VecDeque::new();
    group.bench_function("VecDeque", |b| {
        b.iter(|| {
            floor.push_back(black_box(chunk()));
            floor.pop_front()
        });
    });
    let mut buf = BodyBuf::new();
    group.bench_function("BodyBuf", |b| {
        b.iter(|| {
            buf.push(black_box(chunk()));
            buf.pop_front()
        });
    });
    group.finish();
}

/// A window is cut at offsets that no segment ends at: records of 5,001 bytes in frames of
/// 16 KiB (T7). The floor does by hand what `move_to` does, into a deque that is kept.
fn split(c: &mut Criterion) {
    const RECORD: usize = 5_001;
    let records = WINDOW * CHUNK_BYTES / RECORD;
    for (kind, source) in [("static", chunk()), ("shared", Bytes::from(BODY.to_vec()))] {
        // A second reference, so that the allocation is shared before the first split.
        let _shared = source.clone();
        let mut group = c.benchmark_group(format!("fill, split at odd offsets, {kind}"));
        group.throughput(Throughput::Elements(records as u64));
        let (mut floor, mut record) = (VecDeque::new(), VecDeque::new());
        group.bench_function("VecDeque", |b| {
            b.iter(|| {
                floor.extend((0..WINDOW).map(|_| source.clone()));
                for _ in 0..records {
                    floor_split(&mut floor, &mut record, RECORD);
                    black_box(&record);
                    record.clear();
                }
                floor.clear();
            });
        });
        let (mut buf, mut record) = (BodyBuf::new(), BodyBuf::new());
        group.bench_function("BodyBuf move_to", |b| {
            b.iter(|| {
                buf.extend((0..WINDOW).map(|_| source.clone()));
                for _ in 0..records {
                    buf.move_to(&mut record, RECORD);
                    black_box(&record);
                    record.clear();
                }
                buf.clear();
            });
        });
        group.finish();
    }
}

fn floor_split(from: &mut VecDeque<Bytes>, to: &mut VecDeque<Bytes>, n: usize) {
    let mut left = n;
    while left > 0 {
        let Some(front) = from.front_mut() else { return };
        if front.len() > left {
            to.push_back(front.split_to(left));
            return;
        }
        left -= front.len();
        to.extend(from.pop_front());
    }
}

/// One segment is cut into frames of 100 bytes: a peer's small windows (T7: at most 30 ns).
fn split_one(c: &mut Criterion) {
    const PART: usize = 100;
    let parts = CHUNK_BYTES / PART;
    for (kind, source) in [("static", chunk()), ("shared", Bytes::from(BODY.to_vec()))] {
        let _shared = source.clone();
        let mut group = c.benchmark_group(format!("split_to within a segment, {kind}"));
        group.throughput(Throughput::Elements(parts as u64));
        group.bench_function("Bytes", |b| {
            b.iter(|| {
                let mut whole = source.clone();
                for _ in 0..parts {
                    black_box(whole.split_to(PART));
                }
            });
        });
        group.bench_function("BodyBuf", |b| {
            b.iter(|| {
                let mut whole = BodyBuf::from(source.clone());
                for _ in 0..parts {
                    black_box(whole.split_to(PART));
                }
            });
        });
        group.finish();
    }
}

/// Chunks of 100 bytes come to rest and are released 32 at a time: server-sent events behind a
/// holder. The floor keeps each as a segment, which costs nothing now and 32 bytes each while held.
fn pack(c: &mut Criterion) {
    let mut group = c.benchmark_group("hold+release 32 x 100 B");
    group.throughput(Throughput::Elements(32));
    let small = || Bytes::from_static(&BODY[..100]);
    let mut floor = VecDeque::new();
    group.bench_function("VecDeque, not packed", |b| {
        b.iter(|| {
            for _ in 0..32 {
                floor.push_back(black_box(small()));
            }
            while let Some(chunk) = floor.pop_front() {
                black_box(chunk);
            }
        });
    });
    let mut buf = BodyBuf::new();
    group.bench_function("BodyBuf, packed", |b| {
        b.iter(|| {
            for _ in 0..32 {
                buf.push_at_rest(black_box(small()));
            }
            while let Some(chunk) = buf.pop_front() {
                black_box(chunk);
            }
        });
    });
    group.finish();
}

/// A needle of 20 bytes that is not there, in 1 MiB: a scanner over what it holds. The floor is
/// memchr on one contiguous slice; the small segments show what the borders cost.
fn find(c: &mut Criterion) {
    const NEEDLE: &[u8] = b"--not in the body--";
    let mut group = c.benchmark_group("find in 1 MiB");
    group.throughput(Throughput::Bytes((WINDOW * CHUNK_BYTES) as u64));
    let flat = BODY.repeat(WINDOW);
    let finder = memchr::memmem::Finder::new(NEEDLE);
    group.bench_function("memmem, contiguous", |b| b.iter(|| finder.find(black_box(&flat))));
    for size in [CHUNK_BYTES, 512, 16] {
        let part = Bytes::from_static(&BODY[..size]);
        let buf: BodyBuf = (0..flat.len() / size).map(|_| part.clone()).collect();
        group.bench_function(format!("BodyBuf, segments of {size} B"), |b| {
            b.iter(|| black_box(&buf).find(NEEDLE, 0));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots();
    targets = push_drain, hand_over, single, split, split_one, pack, find
}
criterion_main!(benches);
