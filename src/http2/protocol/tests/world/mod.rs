//! A connection between a client and a driver that do as they are told by what is drawn, with what
//! both keep in mind of it beside: order and bytes of what comes, windows, slots.
//!
//! The fuzz target `http2_connection` has these files too.

mod client;
mod driver;
pub(crate) mod frame;
mod heard;
mod noise;
pub(crate) mod world_of_both;
mod written;

pub(crate) use world_of_both::World;

/// What is drawn from: a number below another one.
pub(crate) type Draw<'a> = dyn FnMut(usize) -> usize + 'a;
