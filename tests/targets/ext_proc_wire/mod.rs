//! `ext_proc_wire`: bytes of a client of external processing, cut anywhere, and prost beside the
//! decoder.
//!
//! The choices make messages that are mostly right, with fields in any order and as often as it
//! comes; then some of their bytes are spoilt. One case in eight is the choices themselves.

use std::fmt::Write as _;

use tidegate::ext_proc::wire::WireLimits;

use super::choices::Choices;
use super::messages;
use super::target::Target;

mod writer;

use writer::Writer;

pub(crate) const TARGET: Target =
    Target { name: "ext_proc_wire", run, describe, most_choices: 320 };

/// The most messages of a case.
const MOST_MESSAGES: usize = 6;

/// A stream of bytes, and how it comes.
struct Case {
    limits: WireLimits,
    /// The most bytes that come at once.
    most_at_once: usize,
    stream: Vec<u8>,
}

fn case(choices: &mut Choices<'_>) -> Case {
    let mut limits = WireLimits::new();
    if choices.percent(25) {
        limits.section_bytes = 1 + u32::from(choices.byte());
        limits.section_fields = 1 + choices.below(6);
        limits.envelope_bytes = 1 + 4 * u32::from(choices.byte());
    }
    let most_at_once = [1, 3, 40, 5000][choices.below(4)];
    let mut writer = Writer::new(choices);
    match writer.choices.below(8) {
        0 => writer.raw(),
        _ => {
            for _ in 0..MOST_MESSAGES {
                if writer.choices.is_empty() {
                    break;
                }
                writer.frame();
            }
        }
    }
    Case { limits, most_at_once, stream: writer.out }
}

fn run(choices: &[u8]) {
    let Case { limits, most_at_once, stream } = case(&mut Choices::new(choices));
    // From the bytes, so that a shorter case is cut alike.
    let mut turn = stream.len();
    messages::oracle::check(&stream, limits, |_| {
        turn = turn.wrapping_mul(7).wrapping_add(3);
        1 + turn % most_at_once
    });
}

fn describe(choices: &[u8], text: &mut String) {
    let Case { limits, most_at_once, stream } = case(&mut Choices::new(choices));
    let mut line = |what: std::fmt::Arguments<'_>| {
        text.write_fmt(what).expect("a string takes all");
        text.push('\n');
    };
    line(format_args!("{limits:?}, up to {most_at_once} bytes at once"));
    line(format_args!("{}", stream.escape_ascii()));
    let outcome = messages::oracle::decode(&stream, limits, |left| left);
    outcome.read.iter().for_each(|read| line(format_args!("{read:?}")));
    line(format_args!("open body: {} bytes", outcome.open_body.len()));
    line(format_args!("{:?}, then {:?}", outcome.error, outcome.finish));
}
