//! `BodyBuf` against plain vectors: random operations over three buffers.

use proptest::prelude::*;

#[path = "support/buf_ops.rs"]
mod buf_ops;

/// The choices of one case: enough bytes for about 64 operations.
const CHOICES: usize = 64 * 6;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_body_buf_is_its_bytes(choices in prop::collection::vec(any::<u8>(), 0..CHOICES)) {
        buf_ops::run(&choices, 64);
    }
}
