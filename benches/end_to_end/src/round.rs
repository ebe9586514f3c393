//! Turn by turn.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::comparison::Comparison;
use crate::contender::Running;
use crate::load::{AT_ONCE, Load};
use crate::options::Options;
use crate::process::{Process, Usage};
use crate::protocol::Protocol;
use crate::sample::{Cell, Cost, Sample};

/// After it, what a process used before is counted: the kernel adds it up when a thread pauses.
const PAUSE: Duration = Duration::from_millis(5);

/// Measures a comparison before the origin at `address`. The cells are in the order of its page.
pub(crate) async fn run(
    comparison: Comparison,
    options: &Options,
    address: SocketAddr,
    origin: &Process,
) -> Vec<Cell> {
    let mut cells = Vec::new();
    for protocol in Protocol::ALL {
        for load in Load::ALL {
            for contender in comparison.contenders() {
                cells.push(Cell { contender, protocol, load, turns: Vec::new() });
            }
        }
    }
    for round in 0..comparison.rounds(options) {
        for protocol in Protocol::ALL {
            let mut contenders = comparison.contenders();
            // Who is first in one round is last in the next: nobody gains by a machine that gets
            // slower or faster.
            if round % 2 == 1 {
                contenders.reverse();
            }
            for contender in contenders {
                let running = contender.start(protocol, address, options);
                for load in Load::ALL {
                    let count = comparison.count(load, options);
                    let sample = turn(&running, origin, (protocol, load), count).await;
                    let cell = cells.iter_mut().find(|cell| {
                        (cell.contender, cell.protocol, cell.load) == (contender, protocol, load)
                    });
                    cell.expect("a cell of the comparison").turns.push(sample);
                }
            }
        }
    }
    cells
}

/// One load through one contender. It is warm before anything counts.
async fn turn(
    running: &Running,
    origin: &Process,
    (protocol, load): (Protocol, Load),
    count: usize,
) -> Sample {
    let warm_up = match load {
        Load::Upload | Load::Download => 1,
        Load::Small => 10 * AT_ONCE,
    };
    let mut client = Client::connect(running.address, protocol, load).await;
    client.run(warm_up).await;
    let processes = [Usage::own(), running.forwarder(), origin.usage()];
    let processes: Vec<Usage> = processes.into_iter().chain(running.processor()).collect();
    for process in &processes {
        process.forget_peak();
    }
    tokio::time::sleep(PAUSE).await;
    let before: Vec<Duration> = processes.iter().map(|process| process.cpu()).collect();
    let start = Instant::now();
    let mut took = client.run(count).await;
    let elapsed = start.elapsed();
    tokio::time::sleep(PAUSE).await;
    let mut costs = processes.iter().zip(before).map(|(process, before)| Cost {
        cpu: (process.cpu() - before).div_f64(count as f64),
        peak_bytes: process.peak_bytes(),
    });
    took.sort_unstable();
    let mut cost = || costs.next().expect("a process");
    Sample {
        client: cost(),
        forwarder: cost(),
        origin: cost(),
        processor: running.processor().map(|_| cost()),
        elapsed: elapsed.div_f64(count as f64),
        median: took[count / 2],
        slow: took[count * 99 / 100],
    }
}
