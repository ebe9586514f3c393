//! What stands before each field of a message: its number, and how long it is.

use super::Malformed;

/// How long a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    /// A length, then so many bytes.
    Bytes,
    Fixed32,
}

impl WireType {
    const fn number(self) -> u8 {
        match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
            Self::Bytes => 2,
            Self::Fixed32 => 5,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) field: u32,
    pub(super) wire_type: WireType,
}

impl Key {
    #[inline]
    pub(super) fn new(key: u64) -> Result<Self, Malformed> {
        let key = u32::try_from(key).map_err(|_| Malformed::FieldNumber)?;
        let field = key >> 3;
        if field == 0 {
            return Err(Malformed::FieldNumber);
        }
        let wire_type = match key & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Bytes,
            3 | 4 => return Err(Malformed::Group { field }),
            5 => WireType::Fixed32,
            6 => return Err(Malformed::WireType { field, wire_type: 6 }),
            _ => return Err(Malformed::WireType { field, wire_type: 7 }),
        };
        Ok(Self { field, wire_type })
    }

    /// The field is known, and is to have this wire type.
    #[inline]
    pub(super) fn expect(self, wire_type: WireType) -> Result<(), Malformed> {
        if self.wire_type == wire_type {
            return Ok(());
        }
        Err(Malformed::WireType { field: self.field, wire_type: self.wire_type.number() })
    }
}

/// Which of the singular fields of a message have come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen(u32);

impl Seen {
    pub(super) const NONE: Self = Self(0);

    /// `field` comes; its number is less than 32.
    #[inline]
    pub(super) fn once(&mut self, field: u32) -> Result<(), Malformed> {
        let bit = 1 << (field % u32::BITS);
        if self.0 & bit != 0 {
            return Err(Malformed::Repeated { field });
        }
        self.0 |= bit;
        Ok(())
    }
}
