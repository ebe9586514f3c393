//! One `ProcessingRequest` on its way in: where in it the next byte belongs, and what has come.

use std::mem;

use bytes::{Bytes, BytesMut};

use super::input::Input;
use super::schema::{Field, Gathered, Message, Number};
use crate::exchange::Direction;
use crate::ext_proc::wire::key::{Key, Seen, WireType};
use crate::ext_proc::wire::varint::Varint;
use crate::ext_proc::wire::{
    Envelope, Event, Malformed, ProtocolConfig, Section, WireError, WireLimit, WireLimits,
};

/// How far reading got.
pub(super) enum Progress {
    /// To the end of the input.
    Starved,
    /// To a piece of a body.
    Piece(Event),
    /// To the end of the message.
    Whole,
}

/// A `ProcessingRequest` that is being read.
pub(super) struct Reading {
    /// What is left of it besides what `inner` and `step` have taken, in bytes.
    left: u32,
    seen: Seen,
    inner: Option<Inner>,
    step: Step,
    part: Option<Part>,
    /// Made by the first thing in it: most messages have nothing but a part.
    envelope: Option<Box<Envelope>>,
    /// What has been charged to [`WireLimit::EnvelopeBytes`].
    envelope_bytes: u64,
    /// What has come of a field that is gathered, where it was cut.
    gathered: BytesMut,
}

/// A message in it that is being read.
struct Inner {
    message: Message,
    /// As of the outer one.
    left: u32,
    seen: Seen,
}

/// Where the next byte belongs.
#[derive(Clone, Copy)]
enum Step {
    /// Between two fields, or in the key of the next one.
    Key(Varint),
    /// In a number. `None`: it is skipped.
    Number { number: Option<Number>, varint: Varint },
    /// In a length.
    Length { key: Key, field: Field, varint: Varint },
    /// In what is skipped.
    Skip { left: u32 },
    /// In the bytes of a body.
    Body { left: u32 },
    /// In something that is read when it is whole.
    Gather { gathered: Gathered, left: u32 },
}

impl Step {
    const BETWEEN: Self = Self::Key(Varint::FRESH);
}

/// What has come of the part.
enum Part {
    Headers { direction: Direction, section: Option<Box<Section>>, end_of_stream: bool },
    Body { direction: Direction, body_bytes: u64, end_of_stream: bool },
    Trailers { direction: Direction, section: Option<Box<Section>> },
}

impl Reading {
    /// A message of so many bytes.
    pub(super) fn new(len: u32) -> Self {
        Self {
            left: len,
            seen: Seen::NONE,
            inner: None,
            step: Step::BETWEEN,
            part: None,
            envelope: None,
            envelope_bytes: 0,
            gathered: BytesMut::new(),
        }
    }

    /// The same, as far as it can be read at once.
    #[inline]
    pub(super) fn begun(len: u32, input: &mut Input) -> Self {
        match Self::at_body(len, input.peek()) {
            Some((begun, bytes)) => {
                input.skip(bytes);
                begun
            }
            None => Self::new(len),
        }
    }

    /// A message of so many bytes that begins with the bytes of a body, as all of Envoy's do that
    /// have one: read as far as those, which is how many bytes. `None` for all others: they are
    /// read step by step.
    #[inline]
    fn at_body(len: u32, message: &[u8]) -> Option<(Self, usize)> {
        let (key, mut rest) = message.split_first()?;
        let direction = match key {
            0x22 => Direction::Request,
            0x2a => Direction::Response,
            _ => return None,
        };
        let mut left = len.checked_sub(1)?;
        let part_bytes = take_len(&mut rest, &mut left)?;
        left = left.checked_sub(part_bytes)?;
        let (&0x0a, mut rest) = rest.split_first()? else { return None };
        let mut part_left = part_bytes.checked_sub(1)?;
        let body_bytes = take_len(&mut rest, &mut part_left)?;
        part_left = part_left.checked_sub(body_bytes)?;
        let mut seen = Seen::NONE;
        seen.once(1).ok()?;
        let begun = Self {
            left,
            inner: Some(Inner { message: Message::Body, left: part_left, seen }),
            step: Step::Body { left: body_bytes },
            part: Some(Part::new(Message::Body, direction)),
            ..Self::new(len)
        };
        Some((begun, message.len() - rest.len()))
    }

    /// Which message the next byte belongs to.
    fn message(&self) -> Message {
        self.inner.as_ref().map_or(Message::ProcessingRequest, |inner| inner.message)
    }

