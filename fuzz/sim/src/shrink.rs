//! Makes a failing string of choices smaller while it still fails in the same way.

use crate::failure::{Failure, caught};

/// A bound on the time of shrinking.
const MOST_TRIES: usize = 20_000;

/// Fewer and smaller choices that fail like `failure`.
#[must_use]
pub fn shrink(run: fn(&[u8]), choices: &[u8], failure: &Failure) -> Vec<u8> {
    let mut small = choices.to_vec();
    let mut tries = 0;
    loop {
        let before = small.clone();
        let mut fails = |candidate: &[u8]| {
            tries += 1;
            tries <= MOST_TRIES
                && caught(|| run(candidate)).is_err_and(|found| found.is_like(failure))
        };
        leave_out(&mut small, &mut fails);
        lower(&mut small, &mut fails);
        if small == before || tries > MOST_TRIES {
            return small;
        }
    }
}

/// Leaves pieces out, large ones first.
fn leave_out(small: &mut Vec<u8>, fails: &mut impl FnMut(&[u8]) -> bool) {
    let mut piece = small.len().div_ceil(2).max(1);
    loop {
        let mut end = small.len();
        while end > 0 {
            let start = end.saturating_sub(piece);
            let mut candidate = small.clone();
            candidate.drain(start..end);
            if fails(&candidate) {
                *small = candidate;
            }
            end = start;
        }
        if piece == 1 {
            return;
        }
        piece /= 2;
    }
}

/// Sets choices to zero, or halves them.
fn lower(small: &mut [u8], fails: &mut impl FnMut(&[u8]) -> bool) {
    for i in 0..small.len() {
        for shift in [8, 4, 1] {
            let was = small[i];
            small[i] = was.checked_shr(shift).unwrap_or(0);
            if small[i] == was || !fails(small) {
                small[i] = was;
            }
        }
    }
}
