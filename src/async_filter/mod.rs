//! Async filters.
//!
//! This module never knows a chain.

mod alarm;
mod current;
mod filter;
mod input;
mod output;
mod sees;
mod slot;
mod wait;
mod waking;

pub use filter::{AsyncFilter, async_filter};
pub use input::Input;
pub use output::Output;
pub use sees::Sees;
