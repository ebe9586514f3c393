//! Every bound and default of the crate, with its reason.
//!
//! A bound is stated once, here. Code that enforces one names it.

/// The largest piece of body that enters a chain at once, in bytes.
///
/// Larger frames are split at the entrance without copying (rule I7). 64 KiB is four of Envoy's
/// DATA frames and the size from which a `memcpy` costs more than a virtual call by far.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// The default high watermark of one station, in bytes: above it the source is paused, or the
/// message answered 413 / 500, as the filter's last verdict says.
pub const DEFAULT_HIGH_BYTES: u64 = 64 * 1024;

/// The default low watermark of one station, in bytes: half of the high mark, as in Envoy.
pub const DEFAULT_LOW_BYTES: u64 = DEFAULT_HIGH_BYTES / 2;

/// Segments below this many bytes are packed when they come to rest (rule I11). Envoy coalesces
/// below the same size.
pub const PACK_BELOW_BYTES: usize = 512;

/// The size of a packing block, in bytes: one allocation for this many packed bytes.
pub const PACK_BLOCK_BYTES: usize = 4 * 1024;

/// The most filters in one chain: a station mask is one `u64` word.
pub const MAX_FILTERS: usize = 64;

const _: () = assert!(DEFAULT_LOW_BYTES <= DEFAULT_HIGH_BYTES, "low <= high");
const _: () = assert!(PACK_BELOW_BYTES <= PACK_BLOCK_BYTES, "a packed segment fits its block");
const _: () = assert!(MAX_FILTERS <= u64::BITS as usize, "masks are one word");
