//! In memory, with frames that are made by hand.

mod again;
mod directed;
mod edges;
mod heads;
mod random;
mod server;
pub(in crate::http2) mod world;

use server::Server;
