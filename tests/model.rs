//! The engine against the naive reference of its rules (I1 to I10, I12, I13), call by call.
//!
//! `TIDEGATE_CASES` and `TIDEGATE_SEED` say how many random cases are run and from which on.

#[allow(dead_code, reason = "the fuzz target uses a part of it that these tests do not")]
#[path = "model/mod.rs"]
mod model;

use model::case::{Action, Answer, CHANGE_LENGTH, Case, Finish, Length, Op, Step};
use model::generate::random_case;
use model::log::{Callback, Event, Given};
use model::recording::Recording;
use model::recycled::{Leaves, run_behind};
use model::reference::Mutant;
use model::rules;
use model::shrink::shrink;
use model::walk;

/// How many random cases are run if nobody says otherwise.
const CASES: u64 = 100_000;

/// How many cases a planted bug may survive.
const CASES_PER_MUTANT: u64 = 3_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs `case`; fails with the smallest case that fails in the same way.
fn check(case: &Case, seed: Option<u64>) {
    if model::run(case, None).is_ok() {
        return;
    }
    let small = shrink(case, None);
    let mismatch = model::run(&small, None).expect_err("a shrunk case fails too");
    let again = seed.map_or(String::new(), |seed| {
        format!("TIDEGATE_SEED={seed} TIDEGATE_CASES=1 runs the case alone; shrunk:\n")
    });
    panic!("{again}{mismatch}\n{small}");
}

/// Runs `check` with all of `numbers` on the machine's cores. Only numbers are passed by: each case
/// is made by the thread that runs it.
fn on_all_cores<N>(numbers: impl Iterator<Item = N> + Clone + Send, check: impl Fn(N) + Sync) {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let (numbers, check) = (numbers.clone(), &check);
            scope.spawn(move || numbers.skip(first).step_by(threads).for_each(check));
        }
    });
}

/// Runs all cases on the machine's cores.
fn check_all(cases: &[Case]) {
    on_all_cores(cases.iter(), |case| check(case, None));
}

#[test]
fn random_cases_keep_i1_to_i13() {
    let first = number("TIDEGATE_SEED").unwrap_or(1);
    let cases = number("TIDEGATE_CASES").unwrap_or(CASES);
    on_all_cores(first..first + cases, |seed| check(&random_case(seed), Some(seed)));
}

/// A message on what another one has left behaves as on a new chain: the reference of the second
/// knows nothing of the first. Some filters stay, some are made anew; handles of the first may be
/// alive.
#[test]
fn random_cases_on_recycled_chains() {
    let first = number("TIDEGATE_SEED").unwrap_or(1);
    let cases = number("TIDEGATE_CASES").unwrap_or(CASES / 4);
    let check = |seed: u64| {
        let (before, case) = (random_case(!seed), random_case(seed));
        let leaves = Leaves { filters: seed % 64, handles: (seed / 64).is_multiple_of(2) };
        if let Err(mismatch) = run_behind(&[before], &case, leaves) {
            panic!("seed {seed}, {leaves:?}: {mismatch}\n{case}");
        }
    };
    on_all_cores(first..first + cases, check);
}

/// Every answer at every filter of a chain of 3, in the first, the second or the third call, on
/// four shapes of message.
#[test]
fn every_verdict_at_every_filter_of_a_chain_of_3() {
    let answers = walk::every_answer();
    let n = answers.len();
    let shapes = walk::shapes(6);
    on_all_cores(0..n * n * n * 6, |index| {
        let (variant, index) = (index % 6, index / 6);
        let request = variant % 2 == 0;
        let filters = [index % n, index / n % n, index / n / n]
            .map(|answer| {
                // Two calls pass by before it: head, data, then the end or a resume.
                let mut steps = vec![walk::with_handle(Step::default()); variant / 2 + 1];
                *steps.last_mut().expect("at least one") =
                    walk::with_handle(answers[answer].clone());
                walk::filter(steps)
            })
            .to_vec();
        let ops = shapes[(index + variant) % shapes.len()].clone();
        check(&walk::case(request, 6, filters, ops), None);
    });
}

