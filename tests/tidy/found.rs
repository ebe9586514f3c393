//! What `docs/found.md` says to show a mended fault is a test that is there.

use std::collections::BTreeSet;

use super::hazards::is_test_function;
use super::rust::functions;
use super::source::{Source, expect_none, expect_only, read, text_files};

const PAGE: &str = "docs/found.md";

fn test_names(files: &[Source]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files {
        let lines: Vec<&str> = file.code.lines().collect();
        let functions = functions(&file.code).into_iter();
        let tests =
            functions.filter(|(first, _, name)| is_test_function(file, &lines[..*first], name));
        names.extend(tests.map(|(_, _, name)| name));
    }
    names
}

/// Names in the last column that no test has.
fn check_page(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut findings = Vec::new();
    for (at, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with("| ")) {
        let shown = line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or("");
        // The name of a test is a sentence; what else is quoted is a command or a path.
        let is_sentence = |name: &&str| name.split('_').count() > 3;
        let names = shown.split('`').skip(1).step_by(2).filter(is_sentence);
        let unknown = names.filter(|name| !tests.contains(*name));
        findings.extend(unknown.map(|name| format!("{PAGE}:{}: no test `{name}`", at + 1)));
    }
    findings
}

#[test]
fn what_shows_a_mended_fault_is_there() {
    let findings = check_page(&read(PAGE), &test_names(text_files()));
    expect_none(&findings, "a mended fault is shown by a test that exists");
}

#[test]
fn a_test_that_is_gone_is_found() {
    let file =
        Source::new("tests/a.rs", "#[test]\nfn it_is_all_there() {}\nfn it_is_no_test() {}\n");
    let page = "| wrong | what shows it now |\n|---|---|\n| `it_was_wrong` | `it_is_all_there` |\n\
                | b | `it_is_all_there`, `it_is_no_test` |\n\
                | c | `it_is_gone_now`, `.ci/counts` |\n";
    expect_only(
        &check_page(page, &test_names(&[file])),
        &["docs/found.md:4: no test `it_is_no_test`", "docs/found.md:5: no test `it_is_gone_now`"],
    );
}
