use super::{Announced, BodyMode, DirectionMode, ModeError, ModeField, SendMode};
use crate::exchange::Direction;

/// What an external processor is given of both directions (`ProcessingMode`).
///
/// Its default is not that of the protocol: heads and trailers, where an empty `ProcessingMode`
/// means heads alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ProcessingMode {
    /// Of the request.
    pub request: DirectionMode,
    /// Of the response.
    pub response: DirectionMode,
}

impl ProcessingMode {
    /// Nothing is shown.
    pub const OFF: Self = Self::new(DirectionMode::OFF, DirectionMode::OFF);

    /// Both.
    #[must_use]
    pub const fn new(request: DirectionMode, response: DirectionMode) -> Self {
        Self { request, response }
    }

    /// The same mode for both directions.
    #[must_use]
    pub const fn both(mode: DirectionMode) -> Self {
        Self::new(mode, mode)
    }

    /// The mode of `direction`.
    #[must_use]
    pub const fn of(self, direction: Direction) -> DirectionMode {
        match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        }
    }

    /// The same with another mode for `direction`; the other direction stays as it is.
    #[must_use]
    pub const fn with(self, direction: Direction, mode: DirectionMode) -> Self {
        match direction {
            Direction::Request => Self { request: mode, ..self },
            Direction::Response => Self { response: mode, ..self },
        }
    }

    /// The same with the trailers of `direction` shown or not.
    ///
    /// # Errors
    ///
    /// [`ModeError::TrailersSkipped`], naming the field, as
    /// [`DirectionMode::with_trailers`].
    pub fn with_trailers(
        self,
        direction: Direction,
        trailers: SendMode,
    ) -> Result<Self, ModeError> {
        let mode = self.of(direction).with_trailers(trailers);
        Ok(self.with(direction, mode.map_err(|error| error.of(direction))?))
    }

    /// The mode that the six numbers of a `ProcessingMode` of the protocol mean, in the order of
    /// the fields. `DEFAULT` (0) sends heads and skips trailers.
    ///
    /// # Errors
    ///
    /// [`ModeError`]: a number that is not defined, `GRPC`, or `FULL_DUPLEX_STREAMED` of a
    /// direction whose trailer mode is `SKIP` or `DEFAULT`, which means skip.
    pub fn from_numbers(numbers: [i32; 6]) -> Result<Self, ModeError> {
        let mut mode = Self::OFF;
        for direction in [Direction::Request, Direction::Response] {
            let body = body_mode(&numbers, ModeField::body(direction))?;
            let headers = send_mode(&numbers, ModeField::headers(direction), SendMode::Send)?;
            let trailers = send_mode(&numbers, ModeField::trailers(direction), SendMode::Skip)?;
            mode = mode
                .with(direction, DirectionMode::new(body).with_headers(headers))
                .with_trailers(direction, trailers)?;
        }
        Ok(mode)
    }

    /// The six numbers of the protocol, in the order of the fields. None is `DEFAULT`: each says
    /// what it means.
    #[must_use]
    pub const fn numbers(self) -> [i32; 6] {
        [
            self.request.headers().number(),
            self.response.headers().number(),
            self.request.body().number(),
            self.response.body().number(),
            self.request.trailers().number(),
            self.response.trailers().number(),
        ]
    }

    /// What is in force on a stream whose first message announces the body modes with these
    /// numbers, while the embedder states `self`: the announced body modes, since the data plane
    /// acts by them, and the stated header and trailer modes, which nobody announces.
    ///
    /// # Errors
    ///
    /// [`ModeError`]: a number that is not defined, `GRPC`, or `FULL_DUPLEX_STREAMED` where the
    /// embedder states that trailers are skipped (P1).
    pub fn announced(self, request_body: i32, response_body: i32) -> Result<Announced, ModeError> {
        let mut mode = self;
        for (direction, number) in
            [(Direction::Request, request_body), (Direction::Response, response_body)]
        {
            let field = ModeField::body(direction);
            let stated = self.of(direction);
            let body = named(field, number)?;
            let announced = stated.with_body(body).with_trailers(stated.trailers());
            mode = mode.with(direction, announced.map_err(|error| error.of(direction))?);
        }
        Ok(Announced::new(self, mode))
    }
}

fn body_mode(numbers: &[i32; 6], field: ModeField) -> Result<BodyMode, ModeError> {
    named(field, numbers[field.index()])
}

fn named(field: ModeField, number: i32) -> Result<BodyMode, ModeError> {
    /// `BodySendMode.GRPC`.
    const GRPC: i32 = 5;

    match BodyMode::from_number(number) {
        Some(mode) => Ok(mode),
        None if number == GRPC => Err(ModeError::Grpc { field }),
        None => Err(ModeError::Undefined { field, number }),
    }
}

fn send_mode(
    numbers: &[i32; 6],
    field: ModeField,
    default: SendMode,
) -> Result<SendMode, ModeError> {
    match numbers[field.index()] {
        0 => Ok(default),
        1 => Ok(SendMode::Send),
        2 => Ok(SendMode::Skip),
        number => Err(ModeError::Undefined { field, number }),
    }
}
