//! Cases in files: of a fuzzer, or of a committed corpus.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::caught;
use crate::targets::corpus;
use crate::{describe, target};

/// The cases in `path`: a folder with one file each, an archive (`.corpus`), or a single case.
///
/// # Errors
///
/// What cannot be read.
pub fn cases(path: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let name = |path: &Path| path.display().to_string();
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", name(path)));
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", name(path)))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        return files.iter().map(|file| Ok((name(file), read(file)?))).collect();
    }
    let bytes = read(path)?;
    if path.extension().is_none_or(|extension| extension != "corpus") {
        return Ok(vec![(name(path), bytes)]);
    }
    let cases = corpus::unpack(&bytes).map_err(|error| format!("{}: {error}", name(path)))?;
    let number = |(i, case): (usize, &[u8])| (format!("{} #{i}", name(path)), case.to_vec());
    Ok(cases.into_iter().enumerate().map(number).collect())
}

/// Runs all cases and prints those that are not as they should be. Answers whether there were none.
///
/// # Panics
///
/// If there is no such target.
#[must_use]
pub fn replay(name: &str, cases: &[(String, Vec<u8>)]) -> bool {
    let target = target(name).expect("a target has that name");
    let mut failed = 0;
    for (from, choices) in cases {
        if let Err(failure) = caught(|| (target.run)(choices)) {
            println!("{from}: {failure}\n{}", describe(name, choices));
            failed += 1;
        }
    }
    println!("{name}: {} cases replayed, {failed} failed", cases.len());
    failed == 0
}

/// Writes `cases` to an archive.
///
/// # Errors
///
/// If a case is too long, or the file cannot be written.
pub fn pack(cases: Vec<(String, Vec<u8>)>, path: &Path) -> Result<(), String> {
    let file = corpus::pack(cases.into_iter().map(|(_, choices)| choices).collect())?;
    fs::write(path, file).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes one file a case into the folder `into`.
///
/// # Errors
///
/// If a file cannot be written.
pub fn unpack(cases: &[(String, Vec<u8>)], into: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", into.display());
    fs::create_dir_all(into).map_err(told)?;
    for (_, choices) in cases {
        // Named after what it holds: the same case is not there twice.
        let mut hash = DefaultHasher::new();
        hash.write(choices);
        fs::write(into.join(format!("case-{:016x}", hash.finish())), choices).map_err(told)?;
    }
    Ok(())
}
