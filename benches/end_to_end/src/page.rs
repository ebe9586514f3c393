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

/// What the page begins with.
const START: &str = include_str!("page.md");
