//! What an external processor is given of a message: values that cannot be wrong.
//!
//! This module never sees a message.

mod body_mode;
mod direction_mode;
mod processing_mode;
mod send_mode;

pub use body_mode::BodyMode;
pub use direction_mode::DirectionMode;
pub use processing_mode::ProcessingMode;
pub use send_mode::SendMode;
