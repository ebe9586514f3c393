//! What each module may name. The layers are those of the table in `docs/architecture.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Path, paths};
use super::source::{Source, expect_none, expect_only, read, rust_files};

const PAGE: &str = "docs/architecture.md";

/// Uses within a layer: user, used, why.
const SAME_LAYER: [(&str, &str, &str); 9] = [
    ("error", "sync", "one error is told to every filter and to the edge: it is shared"),
    ("buf", "watermark", "buffers say what they weigh"),
    ("chain", "filter", "a chain calls filters"),
    ("flow", "exchange", "a flow is compiled to the plan of an exchange"),
    ("ext_proc", "body", "a stream has the clock and the timeouts of a message"),
    ("ext_proc", "http2", "a server has a carrier"),
    ("ext_proc", "socket", "the task of a connection runs its streams"),
    ("http2", "socket", "the task of a connection runs its streams"),
    ("block", "pool", "blocks wait in a pool, which knows nothing of them"),
];

/// What modules never name: which modules, paths, why.
const NEVER: [(Modules, &[&str], &str); 7] = [
    (
        Modules::Named(&["pipe", "resume", "pool", "table"]),
        &["bytes", "tokio"],
        "it moves handles and wakes, not data, under any runtime",
    ),
    (
        Modules::Named(&["table"]),
        &["http", "std::time", "std::thread"],
        "keys and plans are the embedder's, and so is the clock",
    ),
    (
        Modules::UpTo(3, &["pipe", "resume"]),
        &["std::task", "core::task", "alloc::task"],
        "only the resume set and the pipe wake",
    ),
    (
        Modules::UpTo(3, &[]),
        &["std::time", "core::time", "std::thread"],
        "the engine is driven: it reads no clock and starts nothing",
    ),
    (
        Modules::UpTo(3, &["pipe", "pool", "resume", "sync"]),
        &["crate::sync::Mutex", "crate::sync::MutexGuard", "crate::sync::lock", "crate::sync::*"],
        "a message is owned by who drives it: nothing to lock",
    ),
    (
        Modules::UpTo(4, &[]),
        &["tokio", "http_body", "tower_layer", "tower_service", "pin_project_lite"],
        "runtimes and body traits belong to an edge",
    ),
    (
        Modules::UpTo(u32::MAX, &["sync"]),
        &["std::sync", "core::sync", "alloc::sync", "tokio::sync"],
        "`crate::sync` is the only door, so that a model checker can stand in it",
    ),
];

/// Some modules.
#[derive(Clone, Copy)]
enum Modules {
    Named(&'static [&'static str]),
    /// All up to this layer but those.
    UpTo(u32, &'static [&'static str]),
}

impl Modules {
    fn contain(self, module: &str, layer: u32) -> bool {
        match self {
            Self::Named(names) => names.contains(&module),
            Self::UpTo(highest, but) => layer <= highest && !but.contains(&module),
        }
    }
}

/// Layers by module, and what modules are called by what the root exports.
struct Map {
    layers: BTreeMap<String, u32>,
    exports: BTreeMap<String, String>,
}

impl Map {
    fn new(page: &str, files: &[Source]) -> Self {
        let layers = table(page);
        let root = files.iter().find(|file| file.path == "src/lib.rs");
        let mut exports = BTreeMap::new();
        for path in root.iter().flat_map(|root| paths(root, &root.shipped)) {
            // In the root, `buf::BodyBuf` is in the module `buf` of this crate.
            let segments = path.segments.iter().filter(|segment| *segment != "crate");
            if let [module, .., name] = &segments.collect::<Vec<_>>()[..]
                && layers.contains_key(*module)
            {
                exports.insert((*name).clone(), (*module).clone());
            }
        }
        Self { layers, exports }
    }

    /// The module of this crate that `path` leads to; an error where that cannot be told.
    fn target(&self, path: &Path) -> Option<Result<&str, String>> {
        let [root, name, ..] = path.segments.as_slice() else { return None };
        if root != "crate" {
            return None;
        }
        if let Some((module, _)) = self.layers.get_key_value(name) {
            return Some(Ok(module));
        }
        let exported = self.exports.get(name).map(String::as_str);
        Some(exported.ok_or_else(|| format!("`crate::{name}` is in no module of the table")))
    }
}

