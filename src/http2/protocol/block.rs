/// A block of fields that is coming, in one frame or several: until it is whole no other frame may
/// come (RFC 9113, section 4.3).
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) of: BlockOf,
    /// Whether nothing comes behind it.
    pub(super) ends: bool,
    pub(super) bytes: Vec<u8>,
    /// Of all its frames with their heads, in bytes.
    pub(super) cost: usize,
}

/// What its fields are. They are read in any case: what they change in the table of fields is for
/// all that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockOf {
    /// The head of a new stream.
    Request,
    /// The same, and there is no room for the stream.
    Refused,
    /// The trailers of a stream.
    Trailers { slot: usize },
    /// Of a stream that is over.
    Nobody,
}
