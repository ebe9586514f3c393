//! What the demo prints at its end.

use std::time::Duration;

/// One direction of the demo.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Bytes sent and received.
    pub(crate) bytes: u64,
    /// From the first byte of the request to the last of the response.
    pub(crate) time: Duration,
    /// Allocations of the proxy's thread in that time, hyper's and tokio's among them.
    pub(crate) allocations: u64,
    /// What was wrong.
    pub(crate) fault: Option<String>,
}

/// What the engine says about all messages of the demo, and what was measured of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineStats {
    /// Most bytes held at once in one message.
    pub(crate) peak_held: u64,
    /// The bound that was given for it in advance.
    pub(crate) bound: u64,
    /// How often a source was paused because something was over its high mark.
    pub(crate) pauses: u64,
    /// How often it was resumed.
    pub(crate) resumes: u64,
    /// Chunks that came out of it.
    pub(crate) chunks: u64,
    /// Allocations of the engine and its filters while bodies were polled.
    pub(crate) allocations: u64,
    /// Chunks that went through pipes and wakes for them, if there were pipes.
    pub(crate) piped: Option<(u64, u64)>,
}

/// Bytes with a unit.
fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// Bytes a second, over the whole time.
fn rate(transfer: &Transfer) -> String {
    let seconds = transfer.time.as_secs_f64().max(f64::MIN_POSITIVE);
    format!("{:.1} MiB/s", transfer.bytes as f64 / seconds / f64::from(1 << 20))
}

/// One transfer on one line, printed as soon as it is done.
pub(crate) fn line(transfer: &Transfer) -> String {
    let verdict = transfer.fault.as_deref().unwrap_or("SHA-256 and trailer as sent");
    let Transfer { name, time, .. } = transfer;
    format!("{name:>5}: {} in {time:.1?}, {verdict}", bytes(transfer.bytes))
}

/// Prints the table.
pub(crate) fn print(transfers: &[Transfer], engine: &EngineStats, resident: Option<(u64, u64)>) {
    let mut rows: Vec<(String, String)> = Vec::new();
    for transfer in transfers {
        let mut row =
            |what: &str, value: String| rows.push((format!("{} {what}", transfer.name), value));
        row("bytes", transfer.bytes.to_string());
        row("throughput, slow part included", rate(transfer));
        row("allocations of the proxy thread", transfer.allocations.to_string());
    }
    let mut row = |what: &str, value: String| rows.push((what.to_owned(), value));
    row("peak held bytes of a message", engine.peak_held.to_string());
    row("their bound", engine.bound.to_string());
    row("pauses", engine.pauses.to_string());
    row("resumes", engine.resumes.to_string());
    row("chunks out of the engine", engine.chunks.to_string());
    row("allocations in the engine", engine.allocations.to_string());
    let per_chunk = engine.allocations as f64 / (engine.chunks as f64).max(1.0);
    row("the same, per chunk", format!("{per_chunk:.4}"));
    if let Some((chunks, wakes)) = engine.piped {
        row("chunks through pipes", chunks.to_string());
        let per_chunk = wakes as f64 / (chunks as f64).max(1.0);
        row("wakes of both tasks, per chunk", format!("{per_chunk:.4}"));
    }
    let (now, peak) = resident.map_or_else(
        || ("n/a".to_owned(), "n/a".to_owned()),
        |(now, peak)| (bytes(now), bytes(peak)),
    );
    row("resident memory, whole process", now);
    row("resident memory, peak", peak);
    let width = rows.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    println!();
    for (what, value) in rows {
        println!("  {what:<width$}  {value:>16}");
    }
}
