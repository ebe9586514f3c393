//! Against a real Envoy 1.40.0: a client, Envoy, an origin, and external processors on loopback.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

mod bodies;
mod buffered;
mod chains;
mod duplex;
mod failures;
mod gateway_6270;
mod harness;
mod heads;
mod operation;
mod overrides;
mod raw_echo;
mod replies;
mod scenarios;
mod served;
mod shapes;
mod streamed;

use harness::configuration::Configuration;
use harness::raw::RawProcessor;

/// Every listener of the Envoy under test whose processor is not of the table.
fn configurations() -> Vec<Configuration> {
    let (dead, apart) = (served::table::dead(), served::apart::configurations());
    [raw_echo::configurations(), gateway_6270::configurations(), dead, apart].concat()
}

/// Every processor that is written by hand.
fn raw_processors() -> Vec<RawProcessor> {
    [raw_echo::processors(), gateway_6270::processors()].concat()
}
