//! `http2_hpack`: header blocks of a connection, and a naive decoder beside ours.
//!
//! The choices write legal blocks, of fields that HTTP/2 allows and of others; some are spoilt, and
//! some are noise. The naive decoder and the encoder are those of the module's own tests.

use std::fmt::Write as _;

use super::choices::Choices;
use super::target::Target;
use crate::http2::hpack;

use beside::Beside;
use writer::Writer;

#[path = "../../../src/http2/hpack/tests/beside.rs"]
mod beside;
#[path = "../../../src/http2/hpack/tests/naive.rs"]
mod naive;
#[path = "../../../src/http2/hpack/tests/writer.rs"]
mod writer;

pub(crate) const TARGET: Target = Target { name: "http2_hpack", run, describe, most_choices: 400 };

/// The most blocks of a case.
const MOST_BLOCKS: usize = 8;

/// The most bytes of noise.
const MOST_NOISE: usize = 40;

/// How many bytes the table may have.
const TABLES: [usize; 4] = [4096, 200, 64, 0];

/// Does something with each block of the case and what it says, unless it was spoilt; until told
/// that the connection is over.
fn blocks(
    choices: &mut Choices<'_>,
    mut each: impl FnMut(&[u8], Option<Vec<naive::Pair>>) -> bool,
    max_table_bytes: usize,
) {
    let mut writer = Writer::new(max_table_bytes);
    for _ in 0..MOST_BLOCKS {
        if choices.is_empty() {
            return;
        }
        let said = match choices.below(8) {
            0 => {
                let noise: Vec<u8> =
                    (0..choices.below(MOST_NOISE)).map(|_| choices.byte()).collect();
                writer.follow(&noise);
                (noise, None)
            }
            1 | 2 => {
                let (mut block, _) = writer.clone().block(&mut |end| choices.below(end));
                spoil(&mut block, choices);
                writer.follow(&block);
                (block, None)
            }
            _ => {
                let (block, fields) = writer.block(&mut |end| choices.below(end));
                (block, Some(fields))
            }
        };
        if !each(&said.0, said.1) {
            return;
        }
    }
}

fn spoil(block: &mut Vec<u8>, choices: &mut Choices<'_>) {
    for _ in 0..1 + choices.below(3) {
        let at = choices.below(block.len());
        match choices.below(4) {
            0 => block.truncate(at),
            1 => block.insert(at, choices.byte()),
            _ if block.is_empty() => {}
            2 => block[at] ^= 1 << choices.below(8),
            _ => block[at] = choices.byte(),
        }
    }
}

fn table_bytes(choices: &mut Choices<'_>) -> usize {
    TABLES[choices.below(TABLES.len())]
}

fn run(choices: &[u8]) {
    let mut choices = Choices::new(choices);
    let max_table_bytes = table_bytes(&mut choices);
    let mut beside = Beside::new(max_table_bytes);
    let check = |block: &[u8], said: Option<Vec<naive::Pair>>| {
        let decoded = beside.decode(block);
        if let Some(fields) = said {
            assert_eq!(decoded, Ok(fields), "{}", block.escape_ascii());
        }
        decoded.is_ok()
    };
    blocks(&mut choices, check, max_table_bytes);
}

fn describe(choices: &[u8], text: &mut String) {
    let mut choices = Choices::new(choices);
    let max_table_bytes = table_bytes(&mut choices);
    let mut naive = naive::Table::new(max_table_bytes);
    let mut line = |what: std::fmt::Arguments<'_>| {
        text.write_fmt(what).expect("a string takes all");
        text.push('\n');
    };
    line(format_args!("a table of {max_table_bytes} bytes"));
    let tell = |block: &[u8], said: Option<Vec<naive::Pair>>| {
        let what = if said.is_some() { "legal" } else { "whatever comes" };
        line(format_args!("{what}: {}", block.escape_ascii()));
        let (fields, result) = naive::decode(&mut naive, block);
        for (name, value) in fields {
            line(format_args!("  {}: {}", name.escape_ascii(), value.escape_ascii()));
        }
        line(format_args!("  {result:?}"));
        result.is_ok()
    };
    blocks(&mut choices, tell, max_table_bytes);
}