/// The rows `| module | layer | …` of the code map: layers by module.
fn table(page: &str) -> BTreeMap<String, u32> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let module = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        let layer = cells.next()?.strip_prefix('L')?.parse().ok()?;
        Some((module.to_owned(), layer))
    });
    rows.collect()
}

/// The top module that a file belongs to.
fn module_of(file: &Source) -> Option<String> {
    file.in_src().then(|| file.module().into_iter().next()).flatten()
}

fn check_table(files: &[Source], layers: &BTreeMap<String, u32>) -> Vec<String> {
    let built: BTreeSet<String> = files.iter().filter_map(module_of).collect();
    let listed: BTreeSet<String> = layers.keys().cloned().collect();
    let unlisted =
        built.difference(&listed).map(|module| format!("src/{module}: not in the table"));
    let missing = listed.difference(&built).map(|module| format!("{PAGE}: no module `{module}`"));
    unlisted.chain(missing).collect()
}

fn check_layers(files: &[Source], map: &Map) -> Vec<String> {
    let mut findings = Vec::new();
    let mut unused: BTreeSet<usize> = (0..SAME_LAYER.len()).collect();
    for file in files {
        let Some(user) = module_of(file) else { continue };
        let Some(&layer) = map.layers.get(&user) else { continue };
        for path in paths(file, &file.shipped) {
            let used = match map.target(&path) {
                None => continue,
                Some(Ok(used)) if used == user => continue,
                Some(Ok(used)) => used,
                Some(Err(unknown)) => {
                    findings.push(format!("{}: {unknown}", file.at(path.line)));
                    continue;
                }
            };
            let below = map.layers[used];
            let listed = SAME_LAYER.iter().position(|&(a, b, _)| a == user && b == used);
            if let Some(n) = listed {
                unused.remove(&n);
            }
            if below > layer || (below == layer && listed.is_none()) {
                findings.push(format!(
                    "{}: `{user}` (L{layer}) uses `{used}` (L{below})",
                    file.at(path.line)
                ));
            }
        }
    }
    let pairs = unused.iter().map(|&n| {
        let (user, used, _) = SAME_LAYER[n];
        format!("tests/tidy/layers.rs: `{user}` no longer uses `{used}`: drop it from the list")
    });
    findings.extend(pairs);
    findings
}

fn check_never(files: &[Source], map: &Map) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        let Some(module) = module_of(file) else { continue };
        let Some(&layer) = map.layers.get(&module) else { continue };
        let rules = NEVER.iter().filter(|(modules, ..)| modules.contain(&module, layer));
        for (_, never, why) in rules {
            for path in paths(file, &file.shipped) {
                if let Some(name) = never.iter().find(|name| path.is_in(name)) {
                    findings
                        .push(format!("{}: `{module}` names `{name}`: {why}", file.at(path.line)));
                }
            }
        }
    }
    findings
}

#[test]
fn the_code_map_names_every_module() {
    let findings = check_table(rust_files(), &table(&read(PAGE)));
    expect_none(&findings, "the table in section 7 of docs/architecture.md is src/, and no more");
}

#[test]
fn modules_use_their_own_and_lower_layers() {
    let files = rust_files();
    let findings = check_layers(files, &Map::new(&read(PAGE), files));
    expect_none(
        &findings,
        "a module uses its own and lower layers (docs/architecture.md, section 7); uses within a \
         layer are listed in tests/tidy/layers.rs with their reason",
    );
}

#[test]
fn modules_name_nothing_they_must_not() {
    let files = rust_files();
    let findings = check_never(files, &Map::new(&read(PAGE), files));
    expect_none(&findings, "the engine stays free of I/O, locks and clocks");
}

const PLANTED_PAGE: &str = "\
| module | layer | what it is |
|---|---|---|
| `error` | L0 | x |
| `sync` | L0 | x |
| `buf` | L1 | x |
| `watermark` | L1 | x |
| `resume` | L2 | x |
| `pool` | L1 | x |
| `block` | L1 | x |
| `filter` | L3 | x |
| `chain` | L3 | x |
| `exchange` | L4 | x |
| `flow` | L4 | x |
| `socket` | L5 | x |
| `http2` | L5 | x |
| `body` | L5 | x |
| `ext_proc` | L5 | x |
";