    /// Reads on.
    pub(super) fn read(
        &mut self,
        input: &mut Input,
        limits: &WireLimits,
    ) -> Result<Progress, WireError> {
        loop {
            let message = self.message();
            let malformed = |fault| WireError::Malformed { message: message.name(), fault };
            let level = self.inner.as_mut().map_or(&mut self.left, |inner| &mut inner.left);
            match &mut self.step {
                Step::Key(varint) if varint.is_fresh() && *level == 0 => {
                    if self.inner.take().is_none() {
                        return Ok(Progress::Whole);
                    }
                }
                Step::Key(varint) => {
                    let key = input.varint(varint, level).map_err(malformed)?;
                    let Some(key) = key else { return Ok(Progress::Starved) };
                    self.step = self.begin(key).map_err(malformed)?;
                }
                Step::Number { number, varint } => {
                    let value = input.varint(varint, level).map_err(malformed)?;
                    let Some(value) = value else { return Ok(Progress::Starved) };
                    let number = *number;
                    self.step = Step::BETWEEN;
                    self.set(number, value);
                }
                Step::Length { key, field, varint } => {
                    let len = input.varint(varint, level).map_err(malformed)?;
                    let Some(len) = len else { return Ok(Progress::Starved) };
                    let len = take_off(level, len, key.field).map_err(malformed)?;
                    let field = *field;
                    self.step = self.enter(field, len, limits)?;
                }
                Step::Skip { left } => {
                    while input.piece(left).is_some() {}
                    if *left != 0 {
                        return Ok(Progress::Starved);
                    }
                    self.step = Step::BETWEEN;
                }
                Step::Body { left } => match input.piece(left) {
                    Some(bytes) => return Ok(Progress::Piece(self.body_piece(bytes))),
                    None if *left != 0 => return Ok(Progress::Starved),
                    None => self.step = Step::BETWEEN,
                },
                Step::Gather { gathered, left } => {
                    let gathered = *gathered;
                    let Some(bytes) = gather(&mut self.gathered, input, left) else {
                        return Ok(Progress::Starved);
                    };
                    self.step = Step::BETWEEN;
                    self.keep(gathered, bytes, limits)?;
                }
            }
        }
    }

    /// A field begins.
    #[inline]
    fn begin(&mut self, key: u64) -> Result<Step, Malformed> {
        let key = Key::new(key)?;
        let field = self.message().field(key)?;
        let (level, seen) = match &mut self.inner {
            Some(inner) => (&mut inner.left, &mut inner.seen),
            None => (&mut self.left, &mut self.seen),
        };
        match field {
            // Another one of the oneof is a repetition as well.
            Field::Part(..) if self.part.is_some() => {
                return Err(Malformed::Repeated { field: key.field });
            }
            Field::Part(..) | Field::Other | Field::Gathered(Gathered::Attributes) => {}
            Field::Config
            | Field::Body
            | Field::Number(_)
            | Field::Gathered(Gathered::Section | Gathered::Metadata) => seen.once(key.field)?,
        }
        let varint = Varint::FRESH;
        Ok(match key.wire_type {
            WireType::Bytes => Step::Length { key, field, varint },
            WireType::Fixed64 => Step::Skip { left: take_off(level, 8, key.field)? },
            WireType::Fixed32 => Step::Skip { left: take_off(level, 4, key.field)? },
            WireType::Varint => {
                let number = if let Field::Number(number) = field { Some(number) } else { None };
                Step::Number { number, varint }
            }
        })
    }

    /// The length of a field is known, and taken off what it lies in.
    fn enter(&mut self, field: Field, len: u32, limits: &WireLimits) -> Result<Step, WireError> {
        let message = match field {
            Field::Part(message, direction) => {
                self.part = Some(Part::new(message, direction));
                message
            }
            Field::Config => {
                self.envelope().protocol_config = Some(ProtocolConfig::default());
                Message::Config
            }
            Field::Body => return Ok(Step::Body { left: len }),
            Field::Gathered(gathered) => {
                self.charge(gathered, len, limits)?;
                return Ok(Step::Gather { gathered, left: len });
            }
            // A number has no length: the wire type was checked.
            Field::Other | Field::Number(_) => return Ok(Step::Skip { left: len }),
        };
        self.inner = Some(Inner { message, left: len, seen: Seen::NONE });
        Ok(Step::BETWEEN)
    }

    /// Before anything of it is kept.
    fn charge(
        &mut self,
        gathered: Gathered,
        len: u32,
        limits: &WireLimits,
    ) -> Result<(), WireError> {
        let (limit, most, charged) = match gathered {
            Gathered::Section => (WireLimit::SectionBytes, limits.section_bytes, len.into()),
            Gathered::Metadata | Gathered::Attributes => {
                // An entry of two bytes would otherwise cost sixteen times as much.
                let handle = match gathered {
                    Gathered::Attributes => size_of::<Bytes>() as u64,
                    Gathered::Metadata | Gathered::Section => 0,
                };
                self.envelope_bytes += u64::from(len) + handle;
                (WireLimit::EnvelopeBytes, limits.envelope_bytes, self.envelope_bytes)
            }
        };
        let most = u64::from(most);
        if charged > most { Err(WireError::Limit { limit, most }) } else { Ok(()) }
    }

