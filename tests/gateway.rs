//! The gateway example on real sockets: its demo, smaller than by itself. It checks all that it
//! prints.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[allow(dead_code, reason = "tests use parts of the example")]
#[path = "../examples/gateway/mod.rs"]
mod gateway;

use gateway::demo::{Size, run};

#[test]
fn routes_recover_and_no_exchange_is_lost_or_sees_two_plans() {
    // Envoy Gateway #5595, G2, G3, G6, G8, G11.
    run(&Size { reloads: 8, clients: 4 }).unwrap();
}
