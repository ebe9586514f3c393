//! libFuzzer on `tests/targets/replace`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("replace", choices));
