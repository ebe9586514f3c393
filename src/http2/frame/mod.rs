//! Heads of frames, and SETTINGS (RFC 9113, sections 4.1 and 6).
//!
//! This module never knows a stream.

mod flags;
mod frame_head;
mod kind;
mod settings;

pub(super) use flags::Flags;
pub(super) use frame_head::FrameHead;
pub(super) use kind::Kind;
pub(super) use settings::{Settings, write_settings};

/// A length within a frame: none is longer than 2^24 - 1 bytes (RFC 9113, section 4.2).
pub(super) fn bytes(len: usize) -> u32 {
    debug_assert!(len < 1 << 24, "{len} bytes in a frame");
    u32::try_from(len).unwrap_or(u32::MAX)
}
