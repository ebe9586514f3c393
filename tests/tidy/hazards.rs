//! Every hazard is met by a test of its number, or not met for a reason that is written down; and
//! `docs/hazards.md` says which.
//!
//! `TIDEGATE_WRITE_DOCS=1 cargo test --test tidy hazards` writes the page.

#[path = "../hazards/catalogue.rs"]
mod catalogue;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;

use super::rust::{functions, is_word, words};
use super::source::{Source, expect_none, expect_only, read, text_files, write};
use catalogue::{HAZARDS, Hazard, Place};

const PAGE: &str = "docs/hazards.md";

const PREFACE: &str = "\
# Hazards

What has gone wrong in engines that carry bodies, and the tests that try it here. Generated from
`tests/hazards/catalogue.rs` and the names of tests; `cargo test` fails if it is old. To write it:

```sh
TIDEGATE_WRITE_DOCS=1 cargo test --test tidy hazards
```

The stage `loom` of `.ci/run` runs `loom-tests` and `stress-tests`, `cargo test` the rest.

";

/// The macros that make tests of the functions whose names they are given.
const TEST_MACROS: [&str; 2] = ["both!(", "models!("];

/// A test of a hazard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    path: String,
    name: String,
}

/// Tests by the number of their hazard.
type Tests = BTreeMap<u8, Vec<Test>>;

/// The number in `h07_small_chunks`.
fn number(name: &str) -> Option<u8> {
    let rest = name.strip_prefix('h')?;
    let digits = rest.get(..2)?;
    let is_number = digits.bytes().all(|each| each.is_ascii_digit());
    (is_number && rest[2..].starts_with('_')).then(|| digits.parse().ok())?
}

/// The functions that are named after hazards; those that no harness runs are findings.
fn tests(files: &[Source]) -> (Tests, Vec<String>) {
    let (mut tests, mut findings) = (Tests::new(), Vec::new());
    for file in files.iter().filter(|file| file.is_test()) {
        let lines: Vec<&str> = file.code.lines().collect();
        for (first, _, name) in functions(&file.code) {
            let Some(number) = number(&name) else { continue };
            if !is_test_function(file, &lines[..first], &name) {
                findings.push(format!("{}: `{name}` is not a test", file.at(first)));
            }
            tests.entry(number).or_default().push(Test { path: file.path.clone(), name });
        }
    }
    tests.values_mut().for_each(|tests| tests.sort());
    (tests, findings)
}

/// Whether a harness runs the function behind the lines `above`.
pub(crate) fn is_test_function(file: &Source, above: &[&str], name: &str) -> bool {
    has_test_attribute(above) || is_given_to_a_macro(&file.code, name)
}

/// Whether the attributes at the end of `above` make a test.
fn has_test_attribute(above: &[&str]) -> bool {
    let attributes = above.iter().rev().map(|line| line.trim());
    let mut attributes =
        attributes.take_while(|line| line.is_empty() || line.starts_with("#[") || *line == ")]");
    attributes.any(|line| line.starts_with("#[") && words(line).any(|(_, word)| word == "test"))
}

fn is_given_to_a_macro(code: &str, name: &str) -> bool {
    TEST_MACROS.iter().any(|start| {
        let given = code.split(start).skip(1).filter_map(|rest| rest.split(");").next());
        given.into_iter().any(|given| given.split(|each| !is_word(each)).any(|word| word == name))
    })
}

fn check_hazards(hazards: &[Hazard], tests: &Tests) -> Vec<String> {
    let mut findings = Vec::new();
    for (hazard, expected) in hazards.iter().zip(1..) {
        if hazard.number != expected {
            findings.push(format!("H{}: stands in the place of H{expected}", hazard.number));
        }
        match (hazard.place, tests.get(&hazard.number)) {
            (Place::Here | Place::Partly(_), None) => {
                findings.push(format!("H{}: neither a test nor a reason", hazard.number));
            }
            (Place::Elsewhere(reason), Some(tests)) => findings
                .push(format!("H{}: `{}` contradicts \"{reason}\"", hazard.number, tests[0].name)),
            (Place::Here | Place::Partly(_), Some(_)) | (Place::Elsewhere(_), None) => {}
        }
    }
    let known = |number: &u8| hazards.iter().any(|hazard| hazard.number == *number);
    let unknown = tests.iter().filter(|(number, _)| !known(number));
    findings.extend(unknown.map(|(n, tests)| format!("{}: there is no H{n}", tests[0].name)));
    findings
}

