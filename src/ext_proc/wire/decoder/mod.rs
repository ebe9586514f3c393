//! Reads what a client sends: [`Decoder`].
//!
//! This module never copies a byte of a body, and never keeps one.

mod input;
mod message;
mod schema;
mod whole;

use core::{fmt, mem};

use bytes::Bytes;

use self::input::Input;
use self::message::{Progress, Reading};
use self::whole::{Whole, WholePart};
use super::{Envelope, Event, Section, WireError, WireLimits};
use crate::exchange::Direction;

/// What stands before each message: whether it is compressed, and four bytes with its length.
const PREFIX_BYTES: u8 = 5;

/// Reads the messages of one RPC from its bytes, however they are cut: gRPC's frames, and a
/// `ProcessingRequest` in each.
///
/// A body is handed on as it comes, in slices of what was pushed, before its message is whole:
/// there is no limit on the length of a message, and no byte of a body is kept or copied. What is
/// kept until it is whole is bounded by [`WireLimits`].
///
/// The fields of a message may come in any order. Fields that the protocol does not know are
/// skipped as they come, however long. What breaks a rule of protobuf is refused, and besides it a
/// singular field that comes twice, and every group.
///
/// After an error it answers the same one forever. No call waits.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use tidegate::exchange::Direction;
/// use tidegate::ext_proc::wire::{Decoder, Event, WireLimits};
///
/// let mut decoder = Decoder::new(WireLimits::new());
/// // A frame of ten bytes; in it a request body, "abcd", and `end_of_stream`; cut anywhere.
/// decoder.push(Bytes::from_static(b"\0\0\0\0\x0a\x22\x08\x0a\x04ab"));
/// let Some(Event::BodyPiece { bytes, .. }) = decoder.next()? else { panic!("body") };
/// assert_eq!(bytes, "ab");
/// assert!(decoder.next()?.is_none());
///
/// decoder.push(Bytes::from_static(b"cd\x10\x01"));
/// let Some(Event::BodyPiece { bytes, .. }) = decoder.next()? else { panic!("body") };
/// assert_eq!(bytes, "cd");
/// let Some(Event::BodyEnd { direction, body_bytes, end_of_stream, .. }) = decoder.next()? else {
///     panic!("the end of the message");
/// };
/// assert_eq!((direction, body_bytes, end_of_stream), (Direction::Request, 4, true));
/// decoder.finish()?;
/// # Ok::<_, tidegate::ext_proc::wire::WireError>(())
/// ```
pub struct Decoder {
    limits: WireLimits,
    input: Input,
    state: State,
}

enum State {
    /// Between two messages, or in the prefix of the next one.
    Prefix {
        bytes: [u8; PREFIX_BYTES as usize],
        read: u8,
    },
    Message(Reading),
    /// Behind a message that lay here whole, of which only the body was given out.
    BodyGiven {
        direction: Direction,
        body_bytes: u64,
        end_of_stream: bool,
        envelope: Option<Box<Envelope>>,
    },
    Failed(WireError),
}

impl State {
    const BETWEEN: Self = Self::Prefix { bytes: [0; PREFIX_BYTES as usize], read: 0 };
}

impl Decoder {
    /// Nothing has been read.
    #[must_use]
    pub fn new(limits: WireLimits) -> Self {
        Self { limits, input: Input::default(), state: State::BETWEEN }
    }

    /// Takes bytes, in order. They are read by [`next`](Self::next); call that until it answers
    /// `None` before more is pushed, as what is pushed is not bounded here.
    pub fn push(&mut self, bytes: Bytes) {
        if !matches!(self.state, State::Failed(_)) {
            self.input.push(bytes);
        }
    }