    fn keep(
        &mut self,
        gathered: Gathered,
        bytes: Bytes,
        limits: &WireLimits,
    ) -> Result<(), WireError> {
        match gathered {
            Gathered::Section => {
                let read = Section::read(&bytes, limits)?;
                match &mut self.part {
                    Some(Part::Headers { section, .. } | Part::Trailers { section, .. }) => {
                        *section = Some(read);
                    }
                    Some(Part::Body { .. }) | None => {}
                }
            }
            // Envoy puts an empty one into each message.
            Gathered::Metadata if bytes.is_empty() => {}
            Gathered::Metadata => self.envelope().metadata = bytes.into(),
            Gathered::Attributes => self.envelope().attributes.push(bytes),
        }
        Ok(())
    }

    fn set(&mut self, number: Option<Number>, value: u64) {
        match number {
            Some(Number::Observability) if value != 0 => self.envelope().observability = true,
            None | Some(Number::Observability) => {}
            Some(Number::EndOfStream) => match &mut self.part {
                Some(Part::Headers { end_of_stream, .. } | Part::Body { end_of_stream, .. }) => {
                    *end_of_stream = value != 0;
                }
                Some(Part::Trailers { .. }) | None => {}
            },
            Some(Number::RequestMode) => self.config().request_body_mode = low_half(value),
            Some(Number::ResponseMode) => self.config().response_body_mode = low_half(value),
            Some(Number::WithoutWaiting) => self.config().send_body_without_waiting = value != 0,
        }
    }

    fn envelope(&mut self) -> &mut Envelope {
        self.envelope.get_or_insert_default()
    }

    fn config(&mut self) -> &mut ProtocolConfig {
        self.envelope().protocol_config.get_or_insert_default()
    }

    fn body_piece(&mut self, bytes: Bytes) -> Event {
        match &mut self.part {
            Some(Part::Body { direction, body_bytes, .. }) => {
                *body_bytes += bytes.len() as u64;
                Event::BodyPiece { direction: *direction, bytes }
            }
            // Only the part of a body has bytes of one.
            Some(Part::Headers { .. } | Part::Trailers { .. }) | None => {
                Event::Other { envelope: None }
            }
        }
    }

    /// What the whole message is.
    pub(super) fn event(&mut self) -> Event {
        let envelope = self.envelope.take();
        match self.part.take() {
            Some(Part::Headers { direction, section, end_of_stream }) => Event::Headers {
                direction,
                section: section.unwrap_or_default(),
                end_of_stream,
                envelope,
            },
            Some(Part::Body { direction, body_bytes, end_of_stream }) => {
                Event::BodyEnd { direction, body_bytes, end_of_stream, envelope }
            }
            Some(Part::Trailers { direction, section }) => {
                Event::Trailers { direction, section: section.unwrap_or_default(), envelope }
            }
            None => Event::Other { envelope },
        }
    }
}

/// What is gathered, once it is whole: at once, where it was not cut. It is copied, as it would
/// otherwise keep all that was read with it.
fn gather(gathered: &mut BytesMut, input: &mut Input, left: &mut u32) -> Option<Bytes> {
    if *left == 0 && gathered.is_empty() {
        return Some(Bytes::new());
    }
    if gathered.is_empty()
        && let Some(bytes) = input.copied(*left)
    {
        return Some(bytes);
    }
    while let Some(piece) = input.piece(left) {
        gathered.extend_from_slice(&piece);
    }
    (*left == 0).then(|| mem::take(gathered).freeze())
}

impl Part {
    const fn new(message: Message, direction: Direction) -> Self {
        match message {
            Message::Headers => Self::Headers { direction, section: None, end_of_stream: false },
            Message::Body => Self::Body { direction, body_bytes: 0, end_of_stream: false },
            Message::Trailers | Message::ProcessingRequest | Message::Config => {
                Self::Trailers { direction, section: None }
            }
        }
    }
}

/// Takes a length that lies in `bytes`, whose own bytes are taken off `left`.
#[inline]
fn take_len(bytes: &mut &[u8], left: &mut u32) -> Option<u32> {
    let before = bytes.len();
    let len = Varint::take(bytes).ok()?;
    *left = left.checked_sub(u32::try_from(before - bytes.len()).ok()?)?;
    u32::try_from(len).ok()
}

/// Takes the length of a field off what is left of its message.
#[inline]
fn take_off(left: &mut u32, len: u64, field: u32) -> Result<u32, Malformed> {
    let len = u32::try_from(len).map_err(|_| Malformed::Length { field })?;
    *left = left.checked_sub(len).ok_or(Malformed::Length { field })?;
    Ok(len)
}

/// Of a number of the type `int32`, the lower half counts.
fn low_half(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}
