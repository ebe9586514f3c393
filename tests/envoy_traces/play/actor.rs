//! The filter that plays a script.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use tidegate::filter::EditError;
use tidegate::{
    Capability, Declaration, Error, ErrorKind, Filter, LocalReply, Marks, Origin, Outcome, Verdict,
    View,
};

use super::board::Board;
use super::kind::Kind;
use super::numbers::Numbers;
use super::witness::{Goes, Witness, is_quiet};
use crate::trace::entry::Callback;
use crate::trace::{Act, Amount, FilterSpec, Place, Status, Text, Verb};

/// How a filter declares itself, and what it is given to play.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) spec: FilterSpec,
    pub(crate) marks: Marks,
    /// The scenario sets a limit, so that releases may be cut.
    pub(crate) limited: bool,
    /// The source sends its end apart from the head.
    pub(crate) end_is_apart: bool,
    pub(crate) board: Board,
}

/// One filter, in one direction.
pub(crate) struct Actor<H> {
    role: Role,
    witness: Witness<H>,
    numbers: Numbers,
    /// What a call that is not about new input answers again.
    last: Verdict,
    /// The policy of its last hold.
    reject: bool,
    /// The end came with the head, which it holds quietly: its callback for it is played when it
    /// resumes.
    end_is_due: bool,
}

impl<H: Kind> Actor<H> {
    pub(crate) fn new(role: Role, numbers: Numbers) -> Self {
        let witness = Witness::new(role.spec.name.clone(), role.board.clone());
        Self { role, witness, numbers, last: Verdict::PASS, reject: false, end_is_due: false }
    }

    fn leave(&mut self, view: &View<'_, H>, verdict: Verdict) -> Verdict {
        self.last = if Goes::by(verdict) == Goes::All { Verdict::PASS } else { verdict };
        self.witness.leave(view, verdict)
    }

    /// What the script says for this callback. `again`: the parts of a piece that was cut answer
    /// the same, but edit once.
    fn play(
        &mut self,
        callback: Callback,
        n: usize,
        again: bool,
        view: &mut View<'_, H>,
    ) -> Verdict {
        let act = self.role.spec.act(callback, n).cloned().unwrap_or_default();
        let Act { verbs, status } = act;
        let mut held_bytes = view.new_at();
        if callback == H::TRAILERS || callback == H::HEADERS {
            held_bytes = view.body().len();
        }
        let verbs = if again { &[][..] } else { &verbs[..] };
        let instead = self.perform(verbs, view, &mut held_bytes);
        instead.unwrap_or_else(|| self.answer(status, view, held_bytes))
    }

    /// The data callback for an end that came with the head.
    fn play_end(&mut self, view: &mut View<'_, H>) -> Verdict {
        let (n, again) = self.numbers.next(0, false);
        self.play(H::DATA, n, again, view)
    }

    /// Does all of `verbs`; the first that answers the message wins, and none is tried again.
    fn perform(
        &mut self,
        verbs: &[Verb],
        view: &mut View<'_, H>,
        held_bytes: &mut usize,
    ) -> Option<Verdict> {
        let mut instead = None;
        for verb in verbs {
            let answers = matches!(verb, Verb::LocalReply { .. } | Verb::ResetStream);
            if instead.is_none() || !answers {
                instead = self.do_one(verb, view, held_bytes).or(instead);
            }
        }
        instead
    }

    fn do_one(
        &mut self,
        verb: &Verb,
        view: &mut View<'_, H>,
        held_bytes: &mut usize,
    ) -> Option<Verdict> {
        match verb {
            Verb::Append(direction, place, Text(bytes)) if *direction == H::DIRECTION => {
                let at = match place {
                    Place::Received => view.body().len(),
                    Place::Buffered => *held_bytes,
                };
                match view.insert(at, Bytes::copy_from_slice(bytes)) {
                    Ok(()) if *place == Place::Buffered => *held_bytes += bytes.len(),
                    Ok(()) => {}
                    Err(error) => self.refused(&error),
                }
            }
            Verb::Drain(direction, place, amount) if *direction == H::DIRECTION => {
                let range = match place {
                    Place::Received => *held_bytes..view.body().len(),
                    Place::Buffered => 0..*held_bytes,
                };
                let bytes = match amount {
                    Amount::All => range.len(),
                    Amount::Bytes(bytes) => range.len().min(*bytes),
                };
                match view.remove(range.start..range.start + bytes) {
                    Ok(_) if *place == Place::Buffered => *held_bytes -= bytes,
                    Ok(_) => {}
                    Err(error) => self.refused(&error),
                }
            }
            Verb::SetHeader(direction, name, value) if *direction == H::DIRECTION => {
                if let Some(head) = view.head_mut() {
                    head.headers_mut().insert(field_name(name), field_value(value));
                }
            }
            Verb::SetTrailer(direction, name, value) if *direction == H::DIRECTION => {
                if let Some(map) = view.trailers_mut() {
                    map.insert(field_name(name), field_value(value));
                }
            }
            Verb::LocalReply { code, body } => return Some(self.reply(*code, body, view)),
            Verb::ResetStream => {
                self.role.board.lock().broken_off = true;
                return Some(view.fail(Error::new(ErrorKind::Filter, Origin::Filter)));
            }
            // Of this or of the other direction: asked for, and done when this call is over.
            verb => self.role.board.perform(&self.role.spec.name, std::slice::from_ref(verb)),
        }
        None
    }

