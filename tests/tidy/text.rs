//! Sizes, markers, comments that have to be there, words that must not.

use super::paths::paths;
use super::rust::{functions, words};
use super::source::{Source, expect_none, expect_only, rust_files, text_files};

const LINE_CHARS: usize = 100;
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

/// How far above an atomic operation its comment may begin, in lines.
const COMMENT_WITHIN: usize = 4;

const MEMORY_ORDERS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

fn check_line_length(files: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (line, text) in file.text.lines().enumerate() {
            let chars = text.chars().count();
            // A row of a table cannot be broken.
            let row =
                ["///", "//!"].iter().any(|doc| text.trim_start().starts_with(&format!("{doc} |")));
            if chars > LINE_CHARS && !row {
                findings.push(format!("{}: {chars} characters", file.at(line)));
            }
        }
    }
    findings
}

fn check_file_length(files: &[Source]) -> Vec<String> {
    let lines = |file: &&Source| file.text.lines().count();
    let long = files.iter().filter(|file| !file.is_test() && lines(file) > FILE_LINES);
    long.map(|file| format!("{}: {} lines", file.path, lines(&file))).collect()
}

fn check_function_length(files: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.in_src()) {
        for (first, count, name) in functions(&file.shipped) {
            if count > FUNCTION_LINES {
                findings.push(format!("{}: `{name}` has {count} lines", file.at(first)));
            }
        }
    }
    findings
}

fn check_unsafe(files: &[Source]) -> Vec<String> {
    let forbids = |file: &Source| file.code.lines().any(|line| line == "#![forbid(unsafe_code)]");
    let root = files.iter().filter(|file| file.path == "src/lib.rs" && !forbids(file));
    root.map(|file| format!("{}: no `#![forbid(unsafe_code)]`", file.path)).collect()
}

/// What is not done, or was left over from looking for something.
fn check_leftovers(files: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (line, code) in file.code.lines().enumerate() {
            for name in ["todo", "unimplemented", "dbg"] {
                let mut rest = code;
                while let Some(at) = rest.find(name) {
                    let before = rest[..at].chars().next_back();
                    rest = &rest[at + name.len()..];
                    if rest.starts_with('!') && !before.is_some_and(super::rust::is_word) {
                        findings.push(format!("{}: `{name}!`", file.at(line)));
                    }
                }
            }
        }
        for (line, word) in words(&file.comments) {
            if ["TODO", "FIXME", "XXX"].contains(&word) {
                findings.push(format!("{}: {word}", file.at(line)));
            }
        }
    }
    findings
}

/// Tests that do not run.
fn check_ignored(files: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (line, code) in file.code.lines().enumerate() {
            let attribute = code.trim_start().starts_with("#[");
            if attribute && words(code).any(|(_, word)| word == "ignore") {
                findings.push(format!("{}: an ignored test", file.at(line)));
            }
        }
        // Examples run in the documentation of the library only.
        for (line, comment) in file.comments.lines().enumerate().filter(|_| file.in_src()) {
            let fence = comment.trim_start_matches(['/', '!', ' ']).strip_prefix("```");
            if fence.is_some_and(|fence| words(fence).any(|(_, word)| word == "ignore")) {
                findings.push(format!("{}: an ignored example", file.at(line)));
            }
        }
    }
    findings
}

fn check_pages(files: &[Source]) -> Vec<String> {
    let pages = files.iter().filter(|file| {
        file.in_src() && file.path != "src/lib.rs" && !file.is_test() && file.module().len() == 1
    });
    let silent = pages.filter(|file| {
        let page = file.text.lines().take_while(|line| line.starts_with("//!"));
        let page = page.map(|line| line[3..].trim()).collect::<Vec<_>>().join(" ");
        !page.contains("This module never")
    });
    silent.map(|file| format!("{}: no sentence \"This module never …\"", file.path)).collect()
}

fn check_orderings(files: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.in_src()) {
        let comments: Vec<&str> = file.comments.lines().collect();
        for path in paths(file, &file.shipped) {
            let [.., word, order] = path.segments.as_slice() else { continue };
            if word != "Ordering" || !MEMORY_ORDERS.contains(&order.as_str()) {
                continue;
            }
            let near = &comments[path.line.saturating_sub(COMMENT_WITHIN)..=path.line];
            if !near.iter().any(|comment| comment.contains("Ordering")) {
                findings.push(format!("{}: `{order}` without a reason", file.at(path.line)));
            }
        }
    }
    findings
}

/// Paths that exist on one machine only.
fn check_machine_paths(files: &[Source]) -> Vec<String> {
    // In pieces, so that this file has none of them.
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp", "/w/")];
    let mut findings = Vec::new();
    for file in files {
        for (line, text) in file.text.lines().enumerate() {
            let named = places.iter().find(|place| {
                let mut rest = text;
                // Inside a longer path or a URL it is not at the root of a machine.
                std::iter::from_fn(|| {
                    let at = rest.find(*place)?;
                    let before = rest[..at].chars().next_back();
                    rest = &rest[at + place.len()..];
                    Some(before)
                })
                .any(|before| !before.is_some_and(|c| c.is_alphanumeric() || "._-~}".contains(c)))
            });
            if let Some(place) = named {
                findings.push(format!("{}: {place}", file.at(line)));
            }
        }
    }
    findings
}

