//! Random cases.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::case::{Case, plane_mode};
use crate::filter::World;
use crate::judge::judge;
use crate::stage::{Stage, bind};

/// In a debug build these take a few seconds.
const CASES: u64 = 2_500;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn play(seed: u64) -> (Case, Stage) {
    let mut case = Case::new(seed);
    let world = Arc::new(World::default());
    let plan = bind(&mut case, &world);
    let mut stage = Stage::new(&case, plan, world);
    let result = stage.run(&case).and_then(|()| judge(&case, &stage));
    if let Err(wrong) = result {
        panic!("{wrong}\n{case:?}\n{}\nTIDEGATE_SEED={seed}", stage.trace());
    }
    (case, stage)
}

/// Scenarios 91 to 93, and 95 as far as chance goes.
#[test]
fn p07_an_exchange_is_complete_or_visibly_failed_in_every_mode_and_schedule() {
    if let Some(seed) = number("TIDEGATE_SEED") {
        eprintln!("{:?}", Case::new(seed));
        play(seed);
        return;
    }
    let mut kinds = BTreeMap::new();
    let cases = number("TIDEGATE_CASES").unwrap_or(CASES);
    let first = number("TIDEGATE_FROM").unwrap_or(0);
    for seed in first..cases.max(first) {
        let (case, _) = play(seed);
        let served = case.served();
        for (direction, mode) in
            [(&case.request, served.request), (&case.response, served.response)]
        {
            for kind in &direction.filters {
                *kinds.entry((plane_mode(mode).body, *kind)).or_insert(0_u32) += 1;
            }
        }
    }
    assert!(first > 0 || kinds.len() > 100, "filters are refused almost everywhere: {kinds:?}");
}
