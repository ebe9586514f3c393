use core::fmt;
use core::num::NonZero;

/// What a filter answers: one word, covering everything in its view.
///
/// | verdict | head | bytes | end or trailers |
/// |---|---|---|---|
/// | [`PASS`](Self::PASS) | goes | all go | go |
/// | [`pass_first(n)`](Self::pass_first) | goes | the first n go | stay |
/// | [`HOLD`](Self::HOLD) | stays | stay | stay |
/// | [`END`](Self::END) | goes | all go | the message ends here |
/// | [`View::reply`](super::View::reply), [`View::fail`](super::View::fail) | dropped | dropped | dropped |
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "a verdict does nothing unless the callback returns it"]
pub struct Verdict(u64);

impl Verdict {
    /// Everything in the view goes on.
    pub const PASS: Self = Self(PASS);

    /// Everything in the view is kept. Over the high mark the source is paused, unless
    /// [`or_reject`](Self::or_reject).
    pub const HOLD: Self = Self(HOLD);

    /// Everything in the view goes on, and then the message ends here: with the trailers in the
    /// view, if there are any. What arrives later is dropped and counted.
    pub const END: Self = Self(END);

    /// Beside the bits of a verdict: an edit was tried. No verdict has it.
    pub(super) const EDITED: u64 = EDITED;

    pub(super) const REPLY: Self = Self(REPLY);
    pub(super) const FAIL: Self = Self(FAIL);

    /// The head and the first `bytes` of the view (as it is after edits) go on; the rest is held.
    ///
    /// Never lets the end or the trailers go, even if `bytes` is the whole view or more: so
    /// `pass_first(0)` on a head lets the head go and keeps the message open, and a filter that
    /// will add more later passes what it has with `pass_first(len)`.
    pub const fn pass_first(bytes: usize) -> Self {
        let bytes = bytes as u64;
        let bytes = if bytes > MAX_FIRST_BYTES { MAX_FIRST_BYTES } else { bytes };
        Self(FIRST | bytes << FIRST_SHIFT)
    }

    /// What stays held over the high mark is answered 413 on requests and 500 on responses.
    /// Means nothing on verdicts that hold nothing.
    pub const fn or_reject(self) -> Self {
        Self(self.0 | REJECT)
    }

    /// The filter is not called for what arrives until it is resumed: that queues, unseen.
    /// Means nothing on verdicts that hold nothing.
    pub const fn quiet(self) -> Self {
        Self(self.0 | QUIET)
    }

    /// The filter is asked again, through its `resume` callback, as if it had resumed itself.
    pub const fn again(self) -> Self {
        Self(self.0 | AGAIN)
    }

    #[inline]
    pub(crate) const fn is_pass(self) -> bool {
        self.0 == PASS
    }

    /// 0 is `PASS`.
    #[inline]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) const fn is_fail(self) -> bool {
        self.0 & KIND == FAIL
    }

    pub(crate) const fn wants_again(self) -> bool {
        self.0 & AGAIN != 0
    }

    pub(crate) const fn decision(self) -> Decision {
        let overflow = if self.0 & REJECT == 0 { Overflow::BackPressure } else { Overflow::Reject };
        let quiet = self.0 & QUIET != 0;
        match self.0 & KIND {
            PASS => Decision::Pass,
            HOLD => Decision::Hold { overflow, quiet },
            FIRST => Decision::First { bytes: self.0 >> FIRST_SHIFT, overflow, quiet },
            END => Decision::End,
            REPLY => Decision::Reply,
            _ => Decision::Fail,
        }
    }
}

/// What a call was that is not a plain `PASS` without an edit: its verdict, and whether it edited,
/// in one word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Odd(NonZero<u64>);

impl Odd {
    #[inline]
    pub(super) const fn new(bits: u64) -> Option<Self> {
        match NonZero::new(bits) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    pub(crate) const fn verdict(self) -> Verdict {
        Verdict(self.0.get() & !EDITED)
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decision().fmt(f)
    }
}

/// What happens when a holder is over its high mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The source is paused.
    BackPressure,
    /// The message is answered 413 / 500.
    Reject,
}

/// A verdict, unpacked for an exhaustive match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Pass,
    First { bytes: u64, overflow: Overflow, quiet: bool },
    Hold { overflow: Overflow, quiet: bool },
    End,
    Reply,
    Fail,
}

const PASS: u64 = 0;
const FIRST: u64 = 1;
const HOLD: u64 = 2;
const END: u64 = 3;
const REPLY: u64 = 4;
const FAIL: u64 = 5;
const KIND: u64 = 7;
const REJECT: u64 = 1 << 3;
const QUIET: u64 = 1 << 4;
const AGAIN: u64 = 1 << 5;
const EDITED: u64 = 1 << 6;
const FIRST_SHIFT: u32 = 8;
const MAX_FIRST_BYTES: u64 = u64::MAX >> FIRST_SHIFT;

const _: () = assert!(
    (KIND | REJECT | QUIET | AGAIN) & EDITED == 0 && EDITED < 1 << FIRST_SHIFT,
    "an edit has a bit of its own"
);
const _: () = assert!(PASS == 0, "a plain pass is tested for zero");
const _: () = assert!(size_of::<Verdict>() == 8, "a verdict comes back in a register");
