use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use std::{env, fs};

use criterion::{Criterion, SamplingMode, Throughput};

use super::allocations;

/// Short, so that all rows are measured within minutes. `--warm-up-time`, `--measurement-time` and
/// `--sample-size` (criterion's options) say otherwise.
pub(crate) fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(20)
        .nresamples(2_000)
}

/// One thing that is done, by every row of the case alike.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The layer first: `chain/16KiB/static/8`.
    pub(crate) name: String,
    /// What one turn of a row carries, in `unit`s.
    pub(crate) units: u64,
    /// What time and allocations are told for.
    pub(crate) unit: &'static str,
    /// Body bytes of one turn; 0 where there is no body.
    pub(crate) bytes: u64,
}

impl Case {
    /// Measures one row.
    ///
    /// `note` says what the row imitates, and where it is unfair. `prepare` checks the row, end to
    /// end, and answers one turn of it. It only runs if the row is wanted.
    pub(crate) fn row<R: FnMut()>(
        &self,
        criterion: &mut Criterion,
        name: &str,
        note: &str,
        prepare: impl FnOnce() -> R,
    ) {
        let mut group = criterion.benchmark_group(&self.name);
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(match self.bytes {
            0 => Throughput::Elements(self.units),
            bytes => Throughput::ElementsAndBytes { elements: self.units, bytes },
        });
        let mut prepare = Some(prepare);
        let mut turn = None;
        group.bench_function(name, |bencher| {
            let turn = turn.get_or_insert_with(|| {
                let mut turn = prepare.take().expect("prepared once")();
                // What is made once is there afterwards.
                (0..2).for_each(|_| turn());
                self.told(name, note, allocations::count(&mut turn));
                turn
            });
            bencher.iter(turn);
        });
        group.finish();
    }

    /// Prints what is no time, and keeps it for `benches/compare`.
    fn told(&self, name: &str, note: &str, allocations: u64) {
        static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let layer = self.name.split('/').next().unwrap_or_default();
        if NOTED.lock().expect("no panic").insert(format!("{layer}/{name}")) {
            println!("\n{layer}, {name}: {note}");
        }
        let Self { name: case, units, unit, bytes } = self;
        let each = allocations as f64 / *units as f64;
        println!("{case}/{name}: {each:.3} allocations a {unit}");
        let Some(folder) = folder() else { return };
        let file = folder.join(format!("{case}/{name}").replace('/', "__") + ".tsv");
        let line = format!("{case}\t{name}\t{unit}\t{units}\t{bytes}\t{allocations}\t{note}\n");
        if let Err(error) = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, line)) {
            println!("{}: {error}: benches/compare will not know this row", file.display());
        }
    }
}

/// In the target folder that this program lies in, beside criterion's.
fn folder() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    // target/release/deps/chain-0123456789abcdef
    Some(program.ancestors().nth(3)?.join("criterion-rows"))
}
