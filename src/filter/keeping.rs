/// Whether a filter keeps bytes of a body back.
///
/// Where an answer to the bytes carries what has gone on of them, all of it must be kept until it
/// is known that nothing was held or changed. An edge can let it go at once where every filter that
/// [sees bytes](super::Interest::DATA) says that it never does either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Keeping {
    /// It may: every verdict is open to it.
    #[default]
    MayKeep,
    /// All bytes that it is shown go on by the verdict of that call.
    ///
    /// It is taken at its word: where an edge relies on it, a message of which some bytes went on
    /// and others were kept, or dropped behind an early end, fails with
    /// [`ErrorKind::Undeclared`](crate::ErrorKind::Undeclared). Nothing is lost in silence.
    Never,
}