    /// The next thing read. `None`: it needs more bytes.
    ///
    /// # Errors
    ///
    /// If what was pushed is no sequence of messages, or passes a limit. What came before it was
    /// answered before.
    #[expect(clippy::should_implement_trait, reason = "an iterator that is out has ended")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Event>, WireError> {
        // As it is asked behind each message.
        if self.input.is_empty() && matches!(self.state, State::Prefix { .. }) {
            return Ok(None);
        }
        let read = self.read();
        if let Err(error) = &read {
            self.fail(error);
        }
        read
    }

    #[cold]
    fn fail(&mut self, error: &WireError) {
        self.state = State::Failed(error.clone());
        self.input.clear();
    }

    fn read(&mut self) -> Result<Option<Event>, WireError> {
        loop {
            match &mut self.state {
                State::Prefix { bytes, read } => {
                    if *read == 0
                        && let Some(prefix) = self.input.array()
                    {
                        let len = len_of(prefix)?;
                        if let Some(event) = self.read_whole(len)? {
                            return Ok(Some(event));
                        }
                        self.state = State::Message(Reading::begun(len, &mut self.input));
                        continue;
                    }
                    while let Some(place) = bytes.get_mut(usize::from(*read)) {
                        let Some(byte) = self.input.byte() else { return Ok(None) };
                        *place = byte;
                        *read += 1;
                        // Before the rest: what follows another flag may be no length.
                        if *read == 1 {
                            check_flag(byte)?;
                        }
                    }
                    self.state = State::Message(Reading::new(len_of(*bytes)?));
                }
                State::Message(reading) => match reading.read(&mut self.input, &self.limits)? {
                    Progress::Starved => return Ok(None),
                    Progress::Piece(event) => return Ok(Some(event)),
                    Progress::Whole => {
                        let event = reading.event();
                        self.state = State::BETWEEN;
                        return Ok(Some(event));
                    }
                },
                State::BodyGiven { direction, body_bytes, end_of_stream, envelope } => {
                    let event = Event::BodyEnd {
                        direction: *direction,
                        body_bytes: *body_bytes,
                        end_of_stream: *end_of_stream,
                        envelope: mem::take(envelope),
                    };
                    self.state = State::BETWEEN;
                    return Ok(Some(event));
                }
                State::Failed(error) => return Err(error.clone()),
            }
        }
    }

    /// Reads a message of so many bytes at once, if it lies here whole. A shorter way to what
    /// [`Reading`] comes to.
    #[inline]
    fn read_whole(&mut self, len: u32) -> Result<Option<Event>, WireError> {
        let Ok(len) = usize::try_from(len) else { return Ok(None) };
        let Some(whole) = self.input.peek().get(..len).and_then(Whole::read) else {
            return Ok(None);
        };
        let Whole { direction, part, end_of_stream, envelope } = whole;
        match part {
            WholePart::Headers(section)
                if section.len() as u64 > u64::from(self.limits.section_bytes) =>
            {
                Ok(None)
            }
            WholePart::Headers(section) => {
                // A copy, as it would otherwise keep all that was read with it.
                let section = Bytes::copy_from_slice(section);
                self.input.skip(len);
                let section = Section::read(&section, &self.limits)?;
                Ok(Some(Event::Headers { direction, section, end_of_stream, envelope }))
            }
            WholePart::Body { body, behind_bytes } => {
                let (body_bytes, body_len) = (body.len() as u64, body.len());
                if body_len == 0 {
                    self.input.skip(len);
                    let body_end =
                        Event::BodyEnd { direction, body_bytes, end_of_stream, envelope };
                    return Ok(Some(body_end));
                }
                let bytes = self.input.cut(len - behind_bytes - body_len, body_len, behind_bytes);
                self.state = State::BodyGiven { direction, body_bytes, end_of_stream, envelope };
                Ok(Some(Event::BodyPiece { direction, bytes }))
            }
        }
    }

    /// The stream has ended: whether between two messages.
    ///
    /// # Errors
    ///
    /// [`WireError::Ended`] if inside of one, or if bytes were not read yet; the error of
    /// [`next`](Self::next), if there was one.
    pub fn finish(&self) -> Result<(), WireError> {
        match &self.state {
            State::Prefix { read: 0, .. } if self.input.is_empty() => Ok(()),
            State::Prefix { .. } | State::Message(_) | State::BodyGiven { .. } => {
                Err(WireError::Ended)
            }
            State::Failed(error) => Err(error.clone()),
        }
    }
}

const fn check_flag(flag: u8) -> Result<(), WireError> {
    match flag {
        0 => Ok(()),
        1 => Err(WireError::Compressed),
        flag => Err(WireError::Flag { flag }),
    }
}

/// The length of the message behind a prefix.
fn len_of([flag, a, b, c, d]: [u8; PREFIX_BYTES as usize]) -> Result<u32, WireError> {
    check_flag(flag)?;
    Ok(u32::from_be_bytes([a, b, c, d]))
}

impl fmt::Debug for Decoder {
    /// Shows counts, never bytes: they are somebody's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Prefix { read: 0, .. } => "between two messages",
            State::Prefix { .. } => "in a prefix",
            State::Message(_) | State::BodyGiven { .. } => "in a message",
            State::Failed(_) => "failed",
        };
        f.debug_struct("Decoder")
            .field("state", &state)
            .field("unread_bytes", &self.input.len())
            .finish_non_exhaustive()
    }
}
