//! libFuzzer on `tests/targets/table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("table", choices));
