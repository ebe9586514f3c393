//! The models, by domain. `cargo test --release`, `cargo test --release -- resume::`.

mod exchange;
mod hazard;
mod resume;

fn main() {
    tidegate_loom_tests::kit::main(&[resume::MODELS, hazard::MODELS, exchange::MODELS]);
}
