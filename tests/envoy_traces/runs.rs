//! All traces, played.

use crate::model::TRACES;
use crate::play::play;

#[test]
fn tidegate_keeps_its_rules_in_every_scenario() {
    let mut faults = Vec::new();
    for trace in TRACES.iter() {
        let Ok(played) = play(trace) else { continue };
        faults.extend(played.faults.iter().map(|fault| format!("{}: {fault}", trace.name)));
    }
    assert!(faults.is_empty(), "rules broken by tidegate:\n{}", faults.join("\n"));
}
