//! That each filter is told once that the message is over, and nothing afterwards (I9).
//!
//! This module never looks at bytes.

use crate::trace::entry::What;
use crate::trace::{Direction, Entry, Step, Trace};

use super::{Rule, Violation};

pub(super) fn violations(trace: &Trace) -> Vec<Violation> {
    let names = trace.script.chain.iter().filter(|filter| filter.builtin.is_none());
    names.filter_map(|filter| violation(trace, &filter.name)).collect()
}

fn violation(trace: &Trace, name: &str) -> Option<Violation> {
    let mut closed: Option<usize> = None;
    let mut is_started = false;
    let mut last = 0;
    let report = |step: usize, what: String| {
        let filter = Some(name.to_owned());
        Some(Violation { rule: Rule::I9, direction: Direction::Request, filter, step, what })
    };
    for record in &trace.steps {
        last = record.step;
        for entry in &record.filters {
            match entry {
                Entry::Enter(enter) if enter.f == name => {
                    is_started = true;
                    if closed.is_some() {
                        return report(last, format!("{name} is called after its close"));
                    }
                }
                Entry::Note(note) if note.f == name && note.what == What::Destroy => {
                    if closed.replace(last).is_some() {
                        return report(last, format!("{name} is closed twice"));
                    }
                }
                Entry::Enter(_) | Entry::Exit(_) | Entry::Do(_) | Entry::Did(_) => {}
                Entry::Note(_) => {}
            }
        }
    }
    let is_over = trace.steps.last().is_some_and(|record| record.did == Step::ClientClose);
    if is_started && is_over && closed.is_none() {
        return report(last, format!("{name} is never closed"));
    }
    None
}
