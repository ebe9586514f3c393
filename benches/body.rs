//! A chunk through filters behind the `http_body` face (T4), beside the floor and what people use
//! today. Compare within one run only.

use criterion::{Criterion, criterion_group, criterion_main};

mod kit;
#[cfg(feature = "comparisons")]
#[path = "peers/body.rs"]
mod peers;
#[path = "rows/body.rs"]
mod rows;

use kit::Case;
use rows::{
    CHUNK_BYTES, Endless, Floor, Message, SIZES, SOURCES, Script, Scripted, Source, filtered, take,
    whole,
};

/// Chunks of one turn.
const CHUNKS: u64 = 320;

/// Turns chunks through so many filters, as often as it is told to.
type Turn = Box<dyn FnMut(u64)>;

/// One way of putting filters around a body.
struct Way {
    name: &'static str,
    note: &'static str,
    /// An endless message: filters, source.
    endless: fn(usize, Source) -> Turn,
    /// A message with an end.
    whole: fn(usize, Script) -> Message,
}

const FLOOR: Way = Way {
    name: "floor",
    note: "one body that makes a virtual call a filter on the chunk: no back-pressure, no holding, \
           no limits, no end but the source's",
    endless: |filters, source| turn(source.chunk_bytes(), Floor::new(filters, Endless(source))),
    whole: |filters, script| whole(Floor::new(filters, Scripted::new(script))),
};

const OURS: Way = Way {
    name: "tidegate",
    note: "a `FilteredBody` around filters that count and pass: back-pressure, holding, ends, \
           limits, an error that cuts",
    endless: |filters, source| turn(source.chunk_bytes(), filtered(filters, Endless(source))),
    whole: |filters, script| whole(filtered(filters, Scripted::new(script))),
};

fn turn<B>(chunk_bytes: usize, mut body: B) -> Turn
where
    B: http_body::Body<Data = bytes::Bytes> + Unpin + 'static,
{
    Box::new(move |chunks| take(&mut body, chunks, chunk_bytes))
}

fn ways() -> impl Iterator<Item = &'static Way> {
    #[cfg(feature = "comparisons")]
    let peers = peers::WAYS;
    #[cfg(not(feature = "comparisons"))]
    let peers: &[Way] = &[];
    [&FLOOR, &OURS].into_iter().chain(peers)
}

/// All sizes and numbers of filters beside peers, else the usual ones.
fn is_wanted(bytes: usize, filters: usize) -> bool {
    cfg!(feature = "comparisons") || (bytes == CHUNK_BYTES && matches!(filters, 0 | 8))
}

fn body(c: &mut Criterion) {
    for (size, bytes) in SIZES {
        for (kind, source) in SOURCES {
            for filters in [0, 1, 4, 8, 16].into_iter().filter(|&n| is_wanted(bytes, n)) {
                let name = format!("body/{size}/{kind}/{filters}");
                let unit = "chunk";
                let case = Case { name, units: CHUNKS, unit, bytes: CHUNKS * bytes as u64 };
                for way in ways() {
                    case.row(c, way.name, way.note, || {
                        let script = Script::new(15, bytes);
                        script.expect(&(way.whole)(filters, script.clone()));
                        let mut turn = (way.endless)(filters, source(bytes));
                        move || turn(CHUNKS)
                    });
                }
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = body
}
criterion_main!(benches);
