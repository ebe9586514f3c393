//! What it was measured on, and with.

use std::fs;
use std::process::Command;

use crate::options::Options;

/// Packages whose version bears on the figures.
const PACKAGES: [&str; 8] =
    ["tokio", "hyper", "hyper-util", "h2", "bytes", "http-body-util", "tonic", "envoy-types"];

/// The lines of the page that say so.
pub(crate) fn describe(options: &Options) -> String {
    // All there are: this process has but one of them.
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let model = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = line_of("/proc/meminfo", "MemTotal").unwrap_or_default();
    let envoy = output(&options.envoy.to_string_lossy(), &["--version"]);
    let envoy = envoy.split("version:").nth(1).unwrap_or(&envoy).trim().to_owned();
    let rustc = output("rustc", &["--version"]);
    let packages = PACKAGES.map(|name| format!("{name} {}", version(name))).join(", ");
    format!(
        "| | |\n|---|---|\n| processor | {model}, {cores} cores |\n| memory | {memory} |\n\
         | kernel | Linux {} |\n| Rust | {rustc}, profile `release` |\n| Envoy | {envoy} |\n\
         | packages | {packages} |\n",
        kernel.trim()
    )
}

/// What stands behind the colon of a line that begins with `name`.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The first line that is not empty of what a command says.
fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("unknown").trim().to_owned()
}

/// The version of a package in the lock file that this program was built with.
fn version(name: &str) -> String {
    const LOCK: &str = include_str!("../Cargo.lock");
    let start = format!("name = \"{name}\"\nversion = \"");
    let rest = LOCK.split_once(&start).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or("unknown").to_owned()
}
