use super::{BodyMode, DirectionMode, ModeUnmet, Need, Promise, SendMode};
use crate::exchange::Direction;
use crate::filter::{Capabilities, Capability, Declaration, Interest};

/// On what terms filters run over one direction: its mode, and what else bears on what they can do.
///
/// | mode | [H] | [K] | [E], [L] | [S] | [T] |
/// |---|---|---|---|---|---|
/// | `NONE` | no | no | no | no | if trailers are sent |
/// | `STREAMED` | no | with [`Promise::NoTrailers`] | yes | if trailers are sent, or with the promise | if trailers are sent |
/// | `BUFFERED` | if trailers are sent, or with the promise | yes | yes | yes | if trailers are sent, and no filter is granted K |
/// | `BUFFERED_PARTIAL` | if trailers are sent, or with the promise | no | yes | no | if trailers are sent |
/// | `FULL_DUPLEX_STREAMED` | yes | yes | yes | yes | yes |
///
/// No mode can add trailers: Envoy waits for ever (pitfall P6). What is kept to the end in
/// `STREAMED` can go out with the last body message only, and a message that ends in trailers has
/// none that could be told from the others; hence the promise. In `BUFFERED` the answer to the body
/// is the last chance to give it out, and it is due before the trailers are shown: a filter that
/// keeps bytes to the end is shown the end with the body, and the trailers pass by. In
/// `BUFFERED_PARTIAL` whatever is over the data plane's limit passes by, unseen.
///
/// A body that is empty and that trailers follow is no message in any mode (Envoy 1.40.0): where
/// the trailers are not sent either, a head that is held for them goes on by itself, and nobody
/// says so.
///
/// A head that is not sent cannot be held. An observer's answers are ignored, so it can neither
/// hold the head nor edit (so that no async filter can observe: it is granted to edit, or refused);
/// it may keep what it has to the end, since that is a copy. Where the
/// data plane keeps the declared length
/// ([`allow_content_length_header`](super::FilterConfig::allow_content_length_header)), only
/// `BUFFERED` can change it, whose answer declares the new one.
///
/// [H]: Capability::HoldHead
/// [K]: Capability::KeepToEnd
/// [E]: Capability::EditBytes
/// [L]: Capability::ChangeLength
/// [S]: Capability::SeeEnd
/// [T]: Capability::SeeTrailers
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Terms {
    mode: DirectionMode,
    promise: Promise,
    observes: bool,
    keeps_length: bool,
}

impl Terms {
    /// Those of a processor in `mode`, without any promise.
    #[must_use]
    pub const fn new(mode: DirectionMode) -> Self {
        Self { mode, promise: Promise::Nothing, observes: false, keeps_length: false }
    }

    /// The same with what the embedder knows of the messages.
    #[must_use]
    pub const fn promise(self, promise: Promise) -> Self {
        Self { promise, ..self }
    }

    /// The same for an observer (`observability_mode`), whose answers nobody waits for.
    #[must_use]
    pub const fn observing(self) -> Self {
        Self { observes: true, ..self }
    }

    /// The same where the data plane keeps the declared length (`allow_content_length_header`).
    #[must_use]
    pub const fn keeping_length(self) -> Self {
        Self { keeps_length: true, ..self }
    }

    /// Whether the embedder has said that no trailers can come.
    #[must_use]
    pub const fn has_no_trailers(self) -> bool {
        matches!(self.promise, Promise::NoTrailers)
    }

    /// The mode.
    #[must_use]
    pub const fn mode(self) -> DirectionMode {
        self.mode
    }

