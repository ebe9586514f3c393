//! `config`: configurations that are mostly right, with mistakes planted in them. A naive validator
//! says whether one is a flow, and else what is wrong and where; the library has to agree. In a
//! part of the cases the text itself is damaged: then it may say anything, but say it.

mod case;
mod draw;
mod kinds;
mod mistakes;
mod rules;
mod steps;

use std::fmt::Write;

use tidegate::flow::config::{ConfigError, ConfigErrorKind, FlowConfig};
use tidegate::flow::{Flow, FlowErrorKind};

use super::choices::Choices;
use super::target::Target;
use case::Case;

pub(crate) const TARGET: Target = Target { name: "config", run, describe, most_choices: 256 };

/// What a case does with its text.
enum Text {
    Whole,
    /// These bytes are replaced, at places modulo its length.
    Damaged(Vec<(u16, Damage)>),
}

enum Damage {
    Byte(u8),
    Cut,
    /// What stands there is repeated so often, up to the next comma.
    Repeated(u8),
}

fn decode(choices: &[u8]) -> (Case, Text) {
    let mut choices = Choices::new(choices);
    let damaged = choices.percent(20);
    let case = draw::case(&mut choices);
    if !damaged {
        return (case, Text::Whole);
    }
    let pieces = 1 + choices.below(3);
    let damage = (0..pieces).map(|_| (choices.word(), damage(&mut choices))).collect();
    (case, Text::Damaged(damage))
}

fn damage(choices: &mut Choices<'_>) -> Damage {
    const BYTES: &[u8] = b"\"{}[],:0127aen";
    match choices.below(8) {
        0 => Damage::Cut,
        1 => Damage::Repeated(choices.byte()),
        2 => Damage::Byte(choices.byte()),
        _ => Damage::Byte(BYTES[choices.below(BYTES.len())]),
    }
}

fn run(choices: &[u8]) {
    let (case, text) = decode(choices);
    match text {
        Text::Whole => check(&case),
        Text::Damaged(damage) => check_damaged(case.tree().to_string().into_bytes(), &damage),
    }
}

fn describe(choices: &[u8], text: &mut String) {
    let (case, damage) = decode(choices);
    writeln!(text, "{:#}", case.tree()).expect("a string takes all");
    match damage {
        Text::Whole => writeln!(text, "expected: {:#?}", rules::faults(&case)),
        Text::Damaged(damage) => {
            let bytes = damaged(case.tree().to_string().into_bytes(), &damage);
            writeln!(text, "as: {}", String::from_utf8_lossy(&bytes))
        }
    }
    .expect("a string takes all");
}

fn check(case: &Case) {
    let tree = case.tree();
    let kinds = kinds::kinds();
    let text = tree.to_string();
    let config = FlowConfig::read(tree).expect("its shape is right");
    let of_text = FlowConfig::read(&mut serde_json::Deserializer::from_str(&text));
    assert_eq!(of_text.expect("its shape is right"), config, "as a tree and as text");
    let faults = rules::faults(case);
    let first = faults.iter().map(|fault| fault.phase).min();
    match (config.build(&kinds), first) {
        (Ok(flow), None) => {
            assert_eq!(stations(&flow), steps::stations(case), "what the chains are");
            steps::run(case, &config, &kinds);
        }
        (Err(error), Some(phase)) => {
            let (class, place) = (class(&error), error.place().to_string());
            let is_that = |fault: &&rules::Fault| (fault.class, &fault.place) == (class, &place);
            let fault = faults.iter().filter(|fault| fault.phase == phase).find(is_that);
            assert!(fault.is_some(), "{error}\n({class}), but expected {faults:#?}");
        }
        (Ok(_), Some(_)) => panic!("it was built, but expected {faults:#?}"),
        (Err(error), None) => panic!("{error}, but nothing is wrong"),
    }
}

fn stations(flow: &Flow) -> (Vec<String>, Vec<String>) {
    let request = flow.plan().request().filters().map(|(name, _)| name.to_owned());
    let response = flow.plan().response().filters().map(|(name, _)| name.to_owned());
    (request.collect(), response.collect())
}

