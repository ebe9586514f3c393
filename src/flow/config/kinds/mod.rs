//! The kinds of filters that a configuration can name.
//!
//! This module never reads a configuration: it makes what one asks for.

mod kind_error;
mod kind_use;
mod made;

use core::fmt;
use std::collections::BTreeMap;
use std::error::Error;

use http::{request, response};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use kind_error::KindError;
pub use kind_use::KindUse;
use made::MakeError;
pub(super) use made::{Made, RunFinalizer};

use super::{ConfigErrorKind, ConfigPlace, Settings};
use crate::chain::made_contained;
use crate::filter::Filter;
use crate::flow::Summary;
use crate::limits;
use crate::sync::ConstArc as Arc;

/// The kinds of filters that a configuration can name: for each, how its settings become the maker
/// of a filter.
///
/// A kind is registered with a function from its settings (any type that serde can read) to a
/// maker, which the flow then calls for every exchange. What the settings can do wrong shows when a
/// configuration is built, at its place; a maker cannot fail.
///
/// The results of a filter are in its [`Declaration`](crate::Declaration), so that a kind says
/// nothing of them.
///
/// # Examples
///
/// ```
/// use serde::Deserialize;
/// use tidegate::flow::config::{KindError, Kinds};
/// use tidegate::{Declaration, Filter, Head, Verdict, View};
///
/// /// Says `too-long` of a message with more than so many header fields.
/// struct Limit(usize);
///
/// impl<H: Head> Filter<H> for Limit {
///     fn declare(&self) -> Declaration {
///         Declaration::new().result("too-long")
///     }
///
///     fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
///         if view.head().is_some_and(|head| head.headers().len() > self.0) {
///             view.set_result("too-long").expect("it is declared, and the head is here");
///         }
///         Verdict::PASS
///     }
/// }
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct LimitSettings {
///     fields: usize,
/// }
///
/// let mut kinds = Kinds::new();
/// kinds.both("limit", |settings: LimitSettings| match settings.fields {
///     0 => Err("a head always has fields"),
///     fields => Ok(move || Limit(fields)),
/// })?;
/// assert!(kinds.names().eq(["limit"]));
/// # Ok::<(), KindError>(())
/// ```
#[derive(Default)]
pub struct Kinds {
    kinds: BTreeMap<String, Kind>,
}

struct Kind {
    is_for: KindUse,
    make: MakeKind,
}

/// What a definition of a kind is made into, from its settings.
type MakeKind = Box<dyn Fn(&Value) -> Result<Made, MakeError> + Send + Sync>;

impl Kinds {
    /// No kinds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of filters for requests.
    ///
    /// # Errors
    ///
    /// [`KindError`] if the name is empty, too long, or taken.
    pub fn request<S, M, F, E>(
        &mut self,
        kind: &str,
        make: impl Fn(S) -> Result<M, E> + Send + Sync + 'static,
    ) -> Result<&mut Self, KindError>
    where
        S: DeserializeOwned,
        M: Fn() -> F + Send + Sync + 'static,
        F: Filter<request::Parts> + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.add(kind, KindUse::Requests, make, |maker: M| {
            Made::Request(Arc::new(move || Box::new(maker())))
        })
    }

    /// Adds a kind of filters for responses.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub fn response<S, M, F, E>(
        &mut self,
        kind: &str,
        make: impl Fn(S) -> Result<M, E> + Send + Sync + 'static,
    ) -> Result<&mut Self, KindError>
    where
        S: DeserializeOwned,
        M: Fn() -> F + Send + Sync + 'static,
        F: Filter<response::Parts> + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.add(kind, KindUse::Responses, make, |maker: M| {
            Made::Response(Arc::new(move || Box::new(maker())))
        })
    }

    /// Adds a kind of filters for both: which a node is follows from where it stands. Before the
    /// call it is for requests, behind it for responses.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub fn both<S, M, F, E>(
        &mut self,
        kind: &str,
        make: impl Fn(S) -> Result<M, E> + Send + Sync + 'static,
    ) -> Result<&mut Self, KindError>
    where
        S: DeserializeOwned,
        M: Fn() -> F + Send + Sync + 'static,
        F: Filter<request::Parts> + Filter<response::Parts> + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.add(kind, KindUse::Both, make, |maker: M| {
            let maker = Arc::new(maker);
            let request = Arc::clone(&maker);
            Made::Both {
                request: Arc::new(move || Box::new(request())),
                response: Arc::new(move || Box::new(maker())),
            }
        })
    }

    /// Adds a kind of finalizers: functions that run once an exchange, when it is over.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub fn finalizer<S, F, E>(
        &mut self,
        kind: &str,
        make: impl Fn(S) -> Result<F, E> + Send + Sync + 'static,
    ) -> Result<&mut Self, KindError>
    where
        S: DeserializeOwned,
        F: Fn(&Summary) + Send + Sync + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.add(kind, KindUse::Finalizers, make, |finalizer: F| {
            Made::Finalizer(Arc::new(finalizer))
        })
    }

    /// The names of the kinds, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// What `kind` makes of `settings`; or what is wrong, and where in the settings.
    ///
    /// The code of the kind may be anybody's: its panics end here.
    pub(super) fn make(
        &self,
        kind: &str,
        settings: &Settings,
    ) -> Result<Made, (Option<ConfigPlace>, ConfigErrorKind)> {
        let Some(found) = self.kinds.get(kind) else {
            let known = self.names().map(str::to_owned).collect();
            return Err((None, ConfigErrorKind::UnknownKind { kind: kind.to_owned(), known }));
        };
        if let Some((place, defect)) = settings.defect() {
            return Err((Some(place), defect));
        }
        let none = Value::Object(serde_json::Map::new());
        let tree = if settings.tree().is_null() { &none } else { settings.tree() };
        match made_contained(|| (found.make)(tree)) {
            Some(Ok(made)) if made.can_be_made() => Ok(made),
            Some(Err(error)) => {
                let (place, error) = error.told(kind);
                Err((Some(place), error))
            }
            Some(Ok(_)) | None => Err((None, ConfigErrorKind::Panicked { kind: kind.to_owned() })),
        }
    }

    fn add<S, M, E>(
        &mut self,
        kind: &str,
        is_for: KindUse,
        make: impl Fn(S) -> Result<M, E> + Send + Sync + 'static,
        made: impl Fn(M) -> Made + Send + Sync + 'static,
    ) -> Result<&mut Self, KindError>
    where
        S: DeserializeOwned,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if kind.is_empty() {
            return Err(KindError::Empty);
        }
        if kind.len() > limits::MAX_CONFIG_NAME_BYTES {
            return Err(KindError::TooLong);
        }
        if self.kinds.contains_key(kind) {
            return Err(KindError::Duplicate { kind: kind.to_owned() });
        }
        let make = move |tree: &Value| {
            let settings = serde_path_to_error::deserialize(tree).map_err(|error| {
                let place = ConfigPlace::of_path(error.path());
                MakeError::Settings { place, reason: error.into_inner().to_string() }
            })?;
            make(settings).map(&made).map_err(|error| MakeError::Refused(error.into()))
        };
        self.kinds.insert(kind.to_owned(), Kind { is_for, make: Box::new(make) });
        Ok(self)
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.kinds.iter().map(|(name, kind)| (name, kind.is_for))).finish()
    }
}
