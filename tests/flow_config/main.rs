//! Flows from text (`flow::config`): what is read, what is refused, and where.

mod bad;
mod kinds;
mod limits;
mod read;
#[path = "../../examples/gateway/yaml.rs"]
mod yaml;

use tidegate::flow::Flow;
use tidegate::flow::config::{ConfigError, FlowConfig};

/// The flow of a YAML text.
fn build(text: &str) -> Result<Flow, ConfigError> {
    let document = yaml::Document::read(text).expect("YAML");
    FlowConfig::read(document.tree())?.build(&kinds::all())
}

/// The error of a YAML text, with the line and column in the text.
fn refusal(text: &str) -> String {
    let document = match yaml::Document::read(text) {
        Ok(document) => document,
        Err((told, mark)) => return format!("{}: {told}", mark.expect("a mark")),
    };
    let built = FlowConfig::read(document.tree()).and_then(|config| config.build(&kinds::all()));
    let error = built.expect_err("it is refused");
    format!("{}: {error}", document.locate(error.place()))
}
