//! A low-level, zero-copy streaming engine for HTTP bodies.
#![forbid(unsafe_code)]

pub mod buf;
pub mod limits;
pub mod watermark;
