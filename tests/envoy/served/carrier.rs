//! What carries HTTP/2 of the processors that are made with the crate: all tests on one, and with
//! `TIDEGATE_CARRIER=direct` in the environment all of them on the other.

use std::env;

use tidegate::ext_proc::server::{Carrier, ServeSettings};

/// The carrier of this run.
pub(crate) fn carrier() -> Carrier {
    match env::var("TIDEGATE_CARRIER").as_deref() {
        Err(env::VarError::NotPresent) | Ok("hyper") => Carrier::Hyper,
        Ok("direct") => Carrier::Direct,
        other => panic!("TIDEGATE_CARRIER is hyper or direct, not {other:?}"),
    }
}

/// The defaults on it.
pub(crate) fn settings() -> ServeSettings {
    ServeSettings::new().carrier(carrier())
}
