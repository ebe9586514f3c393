/// Which keys a consumer hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Those that it subscribes to.
    Subscribed,
    /// All that there are.
    All,
}
