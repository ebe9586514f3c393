//! `BodyBuf` against plain vectors: random operations over three buffers.

use proptest::prelude::*;

#[path = "targets/buf/mod.rs"]
mod buf;
#[path = "targets/choices.rs"]
mod choices;
#[allow(dead_code, reason = "the test only runs its target")]
#[path = "targets/target.rs"]
mod target;

/// The choices of one case: enough bytes for about 64 operations.
const CHOICES: usize = 64 * 6;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_body_buf_is_its_bytes(choices in prop::collection::vec(any::<u8>(), 0..CHOICES)) {
        (buf::TARGET.run)(&choices);
    }
}
