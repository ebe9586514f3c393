//! What a hostile peer can make a message cost: each bound with a test at the limit and one past
//! it (`catalogue`, from which `docs/budgets.md` is made), and the account of retained memory.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "../support/counting.rs"]
mod counting;

mod catalogue;
mod page;
mod retained;