    /// What filters can do at most. Of a plan in `BUFFERED`, "keep to the end" and "see trailers"
    /// exclude each other: [`grant`](Self::grant) decides which.
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
        let has = |capability| self.offers(capability);
        let offered = Capability::ALL.into_iter().filter(|&each| has(each));
        offered.fold(Capabilities::NONE, Capabilities::with)
    }

    /// What the filters of one plan can do, to bind it to: [`capabilities`](Self::capabilities),
    /// less "see trailers" where a filter keeps bytes to the end in `BUFFERED`, or less "keep to
    /// the end" where none requires that and one requires to see trailers. `filters` are names and
    /// declarations, as [`Plan::filters`](crate::Plan::filters) gives them.
    ///
    /// # Errors
    ///
    /// [`ModeUnmet`], naming the first filter that requires what the mode cannot do, or that is
    /// interested in heads or body that the mode does not show.
    pub fn grant<'a, I>(self, direction: Direction, filters: I) -> Result<Capabilities, ModeUnmet>
    where
        I: IntoIterator<Item = (&'a str, &'a Declaration)> + Clone,
    {
        let granted = self.settle(filters.clone());
        for (filter, declaration) in filters {
            if let Some(need) = self.unmet(declaration, granted) {
                return Err(ModeUnmet::new(filter, direction, self.mode, need));
            }
        }
        Ok(granted)
    }

    fn offers(self, capability: Capability) -> bool {
        let body = self.shown_body();
        let shows_trailers = self.mode.trailers() == SendMode::Send;
        let no_trailers = self.promise == Promise::NoTrailers;
        match capability {
            Capability::AddTrailers => false,
            // An observer is shown no body in the modes that could.
            Capability::HoldHead => {
                self.mode.headers() == SendMode::Send
                    && !matches!(body, BodyMode::None | BodyMode::Streamed)
                    && (shows_trailers || no_trailers)
            }
            Capability::KeepToEnd => match body {
                BodyMode::None | BodyMode::BufferedPartial => false,
                // What is kept of a copy is owed to nobody; the end has to be seen all the same.
                BodyMode::Streamed => no_trailers || (self.observes && shows_trailers),
                BodyMode::Buffered | BodyMode::FullDuplexStreamed => true,
            },
            Capability::EditBytes => !self.observes && body != BodyMode::None,
            Capability::ChangeLength => {
                let declares_anew = body == BodyMode::Buffered || !self.keeps_length;
                !self.observes && body != BodyMode::None && declares_anew
            }
            Capability::SeeEnd => match body {
                BodyMode::None | BodyMode::BufferedPartial => false,
                BodyMode::Streamed => shows_trailers || no_trailers,
                BodyMode::Buffered | BodyMode::FullDuplexStreamed => true,
            },
            Capability::SeeTrailers => shows_trailers,
        }
    }

    /// Of a body, an observer is shown what `STREAMED` shows, and else nothing.
    fn shown_body(self) -> BodyMode {
        match self.mode.body() {
            BodyMode::Streamed => BodyMode::Streamed,
            _ if self.observes => BodyMode::None,
            body => body,
        }
    }

    /// Which of the two that exclude each other in `BUFFERED` is granted. If trailers cannot come,
    /// both are.
    fn settle<'a>(
        self,
        filters: impl IntoIterator<Item = (&'a str, &'a Declaration)> + Clone,
    ) -> Capabilities {
        let offered = self.capabilities();
        if self.shown_body() != BodyMode::Buffered || self.promise == Promise::NoTrailers {
            return offered;
        }
        let declarations = || filters.clone().into_iter().map(|(_, declaration)| declaration);
        let requires = |need| declarations().any(|each| each.required.has(need));
        let prefers_keeping = declarations().any(|each| each.preferred.has(Capability::KeepToEnd));
        if requires(Capability::KeepToEnd) {
            offered.without(Capability::SeeTrailers)
        } else if requires(Capability::SeeTrailers) {
            offered.without(Capability::KeepToEnd)
        } else if prefers_keeping {
            offered.without(Capability::SeeTrailers)
        } else {
            offered
        }
    }

    fn unmet(self, declaration: &Declaration, granted: Capabilities) -> Option<Need> {
        let shows_head = self.mode.headers() == SendMode::Send;
        let shows_body = self.shown_body() != BodyMode::None;
        if let Some(capability) = declaration.required.first_missing_in(granted) {
            return Some(Need::Capability(capability));
        }
        if !shows_head && declaration.interest.contains(Interest::HEAD) {
            return Some(Need::Head);
        }
        let wants_body = declaration.interest.contains(Interest::DATA);
        (!shows_body && wants_body).then_some(Need::Body)
    }
}
