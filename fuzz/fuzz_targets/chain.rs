//! libFuzzer on `tests/targets/chain.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("chain", choices));
