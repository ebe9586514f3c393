//! Processors made with the crate, and the listeners that ask them: from one value each, so that
//! the two cannot differ.

pub(crate) mod actor;
pub(crate) mod apart;
pub(crate) mod carrier;
pub(crate) mod serve;
pub(crate) mod table;
pub(crate) mod tap;
