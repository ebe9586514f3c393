//! How files are called.

use super::rust::is_word;
use super::source::{Source, expect_none, expect_only, read, rust_files};

/// Names that say nothing of what is inside.
const SAY_NOTHING: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "misc", "stuff", "types"];

const PINS: &str = "tests/send_sync.rs";

fn check_file_names(files: &[Source]) -> Vec<String> {
    let vague = files.iter().filter(|file| {
        let mut parts = file.path.split(['/', '.']);
        parts.any(|part| SAY_NOTHING.contains(&part))
    });
    vague.map(|file| format!("{}: a name that says nothing", file.path)).collect()
}

/// The public types of a file: (line counted from 0, name).
fn public_types(file: &Source) -> Vec<(usize, &str)> {
    let lines = file.shipped.lines().enumerate();
    lines.filter_map(|(line, text)| Some((line, public_type(text)?))).collect()
}

fn public_type(line: &str) -> Option<&str> {
    let item = line.trim_start().strip_prefix("pub ")?;
    let item = item.strip_prefix("unsafe ").unwrap_or(item);
    let kinds = ["struct ", "enum ", "union ", "trait ", "type "];
    let name = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
    name.split(|each| !is_word(each)).next()
}

/// A file with one public type is found by its name, or by the name less what the module says
/// already: `LocalReply` is in `reply.rs` or `local_reply.rs`.
fn check_type_files(files: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.in_src()) {
        let is_page = file.module().len() < 2 || file.path.ends_with("/mod.rs");
        let types = public_types(file);
        let [(line, name)] = types[..] else { continue };
        let snake = snake(name);
        let words = format!("_{snake}_");
        if !is_page && !words.contains(&format!("_{}_", file.stem())) {
            findings.push(format!("{}: `{name}` belongs in `{snake}.rs`", file.at(line)));
        }
    }
    findings
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for each in name.chars() {
        if each.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(each.to_lowercase());
    }
    snake
}

fn check_pins(files: &[Source], pins: &str) -> Vec<String> {
    let pinned = Source::new(PINS, pins);
    let pinned: Vec<&str> = super::rust::words(&pinned.code).map(|(_, word)| word).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.in_src()) {
        for (line, name) in public_types(file) {
            if name != "Sealed" && !pinned.contains(&name) {
                findings.push(format!("{}: `{name}` is not in {PINS}", file.at(line)));
            }
        }
    }
    findings
}

#[test]
fn file_names_say_what_is_inside() {
    expect_none(&check_file_names(rust_files()), "name the file after what it is about");
}

#[test]
fn files_are_named_after_their_type() {
    expect_none(&check_type_files(rust_files()), "a file with one public type is named after it");
}

#[test]
fn public_types_are_pinned() {
    let findings = check_pins(rust_files(), &read(PINS));
    expect_none(&findings, "whether a public type is Send, Sync and Unpin is a promise: state it");
}

#[test]
fn vague_file_names_are_found() {
    let files = ["src/buf/util.rs", "tests/common/mod.rs", "src/buf/utility.rs", "src/misc.rs"];
    let files = files.map(|path| Source::new(path, ""));
    expect_only(&check_file_names(&files), &["src/buf/util.rs", "tests/common", "src/misc.rs"]);
}

#[test]
fn misnamed_files_are_found() {
    let files = [
        Source::new("src/a/reply.rs", "pub struct LocalReply(u8);\nstruct Other;"),
        Source::new("src/a/local_reply.rs", "pub struct LocalReply(u8);"),
        Source::new("src/a/two.rs", "pub struct One;\npub enum Other {}"),
        Source::new("src/a/mod.rs", "pub struct Anything;"),
        Source::new("src/a/inside.rs", "pub(crate) struct Other;\n// pub struct No;"),
        Source::new("src/a/ply.rs", "\n/// x\npub struct LocalReply<T>(T);"),
        Source::new("src/a/pinned.rs", "pin_project! {\n    pub struct Body<T> {}\n}"),
    ];
    let expected =
        ["src/a/ply.rs:3: `LocalReply` belongs in `local_reply.rs`", "src/a/pinned.rs:2"];
    expect_only(&check_type_files(&files), &expected);
}

#[test]
fn unpinned_types_are_found() {
    let files = [
        Source::new("src/a/mod.rs", "pub struct Known;\npub trait Unknown: Sized {}"),
        Source::new("tests/b.rs", "pub struct Elsewhere;"),
    ];
    let findings = check_pins(&files, "pin!(Known, \"Unknown\"); // Unknown");
    expect_only(&findings, &["src/a/mod.rs:2: `Unknown` is not in tests/send_sync.rs"]);
}
