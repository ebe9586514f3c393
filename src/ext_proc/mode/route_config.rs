use super::{RouteOverrides, render};

/// What a route says of a processor (`ExtProcPerRoute`). The most specific one counts, field by
/// field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteConfig {
    /// The processor is not asked about this route. That it is, by `disabled: false`, cannot be
    /// said: Envoy refuses it.
    Disabled,
    /// Some fields are other than in the filter's configuration.
    Overrides(RouteOverrides),
}

impl RouteConfig {
    /// The entry of `typed_per_filter_config` of a route (or virtual host) for Envoy, in YAML, from
    /// the first column on.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        render::route(self)
    }
}
