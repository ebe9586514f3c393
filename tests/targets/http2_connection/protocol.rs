//! The module `http2::protocol` of the library, with the model of its tests.

#[path = "../../../src/http2/protocol/block.rs"]
mod block;
#[path = "../../../src/http2/protocol/closed.rs"]
mod closed;
#[path = "../../../src/http2/protocol/event.rs"]
mod event;
#[path = "../../../src/http2/protocol/going.rs"]
mod going;
#[path = "../../../src/http2/protocol/last_head.rs"]
mod last_head;
#[allow(clippy::module_inception, reason = "as it is called in the library")]
#[path = "../../../src/http2/protocol/protocol.rs"]
mod protocol;
#[path = "../../../src/http2/protocol/protocol_settings.rs"]
mod protocol_settings;
#[path = "../../../src/http2/protocol/read_control.rs"]
mod read_control;
#[path = "../../../src/http2/protocol/read_data.rs"]
mod read_data;
#[path = "../../../src/http2/protocol/read_head.rs"]
mod read_head;
#[path = "../../../src/http2/protocol/reading.rs"]
mod reading;
#[path = "../../../src/http2/protocol/request_head.rs"]
mod request_head;
#[path = "../../../src/http2/protocol/stream.rs"]
mod stream;
#[path = "../../../src/http2/protocol/streams.rs"]
mod streams;
#[path = "../../../src/http2/protocol/tests/world/mod.rs"]
mod world;
#[path = "../../../src/http2/protocol/write.rs"]
mod write;

pub(in crate::http2) use event::Event;
pub(in crate::http2) use protocol::Protocol;
pub(in crate::http2) use protocol_settings::ProtocolSettings;
pub(crate) use world::World;
