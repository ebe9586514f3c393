use crate::http2::frame::FrameHead;

/// What comes next.
#[derive(Debug)]
pub(super) enum Reading {
    /// What a client says first (RFC 9113, section 3.4).
    Preface,
    /// The head of a frame: of its first one, which has to be SETTINGS.
    First,
    /// The head of a frame.
    Head,
    /// A payload that is taken when it is there as a whole.
    Whole(FrameHead),
    /// So much of a body, and not nothing.
    Data(DataPart),
    /// So much that means nothing, in bytes.
    Skip { left: u32 },
}

impl Reading {
    /// Behind a body: its padding, in bytes.
    pub(super) const fn padding(left: u32) -> Self {
        if left == 0 { Self::Head } else { Self::Skip { left } }
    }
}

/// The rest of a DATA frame.
#[derive(Debug)]
pub(super) struct DataPart {
    /// The slot of its stream, and its number: it may be over by now, and the slot another's.
    pub(super) slot: usize,
    pub(super) stream: u32,
    /// Of body, in bytes.
    pub(super) left: u32,
    /// Of padding behind it, in bytes.
    pub(super) padding: u32,
    pub(super) ends: bool,
}

impl DataPart {
    /// What comes next: this, if it is not nothing.
    pub(super) const fn reading(self) -> Reading {
        if self.left == 0 { Reading::padding(self.padding) } else { Reading::Data(self) }
    }
}
