//! What the proxy computes for a large body, in instructions: the same on a busy machine, where a
//! verdict about 3 % of time says nothing.
//!
//! valgrind counts what a process does outside the kernel. Two runs differ in nothing but how many
//! bodies they carry, so that the difference is of bodies alone: no start, no connection, no end.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::client::Client;
use crate::contender::{self, Chain};
use crate::load::Load;
use crate::options::Options;
use crate::process::{Process, free_address};
use crate::protocol::Protocol;

/// Bodies of the shorter run, and of the longer one.
const BODIES: [usize; 2] = [1, 3];

const MILLION: f64 = 1e6;

const TITLE: &str = "## What filters add, in instructions\n\n\
    Million instructions of the proxy for a body of 64 MiB, outside the kernel, by callgrind: \
    a part of all that a body costs, so that what filters add weighs more here than it does in \
    time. Target: at most 3 % for 8 filters.\n\n";

/// What 8 filters that let all pass may add (target T18).
const MOST: f64 = 1.03;

/// The part of the page: for each protocol and each way the instructions of a body, by chain.
pub(crate) async fn section(options: &Options, origin: SocketAddr) -> String {
    let mut text = TITLE.to_owned();
    let mut valgrind = Command::new("valgrind");
    let known = valgrind.arg("--version").stdout(Stdio::null()).status();
    if !known.is_ok_and(|status| status.success()) {
        return text + "Not counted: valgrind is not installed.\n";
    }
    text += "| | 0 filters | 8 filters | 8 filters of heads alone | 8 to 0 | heads to 0 | |\n\
             |---|--:|--:|--:|--:|--:|---|\n";
    for protocol in Protocol::ALL {
        for load in [Load::Upload, Load::Download] {
            let of = |chain| of_a_body(chain, (protocol, load), origin, options);
            let empty = of(Chain::Empty).await;
            let passing = of(Chain::Passing).await;
            let uninterested = of(Chain::Uninterested).await;
            let (more, heads) = (passing / empty, uninterested / empty);
            let verdict = if more <= MOST { "met" } else { "missed" };
            let _ = writeln!(
                text,
                "| {}, {} | {:.2} | {:.2} | {:.2} | {more:.3} | {heads:.3} | {verdict} |",
                protocol.name(),
                load.name(),
                empty / MILLION,
                passing / MILLION,
                uninterested / MILLION,
            );
        }
    }
    text
}

async fn of_a_body(
    chain: Chain,
    way: (Protocol, Load),
    origin: SocketAddr,
    options: &Options,
) -> f64 {
    let [fewer, more] = BODIES;
    let short = run(chain, way, fewer, origin, options).await;
    let long = run(chain, way, more, origin, options).await;
    (long - short) / (more - fewer) as f64
}

/// A proxy of its own for `bodies`: what it did from start to end.
async fn run(
    chain: Chain,
    (protocol, load): (Protocol, Load),
    bodies: usize,
    origin: SocketAddr,
    options: &Options,
) -> f64 {
    let address = free_address();
    let file = format!("tidegate-instructions-{}-{}", std::process::id(), address.port());
    let file = env::temp_dir().join(file);
    let mut command: Vec<OsString> =
        ["valgrind", "-q", "--tool=callgrind"].map(OsString::from).into();
    command.push(format!("--callgrind-out-file={}", file.display()).into());
    command.extend(contender::proxy(chain, protocol, address, origin, options));
    // One thread: no luck in who wakes whom.
    let environment = [
        ("RUST_LOG", "warn"),
        ("TOKIO_WORKER_THREADS", "1"),
        // Else glibc copies with an instruction that valgrind counts once a byte.
        ("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1073741824"),
    ];
    let process = Process::start(&command, &environment, address);
    let mut client = Client::connect(address, protocol, load).await;
    client.run(bodies).await;
    drop(client);
    process.interrupt().await;
    let instructions = total(&file);
    // A temporary file that stays harms nobody.
    let _ = fs::remove_file(&file);
    instructions
}

/// The `totals:` of a file of callgrind.
fn total(file: &Path) -> f64 {
    let text = fs::read_to_string(file).expect("callgrind has written what it counted");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("callgrind says a total")
}
