//! What a stock filter that counts body, and writes the number into the trailers, says it was
//! handed (I1). It logs no callback, so its number is all there is.
//!
//! This module never looks at filters that log.

use crate::trace::{Direction, Input, Step, Trace, Wire};

use super::{Rule, Violation};

/// The trailer it writes.
const FIELD: &str = "x-count";

pub(super) fn violation(trace: &Trace) -> Option<Violation> {
    let counts = |builtin: &serde_json::Value| builtin.to_string().contains(FIELD);
    let mut chain = trace.script.chain.iter();
    let counter = chain.find(|filter| filter.builtin.as_ref().is_some_and(counts))?;
    // With a filter that edits, the two numbers need not be the same.
    if trace.script.chain.iter().any(|filter| !filter.cb.is_empty()) {
        return None;
    }
    let mut sent_bytes = 0;
    for record in &trace.steps {
        if let Step::Input(Direction::Response, Input::Data { data, .. }) = &record.did {
            sent_bytes += data.len();
        }
        for wire in record.wire(Direction::Response) {
            let Wire::Trailers(trailers) = wire else { continue };
            let Some(count) = trailers.trailers.get(FIELD) else { continue };
            if *count != sent_bytes.to_string() {
                let what = format!(
                    "{} counts {count} bytes of a body of {sent_bytes}: it is handed what another \
                     filter holds once more",
                    counter.name
                );
                return Some(Violation {
                    rule: Rule::I1,
                    direction: Direction::Response,
                    filter: Some(counter.name.clone()),
                    step: record.step,
                    what,
                });
            }
        }
    }
    None
}
