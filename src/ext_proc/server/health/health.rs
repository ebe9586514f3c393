use core::fmt;

use super::ServingStatus;
use crate::ext_proc::server::shared::Shared;
use crate::sync::Arc;

/// What the health service of a processor says, by service.
///
/// In the beginning the server (the empty name) and the external processor are
/// [`Serving`](ServingStatus::Serving). While the server [goes away] everything that is known is
/// [`NotServing`](ServingStatus::NotServing), whatever was set.
///
/// Cheap to clone; all clones, and those of the processor, share one state.
///
/// [goes away]: crate::ext_proc::server::Drain
#[derive(Clone)]
pub struct Health(Arc<Shared>);

impl Health {
    pub(in crate::ext_proc::server) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// Says `status` of `service` from now on. [`ServingStatus::ServiceUnknown`] forgets it.
    pub fn set(&self, service: &str, status: ServingStatus) {
        let status = Some(status).filter(|status| *status != ServingStatus::ServiceUnknown);
        self.0.set_status(service, status);
    }

    /// What is said of `service` now.
    #[must_use]
    pub fn status(&self, service: &str) -> ServingStatus {
        self.0.status(service).unwrap_or(ServingStatus::ServiceUnknown)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("server", &self.status("")).finish_non_exhaustive()
    }
}
