//! The models, by domain. `cargo test --release`, `cargo test --release -- resume::`.

mod departure;
mod exchange;
mod hazard;
mod inbox;
mod pipe;
mod pool;
mod resume;
mod table;
mod wakes;

fn main() {
    tidegate_loom_tests::kit::main(&[
        pipe::MODELS,
        pool::MODELS,
        resume::MODELS,
        hazard::MODELS,
        exchange::MODELS,
        table::MODELS,
        wakes::MODELS,
        inbox::MODELS,
        departure::MODELS,
    ]);
}
