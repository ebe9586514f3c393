/// On which side of its marks a count is. Between the marks it stays on the side it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// No high edge since the last low edge: the source may run.
    #[default]
    Below,
    /// A high edge was told and no low edge since: the source is paused.
    Above,
}
