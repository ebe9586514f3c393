//! Messages from choices: mostly right.

use prost::encoding::encode_varint;

use crate::targets::choices::Choices;

/// The most fields of one message.
const MOST_FIELDS: usize = 6;

/// Which message is written.
#[derive(Clone, Copy)]
enum Level {
    Root,
    Headers,
    Body,
    Trailers,
    Config,
    HeaderMap,
    HeaderValue,
    Metadata,
    /// Of a map of structs.
    Entry,
    Struct,
    Field,
    Value,
    List,
}

/// What a field holds.
#[derive(Clone, Copy)]
enum Content {
    Message(Level),
    Bytes,
    Name,
    Text,
    Number,
}

impl Level {
    /// The known fields: those that come more than once in the table come more often.
    const fn fields(self) -> &'static [(u64, Content)] {
        use Content::{Bytes, Message, Name, Number, Text};
        match self {
            Self::Root => &[
                (2, Message(Self::Headers)),
                (3, Message(Self::Headers)),
                (4, Message(Self::Body)),
                (4, Message(Self::Body)),
                (5, Message(Self::Body)),
                (6, Message(Self::Trailers)),
                (7, Message(Self::Trailers)),
                (8, Message(Self::Metadata)),
                (9, Message(Self::Entry)),
                (10, Number),
                (11, Message(Self::Config)),
                (12, Bytes),
                (13, Bytes),
            ],
            Self::Headers => &[(1, Message(Self::HeaderMap)), (2, Bytes), (3, Number)],
            Self::Body => &[(1, Bytes), (2, Number), (3, Number), (4, Number), (5, Number)],
            Self::Trailers => &[(1, Message(Self::HeaderMap))],
            Self::Config => &[(1, Number), (2, Number), (3, Number)],
            Self::HeaderMap => &[(1, Message(Self::HeaderValue))],
            Self::HeaderValue => &[(1, Name), (2, Text), (3, Bytes), (3, Text)],
            Self::Metadata => &[(1, Message(Self::Entry)), (2, Message(Self::HeaderValue))],
            Self::Entry => &[(1, Name), (2, Message(Self::Struct))],
            Self::Struct => &[(1, Message(Self::Field))],
            Self::Field => &[(1, Name), (2, Message(Self::Value))],
            Self::Value => &[
                (1, Number),
                (3, Text),
                (4, Number),
                (5, Message(Self::Struct)),
                (6, Message(Self::List)),
            ],
            Self::List => &[(1, Message(Self::Value))],
        }
    }
}

const NAMES: [&str; 8] = ["a", ":path", ":status", "content-length", "A", "x-b", "a b", ""];

/// What is written, and what says how.
pub(super) struct Writer<'a, 'b> {
    pub(super) choices: &'a mut Choices<'b>,
    pub(super) out: Vec<u8>,
}

impl<'a, 'b> Writer<'a, 'b> {
    pub(super) fn new(choices: &'a mut Choices<'b>) -> Self {
        Self { choices, out: Vec::new() }
    }

    /// The choices that are left, as they are.
    pub(super) fn raw(&mut self) {
        while !self.choices.is_empty() {
            self.out.push(self.choices.byte());
        }
    }

    /// A message in its frame.
    pub(super) fn frame(&mut self) {
        let mut message = Vec::new();
        self.message(Level::Root, 0, &mut message);
        if self.choices.percent(15) {
            self.spoil(&mut message);
        }
        let flag = if self.choices.percent(2) { self.choices.byte() } else { 0 };
        self.out.push(flag);
        let len = u32::try_from(message.len()).expect("a short message");
        self.out.extend(len.to_be_bytes());
        self.out.extend(message);
    }

    fn message(&mut self, level: Level, depth: usize, out: &mut Vec<u8>) {
        let most = if depth > 8 { 1 } else { MOST_FIELDS };
        for n in 0..=self.choices.below(most) {
            // The first table entry comes too often once there are no more choices.
            if n > 0 && self.choices.is_empty() {
                return;
            }
            self.field(level, depth, out);
        }
    }

    fn field(&mut self, level: Level, depth: usize, out: &mut Vec<u8>) {
        if self.choices.percent(8) {
            return self.unknown(out);
        }
        let fields = level.fields();
        let (number, content) = fields[self.choices.below(fields.len())];
        let mut bytes = Vec::new();
        match content {
            Content::Number => {
                self.varint(number << 3, out);
                let value = [0, 1, 4, u64::MAX, 1 << 40][self.choices.below(5)];
                return self.varint(value, out);
            }
            Content::Message(inner) => {
                if depth < 40 {
                    self.message(inner, depth + 1, &mut bytes);
                }
            }
            Content::Bytes => {
                let len = [0, 1, 7, 200, 3000][self.choices.below(5)];
                bytes.extend((0..len).map(|i: usize| (i % 251) as u8));
            }
            Content::Name => {
                let name = NAMES[self.choices.below(NAMES.len())];
                bytes.extend(name.as_bytes());
            }
            Content::Text => {
                let text = ["", "x", "\t \u{e9}", "a\n", "long enough to be cut"];
                bytes.extend(text[self.choices.below(text.len())].as_bytes());
            }
        }
        self.varint(number << 3 | 2, out);
        // A length that lies, by a little or by far.
        let len = bytes.len() as u64;
        let len = match self.choices.byte() {
            255 => len + 1,
            254 => len.saturating_sub(1),
            253 => u64::MAX,
            _ => len,
        };
        self.varint(len, out);
        out.extend(bytes);
    }

    /// A field that nobody knows, or that none can be.
    fn unknown(&mut self, out: &mut Vec<u8>) {
        let number = [14, 1, 17, 1 << 20, (1 << 29) - 1, 0, 1 << 29][self.choices.below(7)];
        let wire_type = self.choices.below(8) as u64;
        self.varint(number << 3 | wire_type, out);
        match wire_type {
            0 => self.varint(u64::MAX, out),
            1 => out.extend([0xff; 8]),
            2 => {
                let len = self.choices.below(300);
                self.varint(len as u64, out);
                out.extend(std::iter::repeat_n(0xff, len));
            }
            5 => out.extend([0xff; 4]),
            _ => {}
        }
    }

    /// Sometimes with needless bytes at its end, or with more than there can be.
    fn varint(&mut self, value: u64, out: &mut Vec<u8>) {
        encode_varint(value, out);
        let more = match self.choices.byte() {
            252.. => self.choices.below(11),
            _ => 0,
        };
        if more > 0 {
            *out.last_mut().expect("a byte") |= 0x80;
            out.extend(std::iter::repeat_n(0x80, more - 1));
            out.push(0);
        }
    }

    /// Bytes changed, taken away, or put in.
    fn spoil(&mut self, message: &mut Vec<u8>) {
        for _ in 0..=self.choices.below(3) {
            let at = self.choices.below(message.len() + 1);
            match self.choices.below(4) {
                0 => message.truncate(at),
                1 => message.insert(at, self.choices.byte()),
                _ => {
                    let byte = self.choices.byte();
                    if let Some(spoilt) = message.get_mut(at) {
                        *spoilt ^= byte;
                    }
                }
            }
        }
    }
}
