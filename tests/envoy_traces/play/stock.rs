//! Stock filters of Envoy that scenarios use, as far as the scenarios use them.

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use tidegate::{Capability, Declaration, Filter, Marks, Outcome, Verdict, View};

use super::board::Board;
use super::kind::Kind;
use super::witness::Witness;
use crate::trace::Direction;

/// What a stock filter does in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Pass,
    /// Adds this trailer field where body has ended without trailers.
    AddTrailer(&'static str, &'static str),
    /// Keeps head and body until the message has ended.
    HoldAll,
    /// Counts body, and writes the count into the trailers, if there are any.
    Count,
}

impl Part {
    /// None: a filter that is not known here.
    pub(crate) fn of(builtin: &Value, direction: Direction) -> Option<Self> {
        let response = direction == Direction::Response;
        let kind = builtin["@type"].as_str()?.rsplit('.').next()?;
        let part = match kind {
            "BandwidthLimit" => {
                let mode = builtin["enable_mode"].as_str()?;
                let adds = builtin["enable_response_trailers"].as_bool()?;
                if response && mode == "RESPONSE" && adds {
                    Self::AddTrailer("bandwidth-response-delay-ms", "<ms>")
                } else {
                    Self::Pass
                }
            }
            "Lua" if !response => Self::Pass,
            "Lua" => {
                let code = builtin["default_source_code"]["inline_string"].as_str()?;
                if code == "function envoy_on_response(h) h:body() end" {
                    Self::HoldAll
                } else if code.contains("bodyChunks()") && code.contains("t:add('x-count'") {
                    Self::Count
                } else {
                    return None;
                }
            }
            // The one module of the recordings: it adds a trailer in both directions.
            "Wasm" => Self::AddTrailer("x-wasm", "added"),
            _ => return None,
        };
        Some(part)
    }
}

/// A stock filter in one direction.
pub(crate) struct Stock<H> {
    part: Part,
    marks: Marks,
    /// The message ends with its head, so it gets no trailers.
    ends_with_head: bool,
    counted_bytes: usize,
    witness: Witness<H>,
}

impl<H: Kind> Stock<H> {
    pub(crate) fn new(
        part: Part,
        marks: Marks,
        ends_with_head: bool,
        name: String,
        board: Board,
    ) -> Self {
        let witness = Witness::new(name, board);
        Self { part, marks, ends_with_head, counted_bytes: 0, witness }
    }

    fn answer(&self, view: &View<'_, H>) -> Verdict {
        if self.part == Part::HoldAll && !view.input_ended() {
            Verdict::HOLD.or_reject()
        } else {
            Verdict::PASS
        }
    }
}

impl<H: Kind> Filter<H> for Stock<H> {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new().marks(self.marks);
        match self.part {
            Part::Pass | Part::Count => declaration,
            Part::AddTrailer(name, _) => {
                declaration.require(Capability::AddTrailers).trailer(HeaderName::from_static(name))
            }
            Part::HoldAll => {
                declaration.require(Capability::HoldHead).require(Capability::KeepToEnd)
            }
        }
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        self.witness.shown_head(view);
        self.witness.leave(view, self.answer(view))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        self.counted_bytes += view.new_bytes();
        self.witness.leave(view, self.answer(view))
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        self.witness.shown_trailers(view);
        let count = self.counted_bytes.to_string();
        let map = view.trailers_mut().expect("trailers are in the view of their callback");
        match self.part {
            Part::AddTrailer(name, value) if map.is_empty() && !self.ends_with_head => {
                map.insert(name, HeaderValue::from_static(value));
            }
            Part::Count => {
                map.insert("x-count", count.parse().expect("a number is a value"));
            }
            Part::Pass | Part::AddTrailer(..) | Part::HoldAll => {}
        }
        self.witness.leave(view, Verdict::PASS)
    }

    fn close(&mut self, _: &Outcome) {
        self.witness.closed();
    }
}
