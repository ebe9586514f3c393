//! The simulator in the build of the fuzz targets: whoever has built them needs no second build
//! of everything to unpack, replay, decode, or run from seeds. Its code counts what it covers, for
//! nobody, so it is slower than the one of `fuzz/sim`.

// Brings what counts along; this program is not driven by it.
libfuzzer_sys::fuzz_target!(|_choices: &[u8]| {});

#[path = "../sim/src/main.rs"]
mod sim;

fn main() -> std::process::ExitCode {
    sim::main()
}
