//! Instructions and allocations of the hot paths, not time: the same on a busy machine.
//!
//! `cargo run --release` in this folder prints allocations per chunk of each row, and panics if a
//! path that must not allocate does. With a row's name and a number of chunks it runs just that,
//! for `valgrind --tool=callgrind`: the difference of two runs with different numbers is what the
//! chunks cost. `.ci/counts` does that and prints the ratios to the floor.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

#[path = "../../rows/chain.rs"]
mod rows;

use rows::{Carry, Floor, Source};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system allocator unchanged; the counter does not
// allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

type Row = (&'static str, Box<dyn FnMut(u64)>);

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for filters in [0, 8] {
        let mut floor = Floor::new(filters, Source::Static);
        let name = if filters == 0 { "floor_0" } else { "floor_8" };
        rows.push((name, Box::new(move |chunks| floor.run(chunks))));
    }
    let mut carry = |name, mut carry: Carry| {
        rows.push((name, Box::new(move |chunks| carry.run(chunks)) as Box<dyn FnMut(u64)>));
    };
    carry("pass_0", Carry::passing(0, Source::Static));
    carry("pass_8", Carry::passing(8, Source::Static));
    carry("pass_8_shared", Carry::passing(8, Source::shared()));
    carry("async_8", Carry::asynchronous(8, Source::Static));
    carry("uninterested_8", Carry::uninterested(8, Source::Static));
    carry("hold_release_alone", Carry::holding(0, 1, Source::Static));
    carry("hold_release_among_7", Carry::holding(7, 1, Source::Static));
    carry("hold_release_4", Carry::holding(0, 4, Source::Static));
    rows
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    if let (Some(name), Some(chunks)) = (args.next(), args.next()) {
        let chunks = chunks.parse().expect("a number of chunks");
        let mut rows = rows();
        let row = rows.iter_mut().find(|row| row.0 == name);
        let (_, run) = row.unwrap_or_else(|| panic!("no row `{name}`"));
        run(chunks);
        return;
    }
    const CHUNKS: u64 = 6400;
    for (name, mut run) in rows() {
        run(64);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        run(CHUNKS);
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        println!("{name}: {allocations} allocations in {CHUNKS} chunks");
        assert_eq!(allocations, 0, "`{name}` allocates");
    }
}
