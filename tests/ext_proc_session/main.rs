//! Sessions by hand: what is answered in each mode, event by event.

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

mod answers;
mod context;
mod filters;
mod replies;
mod support;