/// A message of 7 bytes cut in every way, in front of filters that hold, release in parts, add and
/// take, with each kind of end.
#[test]
fn every_split_of_a_short_message() {
    let step =
        |actions: &[Action], answer| Step { actions: actions.to_vec(), answer, ..Step::default() };
    let quiet = Step { quiet: true, ..step(&[Action::Handle], Answer::Hold) };
    let hold = step(&[Action::Handle], Answer::Hold);
    let first = step(&[], Answer::First(1));
    let push = step(&[Action::Push(2)], Answer::Pass);
    let take = step(&[Action::Handle, Action::TakeFirst(2)], Answer::Hold);
    let chains = [
        vec![walk::filter(vec![]), walk::filter(vec![])],
        vec![walk::filter(vec![Step::default(), hold.clone(), hold.clone(), hold.clone()])],
        vec![walk::filter(vec![first.clone(); 5]), walk::filter(vec![Step::default(), first])],
        vec![walk::filter(vec![quiet.clone()]), walk::filter(vec![Step::default(), hold, push])],
        vec![walk::filter(vec![take.clone(), take]), walk::filter(vec![Step::default(), quiet])],
    ];
    let mut cases = Vec::new();
    for pieces in walk::every_split(7) {
        for end in [None, Some(Op::End), Some(Op::Trailers(1))] {
            let mut ops = vec![Op::Head { end: false }];
            let last = end.is_none();
            ops.extend(pieces.iter().map(|&n| Op::Data { n, end: last, force: true }));
            ops.extend(end);
            for (index, chain) in chains.iter().enumerate() {
                cases.push(walk::case(index % 2 == 0, 7, chain.clone(), ops.clone()));
            }
        }
    }
    check_all(&cases);
}

/// Every prefix of a message at which it may be dropped or cancelled (I9).
#[test]
fn every_place_to_drop_a_message() {
    let mut cases = Vec::new();
    for shape in walk::shapes(6) {
        for answer in walk::every_answer() {
            for (ops, finish) in (0..=shape.len())
                .flat_map(|len| [Finish::Drop, Finish::Cancel].map(|finish| (len, finish)))
            {
                for taken in 0..3 {
                    let mut ops = shape[..ops].to_vec();
                    ops.push(Op::Take(taken));
                    let steps = vec![Step::default(), walk::with_handle(answer.clone())];
                    let filters = vec![walk::filter(steps.clone()), walk::filter(steps)];
                    let mut case = walk::case(taken % 2 == 0, 6, filters, ops);
                    case.finish = finish;
                    cases.push(case);
                }
            }
        }
    }
    check_all(&cases);
}

/// A bug planted in the reference is noticed: a harness that cannot fail proves nothing.
#[test]
fn every_planted_bug_is_noticed() {
    for mutant in Mutant::ALL {
        let mut seeds = 1..=CASES_PER_MUTANT;
        let found = seeds.any(|seed| model::run(&random_case(seed), Some(mutant)).is_err());
        assert!(found, "{mutant:?} survives {CASES_PER_MUTANT} cases");
    }
}

/// The rules that look at the engine alone notice a breach as well, and name their rule.
#[test]
fn every_rule_notices_its_breach() {
    let hold = Step { actions: vec![Action::Handle], answer: Answer::Hold, ..Step::default() };
    let filters = vec![walk::filter(vec![]), walk::filter(vec![Step::default(), hold])];
    let mut case = walk::case(true, 6, filters, walk::shapes(6)[2].clone());
    case.head.length = Length::Off(0);
    for script in &mut case.filters {
        script.prefers &= !CHANGE_LENGTH;
    }
    let good = model::run(&case, None).expect("an ordinary message");
    assert_eq!(rules::check(&case, &good), Ok(()));
    for (rule, breach) in breaches() {
        let mut bad = good.clone();
        breach(&mut bad);
        let found = rules::check(&case, &bad).expect_err(rule);
        assert!(found.starts_with(rule), "{rule}: {found}");
    }
}

/// A rule, and a way to break it.
type Breach = (&'static str, fn(&mut Recording));

fn breaches() -> Vec<Breach> {
    vec![
        ("I1", |bad| bad.first_call(0, Callback::Data).body[0] = 99),
        ("I1, I3", |bad| bad.first_call(1, Callback::Data).body.swap(0, 1)),
        ("I1: the sink", |bad| bad.first_data()[0] = 99),
        ("I2", |bad| bad.last_call(1, Callback::Data).body[0] = 99),
        ("I3", |bad| bad.given.swap(0, 1)),
        ("I3", |bad| bad.given.push(Given::End)),
        ("I5: the end", |bad| bad.first_call(1, Callback::Data).input_ended = true),
        ("I6", |bad| {
            let trailers = bad.first_call(0, Callback::Trailers).clone();
            bad.log.insert(0, Event::Call(Box::new(trailers)));
        }),
        ("I9: a call", |bad| bad.log.rotate_left(1)),
        ("I9", |bad| {
            let close = bad.log.last().cloned();
            bad.log.extend(close);
        }),
        ("I12", |bad| bad.first_data().truncate(1)),
        ("I12", |bad| bad.first_data().push(6)),
    ]
}
