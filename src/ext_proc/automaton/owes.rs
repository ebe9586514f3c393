use super::{BufferedPen, DuplexPen, DuplexTrailersPen, HeadersPen, StreamedPen, TrailersPen};

/// What a lane owes now, as the pen that can write it.
///
/// A body answer cannot be written before the answer to the head (P3):
///
/// ```compile_fail,E0599
/// # use tidegate::ext_proc::automaton::Owes;
/// # use tidegate::BodyBuf;
/// fn answer(owes: Owes<'_>) {
///     if let Owes::Headers(pen) = owes {
///         pen.send(BodyBuf::new());
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub enum Owes<'a> {
    /// Nothing.
    Nothing,
    /// The answer to the head.
    Headers(HeadersPen<'a>),
    /// The answer to the body, in BUFFERED and BUFFERED_PARTIAL.
    Buffered(BufferedPen<'a>),
    /// The answer to a body message, in STREAMED.
    Streamed(StreamedPen<'a>),
    /// FULL_DUPLEX_STREAMED, and no trailers came: pieces of the body, and its end.
    Duplex(DuplexPen<'a>),
    /// FULL_DUPLEX_STREAMED, and trailers came: pieces of the body, and trailers.
    DuplexTrailers(DuplexTrailersPen<'a>),
    /// The answer to the trailers, in all other modes.
    Trailers(TrailersPen<'a>),
}
