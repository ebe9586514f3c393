//! Messages: what is read, and what is written.
//!
//! This module never knows what is owed.

mod attributes;
mod backward;
mod decoder;
mod dynamic_metadata;
mod encode;
mod entry;
mod envelope;
mod event;
mod fields;
mod grpc_code;
mod grpc_status;
mod head;
mod header_mutation;
mod key;
mod malformed;
mod metadata;
mod protocol_config;
mod reply;
mod reply_body;
mod reply_frame;
mod section;
mod struct_error;
mod varint;
mod wire_error;
mod wire_limit;
mod wire_limits;

pub use attributes::Attributes;
pub use decoder::Decoder;
pub use dynamic_metadata::DynamicMetadata;
pub use encode::encode;
#[cfg(feature = "ext-proc-server")]
pub(in crate::ext_proc) use encode::encode_taken;
pub use envelope::Envelope;
pub use event::Event;
pub use grpc_code::GrpcCode;
pub use grpc_status::GrpcStatus;
pub use header_mutation::HeaderMutation;
pub use malformed::Malformed;
pub use metadata::Metadata;
pub use protocol_config::ProtocolConfig;
pub use reply::Reply;
pub(in crate::ext_proc) use reply::{BodyChange, Part};
pub use reply_body::ReplyBody;
pub use reply_frame::ReplyFrame;
pub use section::Section;
pub use struct_error::StructError;
pub use wire_error::WireError;
pub use wire_limit::WireLimit;
pub use wire_limits::WireLimits;
