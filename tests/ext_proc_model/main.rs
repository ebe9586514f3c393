//! A session against a data plane that was written from the protocol's description alone.
//!
//! A seed makes a case: an exchange of any shape, any pair of modes, filters, a schedule that cuts
//! and delays, and what goes wrong. `TIDEGATE_SEED=n cargo test --test ext_proc_model` plays one
//! again, `TIDEGATE_CASES=n` more of them, `TIDEGATE_TRACE=1` shows the messages of one that fails.

mod case;
mod data_plane;
mod exhaustive;
mod filter;
mod futures;
mod hazards;
mod judge;
mod message;
#[path = "../kit/ext_proc/mod.rs"]
mod messages;
mod random;
#[path = "../kit/rng.rs"]
mod rng;
mod stage;