    fn reply(&self, code: u16, body: &Text, view: &mut View<'_, H>) -> Verdict {
        let status = StatusCode::from_u16(code).expect("a status");
        let mut reply = LocalReply::text(status, body.0.clone());
        // The recorder marks replies with who made them.
        let name = field_value(&self.role.spec.name);
        reply.head_mut().headers.insert(HeaderName::from_static("x-s-local"), name);
        self.role.board.lock().replies.push(reply.head_mut().received_fields());
        view.reply(reply)
    }

    fn refused(&self, error: &EditError) {
        let (direction, name) = (H::DIRECTION, &self.role.spec.name);
        // No recording needs a refusal: an edit that is refused would go on as if it were not
        // in the script.
        self.role.board.lock().faults.push(format!("{direction:?} {name}: {error}"));
    }

    fn answer(&mut self, status: Option<Status>, view: &mut View<'_, H>, held: usize) -> Verdict {
        let (verdict, reject) = match status.unwrap_or(Status::Continue) {
            Status::Continue | Status::ContinueAndResetStream | Status::Nothing => {
                return Verdict::PASS;
            }
            Status::ContinueAndDontEndStream => return Verdict::pass_first(0),
            Status::StopIteration => (Verdict::HOLD, self.reject),
            Status::StopAllIterationAndBuffer => (Verdict::HOLD.quiet(), true),
            Status::StopAllIterationAndWatermark => (Verdict::HOLD.quiet(), false),
            Status::StopIterationAndBuffer => (Verdict::HOLD, true),
            Status::StopIterationAndWatermark => (Verdict::HOLD, false),
            Status::StopIterationNoBuffer => {
                let end = view.body().len();
                if let Err(error) = view.remove(held..end) {
                    self.refused(&error);
                }
                (Verdict::HOLD, self.reject)
            }
        };
        self.reject = reject;
        if reject { verdict.or_reject() } else { verdict }
    }
}

fn field_name(name: &str) -> HeaderName {
    name.parse().expect("a field name")
}

fn field_value(value: &str) -> HeaderValue {
    value.parse().expect("a field value")
}

impl<H: Kind> Filter<H> for Actor<H> {
    fn declare(&self) -> Declaration {
        let mut declaration = Declaration::new()
            .marks(self.role.marks)
            .prefer(Capability::HoldHead)
            .prefer(Capability::KeepToEnd)
            .prefer(Capability::SeeEnd);
        if edits(&self.role.spec, H::DIRECTION) {
            declaration =
                declaration.require(Capability::EditBytes).require(Capability::ChangeLength);
        }
        declaration
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        self.witness.shown_head(view);
        let mut verdict = self.play(H::HEADERS, 1, false, view);
        if view.input_ended() && self.role.end_is_apart {
            if [Verdict::PASS, Verdict::HOLD, Verdict::HOLD.or_reject()].contains(&verdict) {
                verdict = self.play_end(view);
            } else {
                self.end_is_due = is_quiet(verdict);
            }
        }
        self.leave(view, verdict)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        let (n, again) = self.numbers.next(view.new_bytes(), self.role.limited);
        let verdict = self.play(H::DATA, n, again, view);
        self.leave(view, verdict)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        self.witness.shown_trailers(view);
        let verdict = self.play(H::TRAILERS, 1, false, view);
        self.leave(view, verdict)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.witness.enter(view);
        let mut asked = Vec::new();
        self.witness.note(|station| {
            asked = std::mem::take(&mut station.asked);
            None
        });
        let passes = asked.iter().any(|verb| matches!(verb, Verb::Resume(_)));
        asked.retain(|verb| !matches!(verb, Verb::Resume(_)));
        let mut held_bytes = view.body().len();
        let instead = self.perform(&asked, view, &mut held_bytes);
        let verdict = match instead {
            Some(instead) => instead,
            None if passes && std::mem::take(&mut self.end_is_due) => self.play_end(view),
            None if passes => Verdict::PASS,
            None => self.last,
        };
        self.leave(view, verdict)
    }

    fn close(&mut self, _: &Outcome) {
        self.witness.closed();
    }
}

/// Whether the script of a filter changes bytes of this direction anywhere.
fn edits(spec: &FilterSpec, direction: crate::trace::Direction) -> bool {
    let acts = spec.cb.iter().flat_map(|(kind, acts)| acts.values().map(move |act| (kind, act)));
    acts.into_iter().any(|(kind, act)| {
        let takes = act.status == Some(Status::StopIterationNoBuffer)
            && kind.direction() == Some(direction);
        takes
            || act.verbs.iter().any(
                |verb| matches!(verb, Verb::Append(d, ..) | Verb::Drain(d, ..) if *d == direction),
            )
    })
}
