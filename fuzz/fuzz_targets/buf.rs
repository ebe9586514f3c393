//! Random operations on body buffers against plain vectors (the ops of `tests/buf_model.rs`).
#![no_main]

#[path = "../../tests/support/buf_ops.rs"]
mod buf_ops;

libfuzzer_sys::fuzz_target!(|choices: &[u8]| buf_ops::run(choices, 256));
