//! The matrix of faults: at each edge, whatever goes wrong with a peer or a filter, at each phase
//! of an exchange, on either side, over each protocol.
//!
//! The edges are the real ones, on a network in memory and a clock that passes when nobody has
//! anything to do (`net`); the peers are byte by byte (`peer`). A cell checks what both peers and
//! the embedder were told (`expected`), that nothing that looks whole is not, and that nothing is
//! left: no task, connection, filter, chain or epoch. `docs/faults.md` is what it found.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod board;
mod case;
mod cell;
#[allow(dead_code, reason = "the proxy uses all of it")]
mod ends;
mod exchange;
mod expected;
mod ext_proc;
mod filters;
mod gateway;
mod hostile;
#[path = "../kit/ext_proc/mod.rs"]
mod messages;
mod net;
mod page;
mod peer;
mod proxy;

use std::fmt::Write as _;
use std::sync::{Once, OnceLock};

use case::Finding;
use cell::{Cell, Edge};
use tidegate::ext_proc::server::Carrier;

/// What the network draws from: in which pieces bytes arrive.
const SEEDS: [u64; 2] = [0x5eed, 0xfa_0175];

/// Panics that are planned are not printed.
fn quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&"as planned") {
                print(info);
            }
        }));
    });
}

/// What cells are run with. All of it has to come to the same.
#[derive(Debug, Clone, Copy)]
struct With {
    seed: u64,
    /// Of the external processor: the other edges are always on hyper.
    carrier: Carrier,
}

impl With {
    const FIRST: Self = Self { seed: SEEDS[0], carrier: Carrier::Hyper };

    fn others(edge: Edge) -> Vec<Self> {
        let on = |carrier| SEEDS.map(|seed| Self { seed, carrier });
        let direct = if let Edge::ExtProc = edge { &on(Carrier::Direct)[..] } else { &[] };
        [&on(Carrier::Hyper)[1..], direct].concat()
    }
}

fn run(cell: Cell, With { seed, carrier }: With) -> Finding {
    match cell.edge {
        Edge::Proxy => case::run(cell, seed, proxy::play),
        Edge::Gateway => case::run(cell, seed, gateway::play),
        Edge::ExtProc => case::run(cell, seed, |cell| ext_proc::play(cell, carrier)),
    }
}

/// Runs all cells of an edge.
fn found(edge: Edge, with: With) -> Found {
    quiet();
    let cells = Cell::all(edge);
    cells.map(|cell| (cell, cell.cannot_be().is_none().then(|| run(cell, with)))).collect()
}

type Found = Vec<(Cell, Option<Finding>)>;

/// What was found first: the page and the checks share it.
fn found_first(edge: Edge) -> &'static Found {
    static FOUND: [OnceLock<Found>; 3] = [const { OnceLock::new() }; 3];
    FOUND[edge as usize].get_or_init(|| found(edge, With::FIRST))
}

/// Runs all cells of an edge with all that they can be run with, and checks each of them.
fn check(edge: Edge) {
    let first = found_first(edge);
    let mut wrong = String::new();
    for (cell, finding) in first {
        for fault in finding.iter().flat_map(|finding| cell.judge(finding)) {
            let _ = writeln!(wrong, "{cell:?}, {:?}: {fault}\n    {finding:?}", With::FIRST);
        }
    }
    for with in With::others(edge) {
        for ((cell, expected), (_, finding)) in first.iter().zip(found(edge, with)) {
            if finding != *expected {
                let _ = writeln!(wrong, "{cell:?}: {with:?}\n    {finding:?}");
                let _ = writeln!(wrong, "    and {:?}\n    {expected:?}", With::FIRST);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn whatever_goes_wrong_at_the_proxy_is_told_and_leaves_nothing() {
    check(Edge::Proxy);
}

#[test]
fn whatever_goes_wrong_at_the_gateway_is_told_and_leaves_nothing() {
    check(Edge::Gateway);
}

#[test]
fn whatever_goes_wrong_at_the_external_processor_is_told_and_leaves_nothing() {
    check(Edge::ExtProc);
}

#[test]
fn the_page_is_what_was_found() {
    let edges = [Edge::Proxy, Edge::Gateway, Edge::ExtProc];
    let found = edges.map(|edge| (edge, found_first(edge)));
    let sections = found.each_ref().map(|(edge, found)| page::section(*edge, found));
    let cells = found.iter().map(|(_, found)| found.len()).sum();
    let none = found.iter().flat_map(|(_, found)| *found).filter(|(_, found)| found.is_none());
    let page = page::page(&sections, cells, none.count());
    assert!(
        page::is_committed(&page),
        "docs/faults.md is old: its first lines say how to write it"
    );
}
