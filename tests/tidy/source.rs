//! Source files as rules look at them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::rust;

/// Folders that hold Rust of this repository.
const RUST_FOLDERS: [&str; 5] = ["src", "tests", "examples", "benches", "fuzz"];

/// Folders that hold nothing anybody wrote.
const SKIPPED: [&str; 6] = [".git", "target", "corpus", "artifacts", "coverage", "cache"];

/// One file.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with comments and the insides of literals blanked; lines and columns stay.
    pub(crate) code: String,
    /// The text with everything but comments blanked.
    pub(crate) comments: String,
    /// `code` without what is built for unit tests only.
    pub(crate) shipped: String,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let (code, comments, shipped) = if path.ends_with(".rs") {
            let (code, comments) = rust::split(&text);
            let shipped = if is_test(&path) { String::new() } else { rust::without_tests(&code) };
            (code, comments, shipped)
        } else {
            (String::new(), String::new(), String::new())
        };
        Self { path, text, code, comments, shipped }
    }

    /// Whether the library is made of it.
    pub(crate) fn in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    pub(crate) fn is_test(&self) -> bool {
        is_test(&self.path)
    }

    /// The name of the file without its extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// The modules above and including this file, from the root of the crate: empty for `lib.rs`.
    pub(crate) fn module(&self) -> Vec<String> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = inside.split('/').map(String::from).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        module
    }

    /// `path:line`, for a finding in line `line` counted from 0.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{}", self.path, line + 1)
    }
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.starts_with("fuzz/")
        || path.ends_with("/tests.rs")
        || path.contains("/tests/")
}

/// All Rust files of the repository.
pub(crate) fn rust_files() -> &'static [Source] {
    static FILES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut files = Vec::new();
        for folder in RUST_FOLDERS {
            walk(folder, &|path| path.ends_with(".rs"), &mut files);
        }
        files
    });
    assert!(FILES.iter().any(|file| file.path == "src/lib.rs"), "there is a library");
    &FILES
}

/// All text files of the repository.
pub(crate) fn text_files() -> &'static [Source] {
    static FILES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut files = Vec::new();
        walk("", &|_| true, &mut files);
        files
    });
    &FILES
}

/// One file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Writes one file that is generated.
pub(crate) fn write(path: &str, text: &str) {
    fs::write(root().join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Adds the files below `folder` that `wanted` answers for, in order. Files that are not text have
/// no rules.
fn walk(folder: &str, wanted: &dyn Fn(&str) -> bool, files: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return };
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("a readable folder")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().expect("a readable entry");
        if kind.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                walk(&path, wanted, files);
            }
        } else if kind.is_file()
            && wanted(&path)
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(Source::new(path, text));
        }
    }
}

/// Fails with all of `findings`, and why there is such a rule.
#[track_caller]
pub(crate) fn expect_none(findings: &[String], why: &str) {
    assert!(findings.is_empty(), "{why}\n\n{}\n", findings.join("\n"));
}

/// Fails unless each of `findings` begins with the text at its place in `expected`.
#[track_caller]
pub(crate) fn expect_only(findings: &[String], expected: &[&str]) {
    let same = findings.len() == expected.len()
        && findings.iter().zip(expected).all(|(found, start)| found.starts_with(start));
    assert!(same, "found {findings:#?}, expected what begins with {expected:#?}");
}
