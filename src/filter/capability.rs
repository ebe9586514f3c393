use core::fmt;
use core::ops::BitOr;

/// Something a filter may need and an edge may be able to do.
///
/// A filter [declares](super::Declaration) what it needs; to look at a message, to reply and to
/// fail need nothing. What was not declared, or not granted, is refused where it is done: an edit
/// with [`EditErrorKind::Undeclared`](super::EditErrorKind::Undeclared). A hold of the head fails
/// the message with [`ErrorKind::Undeclared`](crate::ErrorKind::Undeclared).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// Send trailers where none came. HTTP/1 needs them announced
    /// ([`Declaration::trailer`](super::Declaration::trailer)) and asked for by the receiver, with
    /// `te: trailers` (RFC 9110, 6.5.1): a filter that can do without *prefers* it. Where it is
    /// granted, [`Filter::trailers`](super::Filter::trailers) is called for every message.
    AddTrailers,
    /// Keep the head until body has been seen: [`Verdict::HOLD`](super::Verdict::HOLD) on the
    /// head. Then it can still be changed, or a reply take the place of the whole message.
    HoldHead,
    /// Keep bytes until the message has ended: holding until
    /// [`View::input_ended`](super::View::input_ended). Holding for less needs nothing.
    KeepToEnd,
    /// Change bytes of the body: [`View::replace`](super::View::replace) and the like. How many
    /// there are stays the same; a message whose declared length is broken fails at its exit.
    EditBytes,
    /// Change how many bytes the body has. Includes editing bytes. `content-length` is taken off,
    /// unless the filter states a new one
    /// ([`View::set_declared_bytes`](super::View::set_declared_bytes)).
    ChangeLength,
    /// Be shown the end of the message.
    SeeEnd,
    /// Be shown the trailers that come with the message.
    SeeTrailers,
}

impl Capability {
    /// Every capability, in declaration order.
    pub const ALL: [Self; 7] = [
        Self::AddTrailers,
        Self::HoldHead,
        Self::KeepToEnd,
        Self::EditBytes,
        Self::ChangeLength,
        Self::SeeEnd,
        Self::SeeTrailers,
    ];

    /// The name used in errors and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddTrailers => "add trailers",
            Self::HoldHead => "hold the head for body",
            Self::KeepToEnd => "keep bytes to the end",
            Self::EditBytes => "edit bytes",
            Self::ChangeLength => "change length",
            Self::SeeEnd => "see the end",
            Self::SeeTrailers => "see trailers",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of capabilities: what an edge can do, or what a filter needs or was granted.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u8);

impl Capabilities {
    /// The empty set.
    pub const NONE: Self = Self(0);
    /// Everything; what a unit test without any I/O can do.
    pub const ALL: Self = Self(0b111_1111);

    /// `self` and `capability`.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// `self` without `capability`.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    /// Whether `capability` is in the set.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The first capability of `self` that is not in `other`.
    #[must_use]
    pub fn first_missing_in(self, other: Self) -> Option<Capability> {
        Capability::ALL.into_iter().find(|&need| self.has(need) && !other.has(need))
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl From<Capability> for Capabilities {
    fn from(capability: Capability) -> Self {
        Self::NONE.with(capability)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Capability::ALL.into_iter().filter(|&each| self.has(each))).finish()
    }
}
