//! What is done to a buffer.

/// Where the bytes of a new segment lie.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// An allocation of its own, full.
    Own,
    /// One with room behind the bytes.
    Roomy,
    /// The program.
    Static,
    /// A slice of a shared allocation.
    Shared,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Push(Source),
    Prepend(Source),
    Insert(Source),
    Replace(Source),
    PushAtRest(Source),
    /// Many tiny segments at once: what bounds at rest are about.
    Extend,
    Append,
    AppendAtRest,
    PrependBuf,
    SplitTo,
    MoveTo,
    Remove,
    PopFront,
    Advance,
    Truncate,
    Clear,
    Find,
    Cursor,
    CopyOut,
    Vectored,
    Flatten,
    ToBytes,
    CopyToBytes,
    Segments,
    Compact,
    Settle,
    Equal,
    Clone,
    Take,
    /// All segments out, and in again.
    Collect,
}

/// What operations are drawn from: an entry twice is twice as frequent.
pub(super) const OPS: [Op; 50] = [
    Op::Push(Source::Own),
    Op::Push(Source::Roomy),
    Op::Push(Source::Static),
    Op::Push(Source::Shared),
    Op::Prepend(Source::Own),
    Op::Prepend(Source::Static),
    Op::Insert(Source::Own),
    Op::Insert(Source::Static),
    Op::Insert(Source::Shared),
    Op::Replace(Source::Static),
    Op::Replace(Source::Shared),
    Op::PushAtRest(Source::Own),
    Op::PushAtRest(Source::Roomy),
    Op::PushAtRest(Source::Static),
    Op::PushAtRest(Source::Static),
    Op::PushAtRest(Source::Shared),
    Op::Extend,
    Op::Append,
    Op::Append,
    Op::AppendAtRest,
    Op::AppendAtRest,
    Op::AppendAtRest,
    Op::PrependBuf,
    Op::PrependBuf,
    Op::SplitTo,
    Op::SplitTo,
    Op::MoveTo,
    Op::MoveTo,
    Op::MoveTo,
    Op::Remove,
    Op::Remove,
    Op::PopFront,
    Op::PopFront,
    Op::PopFront,
    Op::Advance,
    Op::Truncate,
    Op::Clear,
    Op::Find,
    Op::Find,
    Op::Cursor,
    Op::CopyOut,
    Op::Vectored,
    Op::Flatten,
    Op::ToBytes,
    Op::CopyToBytes,
    Op::Segments,
    Op::Compact,
    Op::Settle,
    Op::Settle,
    Op::Equal,
];

/// Whole buffers that come and go: rare, or nothing else is left to do.
pub(super) const WHOLE: [Op; 3] = [Op::Clone, Op::Take, Op::Collect];

impl Op {
    /// Whether it may count copied bytes.
    pub(super) fn may_copy(self) -> bool {
        match self {
            Self::PushAtRest(_)
            | Self::AppendAtRest
            | Self::Flatten
            | Self::ToBytes
            | Self::CopyToBytes
            | Self::Compact
            | Self::Settle => true,
            // The counter goes with the buffer.
            Self::Clone | Self::Take | Self::Collect | Self::SplitTo => true,
            Self::Push(_)
            | Self::Prepend(_)
            | Self::Insert(_)
            | Self::Replace(_)
            | Self::Extend
            | Self::Append
            | Self::PrependBuf
            | Self::MoveTo
            | Self::Remove
            | Self::PopFront
            | Self::Advance
            | Self::Truncate
            | Self::Clear
            | Self::Find
            | Self::Cursor
            | Self::CopyOut
            | Self::Vectored
            | Self::Segments
            | Self::Equal => false,
        }
    }

    /// Whether its buffer is at rest afterwards, so that the bounds hold.
    pub(super) fn settles(self) -> bool {
        matches!(
            self,
            Self::PushAtRest(_) | Self::AppendAtRest | Self::Clear | Self::Settle | Self::Take
        )
    }
}
