use std::error::Error;

use http::{request, response};

use crate::chain::made_contained;
use crate::filter::{Filter, Head};
use crate::flow::Summary;
use crate::flow::config::{ConfigErrorKind, ConfigPlace, KindUse};
use crate::sync::ConstArc as Arc;
use crate::unwind::drop_contained;

/// Makes a filter, for every exchange a new one.
pub(in crate::flow::config) type Maker<H> = Arc<dyn Fn() -> Box<dyn Filter<H>> + Send + Sync>;

/// Runs when an exchange is over.
pub(in crate::flow::config) type RunFinalizer = Arc<dyn Fn(&Summary) + Send + Sync>;

/// What a definition has become.
#[derive(Clone)]
pub(in crate::flow::config) enum Made {
    Request(Maker<request::Parts>),
    Response(Maker<response::Parts>),
    Both { request: Maker<request::Parts>, response: Maker<response::Parts> },
    Finalizer(RunFinalizer),
}

impl Made {
    pub(in crate::flow::config) fn is_for(&self) -> KindUse {
        match self {
            Self::Request(_) => KindUse::Requests,
            Self::Response(_) => KindUse::Responses,
            Self::Both { .. } => KindUse::Both,
            Self::Finalizer(_) => KindUse::Finalizers,
        }
    }

    /// Whether its maker makes a filter that declares itself, and does not panic. The same is asked
    /// of it when the flow is built, where a panic would go further.
    pub(super) fn can_be_made(&self) -> bool {
        match self {
            Self::Request(make) => declares(make),
            Self::Response(make) => declares(make),
            Self::Both { request, response } => declares(request) && declares(response),
            Self::Finalizer(_) => true,
        }
    }
}

fn declares<H: Head>(make: &Maker<H>) -> bool {
    let filter = made_contained(|| make());
    filter.is_some_and(|filter| {
        let declares = made_contained(|| filter.declare()).is_some();
        drop_contained(filter);
        declares
    })
}

/// Why a definition has become nothing.
pub(in crate::flow::config) enum MakeError {
    /// At this place in the settings.
    Settings {
        place: ConfigPlace,
        reason: String,
    },
    Refused(Box<dyn Error + Send + Sync>),
}

impl MakeError {
    /// The place in the settings, and what is wrong there.
    pub(super) fn told(self, kind: &str) -> (ConfigPlace, ConfigErrorKind) {
        match self {
            Self::Settings { place, reason } => (place, ConfigErrorKind::settings(kind, &reason)),
            Self::Refused(reason) => {
                let kind = ConfigErrorKind::Refused { kind: kind.to_owned(), reason };
                (ConfigPlace::default(), kind)
            }
        }
    }
}
