//! libFuzzer on `tests/targets/ext_proc`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("ext_proc", choices));
