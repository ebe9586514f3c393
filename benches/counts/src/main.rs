//! Instructions, allocations and memory, not time: the same on a busy machine.
//!
//! | arguments | what is done |
//! |---|---|
//! | none, or `allocations` | prints how often each row allocates |
//! | `rows` | prints the rows: name, floor, unit, units |
//! | `row NAME` | runs one row, in [`counted`] when it is warm |
//! | `growths` | prints the kinds of growth: name, unit, sizes |
//! | `growth NAME SIZE` | runs one kind of growth at one size, in [`counted`] |
//! | `idle FILTERS` | prints what 100,000 exchanges cost that wait, with so many filters each way |
//!
//! `.ci/counts` runs rows and growths under callgrind, which counts within [`counted`] only, and
//! compares with the baseline.
#![allow(clippy::duplicate_mod, reason = "files of rows have their sources with them")]

#[path = "../../rows/chain.rs"]
mod chain;
mod counting;
mod growth;
mod idle;
#[path = "../../rows/lifecycle.rs"]
mod lifecycle;
mod rows;

use growth::Growth;
use rows::Row;

/// What is counted. Its name is how callgrind knows it.
#[inline(never)]
fn counted(work: impl FnOnce()) {
    work();
}

/// Runs once a tenth of what is counted, so that nothing is first.
fn warm(row: Row) -> rows::Run {
    let mut run = (row.make)();
    run(row.units / 10);
    run
}

fn allocations() {
    for row in rows::all() {
        let mut run = warm(row);
        let allocations = counting::allocations(|| run(row.units));
        println!("{} {allocations} {} {}", row.name, row.units, row.unit);
    }
}

fn named_row(name: &str) -> Row {
    let row = rows::all().into_iter().find(|row| row.name == name);
    row.unwrap_or_else(|| panic!("no row `{name}`"))
}

fn named_growth(name: &str) -> Growth {
    let growth = growth::all().into_iter().find(|growth| growth.name == name);
    growth.unwrap_or_else(|| panic!("no growth `{name}`"))
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["allocations"] => allocations(),
        ["rows"] => {
            for Row { name, floor, unit, units, .. } in rows::all() {
                println!("{name} {floor} {unit} {units}");
            }
        }
        ["row", name] => {
            let row = named_row(name);
            let mut run = warm(row);
            counted(|| run(row.units));
        }
        ["growths"] => {
            for growth in growth::all() {
                let sizes = growth.sizes.iter().map(|size| (size, (growth.units)(*size)));
                let sizes: Vec<_> = sizes.map(|(size, units)| format!("{size}:{units}")).collect();
                println!("{} {} {}", growth.name, growth.unit.replace(' ', "_"), sizes.join(" "));
            }
        }
        ["growth", name, size] => {
            let size = size.parse().expect("a size");
            let job = (named_growth(name).make)(size);
            counted(job);
        }
        ["idle", filters] => idle::print(filters.parse().expect("a number of filters")),
        _ => panic!("not understood: {args:?}; see the first lines of main.rs"),
    }
}
