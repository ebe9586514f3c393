//! The filters as they are defined, and who names them.

use std::collections::BTreeMap;

use super::{ConfigError, ConfigErrorKind, ConfigPlace};
use crate::flow::END;
use crate::flow::config::kinds::{Made, RunFinalizer};
use crate::flow::config::{FilterConfig, KindUse, Kinds};

/// Filters that have been made, by their names.
pub(super) struct Definitions<'a> {
    filters: &'a [FilterConfig],
    made: Vec<Made>,
    by_name: BTreeMap<&'a str, usize>,
    used: Vec<bool>,
}

impl<'a> Definitions<'a> {
    /// V1, V2, V3.
    pub(super) fn new(filters: &'a [FilterConfig], kinds: &Kinds) -> Result<Self, ConfigError> {
        let made = (filters.iter().enumerate()).map(|(i, filter)| make(i, filter, kinds));
        let made = made.collect::<Result<_, _>>()?;
        for (i, FilterConfig { name, .. }) in filters.iter().enumerate() {
            let kind = match name.as_str() {
                "" => ConfigErrorKind::EmptyName,
                END => ConfigErrorKind::ReservedName { name: name.clone() },
                _ => continue,
            };
            return Err(ConfigError::new(place(i).key("name"), kind));
        }
        let mut by_name = BTreeMap::new();
        for (i, FilterConfig { name, .. }) in filters.iter().enumerate() {
            if let Some(first) = by_name.insert(name.as_str(), i) {
                let kind =
                    ConfigErrorKind::DuplicateName { name: name.clone(), first: place(first) };
                return Err(ConfigError::new(place(i).key("name"), kind));
            }
        }
        Ok(Self { filters, made, by_name, used: vec![false; filters.len()] })
    }

    /// The filter called `name`, which `by` names.
    pub(super) fn name(&mut self, name: &str, by: &ConfigPlace) -> Result<&Made, ConfigError> {
        let Some(&i) = self.by_name.get(name) else {
            let kind = ConfigErrorKind::UnknownFilter { filter: name.to_owned() };
            return Err(ConfigError::new(by.clone(), kind));
        };
        self.used[i] = true;
        Ok(&self.made[i])
    }

    /// Whether a filter called `name` is only for responses. A name that is none is for nothing.
    pub(super) fn is_for_responses(&self, name: &str) -> bool {
        let made = self.by_name.get(name).map(|&i| self.made[i].is_for());
        made == Some(KindUse::Responses)
    }

    /// `name` is used at `by` for what its kind is not for.
    pub(super) fn wrong_use(&self, name: &str, by: ConfigPlace) -> ConfigError {
        let i = self.by_name.get(name).copied().unwrap_or_default();
        let kind = ConfigErrorKind::WrongUse {
            filter: name.to_owned(),
            kind: self.filters[i].kind.clone(),
            is_for: self.made[i].is_for(),
        };
        ConfigError::new(by, kind)
    }

    /// The filters that belong to a main pipeline without a `flow`: those that nothing names, and
    /// where they are defined.
    pub(super) fn left_for_main(
        &self,
        is_named: impl Fn(&str) -> bool,
    ) -> Vec<(&'a str, ConfigPlace)> {
        let filters = self.filters.iter().zip(&self.made).enumerate();
        let left = filters.filter(|(_, (filter, made))| {
            made.is_for() != KindUse::Finalizers && !is_named(&filter.name)
        });
        left.map(|(i, (filter, _))| (filter.name.as_str(), place(i))).collect()
    }

    /// The finalizers, in the order in which they are named.
    pub(super) fn finalizers<'n>(
        &mut self,
        names: &'n [String],
    ) -> Result<Vec<(&'n str, RunFinalizer)>, ConfigError> {
        let mut finalizers = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let place = ConfigPlace::default().key("finalizers").index(i);
            if names[..i].contains(name) {
                let kind = ConfigErrorKind::RepeatedFinalizer { filter: name.clone() };
                return Err(ConfigError::new(place, kind));
            }
            match self.name(name, &place)? {
                Made::Finalizer(finalizer) => {
                    finalizers.push((name.as_str(), RunFinalizer::clone(finalizer)));
                }
                Made::Request(_) | Made::Response(_) | Made::Both { .. } => {
                    return Err(self.wrong_use(name, place));
                }
            }
        }
        Ok(finalizers)
    }

    pub(super) fn check_all_used(&self) -> Result<(), ConfigError> {
        match self.used.iter().position(|is_used| !is_used) {
            None => Ok(()),
            Some(i) => {
                let filter = self.filters[i].name.clone();
                Err(ConfigError::new(place(i), ConfigErrorKind::UnusedFilter { filter }))
            }
        }
    }
}

/// V1.
fn make(i: usize, filter: &FilterConfig, kinds: &Kinds) -> Result<Made, ConfigError> {
    kinds.make(&filter.kind, &filter.settings).map_err(|(inner, kind)| {
        let place = match (inner, &kind) {
            (Some(inner), _) => inner.below(place(i).key("settings")),
            (None, ConfigErrorKind::UnknownKind { .. }) => place(i).key("kind"),
            (None, _) => place(i),
        };
        ConfigError::new(place, kind)
    })
}

fn place(i: usize) -> ConfigPlace {
    ConfigPlace::default().key("filters").index(i)
}
