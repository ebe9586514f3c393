/// What became of a resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// The filter will be asked.
    Queued,
    /// A resume of this filter was already waiting; it will be asked once for both.
    AlreadyQueued,
    /// The filter's output has ended, or the message has: nothing will happen.
    Gone,
}
