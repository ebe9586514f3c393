//! Envoy, what is before it and what is behind it.

pub(crate) mod case;
pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod envoy;
pub(crate) mod origin;
pub(crate) mod pattern;
pub(crate) mod raw;
pub(crate) mod received;
pub(crate) mod rig;
pub(crate) mod sending;
pub(crate) mod transcript;
