//! The edge to `http_body`: a chain driven as an [`http_body::Body`], with its timeouts and what it
//! can do; and, with the feature `tower`, both chains around any service.
//!
//! - [`FilteredBody`] is one message: its head from `poll_head`, the rest as a body.
//! - [`Driver`] is what it is made of, for edges of another kind.
//! - [`pipe_body`] moves a body from one task to another.
//! - [`Timeouts`] and [`HttpEdge`] say how long a message may take and what the sides can do.
//! - [`ExchangeLayer`] puts a request and a response chain around a `Service<Request<_>>`.
//!
//! # How it polls
//!
//! A poll does in this order: takes mail of the other half, works until the chain has an output,
//! reads the source while the chain wants input. Before it answers `Pending` it registers the waker
//! with the chain's resume handles and takes pending resumes *after* that, then with the mailbox in
//! the same way, then with the timer: whatever can change the answer finds the waker. The work of
//! one poll is bounded; the rest is announced by waking the task.
//!
//! What a chunk costs here is a few calls and branches: no allocation, no lock, no clock. A lock is
//! taken where the message has to wait, the clock read where it has to wait and has timeouts.
//!
//! # Length and trailers
//!
//! An exact size hint makes an HTTP/1 server write `content-length`, after which it sends no
//! trailers. So the hint is exact only if the head that left the chain declares the length (the
//! chain holds the message to it), or the end is visible and nothing follows; and not where
//! trailers are announced.
//!
//! This module never touches a station but through [`Chain`](crate::Chain), and never runs a filter
//! with a lock held.

pub(crate) mod clock;
mod driver;
mod filtered_body;
mod http_edge;
mod length;
mod message;
mod opening;
mod piped_body;
mod pump;
mod timeouts;
mod trailers;

#[cfg(feature = "tower")]
mod exchange_future;
#[cfg(feature = "tower")]
mod exchange_layer;
#[cfg(feature = "tower")]
mod exchange_service;
#[cfg(feature = "tower")]
mod heads;
#[cfg(feature = "tower")]
mod open;
#[cfg(feature = "tower")]
mod settings;

pub use driver::Driver;
pub use filtered_body::FilteredBody;
pub use http_edge::HttpEdge;
pub use opening::Opening;
pub use piped_body::{PipedBody, pipe_body};
pub use pump::Pump;
pub use timeouts::Timeouts;

pub use crate::exchange::{Direction, EarlyResponse, Observer};

#[cfg(feature = "tower")]
pub use exchange_future::ExchangeFuture;
#[cfg(feature = "tower")]
pub use exchange_layer::ExchangeLayer;
#[cfg(feature = "tower")]
pub use exchange_service::ExchangeService;

/// The body of a request behind its chain.
pub type RequestBody<B> = FilteredBody<B, http::request::Parts>;

/// The body of a response behind its chain.
pub type ResponseBody<B> = FilteredBody<B, http::response::Parts>;
