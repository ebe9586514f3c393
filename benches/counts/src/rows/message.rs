//! A small message: the rows of `benches/lifecycle` (T3).

use crate::lifecycle::{Floor, Messages};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_message_0", "floor_message_0", "message", 400, || floor(0)),
    row("floor_message_8", "floor_message_8", "message", 400, || floor(8)),
    row("message_recycled_0", "floor_message_0", "message", 400, || messages(0, true)),
    row("message_recycled_8", "floor_message_8", "message", 400, || messages(8, true)),
    row("message_fresh_0", "floor_message_0", "message", 400, || messages(0, false)),
    row("message_fresh_8", "floor_message_8", "message", 400, || messages(8, false)),
];

fn floor(hooks: usize) -> Run {
    let mut floor = Floor::new(hooks);
    Box::new(move |messages| (0..messages).for_each(|_| floor.message()))
}

fn messages(filters: usize, recycled: bool) -> Run {
    let plan = Messages::new(filters, recycled);
    Box::new(move |messages| (0..messages).for_each(|_| plan.message()))
}
