//! What RFC 9113 (HTTP/2) and RFC 7541 (HPACK) ask of the server of external processing, in frames
//! written by hand, of every carrier; and what hostile clients may cost it.
//!
//! A case says what it sends and which outcomes its section allows. Where a carrier does something
//! else, `deviations` says so, with the reason.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

#[path = "../kit/rng.rs"]
mod rng;

#[path = "../ext_proc_server/stage.rs"]
#[allow(dead_code, reason = "its own tests use the rest")]
mod stage;

mod calls;
mod carrier;
mod case;
mod client;
mod compression;
mod continuation;
mod crowds;
mod deviations;
mod fields;
mod floods;
mod forgotten;
mod formats;
mod frames;
mod hpack;
mod huffman;
mod outcome;
mod preface;
mod record;
#[cfg(feature = "ext-proc-direct")]
mod services;
mod settings;
mod shutdown;
mod sizes;
mod states;
mod windows;
