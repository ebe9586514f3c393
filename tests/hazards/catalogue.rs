//! The hazards of bodies in flight: what has gone wrong elsewhere, and where in this repository it
//! is tried again. `docs/hazards.md` is generated from this list and from the names of the tests
//! (`tests/tidy/hazards.rs`).

/// One way in which a streaming engine has failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hazard {
    pub(crate) number: u8,
    /// What goes wrong, in one sentence.
    pub(crate) title: &'static str,
    /// Where it was seen.
    pub(crate) seen: &'static str,
    pub(crate) place: Place,
}

/// Where a hazard is met.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// In the engine or its edges: tests are named after it.
    Here,
    /// Tests are named after it, and a part comes elsewhere: which, and where.
    Partly(&'static str),
    /// It cannot arise here, or comes with a later part: why. No test is named after it.
    Elsewhere(&'static str),
}

const fn here(number: u8, title: &'static str, seen: &'static str) -> Hazard {
    Hazard { number, title, seen, place: Place::Here }
}

impl Hazard {
    const fn partly(self, rest: &'static str) -> Self {
        Self { place: Place::Partly(rest), ..self }
    }
}

#[rustfmt::skip]
pub(crate) const HAZARDS: [Hazard; 52] = [
    // Memory, accounting, back-pressure.
    here(1, "Small chunks cost many times the memory they carry.",
        "Envoy CVE-2020-8659, CVE-2020-12603; h2 #935"),
    here(2, "A small slice keeps a large read buffer alive.",
        "bytes #842; h2 #884 and #924")
        .partly("a segment of 512 B and more, and an item in a pipe, keeps the buffer that it is \
         a slice of: how large the reader makes it (`SECURITY.md`)."),
    here(3, "A defence against small frames cuts off honest traffic.",
        "h2 0.4.16 to 0.4.18 (#940, #942)"),
    here(4, "Credit is given back while a filter still keeps the bytes.",
        "Envoy GHSA-p7c7-7c47-pwch"),
    here(5, "Credit is lost, and others starve.",
        "h2 #893, #894, #895, #914, #930"),
    here(6, "A cancel is not seen by who waits for something else.",
        "pingora #910; hyper #4042; h2 #896")
        .partly("a reset that only the next read of an `http_body` source would tell is seen at \
         that read, which waits while a filter holds; the timeouts of the edge bound that."),
    here(7, "\"Not now\" is ignored, and a stalled reader fills the memory.",
        "hyper #4049, #4102; pingora #500"),
    here(8, "One mode has no watermarks.",
        "Envoy #39514"),
    here(9, "A side copy or a collecting call has no limit.",
        "Envoy CVE-2024-34364; Go #56352"),
    here(10, "A complete body that nobody reads is kept for ever.",
        "CVE-2020-12604, CVE-2019-9511, CVE-2019-9517")
        .partly("who is never polled cannot look at a clock; a server limits the time of a \
         connection that takes nothing."),
    here(11, "A filter makes much of little, and the limit looks too late.",
        "Envoy CVE-2022-29225, CVE-2026-48044, #29020"),
    here(12, "Framing costs far more than the payload it frames.",
        "hyper #3495; Go CVE-2023-39326")
        .partly("chunk extensions and padding are read, and to be limited, by the parser at the \
         edge."),
    here(13, "Trailers without number or size.",
        "h2 #909; hyper #4108")
        .partly("how many fields may come, and how large, is for the parser at the edge to say \
         (`SECURITY.md`): marks count body only."),
    here(14, "Something waits for room that can never come.",
        "HAProxy 3.0.31"),
    here(15, "Pause and resume do not balance, or count for somebody else.",
        "Envoy #5302, #24895, #19026"),
    here(16, "One stream starves the others.",
        "h2 #860; hyper #4149")
        .partly("messages share no credit; that of a connection is its HTTP implementation's."),
    here(17, "The memory of a message that was reset is freed late.",
        "Apache CVE-2023-45802; h2 CVE-2023-26964"),
    // Ends, resets, local replies.
    here(18, "Input that comes behind an end still reaches filters.",
        "Envoy CVE-2026-26311"),
    here(19, "Data or trailers come where none may be.",
        "Envoy CVE-2026-73513; h2 #899"),
    here(20, "A local reply does not stop the chain that it replaces.",
        "Envoy CVE-2021-32781, CVE-2021-43825, CVE-2022-29228, CVE-2023-27492, CVE-2025-62504"),
    here(21, "A local reply reaches those who had been told the end.",
        "Envoy CVE-2025-30157"),
    here(22, "A processor answers twice, out of order, or for another phase.",
        "Envoy CVE-2026-47207; openkruise/agents #834"),
    here(23, "An answer arrives when what it was for is gone.",
        "Envoy CVE-2026-48090, CVE-2026-47205, CVE-2026-50572, CVE-2026-26330, 1.39.1"),
    here(24, "Empty bodies and empty chunks hang, loop, or end a message.",
        "Envoy #44201, CVE-2026-47221; hyper #1267"),
    here(25, "A body that was cut short looks complete.",
        "hyper #4069; h2 #810; dragonfly #1959"),
    here(26, "A reset behind the end loses what was complete.",
        "h2 #922; hyper #3998"),
    here(27, "The end is written and never flushed.",
        "hyper #4143 (once in 600,000 responses)"),
    here(28, "The end of one direction closes the other.",
        "Envoy #45617, #44605"),
    here(29, "A chunk is lost behind a paused filter, or when a mode changes.",
        "Envoy #40340, #41640, #41654"),
    here(30, "The end is told twice, or never.",
        "linkerd2 #210, #1003"),
    here(31, "A connection is used again with bytes left over.",
        "pingora, session reuse"),
    // Length, framing, trailers.
    here(32, "A length is believed before its bytes are there.",
        "HAProxy CVE-2026-90678"),
    here(33, "A size that is known exactly makes trailers vanish.",
        "linkerd2-proxy #4616; hyper #2712"),
    here(34, "A filter changes the body, and the declared length stays.",
        "nginx CVE-2026-42926"),
    here(35, "Bytes beyond, short of, or before what was declared go on.",
        "pingora CVE-2026-2833, CVE-2026-2835; Envoy CVE-2025-64763; HAProxy CVE-2023-40225"),
    here(36, "Trailers are dropped, overwritten, or merged into the head.",
        "hyper #4107, #4011; http4s CVE-2025-59822; Envoy #13871"),
    here(37, "What a filter sees depends on where the body was cut.",
        "nginx CVE-2026-42934, CVE-2026-48142"),
    here(38, "Peeking and consuming give bytes in the wrong order.",
        "pingora, peek and multipart"),
    // Across threads.
    here(39, "Somebody waits, and nobody will wake them.",
        "h2 #931, #897, #791"),
    here(40, "A task runs in circles without doing anything.",
        "HAProxy CVE-2026-110354; Envoy CVE-2024-32976; h2 #898; hyper #3952"),
    here(41, "A wake orders less than was thought.",
        "tokio #7589; affinitypool #21"),
    here(42, "Close, drop and send race.",
        "RUSTSEC-2025-0024, RUSTSEC-2021-0124, RUSTSEC-2025-0023"),
    here(43, "Two wakes race, or a waker panics.",
        "futures-rs #868, #887; tokio #3689, #7450"),
    here(44, "User code comes back in while the engine works.",
        "Envoy CVE-2022-29228, 1.39.1"),
    here(45, "A panic in a filter takes more with it than its message.",
        "bytes 1.12.1; tokio"),
    here(46, "A drop recurses, or never happens.",
        "Envoy CVE-2026-48042; h2 0.3.4"),
    here(47, "A future that is dropped takes something with it.",
        "hyper #4070, #4156"),
    here(48, "The configuration changes under a message.",
        "Envoy CVE-2026-47205"),
    here(49, "What was lent is given back twice, or never.",
        "Jetty #12862; netty #3905"),
    // Arithmetic and complexity.
    here(50, "A count overflows or is cut.",
        "RUSTSEC-2026-0007, RUSTSEC-2021-0079; hyper #4056; h2 #914"),
    here(51, "Work grows with the square of the input.",
        "Envoy CVE-2021-32778, CVE-2019-15226"),
    here(52, "A peer can reach an assertion.",
        "HAProxy 3.0.31; Envoy"),
];
