/// How many bytes came to each station, and to the output, of a message whose steps are recorded.
///
/// What leaves a station is what comes to the next one (rule I3), so one number a station is
/// enough. Chunks on the fast path are not counted one by one: they came to all stations alike, but
/// for what edits changed on the way.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// By station, and last the output: without the chunks of the fast path, but with what is to
    /// be taken off for those that left it half way.
    arrived_bytes: Vec<i64>,
    /// By station: what edits on the fast path added or took away.
    edited_bytes: Vec<i64>,
    /// Input that did not take the fast path.
    slow_input_bytes: u64,
    /// What was told last: its memory serves the next message.
    told_bytes: Vec<u64>,
}

impl Meter {
    /// Begins a message.
    pub(crate) fn begin(&mut self, stations: usize) {
        self.slow_input_bytes = 0;
        for counts in [&mut self.arrived_bytes, &mut self.edited_bytes] {
            counts.clear();
            counts.resize(stations + 1, 0);
        }
    }

    /// Input that goes in piece by piece.
    pub(crate) fn slow_input(&mut self, bytes: u64) {
        self.slow_input_bytes += bytes;
    }

    /// Bytes come to station `k`, or to the output.
    pub(crate) fn arrive(&mut self, k: usize, bytes: usize) {
        self.arrived_bytes[k] += signed(bytes);
    }

    /// A chunk on the fast path goes on from station `k` with another length.
    pub(super) fn passed_edited(&mut self, k: u8, before_bytes: usize, after_bytes: usize) {
        self.edited_bytes[usize::from(k)] += signed(after_bytes) - signed(before_bytes);
    }

    /// A chunk left the fast path at station `k`, where it had `bytes`: they have not come to the
    /// stations behind.
    pub(crate) fn stop_at(&mut self, k: usize, bytes: usize) {
        for arrived_bytes in &mut self.arrived_bytes[k + 1..] {
            *arrived_bytes -= signed(bytes);
        }
    }

    /// What came to each station, and last to the output, in bytes.
    pub(crate) fn arrived(&mut self, input_bytes: u64) -> &[u64] {
        let fast_bytes = input_bytes.saturating_sub(self.slow_input_bytes);
        let mut passed_bytes = fast_bytes.cast_signed();
        let each = self.arrived_bytes.iter().zip(&self.edited_bytes);
        let each = each.map(|(arrived_bytes, edited_bytes)| {
            let here = arrived_bytes + passed_bytes;
            passed_bytes += edited_bytes;
            u64::try_from(here).unwrap_or(0)
        });
        self.told_bytes.clear();
        self.told_bytes.extend(each);
        &self.told_bytes
    }
}

/// A length of bytes in memory: always within `i64`.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
