//! Envoy's external processing protocol: a server that runs the same filters as a proxy.
//!
//! From a configuration to a server is four steps, each of which can refuse the next:
//!
//! | step | type | what it refuses |
//! |---|---|---|
//! | what Envoy is configured to send | [`mode::FilterConfig`], whose text for Envoy is [`to_yaml`](mode::FilterConfig::to_yaml) | configurations that Envoy refuses, or accepts and cannot do |
//! | the filters of both directions | [`ExchangePlan`](crate::exchange::ExchangePlan) | |
//! | both together | [`session::SessionPlan`] with [`SessionSettings::of`](session::SessionSettings::of) the configuration | a filter that needs what the mode does not have |
//! | the service | `server::ExternalProcessor` (feature `ext-proc-server`) | |
//!
//! [`session`] has the table of what is answered in which mode, [`mode::Terms`] that of what
//! filters can do in it. [`wire`] and [`automaton`] are for who has a transport of another kind:
//! the messages, and what may come and is owed.
//!
//! `docs/first-filter.md` has a server in one piece, with the configuration of an Envoy in front.
//!
//! This module never does I/O outside `server`.

pub mod automaton;
pub mod mode;
#[cfg(feature = "ext-proc-server")]
pub mod server;
pub mod session;
pub mod wire;
