//! The filters of the proxy, and the plans they make up.
//!
//! A message meets the filters in the order of the command line, in both directions: what
//! `--filter replace=a:b --filter sha256` sends is the digest of the replaced text, either way.
//!
//! | filter | looks at | holds | needs |
//! |---|---|---|---|
//! | `log` | everything | nothing | nothing |
//! | `limit` | the head; bytes, if it does not say how many there are | nothing | nothing |
//! | `replace` | bytes | less than OLD; more where NEW finds no room | to change the length |
//! | `sha256` | everything | nothing | prefers to add trailers |
//! | `hold` | the head and the first bytes | both, until it has seen them | to hold the head |
//! | `delay` | the head | everything, for a time | to hold the head |

mod delay;
mod hold;
mod limit;
mod log;
mod replace;
mod sha256;

use std::sync::Arc;

use tidegate::{Head, Marks, chain::PlanBuilder, watermark::MarksError};

use super::filter_spec::FilterSpec;

use delay::Delay;
use hold::Hold;
use limit::Limit;
use log::Log;
use replace::{Replace, Rule};
use sha256::Sha256;

pub(crate) use sha256::{CONTENT_DIGEST, field as digest_field};

/// Adds the filters that the specs ask for to a chain. `marks`: (low, high) of each of them and of
/// the output queue, in bytes.
pub(crate) fn add_all<H: Head>(
    to: PlanBuilder<H>,
    specs: &[FilterSpec],
    marks: (u64, u64),
) -> Result<PlanBuilder<H>, MarksError> {
    let marks = Marks::new(marks.0, marks.1)?;
    let mut builder = to.output_marks(marks);
    for (i, spec) in specs.iter().enumerate() {
        let before = specs[..i].iter().filter(|other| other.name() == spec.name()).count();
        let name = match before {
            0 => spec.name().to_owned(),
            n => format!("{}#{}", spec.name(), n + 1),
        };
        builder = add(builder, name, spec, marks);
    }
    Ok(builder)
}

/// Adds the filter that a spec asks for.
fn add<H: Head>(
    to: PlanBuilder<H>,
    name: String,
    spec: &FilterSpec,
    marks: Marks,
) -> PlanBuilder<H> {
    match *spec {
        FilterSpec::Log => to.filter(name, Log::default),
        FilterSpec::Limit(bytes) => to.filter(name, move || Limit::new(bytes)),
        FilterSpec::Replace { ref old, ref new } => {
            let rule = Arc::new(Rule::new(old.clone(), new.clone()));
            to.filter(name, move || Replace::new(Arc::clone(&rule), marks))
        }
        FilterSpec::Sha256 => to.filter(name, Sha256::default),
        FilterSpec::Hold(bytes) => to.filter(name, move || Hold::new(bytes, marks)),
        FilterSpec::Delay(time) => to.filter(name, move || Delay::new(time, marks)),
    }
}

/// `marks`, raised so that the source never stays paused over `rest` bytes, which the filter keeps
/// until more comes, and so that there is room for `most` bytes.
fn marks_for(marks: Marks, rest: u64, most: u64) -> Marks {
    let low = marks.low().max(rest);
    Marks::new(low, marks.high().max(most).max(low)).expect("low is at most high by construction")
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests;
