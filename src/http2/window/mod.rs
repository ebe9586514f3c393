//! How much each end may send (RFC 9113, section 5.2): of a stream, and of the connection.
//!
//! This module never writes a frame.

mod receive_window;
mod send_window;

pub(super) use receive_window::ReceiveWindow;
pub(super) use send_window::SendWindow;

/// The largest window there can be, in bytes (RFC 9113, section 6.9.1).
pub(super) const MAX_WINDOW_BYTES: u32 = (1 << 31) - 1;

/// The window of a connection, and of a stream of a peer that has said nothing, in bytes (section
/// 6.9.2).
pub(super) const FIRST_WINDOW_BYTES: u32 = 65_535;
