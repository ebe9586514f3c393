//! libFuzzer on `tests/targets/buf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("buf", choices));