fn planted(files: &[(&str, &str)]) -> (Vec<Source>, Map) {
    let root = [("src/lib.rs", "pub use chain::Chain;\npub use self::body::{Body, Other};")];
    let files: Vec<Source> =
        root.iter().chain(files).map(|&(path, text)| Source::new(path, text)).collect();
    let map = Map::new(PLANTED_PAGE, &files);
    (files, map)
}

#[test]
fn a_module_outside_the_table_is_found() {
    let (files, map) = planted(&[("src/error.rs", ""), ("src/wild/mod.rs", "")]);
    let findings = check_table(&files, &map.layers);
    assert!(findings.contains(&"src/wild: not in the table".to_owned()));
    assert!(findings.contains(&"docs/architecture.md: no module `body`".to_owned()));
    assert!(!findings.iter().any(|found| found.contains("error")));
}

#[test]
fn a_use_of_a_higher_layer_is_found() {
    let (files, map) = planted(&[
        ("src/error.rs", "use crate::sync::Arc;"),
        ("src/buf/traits.rs", "use crate::watermark::Weigh;"),
        ("src/block/mod.rs", "use crate::pool::Pool;"),
        ("src/flow/mod.rs", "use crate::exchange::ExchangePlan;"),
        ("src/ext_proc/mod.rs", "use crate::{body::Body, http2::Carrier, socket::Queue};"),
        ("src/http2/mod.rs", "use crate::socket::Queue;"),
        ("src/filter/mod.rs", "use {\n    crate::{error::Error,\n    chain::Plan}\n};"),
        ("src/filter/view.rs", "fn a() { crate::Chain::b(); crate::Wild::c() }"),
        ("src/chain/mod.rs", "use crate::filter::Filter;\n#[cfg(test)]\nuse crate::body::Body;"),
        ("src/chain/tests.rs", "use crate::body::Body;"),
        ("src/resume/mod.rs", "fn a(b: super::Other) {}"),
    ]);
    expect_only(
        &check_layers(&files, &map),
        &[
            "src/filter/mod.rs:3: `filter` (L3) uses `chain` (L3)",
            "src/filter/view.rs:1: `filter` (L3) uses `chain` (L3)",
            "src/filter/view.rs:1: `crate::Wild` is in no module",
            "src/resume/mod.rs:1: `resume` (L2) uses `body` (L5)",
        ],
    );
}

#[test]
fn a_listed_use_that_is_gone_is_found() {
    let (files, map) = planted(&[
        ("src/buf/mod.rs", "use crate::watermark::Weigh;"),
        ("src/chain/mod.rs", "use crate::filter::Filter;"),
        ("src/block/mod.rs", "use crate::pool::Pool;"),
        ("src/flow/mod.rs", "use crate::exchange::ExchangePlan;"),
        ("src/ext_proc/mod.rs", "use crate::{body::Body, http2::Carrier, socket::Queue};"),
        ("src/http2/mod.rs", "use crate::socket::Queue;"),
    ]);
    expect_only(&check_layers(&files, &map), &["tests/tidy/layers.rs: `error` no longer uses"]);
}

#[test]
fn forbidden_names_are_found() {
    let (files, map) = planted(&[
        ("src/sync.rs", "pub(crate) use std::sync::Mutex;"),
        ("src/resume/set.rs", "use core::task::Waker;\nuse bytes::Bytes;\nuse crate::sync::lock;"),
        ("src/chain/mod.rs", "use std::{fmt, task::Waker};\nuse crate::sync::{Arc, Mutex};"),
        ("src/filter/mod.rs", "// std::time\nfn a() -> std::time::Instant { \"std::thread\" }"),
        ("src/error.rs", "use tokio::time::Sleep;"),
        ("src/body/mod.rs", "use std::{sync::Arc, time::Duration};\nuse tokio::time::Sleep;"),
    ]);
    expect_only(
        &check_never(&files, &map),
        &[
            "src/resume/set.rs:2: `resume` names `bytes`",
            "src/chain/mod.rs:1: `chain` names `std::task`",
            "src/chain/mod.rs:2: `chain` names `crate::sync::Mutex`",
            "src/filter/mod.rs:2: `filter` names `std::time`",
            "src/error.rs:1: `error` names `tokio`",
            "src/body/mod.rs:1: `body` names `std::sync`",
        ],
    );
}
