//! The models, by domain. `cargo test --release`, `cargo test --release -- resume::`.

mod resume;

fn main() {
    tidegate_loom_tests::kit::main(&[resume::MODELS]);
}
