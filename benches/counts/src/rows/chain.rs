//! A chunk through a chain: the rows of `benches/chain`.

use crate::chain::{Carry, Floor, Source};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_0", "floor_0", "chunk", 6400, || floor(0, Source::Static)),
    row("floor_8", "floor_8", "chunk", 6400, || floor(8, Source::Static)),
    row("floor_8_shared", "floor_8_shared", "chunk", 6400, || floor(8, Source::shared())),
    row("pass_0", "floor_0", "chunk", 6400, || carry(Carry::passing(0, Source::Static))),
    row("pass_8", "floor_8", "chunk", 6400, || carry(Carry::passing(8, Source::Static))),
    row("pass_8_shared", "floor_8_shared", "chunk", 6400, || {
        carry(Carry::passing(8, Source::shared()))
    }),
    // T2: as if they were not there.
    row("uninterested_8", "pass_0", "chunk", 6400, || {
        carry(Carry::uninterested(8, Source::Static))
    }),
    row("async_8", "floor_8", "chunk", 6400, || carry(Carry::asynchronous(8, Source::Static))),
    row("hold_release_alone", "floor_0", "chunk", 6400, || {
        carry(Carry::holding(0, 1, Source::Static))
    }),
    row("hold_release_among_7", "floor_8", "chunk", 6400, || {
        carry(Carry::holding(7, 1, Source::Static))
    }),
    row("hold_release_4", "floor_0", "chunk", 6400, || carry(Carry::holding(0, 4, Source::Static))),
];

fn floor(hooks: usize, source: Source) -> Run {
    let mut floor = Floor::new(hooks, source);
    Box::new(move |chunks| floor.run(chunks))
}

fn carry(mut carry: Carry) -> Run {
    Box::new(move |chunks| carry.run(chunks))
}
