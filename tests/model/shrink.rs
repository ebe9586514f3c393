//! Makes a failing case smaller by leaving parts out while it still fails.

use super::case::{Action, Case, Finish, Op};
use super::harness::run;
use super::reference::Mutant;

/// A case that fails in the same way and from which nothing more can be left out.
pub(crate) fn shrink(case: &Case, mutant: Option<Mutant>) -> Case {
    let kind = |case: &Case| run(case, mutant).err().map(|mismatch| mismatch.kind());
    let wanted = kind(case);
    let mut small = case.clone();
    while let Some(smaller) =
        candidates(&small).into_iter().find(|candidate| kind(candidate) == wanted)
    {
        small = smaller;
    }
    small
}

/// Every case that is one step smaller, the largest steps first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for k in 0..case.filters.len() {
        if case.filters.len() > 1 {
            all.push(changed(case, |case| drop(case.filters.remove(k))));
        }
    }
    for index in (0..case.ops.len()).rev() {
        all.push(changed(case, |case| _ = case.ops.remove(index)));
    }
    for (k, script) in case.filters.iter().enumerate() {
        for index in (0..script.steps.len()).rev() {
            all.push(changed(case, |case| drop(case.filters[k].steps.remove(index))));
            all.extend(smaller_steps(case, k, index));
        }
        if script.panics_in_close || script.panics_in_drop || script.blind {
            all.push(changed(case, |case| {
                let script = &mut case.filters[k];
                script.panics_in_close = false;
                script.panics_in_drop = false;
                script.blind = false;
            }));
        }
        if script.high != 1000 {
            all.push(changed(case, |case| {
                case.filters[k].low = 500;
                case.filters[k].high = 1000;
            }));
        }
    }
    all.extend(duller(case));
    all
}

fn smaller_steps(case: &Case, k: usize, index: usize) -> Vec<Case> {
    let mut all = Vec::new();
    let step = &case.filters[k].steps[index];
    for action in 0..step.actions.len() {
        all.push(changed(case, |case| {
            _ = case.filters[k].steps[index].actions.remove(action);
        }));
        if let Action::Push(n) = step.actions[action]
            && n > 1
        {
            all.push(changed(case, |case| {
                case.filters[k].steps[index].actions[action] = Action::Push(n / 2);
            }));
        }
    }
    if step.reject || step.quiet || step.again {
        for flag in 0..3 {
            let mut smaller = case.clone();
            let step = &mut smaller.filters[k].steps[index];
            let flags = [&mut step.reject, &mut step.quiet, &mut step.again];
            if std::mem::take(flags[flag]) {
                all.push(smaller);
            }
        }
    }
    all
}

fn duller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    if case.finish != Finish::Drop {
        all.push(changed(case, |case| case.finish = Finish::Drop));
    }
    if case.body_bytes > 0 {
        all.push(changed(case, |case| case.body_bytes /= 2));
        all.push(changed(case, |case| case.body_bytes -= 1));
    }
    if case.max_frame_bytes != 1000 {
        all.push(changed(case, |case| case.max_frame_bytes = 1000));
    }
    if case.output_marks.1 != 2000 {
        all.push(changed(case, |case| case.output_marks = (1000, 2000)));
    }
    if case.edge != 63 || case.message != 63 || case.no_trailers || case.announced.is_some() {
        all.push(changed(case, |case| {
            case.edge = 63;
            case.message = 63;
            case.no_trailers = false;
            case.announced = None;
        }));
    }
    for (index, &op) in case.ops.iter().enumerate() {
        if let Op::Data { n, end, force } = op
            && n > 1
        {
            all.push(changed(case, |case| {
                case.ops[index] = Op::Data { n: n / 2, end, force };
            }));
        }
    }
    all
}

fn changed(case: &Case, change: impl FnOnce(&mut Case)) -> Case {
    let mut changed = case.clone();
    change(&mut changed);
    changed
}
