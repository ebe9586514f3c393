//! What is counted.
//!
//! A row does one thing a number of times, and names the row that is its floor: a loop that does
//! nothing but what cannot be left out. Floors are rows themselves, with themselves for a floor.
//! Each row panics if what comes out is not what went in.

mod block;
mod body;
mod buf;
mod chain;
mod edit;
mod exchange;
mod message;
mod pipe;
mod session;
mod table;
mod wire;

pub(crate) use exchange::{Pass, plan as exchange_plan};
pub(crate) use session::{Talk, first_frame, last_frame, plan as session_plan};
pub(crate) use wire::body_frame;

/// Does its thing so many times.
pub(crate) type Run = Box<dyn FnMut(u64)>;

/// A row.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The name of its floor.
    pub(crate) floor: &'static str,
    /// What it does once.
    pub(crate) unit: &'static str,
    /// How often it does that while it is counted: ten times as often as to get warm.
    pub(crate) units: u64,
    pub(crate) make: fn() -> Run,
}

/// Every row.
pub(crate) fn all() -> Vec<Row> {
    [
        chain::ROWS,
        edit::ROWS,
        message::ROWS,
        exchange::ROWS,
        body::ROWS,
        pipe::ROWS,
        buf::ROWS,
        block::ROWS,
        table::ROWS,
        wire::ROWS,
        session::ROWS,
    ]
    .concat()
}

const fn row(
    name: &'static str,
    floor: &'static str,
    unit: &'static str,
    units: u64,
    make: fn() -> Run,
) -> Row {
    Row { name, floor, unit, units, make }
}
