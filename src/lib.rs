#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// A number that does not fit is refused or saturates, and what a peer sends ends in a value.
#![cfg_attr(
    not(test),
    warn(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented
    )
)]

pub mod async_filter;
pub mod block;
#[cfg(feature = "body")]
pub mod body;
pub mod buf;
pub mod chain;
pub mod error;
pub mod exchange;
#[cfg(feature = "ext-proc")]
pub mod ext_proc;
pub mod filter;
pub mod flow;
pub mod frame;
#[cfg(feature = "ext-proc-direct")]
mod http2;
/// Guides: they are read here and in the folder `docs`, and their programs run as tests.
///
/// This module never has code: outside of the documentation it is not there.
#[cfg(any(doc, doctest))]
pub mod guide {
    #[doc = include_str!("../docs/coming-from.md")]
    pub mod coming_from {}
    #[doc = include_str!("../docs/first-filter.md")]
    pub mod first_filter {}
}
pub mod limits;
pub mod pipe;
pub mod pool;
pub mod resume;
#[cfg(feature = "ext-proc-server")]
mod socket;
mod sync;
pub mod table;
mod unwind;
pub mod watermark;

pub use buf::BodyBuf;
pub use chain::{BoundPlan, Chain, MessageTraits, Output, Plan};
pub use error::{Error, ErrorKind, Origin, Timeout};
pub use filter::{
    Capabilities, Capability, Declaration, Filter, Head, Interest, LocalReply, Verdict, View,
};
pub use frame::{Frame, Outcome};
pub use resume::{ResumeHandle, Resumed};
pub use watermark::Marks;
