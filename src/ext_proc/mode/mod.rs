//! What an external processor is given of a message: values that cannot be wrong.
//!
//! This module never sees a message.

mod announced;
mod body_mode;
mod direction_mode;
mod disagreement;
mod mode_error;
mod mode_field;
mod mode_unmet;
mod need;
mod processing_mode;
mod promise;
mod send_mode;
mod terms;

pub use announced::Announced;
pub use body_mode::BodyMode;
pub use direction_mode::DirectionMode;
pub use disagreement::Disagreement;
pub use mode_error::ModeError;
pub use mode_field::ModeField;
pub use mode_unmet::ModeUnmet;
pub use need::Need;
pub use processing_mode::ProcessingMode;
pub use promise::Promise;
pub use send_mode::SendMode;
pub use terms::Terms;
