/// What Envoy does with the route it has chosen once a processor has changed the head
/// (`route_cache_action`). There is no `disable_clear_route_cache` beside it: that is
/// [`Retain`](Self::Retain), and Envoy 1.40.0 refuses both at once ("disable_clear_route_cache and
/// route_cache_action can not be set to none-default at the same time.").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RouteCacheAction {
    /// Chosen anew where an answer asks for it.
    #[default]
    Default,
    /// Chosen anew after each change of the head.
    Clear,
    /// Kept, whatever an answer asks.
    Retain,
}

impl RouteCacheAction {
    /// The name in Envoy's configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Clear => "CLEAR",
            Self::Retain => "RETAIN",
        }
    }
}
