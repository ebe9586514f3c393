/// Why a header block cannot be read. The table behind it is not the peer's any more, so that the
/// connection is over: COMPRESSION_ERROR (RFC 9113, section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HpackError {
    /// An integer does not fit 32 bits, or is written with more bytes than 32 bits need.
    IntegerOverflow,
    /// The block ends inside a field.
    Truncated,
    /// No field, or no name, has this index.
    BadIndex,
    /// A string ends in a code, in too much padding or in other bits than those of the padding; or
    /// it has the code that stands for its end.
    BadHuffman,
    /// The size of the table is changed behind a field, or to more than was announced.
    TableSize,
}
