//! A chunk through async filters (T11), beside callback filters and beside a task and a channel a
//! filter. Compare within one run only.

use criterion::{Criterion, criterion_group, criterion_main};

mod kit;
#[cfg(feature = "comparisons")]
#[path = "peers/tasks.rs"]
mod peers;
#[path = "rows/chain.rs"]
mod rows;

use kit::Case;
use rows::{CHUNK_BYTES, Carry, Script, Source};

/// Chunks of one turn.
const CHUNKS: u64 = 320;

fn async_filters(c: &mut Criterion) {
    for (kind, source) in
        [("static", Source::Static), ("shared", Source::shared()), ("fresh", fresh())]
    {
        for filters in [0, 1, 4, 8, 16] {
            let usual = kind == "static" && matches!(filters, 0 | 1 | 8);
            if !usual && !cfg!(feature = "comparisons") {
                continue;
            }
            rows(c, &format!("{kind}/{filters}"), filters, &source);
        }
    }
}

fn rows(c: &mut Criterion, name: &str, filters: usize, source: &Source) {
    let case = Case {
        name: format!("async_filter/16KiB/{name}"),
        units: CHUNKS,
        unit: "chunk",
        bytes: CHUNKS * CHUNK_BYTES as u64,
    };
    let script = || Script::new(20, CHUNK_BYTES);
    let note = "callback filters of the same engine that count and pass: nothing waits";
    case.row(c, "floor", note, || {
        script().expect(&Carry::passing(filters, Source::Static).whole(script()));
        let mut carry = Carry::passing(filters, source.clone());
        move || carry.run(CHUNKS)
    });
    let note = "async filters that take each chunk and send it: body filters as `async fn`";
    case.row(c, "tidegate", note, || {
        script().expect(&Carry::asynchronous(filters, Source::Static).whole(script()));
        let mut carry = Carry::asynchronous(filters, source.clone());
        move || carry.run(CHUNKS)
    });
    #[cfg(feature = "comparisons")]
    for (name, room) in [("tokio_tasks_mpsc_16", 16), ("tokio_tasks_mpsc_1", 1)] {
        let note = "a task a filter behind tokio's mpsc with room for so many chunks, on one \
                    thread. The tasks live on: a message costs nothing to begin";
        case.row(c, name, note, || {
            script().expect(&peers::Tasks::new(filters, room, Source::Static).whole(script()));
            let mut tasks = peers::Tasks::new(filters, room, source.clone());
            move || tasks.run(CHUNKS)
        });
    }
}

fn fresh() -> Source {
    Source::fresh(CHUNK_BYTES)
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = async_filters
}
criterion_main!(benches);
