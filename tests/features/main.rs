//! What users ask of filter chains first, and what must never happen to them, in both directions.
//! Rules and rulings in the comments are those of `docs/architecture.md`.

#[path = "../kit/mod.rs"]
mod kit;

mod bodies;
mod bounds;
mod capabilities;
mod cuts;
mod edits;
mod ends;
mod fail_open;
mod heads;
mod informational;
mod interest;
mod length;
mod length_exit;
mod marks;
mod panics;
mod replies;
mod replies_outside;
mod stalls;
mod trailers;
mod work;
