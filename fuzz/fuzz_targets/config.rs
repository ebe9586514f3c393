//! libFuzzer on `tests/targets/config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("config", choices));
