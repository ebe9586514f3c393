//! libFuzzer on `tests/targets/http2_connection`.
#![no_main]

libfuzzer_sys::fuzz_target!(|choices: &[u8]| tidegate_sim::run("http2_connection", choices));
