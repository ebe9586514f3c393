//! Sessions by hand: what is answered in each mode, event by event.

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

#[path = "../support/counting.rs"]
mod counting;

mod answers;
mod chosen;
mod context;
mod cost;
mod counted;
mod filters;
mod kept;
mod originals;
mod queue;
mod replies;
mod support;
mod wakes;
mod whole;