fn damaged(mut text: Vec<u8>, damage: &[(u16, Damage)]) -> Vec<u8> {
    for (at, damage) in damage {
        if text.is_empty() {
            break;
        }
        let at = usize::from(*at) % text.len();
        match damage {
            Damage::Byte(byte) => text[at] = *byte,
            Damage::Cut => text.truncate(at),
            Damage::Repeated(times) => {
                let len = text[at..].iter().position(|&byte| byte == b',').map_or(1, |n| n + 1);
                let piece = text[at..at + len].repeat(usize::from(*times));
                text.splice(at..at, piece);
            }
        }
    }
    text
}

/// Whatever the text says, it is an error or a flow, and written again it is the same.
fn check_damaged(text: Vec<u8>, damage: &[(u16, Damage)]) {
    let text = damaged(text, damage);
    let kinds = kinds::kinds();
    let Ok(config) = FlowConfig::read(&mut serde_json::Deserializer::from_slice(&text)) else {
        return;
    };
    let written = serde_json::to_value(&config).expect("a tree");
    let again = FlowConfig::read(written).expect("what was written is read");
    match (config.build(&kinds), again.build(&kinds)) {
        (Ok(_), Ok(_)) => assert_eq!(config, again),
        // A map that is written has each key once.
        (Err(error), _) if is_repetition(&error) => {}
        (Err(error), Err(again)) => assert_eq!(error.to_string(), again.to_string()),
        (Ok(_), Err(error)) => panic!("written and read again: {error}"),
        (Err(error), Ok(_)) => panic!("not when written and read again: {error}"),
    }
}

fn is_repetition(error: &ConfigError) -> bool {
    match error.kind() {
        ConfigErrorKind::RepeatedKey => true,
        ConfigErrorKind::Flow(error) => *error.kind() == FlowErrorKind::DuplicateJump,
        _ => false,
    }
}

/// What kind of error it is, in the words of the rules.
fn class(error: &ConfigError) -> &'static str {
    match error.kind() {
        ConfigErrorKind::Limit { limit, .. } => limit,
        ConfigErrorKind::UnknownKind { .. } => "unknown kind",
        ConfigErrorKind::Settings { .. } => "settings",
        ConfigErrorKind::Refused { .. } => "refused",
        ConfigErrorKind::EmptyName => "empty definition",
        ConfigErrorKind::ReservedName { .. } => "reserved definition",
        ConfigErrorKind::DuplicateName { .. } => "duplicate definition",
        ConfigErrorKind::UnknownFilter { .. } => "unknown filter",
        ConfigErrorKind::WrongUse { .. } => "wrong use",
        ConfigErrorKind::NamedEnd { .. } => "named end",
        ConfigErrorKind::JumpsOfEnd => "jumps of an end",
        ConfigErrorKind::NoFlow => "no flow",
        ConfigErrorKind::UnusedFilter { .. } => "unused",
        ConfigErrorKind::RepeatedFinalizer { .. } => "repeated finalizer",
        ConfigErrorKind::TwoModes => "two modes",
        ConfigErrorKind::EmptyFrames => "empty frames",
        ConfigErrorKind::Marks { .. } => "marks",
        ConfigErrorKind::Flow(error) => of_flow(error.kind()),
        other => panic!("an error that nobody expects: {other}"),
    }
}

fn of_flow(kind: &FlowErrorKind) -> &'static str {
    match kind {
        FlowErrorKind::EmptyName => "empty name",
        FlowErrorKind::ReservedName => "reserved name",
        FlowErrorKind::DuplicateName { .. } => "duplicate name",
        FlowErrorKind::CallOutsideMain => "call outside main",
        FlowErrorKind::SecondCall { .. } => "second call",
        FlowErrorKind::ResponseInBefore => "response in before",
        FlowErrorKind::RequestInAfter => "request in after",
        FlowErrorKind::RequestTooLate { .. } => "request too late",
        FlowErrorKind::ResponseTooEarly { .. } => "response too early",
        FlowErrorKind::UndeclaredResult { .. } => "undeclared result",
        FlowErrorKind::UnknownTarget => "unknown target",
        FlowErrorKind::BackwardTarget { .. } => "backward target",
        FlowErrorKind::ForeignTarget { .. } => "foreign target",
        FlowErrorKind::Unreachable => "unreachable",
        other => panic!("an error that nobody expects: {other}"),
    }
}
