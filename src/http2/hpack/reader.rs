use super::hpack_error::HpackError;
use super::huffman;

/// What is left of a header block.
pub(super) struct Reader<'a>(&'a [u8]);

/// An integer has its prefix and at most so many bytes behind it, of 7 bits each: 32 bits need no
/// more, and zeros without end say nothing.
const MOST_CONTINUATIONS: u32 = 5;

/// The flag of a string that is Huffman-coded; its length has the bits below.
const HUFFMAN: u8 = 0x80;
const LENGTH_BITS: u32 = 7;

impl<'a> Reader<'a> {
    pub(super) const fn new(block: &'a [u8]) -> Self {
        Self(block)
    }

    /// The byte that says what comes; none at the end.
    pub(super) fn first(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// All of it.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Takes `coded`, if that is what comes.
    pub(super) fn skip(&mut self, coded: &[u8]) -> bool {
        let rest = self.0.strip_prefix(coded);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn byte(&mut self) -> Result<u8, HpackError> {
        let (&byte, rest) = self.0.split_first().ok_or(HpackError::Truncated)?;
        self.0 = rest;
        Ok(byte)
    }

    /// An integer that begins in the lower `prefix_bits` of the next byte: section 5.1.
    #[inline]
    pub(super) fn integer(&mut self, prefix_bits: u32) -> Result<usize, HpackError> {
        let largest = u8::MAX >> (u8::BITS - prefix_bits);
        let prefix = self.byte()? & largest;
        if prefix < largest { Ok(prefix.into()) } else { self.continued(prefix) }
    }

    fn continued(&mut self, prefix: u8) -> Result<usize, HpackError> {
        let mut value = u64::from(prefix);
        for i in 0..MOST_CONTINUATIONS {
            let byte = self.byte()?;
            value += u64::from(byte & 0x7f) << (7 * i);
            if byte & 0x80 == 0 {
                let value = u32::try_from(value).map_err(|_| HpackError::IntegerOverflow)?;
                return Ok(value as usize);
            }
        }
        Err(HpackError::IntegerOverflow)
    }

    /// A string: section 5.2. A coded one is written to `scratch`, which is empty before.
    pub(super) fn string<'s>(&mut self, scratch: &'s mut Vec<u8>) -> Result<&'s [u8], HpackError>
    where
        'a: 's,
    {
        let is_coded = self.first().is_some_and(|byte| byte & HUFFMAN != 0);
        let len = self.integer(LENGTH_BITS)?;
        // The bytes are here, whatever the length says: nothing is reserved before.
        let (string, rest) = self.0.split_at_checked(len).ok_or(HpackError::Truncated)?;
        self.0 = rest;
        if !is_coded {
            return Ok(string);
        }
        scratch.clear();
        huffman::decode(string, scratch)?;
        Ok(scratch)
    }
}
