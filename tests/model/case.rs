//! One random case: a chain of scripted filters, and what happens to it from outside.
//!
//! A case is plain data, so that it prints as the list of operations that reproduces a failure and
//! can be shrunk by leaving parts out.

use std::fmt;

/// Bits of a set of capabilities, in the order of `Capability::ALL`.
pub(crate) const ADD_TRAILERS: u8 = 1;
pub(crate) const HOLD_HEAD: u8 = 2;
pub(crate) const EDIT_BYTES: u8 = 8;
pub(crate) const CHANGE_LENGTH: u8 = 16;
pub(crate) const ALL_CAPABILITIES: u8 = 0b11_1111;

/// Bits of an interest.
pub(crate) const WANTS_HEAD: u8 = 1;
pub(crate) const WANTS_DATA: u8 = 2;
pub(crate) const WANTS_TRAILERS: u8 = 4;

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) request: bool,
    /// The edge says that the message has no body: a response to HEAD.
    pub(crate) bodiless: bool,
    /// What the plan is bound to.
    pub(crate) edge: u8,
    /// What this message can have.
    pub(crate) message: u8,
    /// No trailers can be sent, not even those that come.
    pub(crate) no_trailers: bool,
    /// When the head has been given out, only these trailer fields can be sent.
    pub(crate) announced: Option<Vec<&'static str>>,
    /// Low and high mark of the output queue.
    pub(crate) output_marks: (u64, u64),
    pub(crate) max_frame_bytes: usize,
    pub(crate) head: HeadSpec,
    /// How long the body is that the source has to give, in bytes.
    pub(crate) body_bytes: usize,
    pub(crate) filters: Vec<Script>,
    pub(crate) ops: Vec<Op>,
    pub(crate) finish: Finish,
}

#[derive(Debug, Clone)]
pub(crate) struct HeadSpec {
    pub(crate) status: u16,
    pub(crate) length: Length,
}

/// The `content-length` of the entering head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Absent,
    /// That many bytes more (or less) than the source has.
    Off(i8),
    /// Not a number.
    Garbage,
    /// Two fields that disagree.
    Torn,
}

/// What happens when the operations are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The source gives the rest, the sink takes all, every handle resumes: the message must end.
    Drain,
    /// The chain is dropped where it stands.
    Drop,
    /// The consumer goes away.
    Cancel,
}

/// What one filter declares and answers.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) interest: u8,
    /// Does not implement the trailers callback.
    pub(crate) blind: bool,
    /// What it would like to have; granted as far as edge and message can.
    pub(crate) prefers: u8,
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// What it does in its first, second, … call. Afterwards it passes.
    pub(crate) steps: Vec<Step>,
    /// What it answers to informational heads.
    pub(crate) informs: Informs,
    pub(crate) panics_in_close: bool,
    pub(crate) panics_in_drop: bool,
}

/// What a filter does with an informational head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Informs {
    Pass,
    /// Marks it.
    Tag,
    Drop,
    /// Makes a final head of it, which it must not.
    Final,
    Panic,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(crate) actions: Vec<Action>,
    pub(crate) answer: Answer,
    pub(crate) reject: bool,
    pub(crate) quiet: bool,
    pub(crate) again: bool,
}

