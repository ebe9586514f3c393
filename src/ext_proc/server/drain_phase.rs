/// How far the going away of a server has come. Phases only go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DrainPhase {
    /// It stays.
    #[default]
    Serving,
    /// The health service says `NOT_SERVING`. Streams are taken all the same: who opens one has
    /// not heard of it yet.
    Leaving,
    /// New streams are refused with `UNAVAILABLE`. Those under way go on.
    Refusing,
}
