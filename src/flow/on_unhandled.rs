/// What a pipeline does about a result for which its node has no jump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OnUnhandled {
    /// The pipeline ends there, *failed*. As in Easegress.
    #[default]
    End,
    /// The pipeline goes on with the next node, as after success. The result is in the trace.
    Continue,
}