/// What a filter does with its view. Places are taken modulo the length of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Push(u8),
    Prepend(u8),
    Insert {
        at: u8,
        n: u8,
    },
    Replace {
        at: u8,
        len: u8,
        n: u8,
    },
    Remove {
        at: u8,
        len: u8,
    },
    Take,
    TakeFirst(u8),
    /// States that it keeps that many bytes.
    Keep(u8),
    /// Takes everything and says that it keeps it.
    TakeAndKeep,
    /// Keeps nothing any longer, and pushes as many bytes.
    GiveBack,
    /// Sets one field of the trailers in the view.
    Trailer,
    /// Removes all fields of the trailers in the view.
    ClearTrailers,
    /// `View::set_trailers` with that many fields.
    SetTrailers(u8),
    /// Marks the head, if it is there.
    Tag,
    Status(u16),
    Declare(u8),
    DropInterest(u8),
    /// Makes a handle and gives it to the outside.
    Handle,
    /// Drops one of its handles.
    DropHandle,
    /// Resumes a filter through a handle, from inside a callback.
    Resume(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Answer {
    #[default]
    Pass,
    Hold,
    First(u8),
    /// All bytes go, the message stays open.
    FirstAll,
    End,
    Reply {
        status: u16,
        body: u8,
    },
    Fail,
    Panic,
}

/// What the source, the sink or somebody outside does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// So many heads of that status before the final one.
    Inform {
        status: u16,
        times: u8,
    },
    /// The head; with `end`, if the source has no body.
    Head {
        end: bool,
    },
    /// The next `n` bytes; with `end`, if they are the last.
    /// `force`: although the chain does not want them.
    Data {
        n: u8,
        end: bool,
        force: bool,
    },
    EmptyData,
    /// All that is left of the body in one piece, if it is wanted.
    Flood,
    Trailers(u8),
    End,
    /// Resumes a filter through one of its handles.
    Resume(u8),
    DropHandle(u8),
    /// `Chain::handle_resume`.
    AskDirectly(u8),
    /// The edge polls: it registers its waker and passes on what was queued.
    Turn,
    /// The sink takes up to that many outputs.
    Take(u8),
    /// The sink takes a piece of body the short way: `Chain::poll_data`.
    PollData,
    /// The sink takes up to that many bytes as one buffer: `Chain::take_output`.
    TakeBytes(u8),
    Marks {
        station: u8,
        low: u8,
        high: u8,
    },
    Reply {
        status: u16,
        body: u8,
    },
    Reset,
    Timeout,
    Abort,
    Cancel,
}

impl Case {
    /// What filter `k` was granted when the chain was made (a status may take more away).
    pub(crate) fn granted(&self, k: usize) -> u8 {
        let adds = !self.bodiless && !self.no_trailers;
        let message = if adds { self.message } else { self.message & !ADD_TRAILERS };
        self.filters[k].prefers & self.edge & message
    }

    /// Whether a reply may take the place of the message: asked for, or the engine's for a holder.
    pub(crate) fn has_reply(&self) -> bool {
        let mut steps = self.filters.iter().flat_map(|script| &script.steps);
        self.ops.iter().any(|op| matches!(op, Op::Reply { .. })) || steps.any(|step| step.reject)
    }

    /// The `content-length` fields of the entering head.
    pub(crate) fn length_fields(&self) -> Vec<String> {
        match self.head.length {
            Length::Absent => Vec::new(),
            Length::Off(by) => {
                vec![(self.body_bytes as i64 + i64::from(by)).max(0).to_string()]
            }
            Length::Garbage => vec!["12x".to_owned()],
            Length::Torn => vec!["7".to_owned(), "8".to_owned()],
        }
    }
}

impl fmt::Display for Case {
    /// The case, one part a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} bodiless={} no_trailers={} announced={:?} edge={:06b} message={:06b} \
             output={:?} max_frame={} {:?} body={} {:?}",
            if self.request { "request" } else { "response" },
            self.bodiless,
            self.no_trailers,
            self.announced,
            self.edge,
            self.message,
            self.output_marks,
            self.max_frame_bytes,
            self.head,
            self.body_bytes,
            self.finish,
        )?;
        for (k, script) in self.filters.iter().enumerate() {
            writeln!(
                f,
                "  filter {k}: interest={:03b} blind={} granted={:06b} marks={}..{} informs={:?} \
                 panics(close,drop)=({},{})",
                script.interest,
                script.blind,
                self.granted(k),
                script.low,
                script.high,
                script.informs,
                script.panics_in_close,
                script.panics_in_drop,
            )?;
            for (index, step) in script.steps.iter().enumerate() {
                writeln!(f, "    call {index}: {step}")?;
            }
        }
        for (index, op) in self.ops.iter().enumerate() {
            writeln!(f, "  op {index}: {op:?}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} -> {:?}", self.actions, self.answer)?;
        for (set, name) in [(self.reject, "reject"), (self.quiet, "quiet"), (self.again, "again")] {
            if set {
                write!(f, ".{name}")?;
            }
        }
        Ok(())
    }
}
