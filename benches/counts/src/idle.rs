//! What exchanges cost that wait (T10), with filters that pass in both directions.

use std::fs;

use http::Response;
use tidegate::exchange::{BoundExchangePlan, RequestSide, ResponseSide};
use tidegate::{MessageTraits, Output};

use crate::counting::live_bytes;
use crate::rows::{Pass, exchange_plan};

/// Exchanges that are alive at once.
const ALIVE: usize = 100_000;

type Exchange = (RequestSide, ResponseSide);

/// Heads have gone through; bodies may come.
fn waiting(plan: &BoundExchangePlan) -> Exchange {
    let traits = MessageTraits::new();
    let (mut up, mut down) = plan.exchange(traits, traits).expect("no needs");
    let (head, ()) = http::Request::new(()).into_parts();
    up.handle_head(head, false).expect("the first head");
    assert!(matches!(up.poll_output(), Some(Output::Head { .. })));
    let (head, ()) = Response::new(()).into_parts();
    down.handle_head(head, false).expect("the first head");
    assert!(matches!(down.poll_output(), Some(Output::Head { .. })));
    assert!(up.wants_input() && down.wants_input());
    (up, down)
}

/// Bytes of this process in memory, where the system says so.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// One row of a table: so many filters each way. Once a process, since freed memory stays resident.
pub(crate) fn print(filters: usize) {
    let plan = exchange_plan(filters);
    let resident = resident_bytes();
    let before = live_bytes();
    let mut alive: Vec<Exchange> = Vec::with_capacity(ALIVE);
    alive.extend((0..ALIVE).map(|_| waiting(&plan)));
    let each = (live_bytes() - before) / ALIVE as u64;
    let own = (2 * filters * size_of::<Pass>()) as u64;
    let resident = resident.zip(resident_bytes()).map_or_else(
        || "not known".to_owned(),
        |(before, now)| format!("{:.1} MB", (now - before) as f64 / 1e6),
    );
    println!("| {filters} | {each} | {} | {resident} |", each - own);
}
