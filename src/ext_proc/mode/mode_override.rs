use super::{DirectionMode, ProcessingMode};

/// A change of the mode of one stream (`mode_override`).
///
/// Made from what is in force, so that changing one direction never switches off the other (P16):
/// Envoy replaces both body modes always, 0 being `NONE`, and falls back to its configuration, not
/// to what is in force, where a header or trailer mode is `DEFAULT`. All six fields are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModeOverride {
    mode: ProcessingMode,
}

impl ModeOverride {
    /// No change yet, on a stream where `current` is in force: [`Announced::mode`], or what an
    /// override before this one has made of it.
    ///
    /// [`Announced::mode`]: super::Announced::mode
    #[must_use]
    pub const fn new(current: ProcessingMode) -> Self {
        Self { mode: current }
    }

    /// Changes the request's mode. Its header mode cannot be: the head has been shown, or passed
    /// by, and Envoy does not look at the field.
    #[must_use]
    pub const fn request(self, mode: DirectionMode) -> Self {
        let mode = mode.with_headers(self.mode.request.headers());
        Self { mode: ProcessingMode { request: mode, ..self.mode } }
    }

    /// Changes the response's mode.
    #[must_use]
    pub const fn response(self, mode: DirectionMode) -> Self {
        Self { mode: ProcessingMode { response: mode, ..self.mode } }
    }

    /// What is in force once the data plane has taken it.
    #[must_use]
    pub const fn mode(self) -> ProcessingMode {
        self.mode
    }

    /// The six numbers of the message, in the order of the fields. None is `DEFAULT`.
    #[must_use]
    pub const fn numbers(self) -> [i32; 6] {
        self.mode.numbers()
    }
}
