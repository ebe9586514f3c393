//! The page: what has just been measured, and what it has of other parts.

use std::fs;
use std::path::Path;

use crate::machine;
use crate::options::Options;
use crate::part::Part;

/// Writes `fresh` into `file`. Other parts stay if they were measured on the same machine with the
/// same versions; else they would be compared with what they were not measured beside.
pub(crate) fn write(file: &Path, options: &Options, fresh: &[(Part, String)]) {
    let machine = machine::describe(options);
    let before = fs::read_to_string(file).unwrap_or_default();
    let before = if before.contains(&machine) { before } else { String::new() };
    let mut text = format!("{START}{machine}");
    for part in Part::ALL {
        let section = fresh.iter().find(|(fresh, _)| *fresh == part).map(|(_, text)| text.as_str());
        let kept = || between(&before, &begin(part), END);
        if let Some(section) = section.or_else(kept) {
            text += &format!("\n{}{}\n{END}", begin(part), section.trim());
        }
    }
    fs::write(file, text).expect("the page can be written");
}

/// The mark before a part.
fn begin(part: Part) -> String {
    format!("<!-- begin {} -->\n", part.name())
}

/// The mark behind a part.
const END: &str = "\n<!-- end -->\n";

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(section, _)| section)
}

const START: &str = "\
# What it costs, end to end

Written by `bash benches/end_to_end/run`: measure on your own machine, and read ratios rather than figures. With names of
parts (`proxies`, `NONE`, `STREAMED` ...) it measures those again; `--quick` prints a rough picture in well under a minute.

One client and one origin, on loopback, on one machine; between them each contender in its turn, as processes of its own.
Client and contender, contender and origin speak the same protocol. Every byte and every trailer is checked at both ends of
every exchange, and a mistake ends the run.

- **tidegate proxy**: `examples/proxy`, with no filters, with 8 that see the head, each chunk and the trailers (`log`), and
  with 8 that want heads alone (`delay=0`: the engine leaves them out of bodies). It keeps the rules for proxies: fields of
  the hop, `Via`, `Forwarded`, framing, timeouts.
- **hyper alone**: bodies go from hyper's server to hyper's client as they come, heads unchanged; it keeps no rule at all.
- **Envoy alone**: its defaults, no filter but the router. It keeps statistics, makes request ids, and is ready for much
  that nobody asks of it here.
- **Envoy and tidegate**, **Envoy and tonic**: `ext_proc` in both directions. The processor on tidegate has one filter that
  counts bytes; the one on tonic is written as users do today, on published stubs, and looks at nothing.

Each contender and each processor has one worker thread, unless `--workers` says otherwise; client and origin have one.
Client and origin share a core, contender and processor another: left to the kernel, what a body costs differs by a third
from turn to turn. Time is that of all threads of a process, user and system. Rounds take turns in alternating order; of
each time the least of all rounds counts, since others on the machine can only add to it; of memory the most. Bodies come
in pieces of 64 KiB and end in trailers, so that they are chunked over HTTP/1.1. p50 and p99 are those of a client that has
32 requests under way all the time: they say how long the queue is.

";
