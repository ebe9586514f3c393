//! A comparison as tables.

use std::fmt::Write as _;
use std::time::Duration;

use crate::comparison::Comparison;
use crate::contender::{Chain, Contender};
use crate::load::{AT_ONCE, LARGE_BYTES, Load, SMALL_BYTES};
use crate::options::Options;
use crate::protocol::Protocol;
use crate::sample::{Cell, Sample};

const GIB: f64 = (1_u64 << 30) as f64;
const MIB: f64 = (1_u64 << 20) as f64;

impl Comparison {
    /// Its heading and its tables.
    pub(crate) fn section(self, options: &Options, cells: &[Cell]) -> String {
        let bodies = self.count(Load::Upload, options);
        let requests = self.count(Load::Small, options);
        let (rounds, cores) = (self.rounds(options), options.cores.describe());
        let mut text = match self {
            Self::Proxies => "## Proxies\n\n".to_owned(),
            Self::Processors(mode) => format!("## External processors: {}\n\n", mode.name()),
        };
        let _ = writeln!(
            text,
            "The best of {rounds} rounds; a turn is {bodies} bodies of {} MiB each way and \
             {requests} small requests; {cores}.\n\n\
             ### Bodies of {} MiB: processor seconds a GiB\n",
            LARGE_BYTES >> 20,
            LARGE_BYTES >> 20,
        );
        self.table(&mut text, cells, Load::is_large);
        let _ = writeln!(
            text,
            "\n### Bodies of {SMALL_BYTES} bytes there and back, {AT_ONCE} at once: processor \
             microseconds a request\n",
        );
        self.table(&mut text, cells, |load| !load.is_large());
        if self == Self::Proxies {
            verdicts(&mut text, cells);
        }
        text
    }

    fn table(self, text: &mut String, cells: &[Cell], has: impl Fn(Load) -> bool) {
        let columns = match self {
            Self::Proxies => ["proxy", "to Envoy", "to hyper"].as_slice(),
            Self::Processors(_) => &["processor", "to tonic", "Envoy", "Envoy to alone"],
        };
        let is_large = cells.iter().any(|cell| has(cell.load) && cell.load.is_large());
        let speed = if is_large { "MiB/s" } else { "requests/s | p50 us | p99 us" };
        let peaks = match self {
            Self::Proxies => "peak MiB: proxy | client | origin",
            Self::Processors(_) => "peak MiB: processor | Envoy | client | origin",
        };
        let columns = columns.join(" | ");
        let head = format!("| | | {columns} | client | origin | {speed} | {peaks} |");
        let rule: String = head.chars().filter(|&c| c == '|').skip(1).map(|_| "---|").collect();
        let _ = writeln!(text, "{head}\n|{rule}");
        for cell in cells.iter().filter(|cell| has(cell.load)) {
            let _ = writeln!(text, "{}", self.row(cells, cell));
        }
    }

    fn row(self, cells: &[Cell], cell: &Cell) -> String {
        let Cell { contender, protocol, load, .. } = *cell;
        let best = cell.best();
        let of = |other| of(cells, other, protocol, load).best();
        let cpu = |time: Duration| match load {
            Load::Upload | Load::Download => format!("{:.3}", per_gib(time)),
            Load::Small => format!("{:.1}", time.as_secs_f64() * 1e6),
        };
        let way = match load {
            Load::Upload | Load::Download => format!("{}, {}", protocol.name(), load.name()),
            Load::Small => protocol.name().to_owned(),
        };
        let mut columns = vec![way, contender.name().to_owned()];
        match self {
            Self::Proxies => columns.extend([
                cpu(best.forwarder.cpu),
                ratio(best.forwarder.cpu, of(Contender::Envoy).forwarder.cpu),
                ratio(best.forwarder.cpu, of(Contender::Hyper).forwarder.cpu),
            ]),
            Self::Processors(mode) => {
                let tonic = of(Contender::Tonic(mode)).processor.expect("it has one").cpu;
                let processor = best.processor.map(|processor| processor.cpu);
                columns.extend([
                    processor.map_or_else(String::new, cpu),
                    processor.map_or_else(String::new, |processor| ratio(processor, tonic)),
                    cpu(best.forwarder.cpu),
                    ratio(best.forwarder.cpu, of(Contender::Envoy).forwarder.cpu),
                ]);
            }
        }
        columns.extend([cpu(best.client.cpu), cpu(best.origin.cpu)]);
        columns.extend(speed(load, best));
        if let Self::Processors(_) = self {
            let peak = best.processor.map(|processor| mib(processor.peak_bytes));
            columns.push(peak.unwrap_or_default());
        }
        let others = [best.forwarder, best.client, best.origin];
        columns.extend(others.map(|cost| mib(cost.peak_bytes)));
        format!("| {} |", columns.join(" | "))
    }
}

impl Load {
    const fn is_large(self) -> bool {
        matches!(self, Self::Upload | Self::Download)
    }
}

fn of(cells: &[Cell], contender: Contender, protocol: Protocol, load: Load) -> &Cell {
    let cell = cells
        .iter()
        .find(|cell| (cell.contender, cell.protocol, cell.load) == (contender, protocol, load));
    cell.expect("a contender of the comparison")
}

fn per_gib(time: Duration) -> f64 {
    time.as_secs_f64() / (LARGE_BYTES as f64 / GIB)
}

fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MIB)
}

fn ratio(one: Duration, other: Duration) -> String {
    format!("{:.2}", one.as_secs_f64() / other.as_secs_f64())
}

fn speed(load: Load, best: Sample) -> Vec<String> {
    let seconds = best.elapsed.as_secs_f64();
    match load {
        Load::Upload | Load::Download => {
            vec![format!("{:.0}", LARGE_BYTES as f64 / MIB / seconds)]
        }
        Load::Small => {
            let times = [best.median, best.slow].map(|time| time.as_micros().to_string());
            [format!("{:.0}", 1.0 / seconds)].into_iter().chain(times).collect()
        }
    }
}

/// Target T18 as far as times tell it. What filters add is less than two turns differ by: that is
/// counted, in a part of its own.
fn verdicts(text: &mut String, cells: &[Cell]) {
    let _ = writeln!(
        text,
        "\n### Target: no more than Envoy\n\n\
         | | 0 filters to Envoy | 8 filters to Envoy | |\n|---|---|---|---|"
    );
    for protocol in Protocol::ALL {
        for load in [Load::Upload, Load::Download] {
            let of = |contender| of(cells, contender, protocol, load).best().forwarder.cpu;
            let envoy = of(Contender::Envoy);
            let empty = of(Contender::Proxy(Chain::Empty));
            let passing = of(Contender::Proxy(Chain::Passing));
            let _ = writeln!(
                text,
                "| {}, {} | {} | {} | {} |",
                protocol.name(),
                load.name(),
                ratio(empty, envoy),
                ratio(passing, envoy),
                if empty.max(passing) <= envoy { "met" } else { "missed" },
            );
        }
    }
}
