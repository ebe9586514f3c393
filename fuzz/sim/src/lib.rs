//! The fuzz targets of `tests/targets`, and what drives them without libFuzzer: seeds, replay,
//! shrinking.

pub mod campaign;
pub mod failure;
pub mod files;
#[allow(dead_code, reason = "the library uses more of it than the targets")]
#[path = "../../../tests/targets/http2_connection/http2.rs"]
mod http2;
#[path = "../../../tests/kit/mod.rs"]
mod kit;
#[allow(dead_code, reason = "the tests use more of the model than the targets")]
#[path = "../../../tests/model/mod.rs"]
mod model;
mod rng;
pub mod shrink;
#[allow(dead_code, reason = "the library uses more of it than the targets")]
#[path = "../../../tests/targets/http2_connection/socket.rs"]
mod socket;
#[path = "../../../tests/targets/mod.rs"]
mod targets;
#[path = "../../../src/unwind.rs"]
mod unwind;

use targets::Target;
use tidegate::limits;

/// Runs one case of the target with that name.
///
/// # Panics
///
/// If there is no such target, or if the case is not as it should be.
pub fn run(name: &str, choices: &[u8]) {
    (target(name).expect("a target has that name").run)(choices);
}

/// The decoded case, as far as it gets.
#[must_use]
pub fn describe(name: &str, choices: &[u8]) -> String {
    let mut text = String::new();
    if let Some(target) = target(name) {
        _ = failure::caught(|| (target.describe)(choices, &mut text));
    }
    text
}

/// The names of all targets.
pub fn names() -> impl Iterator<Item = &'static str> {
    targets::ALL.iter().map(|target| target.name)
}

fn target(name: &str) -> Option<&'static Target> {
    static ALL: &[Target] = &targets::ALL;
    ALL.iter().find(|target| target.name == name)
}
