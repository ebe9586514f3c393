//! libFuzzer on `tests/targets/pipe`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("pipe", choices));