#[test]
fn lines_fit() {
    expect_none(&check_line_length(rust_files()), "at most 100 characters a line");
}

#[test]
fn files_are_short() {
    expect_none(&check_file_length(rust_files()), "at most 600 lines a file, tests aside");
}

#[test]
fn functions_are_short() {
    expect_none(&check_function_length(rust_files()), "at most 70 lines a function of the library");
}

#[test]
fn unsafe_code_is_forbidden() {
    expect_none(&check_unsafe(rust_files()), "the library has no unsafe code");
}

#[test]
fn nothing_is_left_over() {
    expect_none(&check_leftovers(rust_files()), "finish it, or open an issue");
}

#[test]
fn no_test_is_ignored() {
    expect_none(&check_ignored(rust_files()), "a test that does not run is no test");
}

#[test]
fn module_pages_say_what_the_module_never_does() {
    expect_none(&check_pages(rust_files()), "the page of a top module says: This module never …");
}

#[test]
fn memory_orders_have_reasons() {
    let why = "a comment with the word `Ordering` stands at most 4 lines above each memory order";
    expect_none(&check_orderings(rust_files()), why);
}

#[test]
fn no_path_of_a_machine() {
    expect_none(&check_machine_paths(text_files()), "paths are relative to the repository");
}

#[test]
fn long_lines_are_found() {
    let files = [
        Source::new("src/a.rs", format!("//{}\n//{}", "ü".repeat(98), "x".repeat(99))),
        Source::new("tests/a.rs", "x".repeat(100)),
        Source::new("src/b.rs", format!("    /// | {}\n", "x".repeat(100))),
    ];
    expect_only(&check_line_length(&files), &["src/a.rs:2: 101 characters"]);
}

#[test]
fn long_files_are_found() {
    let files = [
        Source::new("src/a.rs", "\n".repeat(600)),
        Source::new("examples/b.rs", "\n".repeat(601)),
        Source::new("tests/b.rs", "\n".repeat(601)),
        Source::new("src/c/tests.rs", "\n".repeat(601)),
    ];
    expect_only(&check_file_length(&files), &["examples/b.rs: 601 lines"]);
}

#[test]
fn long_functions_are_found() {
    let function =
        |lines: usize| format!("    fn f() {{\n{}    }}\n", "        x();\n".repeat(lines));
    let text = format!("impl A {{\n{}{}}}\n", function(68), function(69));
    let test = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(100));
    let files = [Source::new("src/a.rs", text + &test), Source::new("tests/a.rs", function(100))];
    expect_only(&check_function_length(&files), &["src/a.rs:72: `f` has 71 lines"]);
}

#[test]
fn allowed_unsafe_code_is_found() {
    let files = [Source::new("src/lib.rs", "// #![forbid(unsafe_code)]\n")];
    expect_only(&check_unsafe(&files), &["src/lib.rs: no"]);
    let files = [Source::new("src/lib.rs", "//! A\n#![forbid(unsafe_code)]\n")];
    expect_only(&check_unsafe(&files), &[]);
}

#[test]
fn leftovers_are_found() {
    let text = "fn a() { my_dbg!(todo); dbg !(b) }\nfn b() { if c { todo!() } }\n// TODO: d\n\
                let e = \"FIXME todo!()\"; /* a\nXXX */ dbg!(f);";
    let files = [Source::new("src/a.rs", text)];
    let expected = ["src/a.rs:2: `todo!`", "src/a.rs:5: `dbg!`", "src/a.rs:3: TODO", "src/a.rs:5"];
    expect_only(&check_leftovers(&files), &expected);
}

#[test]
fn ignored_tests_are_found() {
    let text = "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n#[cfg_attr(miri, ignore)]\nfn b() {}\n\
                /// ```rust,ignore\n/// ```no_run\n// please ignore\nlet ignore = 1;\n";
    let files = [Source::new("tests/a.rs", text), Source::new("src/b.rs", "//! ```ignore")];
    expect_only(&check_ignored(&files), &["tests/a.rs:2", "tests/a.rs:4", "src/b.rs:1"]);
}

#[test]
fn silent_pages_are_found() {
    let files = [
        Source::new("src/lib.rs", "//! x"),
        Source::new("src/a.rs", "//! x. This module\n//! never locks.\n"),
        Source::new("src/b/mod.rs", "//! x\n\n// This module never locks."),
        Source::new("src/b/c.rs", ""),
        Source::new("src/tests.rs", ""),
    ];
    expect_only(&check_pages(&files), &["src/b/mod.rs"]);
}

#[test]
fn unexplained_orders_are_found() {
    let text = "// Ordering: so.\n\n\n\nx.load(Ordering::Acquire);\nx.load(Ordering::Acquire);\n\
                Ordering::Less; Decision::Release\nuse a::Ordering::{Less, Relaxed};\n";
    let files = [Source::new("src/a.rs", text), Source::new("tests/a.rs", "Ordering::Relaxed")];
    expect_only(&check_orderings(&files), &["src/a.rs:6: `Acquire`", "src/a.rs:8: `Relaxed`"]);
}

#[test]
fn machine_paths_are_found() {
    let there = concat!("/wo", "rk/a");
    let text = format!("see ~{there}, target{there}, https://x.y{there}\nin {there}\n");
    let files = [Source::new("docs/a.md", text)];
    expect_only(&check_machine_paths(&files), &["docs/a.md:2: "]);
}