fn page(hazards: &[Hazard], tests: &Tests) -> String {
    let mut page = String::from(PREFACE);
    let all: usize = tests.values().map(Vec::len).sum();
    let met = hazards.iter().filter(|hazard| tests.contains_key(&hazard.number)).count();
    let _ = writeln!(
        page,
        "{met} of {} hazards are met by {all} tests. Not met here, for the reason given: {}.",
        hazards.len(),
        hazards.len() - met
    );
    for hazard in hazards {
        let Hazard { number, title, seen, place } = hazard;
        let _ = write!(page, "\n## H{number}. {title}\n\nSeen: {seen}.\n\n");
        let tests = tests.get(number).map_or(&[][..], Vec::as_slice);
        for Test { path, name } in tests {
            let _ = writeln!(page, "- `{name}` in `{path}`");
        }
        match place {
            Place::Here => {}
            Place::Partly(rest) => {
                let _ = writeln!(page, "- Not here: {rest}");
            }
            Place::Elsewhere(reason) => {
                let _ = writeln!(page, "No test: {reason}");
            }
        }
    }
    page
}

#[test]
fn hazards_are_met_or_cannot_be() {
    let (tests, mut findings) = tests(text_files());
    findings.extend(check_hazards(&HAZARDS, &tests));
    expect_none(&findings, "a hazard has a test named after it (`h07_…`), or a reason for none");
}

#[test]
fn hazards_page_is_what_is_generated() {
    let page = page(&HAZARDS, &tests(text_files()).0);
    if env::var_os("TIDEGATE_WRITE_DOCS").is_some() {
        write(PAGE, &page);
    }
    let same = read(PAGE) == page;
    assert!(same, "{PAGE} is old: TIDEGATE_WRITE_DOCS=1 cargo test --test tidy hazards");
}

#[test]
fn hazards_without_test_or_reason_are_found() {
    let hazard = |number, place| Hazard { number, title: "", seen: "", place };
    let files = [
        Source::new("tests/a.rs", "#[test]\nfn h02_a() {}\n\n#[test]\nfn h04_b() {}\n"),
        Source::new("src/a/tests.rs", "#[test]\nfn h09_a() {}\n"),
        Source::new("src/a/mod.rs", "fn h01_a() {}\n"),
    ];
    let (tests, findings) = tests(&files);
    assert_eq!(findings, [""; 0]);
    let hazards = [
        hazard(1, Place::Here),
        hazard(2, Place::Elsewhere("it cannot be")),
        hazard(3, Place::Partly("the rest")),
        hazard(5, Place::Elsewhere("it cannot be")),
        hazard(4, Place::Here),
    ];
    let expected = ["H1: neither", "H2: `h02_a` contradicts", "H3: neither", "H5: stands in"];
    let expected = [&expected[..], &["H4: stands in", "h09_a: there is no H9"]].concat();
    expect_only(&check_hazards(&hazards, &tests), &expected);
}

#[test]
fn functions_of_hazards_that_nothing_runs_are_found() {
    let text = "\
#[test]
/// Why.
#[should_panic]
fn h01_a() {}

fn h02_b<H>() {}
fn h03_c() {}
fn h4_d() {}
fn h05() {}

#[tokio::test(flavor = \"current_thread\")]
async fn h06_e() {}

mod m {
    #[test]
    fn h07_f() {}
}

both!(
    x,
    h02_b,
);
// h03_c
";
    let (tests, findings) = tests(&[Source::new("tests/a.rs", text)]);
    expect_only(&findings, &["tests/a.rs:7: `h03_c` is not a test"]);
    assert_eq!(tests.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 6, 7]);
}

#[test]
fn the_page_lists_tests_and_reasons() {
    let hazard = |number, place| Hazard { number, title: "It breaks.", seen: "x #1", place };
    let hazards = [hazard(1, Place::Partly("more.")), hazard(2, Place::Elsewhere("never."))];
    let test = Test { path: "tests/a.rs".to_owned(), name: "h01_a".to_owned() };
    let page = page(&hazards, &Tests::from([(1, vec![test])]));
    let (_, body) = page.split_once("\n## ").expect("a hazard");
    let first = "H1. It breaks.\n\nSeen: x #1.\n\n- `h01_a` in `tests/a.rs`\n- Not here: more.\n";
    let second = "H2. It breaks.\n\nSeen: x #1.\n\nNo test: never.\n";
    assert_eq!(body, format!("{first}\n## {second}"));
    assert!(
        page.contains("1 of 2 hazards are met by 1 tests. Not met here, for the reason given: 1."),
        "{page}"
    );
}
