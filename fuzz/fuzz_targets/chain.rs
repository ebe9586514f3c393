//! Random chains, verdicts, edits and inputs, compared call by call with the naive model (the cases
//! of `tests/model.rs`).
#![no_main]

#[allow(dead_code, reason = "the tests use more of the model than the target")]
#[path = "../../tests/model/mod.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|choices: &[u8]| {
    let case = model::generate::case_from_bytes(choices);
    if let Err(mismatch) = model::run(&case, None) {
        panic!("{mismatch}\n{case}");
    }
});
