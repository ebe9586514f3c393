//! The fields of a message that lies in one slice.

use super::Malformed;
use super::key::{Key, WireType};
use super::varint::Varint;

/// One field: its number, and the bytes of it if it has a length. Numbers are skipped: nothing that
/// is read from slices has any.
pub(super) struct Field<'a> {
    key: Key,
    bytes: &'a [u8],
}

impl<'a> Field<'a> {
    pub(super) const fn number(&self) -> u32 {
        self.key.field
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// If it is a number.
    pub(super) fn bytes(&self) -> Result<&'a [u8], Malformed> {
        self.key.expect(WireType::Bytes)?;
        Ok(self.bytes)
    }

    /// Its bytes, as text.
    pub(super) fn text(&self) -> Result<&'a str, Malformed> {
        let bytes = self.bytes()?;
        str::from_utf8(bytes).map_err(|_| Malformed::Utf8 { field: self.number() })
    }
}

/// Reads field by field. After an error there is nothing more.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// What `read` makes of the bytes that are left, if that is something: then those behind it are
    /// left.
    #[inline]
    pub(super) fn next_by<T>(
        &mut self,
        read: impl FnOnce(&'a [u8]) -> Option<(T, &'a [u8])>,
    ) -> Option<T> {
        let (taken, behind) = read(self.0)?;
        self.0 = behind;
        Some(taken)
    }

    fn read(&mut self) -> Result<Field<'a>, Malformed> {
        let key = Key::new(Varint::take(&mut self.0)?)?;
        let len = match key.wire_type {
            WireType::Varint => {
                Varint::take(&mut self.0)?;
                0
            }
            WireType::Fixed64 => 8,
            WireType::Fixed32 => 4,
            WireType::Bytes => {
                let len = Varint::take(&mut self.0)?;
                usize::try_from(len).map_err(|_| Malformed::Length { field: key.field })?
            }
        };
        let split = self.0.split_at_checked(len);
        let (bytes, rest) = split.ok_or(Malformed::Length { field: key.field })?;
        self.0 = rest;
        Ok(Field { key, bytes })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = &[];
        }
        Some(read)
    }
}
