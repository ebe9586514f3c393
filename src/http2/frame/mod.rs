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
