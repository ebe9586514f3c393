//! The seeded simulator: cases from seeds, on stable, as fast as the machine goes.
//!
//! ```text
//! sim TARGET [--executions N] [--seconds S] [--threads K] [--seed FIRST]
//! sim TARGET --replay PATH...       folders, archives, or single cases
//! sim TARGET --describe PATH...     prints them decoded
//! sim TARGET --hex CHOICES          one case, decoded
//! sim TARGET --pack ARCHIVE PATH... writes an archive of them
//! sim TARGET --unpack FOLDER PATH...
//! sim TARGET --draw FOLDER N        writes the cases of the first N seeds
//! sim TARGET --most                 how long a string of choices may be
//! sim --list
//! ```
//!
//! Execution `i` has the seed `FIRST + i`: `--seed` with `--executions 1` runs one again.

use std::path::Path;
use std::process::ExitCode;

use tidegate_sim::campaign::{self, Campaign};
use tidegate_sim::{describe, failure, files, names};

/// If nobody says for how long.
const EXECUTIONS: u64 = 100_000;

pub(crate) fn main() -> ExitCode {
    failure::silence();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match work(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sim: {error}");
            ExitCode::from(2)
        }
    }
}

/// Answers whether all was as it should be.
fn work(args: &[&str]) -> Result<bool, String> {
    if args == ["--list"] {
        names().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    let (&name, args) = args.split_first().ok_or("which target?")?;
    if !names().any(|known| known == name) {
        return Err(format!("no target {name}"));
    }
    match args {
        ["--replay", paths @ ..] => Ok(files::replay(name, &all_cases(paths)?)),
        ["--describe", paths @ ..] => {
            for (from, choices) in all_cases(paths)? {
                println!("{from}:\n{}", describe(name, &choices));
            }
            Ok(true)
        }
        ["--hex", hex] => {
            let choices = from_hex(hex).ok_or("not a string of hex digits")?;
            println!("{}", describe(name, &choices));
            Ok(files::replay(name, &[((*hex).to_owned(), choices)]))
        }
        ["--pack", archive, paths @ ..] => {
            files::pack(all_cases(paths)?, Path::new(archive)).map(|()| true)
        }
        ["--unpack", folder, paths @ ..] => {
            files::unpack(&all_cases(paths)?, Path::new(folder)).map(|()| true)
        }
        ["--draw", folder, n] => {
            let n = n.parse().map_err(|_| format!("--draw {n}?"))?;
            files::unpack(&campaign::first_cases(name, n), Path::new(folder)).map(|()| true)
        }
        ["--most"] => {
            println!("{}", campaign::most_choices(name));
            Ok(true)
        }
        options => Ok(asked(name, options)?.run()),
    }
}

fn all_cases(paths: &[&str]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let each = paths.iter().map(|path| files::cases(Path::new(path)));
    Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
}

fn asked(name: &str, options: &[&str]) -> Result<Campaign, String> {
    let mut campaign = Campaign {
        name: name.to_owned(),
        first_seed: 1,
        executions: None,
        seconds: None,
        threads: 1,
    };
    for pair in options.chunks(2) {
        let [option, value] = pair else { return Err(format!("{} what?", pair[0])) };
        // Numbers may be written `1e8`.
        let number = || value.parse::<f64>().map_err(|_| format!("{option} {value}?"));
        match *option {
            "--executions" => campaign.executions = Some(number()? as u64),
            "--seconds" => campaign.seconds = Some(number()?),
            "--threads" => campaign.threads = (number()? as u64).max(1),
            "--seed" => {
                let seed = value.parse().map_err(|_| format!("{option} {value}?"))?;
                campaign.first_seed = seed;
            }
            _ => return Err(format!("{option}?")),
        }
    }
    if campaign.executions.is_none() && campaign.seconds.is_none() {
        campaign.executions = Some(EXECUTIONS);
    }
    Ok(campaign)
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}
