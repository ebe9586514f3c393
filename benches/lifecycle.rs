//! A small message from beginning to end (T3), beside the floor and what people use today. Compare
//! within one run only.

use criterion::{Criterion, criterion_group, criterion_main};

mod kit;
#[cfg(feature = "comparisons")]
#[path = "peers/lifecycle.rs"]
mod peers;
#[path = "rows/lifecycle.rs"]
mod rows;

use kit::Case;
use rows::{CHUNK_BYTES, CHUNKS, Floor, Message, Messages, check, header_maps};

/// One way of carrying small messages.
struct Way {
    name: &'static str,
    note: &'static str,
    /// With so many filters: one message a call.
    messages: fn(usize) -> Box<dyn FnMut()>,
    /// One message that is kept.
    kept: fn(usize) -> Message,
}

const OWN: [Way; 4] = [
    Way {
        name: "floor",
        note: "filters that are there already, a virtual call each on head, chunks and trailers \
               where they lie: no state, no holding, no limits, no end. Unfair on purpose",
        messages: |filters| {
            let mut floor = Floor::new(filters);
            Box::new(move || floor.message())
        },
        kept: |filters| Floor::new(filters).carry(),
    },
    Way {
        name: "floor_new",
        note: "the same with filters that are made for each message",
        messages: |filters| Box::new(move || Floor::new(filters).message()),
        kept: |filters| Floor::new(filters).carry(),
    },
    Way {
        name: "tidegate",
        note: "a chain and its filters that were used before: what a plan that keeps chains does",
        messages: |filters| {
            let messages = Messages::new(filters, true);
            Box::new(move || messages.message())
        },
        kept: |filters| {
            let messages = Messages::new(filters, true);
            // So that the chain was used before.
            messages.message();
            messages.carry()
        },
    },
    Way {
        name: "tidegate_new",
        note: "a chain and filters that are made for each message",
        messages: |filters| {
            let messages = Messages::new(filters, false);
            Box::new(move || messages.message())
        },
        kept: |filters| Messages::new(filters, false).carry(),
    },
];

fn ways() -> impl Iterator<Item = &'static Way> {
    #[cfg(feature = "comparisons")]
    let peers = peers::WAYS;
    #[cfg(not(feature = "comparisons"))]
    let peers: &[Way] = &[];
    const { &OWN }.iter().chain(peers)
}

fn lifecycle(c: &mut Criterion) {
    let filters: &[usize] = if cfg!(feature = "comparisons") { &[0, 1, 4, 8, 16] } else { &[0, 8] };
    for &filters in filters {
        let bytes = (CHUNKS * CHUNK_BYTES) as u64;
        let name = format!("lifecycle/small_message/{filters}");
        let case = Case { name, units: 1, unit: "message", bytes };
        case.row(c, "header_maps", "the two header maps that every row makes", || header_maps);
        for way in ways() {
            case.row(c, way.name, way.note, || {
                check(&(way.kept)(filters));
                (way.messages)(filters)
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = lifecycle
}
criterion_main!(benches);
