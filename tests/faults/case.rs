//! Runs one cell: a runtime with a clock that stands still, what is served in it, and what has to
//! be true when all is over.

use std::future::Future;
use std::time::Duration;

use tidegate::pool::PoolStats;
use tokio::runtime::{Builder, Handle};

use crate::board::Board;
use crate::cell::Cell;
use crate::net;

/// What came of a cell: the words of the table, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Finding {
    /// What the client was told.
    pub(crate) client: String,
    /// What the origin was.
    pub(crate) origin: String,
    /// What the embedder was told of both messages.
    pub(crate) request: String,
    pub(crate) response: String,
    /// Rules that were broken.
    pub(crate) faults: Vec<String>,
}

/// Runs `cell` with `play`, with what the network draws from `seed`.
pub(crate) fn run<F: Future<Output = Finding>>(
    cell: Cell,
    seed: u64,
    play: impl FnOnce(Cell) -> F,
) -> Finding {
    run_any(seed, || play(cell))
}

/// The same for any case.
pub(crate) fn run_any<F: Future<Output = Finding>>(seed: u64, play: impl FnOnce() -> F) -> Finding {
    net::dice(seed);
    let board = Board::clear();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut finding = runtime.block_on(async {
        let mut finding = play().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let tasks = Handle::current().metrics().num_alive_tasks();
        if tasks > 0 {
            finding.faults.push(format!("{tasks} tasks are left"));
        }
        finding
    });
    let sockets = net::open_sockets();
    drop(runtime);
    if sockets > 0 {
        finding.faults.push(format!("{sockets} connections are left"));
    }
    // What filters that hang wait for lives on the board.
    drop(board);
    finding
}

/// Whether each chain that was taken came back.
pub(crate) fn balance(name: &str, stats: PoolStats) -> Option<String> {
    let (taken, back) = (stats.reused + stats.missed, stats.returned + stats.refused);
    let kept = stats.returned - stats.reused;
    (taken != back || kept != stats.kept as u64).then(|| format!("{name}: chains: {stats:?}"))
}
