//! What came of a case: what the engine did, or where it parts from the reference.

use std::fmt;

use super::log::{Call, Callback, Ended, Event, Given};

/// Where engine and reference, or engine and rules, part.
#[derive(Debug, Clone)]
pub(crate) struct Mismatch {
    /// After which operation; `None`: while finishing.
    pub(crate) op: Option<usize>,
    pub(crate) what: String,
}

impl Mismatch {
    /// What differs, without the values.
    pub(crate) fn kind(&self) -> String {
        let mut lines = self.what.lines();
        let mut kind = lines.next().unwrap_or_default().to_owned();
        let (engine, model) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let levels = kind.starts_with("levels");
        for (ours, theirs) in engine.split(", ").zip(model.split(", ")) {
            if levels && ours != theirs {
                kind += " ";
                kind += ours.split(':').next().unwrap_or_default();
            }
        }
        kind
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.op {
            Some(op) => write!(f, "after op {op}: {}", self.what),
            None => write!(f, "while finishing: {}", self.what),
        }
    }
}

/// What the engine did with a case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    pub(crate) log: Vec<Event>,
    pub(crate) given: Vec<Given>,
    pub(crate) outcome: Option<Ended>,
}

impl Recording {
    /// The first call of that callback of filter `k`, to tamper with.
    pub(crate) fn first_call(&mut self, k: usize, callback: Callback) -> &mut Call {
        self.calls(k, callback).next().expect("it was called")
    }

    /// The last one.
    pub(crate) fn last_call(&mut self, k: usize, callback: Callback) -> &mut Call {
        self.calls(k, callback).last().expect("it was called")
    }

    /// The first piece of body that the sink was given.
    pub(crate) fn first_data(&mut self) -> &mut Vec<u8> {
        let mut data = self.given.iter_mut().filter_map(|output| match output {
            Given::Data(data) => Some(data),
            _ => None,
        });
        data.next().expect("data was given")
    }

    fn calls(&mut self, k: usize, callback: Callback) -> impl Iterator<Item = &mut Call> {
        self.log.iter_mut().filter_map(move |event| match event {
            Event::Call(call) if call.station == k && call.callback == callback => {
                Some(&mut **call)
            }
            _ => None,
        })
    }
}
