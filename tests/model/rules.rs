//! Rules that are checked on what the engine did alone: on its calls, on its outputs, on the
//! scripts. A misreading that engine and reference share would still have to pass these.

use super::case::{Action, Answer, Case, WANTS_DATA};
use super::log::{Call, Callback, Ended, Event, Given};
use super::recording::Recording;

/// # Errors
///
/// The first rule that does not hold.
pub(crate) fn check(case: &Case, recording: &Recording) -> Result<(), String> {
    closes(&recording.log, recording.outcome.as_ref())?;
    outputs(case, &recording.given)?;
    let mut hops = Hops::new(case);
    for event in &recording.log {
        if let Event::Call(call) = event {
            if call.local_reply || hops.replaced {
                break;
            }
            hops.call(call)?;
        }
    }
    hops.sink(&recording.given)
}

/// I9: close calls come once, last, in chain order, all with the same outcome.
fn closes(log: &[Event], outcome: Option<&Ended>) -> Result<(), String> {
    let first = log.iter().position(|event| matches!(event, Event::Close { .. }));
    let mut last = None;
    for event in first.map_or(&[][..], |first| &log[first..]) {
        let Event::Close { station, outcome: told } = event else {
            return Err(format!("I9: a call after close: {event:?}"));
        };
        if last.is_some_and(|last| last >= *station) {
            return Err(format!("I9: f{station} is closed out of order or twice"));
        }
        if outcome.is_some_and(|outcome| outcome != told) {
            return Err(format!("I9: f{station} was told {told:?}"));
        }
        last = Some(*station);
    }
    Ok(())
}

/// I3, I12: head, data, one end; and never a well-formed lie.
fn outputs(case: &Case, given: &[Given]) -> Result<(), String> {
    let mut declared = None;
    let mut bytes = 0;
    let before = given.iter().take_while(|output| matches!(output, Given::Informational(_)));
    let given = &given[before.count()..];
    for (index, output) in given.iter().enumerate() {
        let is_last = index + 1 == given.len();
        let (is_head, is_end) = match output {
            Given::Informational(_) => {
                return Err("I3: an informational head behind the final one".into());
            }
            Given::Head { head, end_of_stream } => {
                let bodiless = case.bodiless || matches!(head.status, 100..=199 | 204 | 304);
                declared = head.length.as_deref().filter(|_| !bodiless).map(str::to_owned);
                (true, *end_of_stream)
            }
            Given::Data(data) => {
                bytes += data.len();
                (false, false)
            }
            Given::End | Given::Trailers(_) => (false, true),
            Given::Reply { .. } | Given::Reset(_) if is_last => return Ok(()),
            Given::Reply { .. } | Given::Reset(_) => {
                return Err("I3: outputs after the last".into());
            }
        };
        if is_head != (index == 0) || is_end && !is_last {
            return Err(format!("I3: {output:?} is output {index} of {}", given.len()));
        }
        if let Some(declared) = declared.as_deref().and_then(|text| text.parse::<usize>().ok())
            && (bytes > declared || is_end && bytes != declared)
        {
            return Err(format!("I12: {bytes} bytes given, {declared} declared, end {is_end}"));
        }
    }
    Ok(())
}

/// What one filter was handed and let go, as far as its calls tell.
#[derive(Default)]
struct Hop {
    calls: usize,
    held: Vec<u8>,
    received: Vec<u8>,
    let_go: Vec<u8>,
    was_asked_trailers: bool,
    /// It let the end go, or declared it.
    ended: bool,
}

struct Hops<'c> {
    case: &'c Case,
    hops: Vec<Hop>,
    /// A local reply takes the message's place from here on.
    replaced: bool,
}

impl<'c> Hops<'c> {
    fn new(case: &'c Case) -> Self {
        let hops = case.filters.iter().map(|_| Hop::default()).collect();
        Self { case, hops, replaced: false }
    }

