//! libFuzzer on `tests/targets/exchange`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("exchange", choices));
