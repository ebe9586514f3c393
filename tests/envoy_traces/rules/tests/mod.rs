//! That the checker finds what is wrong in a trace, and nothing where nothing is.
//!
//! This module never plays a trace through tidegate.

mod hazards;
mod mini;
mod rules;