    fn call(&mut self, call: &Call) -> Result<(), String> {
        let k = call.station;
        self.whole_view(call)?;
        self.hops[k].received.extend(&call.body[call.new_at..]);
        if self.sees_all(k)
            && let Some(from) = self.known_before(k)
        {
            self.arrived_in_order(from, call)?;
        }
        let steps = &self.case.filters[k].steps;
        let answer = steps.get(self.hops[k].calls).map_or(Answer::Pass, |step| step.answer);
        let hop = &mut self.hops[k];
        hop.calls += 1;
        hop.was_asked_trailers |= call.callback == Callback::Trailers;
        let mut view = call.body_after.clone();
        match answer {
            Answer::Pass | Answer::End => {
                hop.let_go.extend(view);
                hop.held.clear();
                hop.ended = call.input_ended || answer == Answer::End;
            }
            Answer::First(_) | Answer::FirstAll => {
                let n = if let Answer::First(n) = answer { usize::from(n) } else { usize::MAX };
                hop.held = view.split_off(n.min(view.len()));
                hop.let_go.extend(view);
            }
            Answer::Hold => hop.held = view,
            Answer::Reply { .. } | Answer::Fail | Answer::Panic => self.replaced = true,
        }
        Ok(())
    }

    /// I2, I4, I6: the filter sees exactly what it kept, then what is new, while its output is
    /// open.
    fn whole_view(&self, call: &Call) -> Result<(), String> {
        let hop = &self.hops[call.station];
        if call.body[..call.new_at] != hop.held {
            return Err(format!("I2: it kept {:?}, not the old part of\n{call:?}", hop.held));
        }
        if hop.ended {
            return Err(format!("I6: called after its output has ended:\n{call:?}"));
        }
        if self.hops[call.station + 1..].iter().any(|after| after.ended) {
            return Err(format!("I5: called after a filter behind it has ended:\n{call:?}"));
        }
        if hop.was_asked_trailers && call.callback == Callback::Trailers {
            return Err(format!("I5: trailers are shown twice:\n{call:?}"));
        }
        if call.new_at < call.body.len() && call.callback != Callback::Data {
            return Err(format!("only data shows something new:\n{call:?}"));
        }
        Ok(())
    }

    /// I1, I3, I5: what filter `k` was shown is, in order and once, what `from` let go; and the end
    /// comes behind all of it.
    fn arrived_in_order(&self, from: Option<usize>, call: &Call) -> Result<(), String> {
        let received = &self.hops[call.station].received;
        match from {
            None => {
                // Those before them were looked at in the calls before.
                let new = &call.body[call.new_at..];
                let at = received.len() - new.len();
                if !new.iter().zip(at..).all(|(&byte, i)| byte == (i % 251) as u8) {
                    return Err(format!("I1: these are not the bytes of the source:\n{call:?}"));
                }
            }
            Some(from) => {
                let hop = &self.hops[from];
                if !hop.let_go.starts_with(received) {
                    return Err(format!("I1, I3: f{from} let go\n{:?}, not\n{call:?}", hop.let_go));
                }
                if call.input_ended && (!hop.ended || hop.let_go.len() != received.len()) {
                    return Err(format!("I5: the end comes early:\n{call:?}"));
                }
            }
        }
        Ok(())
    }

    /// The nearest filter before `k` whose output its calls tell; `Some(None)`: the source. `None`:
    /// there is one in between that bytes pass unseen and that may add or take some.
    fn known_before(&self, k: usize) -> Option<Option<usize>> {
        for before in (0..k).rev() {
            if self.sees_all(before) {
                return Some(Some(before));
            }
            if !self.changes_nothing(before) {
                return None;
            }
        }
        Some(None)
    }

    fn sees_all(&self, k: usize) -> bool {
        let script = &self.case.filters[k];
        let mut actions = script.steps.iter().flat_map(|step| &step.actions);
        script.interest & WANTS_DATA != 0
            && !actions.any(|action| matches!(action, Action::DropInterest(_)))
    }

    fn changes_nothing(&self, k: usize) -> bool {
        let steps = &self.case.filters[k].steps;
        steps.iter().all(|step| step.answer != Answer::End && step.actions.is_empty())
    }

    /// I1: what the sink has is a beginning of what the last filter let go.
    fn sink(&self, given: &[Given]) -> Result<(), String> {
        let Some(from) = self.known_before(self.hops.len()) else { return Ok(()) };
        let replied = self.replaced || self.case.has_reply();
        let data: Vec<u8> = given
            .iter()
            .filter_map(
                |output| if let Given::Data(data) = output { Some(&data[..]) } else { None },
            )
            .flatten()
            .copied()
            .collect();
        let is_prefix = match from {
            Some(from) => self.hops[from].let_go.starts_with(&data),
            None => data.iter().enumerate().all(|(i, &byte)| byte == (i % 251) as u8),
        };
        if is_prefix || replied {
            return Ok(());
        }
        Err(format!("I1: the sink was given {data:?}"))
    }
}
