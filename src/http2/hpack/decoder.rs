use super::dynamic_table::{DynamicTable, ENTRY_BYTES, Entry};
use super::field::{Field, Kept, Name};
use super::hpack_error::HpackError;
use super::reader::Reader;
use super::static_table;

/// Reads the header blocks of a connection, one behind the other.
#[derive(Debug)]
pub(crate) struct Decoder {
    table: DynamicTable,
    /// Where strings are decoded before they are copied.
    scratch: Vec<u8>,
    last_path: Option<LastPath>,
}

/// The last path that was not to be kept in the table: peers write it out each time, and in gRPC it
/// is the same each time.
#[derive(Debug)]
struct LastPath {
    /// As it came, from its first byte to its last: its lengths say where it ends, so what begins
    /// like this is this.
    coded: Vec<u8>,
    field: Field,
    bytes: usize,
}

/// The most room that is kept for strings, in bytes, so that a long one does not stay with an idle
/// connection: what fits is decoded without an allocation.
const SCRATCH_KEPT_BYTES: usize = 512;

/// The longest path that is remembered, in bytes as it came.
const LAST_PATH_BYTES: usize = 256;

/// How a field is written: section 6.
enum Kind {
    Indexed,
    /// A literal whose name has an index of this many bits, 0 if it is a literal too.
    Literal(u32, Then),
    TableSize,
}

/// What becomes of a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Kept,
    NotKept,
    /// Nobody on the way may keep it in a table.
    NeverKept,
}

impl Kind {
    const fn new(first: u8) -> Self {
        match first {
            0x80.. => Self::Indexed,
            0x40.. => Self::Literal(6, Then::Kept),
            0x20.. => Self::TableSize,
            0x10.. => Self::Literal(4, Then::NeverKept),
            _ => Self::Literal(4, Then::NotKept),
        }
    }
}

const INDEXED_BITS: u32 = 7;
const TABLE_SIZE_BITS: u32 = 5;

impl Decoder {
    /// `max_table_bytes` is what was announced as SETTINGS_HEADER_TABLE_SIZE. Peers take it as 4096
    /// until they have read that: less would have to be announced first.
    pub(crate) const fn new(max_table_bytes: usize) -> Self {
        Self { table: DynamicTable::new(max_table_bytes), scratch: Vec::new(), last_path: None }
    }

    /// Reads one whole block, and gives each field to `field`, in order, with its part of the size
    /// of the list in bytes (RFC 9113, section 6.5.2): name, value and 32.
    ///
    /// After an error the connection is over; fields before the place of the error have been given.
    pub(crate) fn decode(
        &mut self,
        block: &[u8],
        mut field: impl FnMut(Field, usize),
    ) -> Result<(), HpackError> {
        let mut reader = Reader::new(block);
        let mut may_resize = true;
        while let Some(first) = reader.first() {
            match Kind::new(first) {
                Kind::Indexed => {
                    let (indexed, bytes) = self.indexed(reader.integer(INDEXED_BITS)?)?;
                    field(indexed, bytes);
                }
                Kind::Literal(bits, Then::NotKept) => {
                    let (literal, bytes) = self.perhaps_path(&mut reader, bits)?;
                    field(literal, bytes);
                }
                Kind::Literal(bits, then) => {
                    let (literal, bytes) = self.literal(&mut reader, bits, then)?;
                    field(literal, bytes);
                }
                Kind::TableSize if may_resize => {
                    // At most two of them mean something, more are only longer: section 4.2.
                    self.table.set_limit(reader.integer(TABLE_SIZE_BITS)?)?;
                    continue;
                }
                Kind::TableSize => return Err(HpackError::TableSize),
            }
            may_resize = false;
        }
        if self.scratch.capacity() > SCRATCH_KEPT_BYTES {
            self.scratch = Vec::new();
        }
        Ok(())
    }

    /// How often the table has been changed: while it has not, the same block means the same.
    pub(crate) const fn table_changes(&self) -> u64 {
        self.table.changes()
    }

    #[inline]
    fn indexed(&self, index: usize) -> Result<(Field, usize), HpackError> {
        if let Some(found) = static_table::field(index) {
            return Ok(found);
        }
        let entry = self.entry(index)?;
        Ok((entry.kept.field(), entry.bytes))
    }

    fn entry(&self, index: usize) -> Result<&Entry, HpackError> {
        let nth = index.checked_sub(static_table::LEN + 1).ok_or(HpackError::BadIndex)?;
        self.table.get(nth).ok_or(HpackError::BadIndex)
    }

    /// A literal that is not kept in the table: the last path again, or another field.
    fn perhaps_path(
        &mut self,
        reader: &mut Reader<'_>,
        index_bits: u32,
    ) -> Result<(Field, usize), HpackError> {
        if let Some(last) = &self.last_path
            && reader.skip(&last.coded)
        {
            return Ok((last.field.clone(), last.bytes));
        }
        let begun = reader.rest();
        let (field, bytes) = self.literal(reader, index_bits, Then::NotKept)?;
        let coded = &begun[..begun.len() - reader.rest().len()];
        // What the dynamic table calls by a number now is another name the next time.
        let is_by_itself = Reader::new(begun)
            .integer(index_bits)
            .is_ok_and(|index| index == 0 || static_table::name(index).is_some());
        if matches!(field, Field::Path(_)) && is_by_itself && coded.len() <= LAST_PATH_BYTES {
            self.last_path = Some(LastPath { coded: coded.to_vec(), field: field.clone(), bytes });
        }
        Ok((field, bytes))
    }

    fn literal(
        &mut self,
        reader: &mut Reader<'_>,
        index_bits: u32,
        then: Then,
    ) -> Result<(Field, usize), HpackError> {
        let name = match reader.integer(index_bits)? {
            0 => Name::new(reader.string(&mut self.scratch)?),
            index => match static_table::name(index) {
                Some(name) => name,
                None => self.entry(index)?.kept.name(),
            },
        };
        let name_len = name.len();
        let value = reader.string(&mut self.scratch)?;
        let bytes = name_len + value.len() + ENTRY_BYTES;
        let kept = Kept::new(name, value, then == Then::NeverKept);
        if then != Then::Kept {
            return Ok((kept.into_field(), bytes));
        }
        let field = kept.field();
        self.table.insert(Entry { kept, bytes });
        Ok((field, bytes))
    }

    #[cfg(test)]
    pub(super) const fn table(&self) -> &DynamicTable {
        &self.table
    }
}
