//! In memory, with frames that are made by hand.

mod directed;
mod random;
mod server;
mod world;

use server::Server;
