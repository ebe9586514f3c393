//! The module `http2` of the library, which is no part of its public API: its files, without the
//! driver. It stands at the root of a crate, where its files look for it.

#[path = "../../../src/http2/broken.rs"]
mod broken;
#[path = "../../../src/http2/frame/mod.rs"]
mod frame;
pub(crate) mod hpack;
pub(crate) mod protocol;
#[path = "../../../src/http2/reason.rs"]
mod reason;
#[path = "../../../src/http2/window/mod.rs"]
mod window;

pub(crate) use broken::Broken;
pub(crate) use reason::Reason;
