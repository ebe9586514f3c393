//! The proxy example on real sockets: started in this process on loopback, between clients and
//! origins that keep to the protocol and some that do not. Beside it the ext_proc example, which
//! runs the same filters.
//!
//! Every case runs on a runtime of its own, is bounded in time, and ends with no task left. What
//! both sides saw is checked, and that every chain was closed and dropped (`watch::Watch`).

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[allow(dead_code, reason = "tests use parts of the example")]
#[path = "../examples/proxy/mod.rs"]
mod proxy;

#[path = "../examples/ext_proc/mod.rs"]
mod ext_proc;

#[path = "proxy/mod.rs"]
mod cases;

use proxy::{filter_spec, filters};

/// Counts what is allocated, for the cases about leaks.
#[global_allocator]
static ALLOCATOR: proxy::alloc::Counting = proxy::alloc::Counting;
