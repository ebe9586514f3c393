//! `docs/budgets.md`, from the catalogue.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use crate::catalogue::{BUDGETS, Budget};

const PREFACE: &str = "\
# Budgets

What a peer that means harm can make a message cost, what bounds it, and the tests: at the limit,
where nothing may happen, and past it. Generated from `tests/budgets/catalogue.rs`; `cargo test`
fails if this page is old, or names a test that is not there. To write it:

```sh
TIDEGATE_WRITE_DOCS=1 cargo test --test budgets page
```

Marks count payload. What segments keep alive beside it is a second account: below 512 B they are
copied out when they come to rest, so with read blocks of 16 KiB retained memory is at most 32 times
the held payload, and the bookkeeping (a byte for each, and 20 KiB for a buffer in use).

| a peer, or a filter | what bounds it | at the limit | past it |
|---|---|---|---|
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tests(named: &[(&str, &str)]) -> String {
    let links: Vec<String> =
        named.iter().map(|(file, test)| format!("`{test}` ([{file}](../tests/{file}))")).collect();
    links.join(", ")
}

#[test]
fn the_page_names_tests_that_are_there() {
    for Budget { what, at, past, .. } in BUDGETS {
        for (file, test) in at.iter().chain(*past) {
            let text = fs::read_to_string(root().join("tests").join(file)).unwrap_or_default();
            assert!(text.contains(&format!("fn {test}")), "{what}: no `{test}` in {file}");
        }
        assert!(!at.is_empty() && !past.is_empty(), "{what}: a test on either side");
    }
}

#[test]
fn the_page_is_what_is_generated() {
    let mut page = PREFACE.to_owned();
    for Budget { what, bound, at, past } in BUDGETS {
        let _ = writeln!(page, "| {what} | {bound} | {} | {} |", tests(at), tests(past));
    }
    let path = root().join("docs/budgets.md");
    if env::var_os("TIDEGATE_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let same = fs::read_to_string(&path).is_ok_and(|committed| committed == page);
    assert!(same, "docs/budgets.md is old: its first lines say how to write it");
}
