//! The repository read as text: what no compiler checks, checked.
//!
//! Every rule is a function from sources to findings. It has two tests: one that runs it on this
//! repository, and one that runs it on a planted mistake, since a rule that cannot fail is worth
//! nothing. What the rules are for stands in `docs/architecture.md`.

#[path = "tidy/found.rs"]
mod found;
#[path = "tidy/hazards.rs"]
mod hazards;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/promises.rs"]
mod promises;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/text.rs"]
mod text;
