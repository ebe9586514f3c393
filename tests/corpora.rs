//! Replays what the fuzzers have found worth keeping (`tests/corpora`), target by target.
//!
//! `fuzz/run` writes the archives: the smallest set of cases that covers all that was reached.

use std::fs;
use std::path::Path;

#[allow(dead_code, reason = "the library uses more of it than the targets")]
#[path = "targets/http2_connection/http2.rs"]
mod http2;
#[path = "kit/mod.rs"]
mod kit;
#[allow(dead_code, reason = "the tests use more of the model than the targets")]
#[path = "model/mod.rs"]
mod model;
#[allow(dead_code, reason = "the library uses more of it than the targets")]
#[path = "targets/http2_connection/socket.rs"]
mod socket;
#[allow(dead_code, reason = "cases are decoded for people only")]
#[path = "targets/mod.rs"]
mod targets;
#[path = "../src/unwind.rs"]
mod unwind;

use targets::{Target, corpus};
use tidegate::limits;

/// A corpus with fewer cases was lost on the way: no target is that simple.
const FEWEST_CASES: usize = 20;

/// Replays the corpus of `target` on the machine's cores. Answers how many cases it has.
fn replay(target: &Target) -> usize {
    let path = format!("tests/corpora/{}.corpus", target.name);
    let file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path))
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases = corpus::unpack(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(cases.len() >= FEWEST_CASES, "{path} has {} cases", cases.len());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let (path, cases) = (&path, &cases);
            scope.spawn(move || {
                for (i, case) in cases.iter().enumerate().skip(first).step_by(threads) {
                    let failed = std::panic::catch_unwind(|| (target.run)(case)).is_err();
                    assert!(!failed, "{path}: case {i} fails");
                }
            });
        }
    });
    cases.len()
}

#[test]
fn every_kept_case_is_as_it_should_be() {
    for target in &targets::ALL {
        println!("{}: {} cases replayed", target.name, replay(target));
    }
}

/// Cases in which an engine and its oracle have parted: the target, why, the choices.
const PARTED: [(&str, &str, &str); 1] = [(
    "chain",
    "the trailers went on in the wave whose last call was the last of the budget (ruling 14)",
    "000000000700fe95ebdb000000030000000000000000000000e2000000000c01bf000000a00000000000050000bc\
     6900000000000000000009000000000000000000000000000000000000006200007501",
)];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}

#[test]
fn cases_that_once_failed_do_not() {
    for (name, why, hex) in PARTED {
        let target = targets::ALL.iter().find(|target| target.name == name).expect("a target");
        println!("{name}: {why}");
        (target.run)(&bytes(hex));
    }
}

#[test]
fn a_corpus_is_read_as_it_was_written() {
    let cases = vec![vec![1; 300], vec![], vec![2, 3], vec![2, 3]];
    let file = corpus::pack(cases).expect("they are short");
    let read = corpus::unpack(&file).expect("it is whole");
    assert_eq!(read, [&[][..], &[2, 3], &[1; 300]]);
    assert!(corpus::unpack(&file[..file.len() - 1]).is_err(), "the last one is cut");
    assert!(corpus::pack(vec![vec![0; 70_000]]).is_err(), "its length does not fit");
}
