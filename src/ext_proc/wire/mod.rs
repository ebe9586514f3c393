//! Messages: what is read, and what is written.
//!
//! This module never knows what is owed.

mod envelope;
mod event;
mod header_mutation;
mod protocol_config;
mod reply;
mod section;

pub use envelope::Envelope;
pub use event::Event;
pub use header_mutation::HeaderMutation;
pub use protocol_config::ProtocolConfig;
pub use reply::Reply;
pub(in crate::ext_proc) use reply::{BodyChange, Part};
pub use section::Section;
