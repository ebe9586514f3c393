//! `--filter NAME[=ARG]`: what the user asked for, as types.

use std::{error::Error, fmt, num::ParseIntError, str::FromStr, time::Duration};

use bytes::Bytes;

/// One filter of the chain, in the order given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FilterSpec {
    /// Logs heads, byte counts and outcomes.
    Log,
    /// Refuses bodies over this many bytes.
    Limit(u64),
    /// Replaces `old` with `new`, also where it spans chunks.
    Replace {
        /// What to look for; never empty.
        old: Bytes,
        /// What to put there; may be empty.
        new: Bytes,
    },
    /// Adds a digest of the body as a trailer, where trailers can be sent.
    Sha256,
    /// Looks at this many bytes before the head goes on.
    Hold(u64),
    /// Holds each message this long.
    Delay(Duration),
}

impl FilterSpec {
    /// The name it is asked for by.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Limit(_) => "limit",
            Self::Replace { .. } => "replace",
            Self::Sha256 => "sha256",
            Self::Hold(_) => "hold",
            Self::Delay(_) => "delay",
        }
    }
}

/// Why a `--filter` was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SpecError {
    /// No filter has this name.
    Unknown(String),
    /// The filter needs an argument, here described.
    Missing(&'static str, &'static str),
    /// The filter takes no argument.
    Unexpected(&'static str),
    /// The argument is no number in range.
    Number(&'static str, ParseIntError),
    /// The number does not fit in 64 bits once its unit is applied.
    TooLarge(&'static str),
    /// `replace` without a `:` between the two texts.
    NoColon,
    /// `replace` of nothing would match everywhere.
    EmptyPattern,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(
                f,
                "no filter is called `{name}`: use log, limit=BYTES, replace=OLD:NEW, sha256, \
                 hold=BYTES or delay=MS"
            ),
            Self::Missing(name, what) => write!(f, "`{name}` needs an argument: {name}={what}"),
            Self::Unexpected(name) => write!(f, "`{name}` takes no argument"),
            Self::Number(name, error) => write!(f, "the argument of `{name}`: {error}"),
            Self::TooLarge(name) => write!(f, "the argument of `{name}` does not fit in 64 bits"),
            Self::NoColon => f.write_str("`replace` needs OLD:NEW (write \\: for a colon in OLD)"),
            Self::EmptyPattern => f.write_str("`replace` needs something to look for"),
        }
    }
}

impl Error for SpecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Number(_, error) => Some(error),
            _ => None,
        }
    }
}

impl FromStr for FilterSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, arg) = match text.split_once('=') {
            Some((name, arg)) => (name, Some(arg)),
            None => (text, None),
        };
        match name {
            "log" => none("log", arg).map(|()| Self::Log),
            "sha256" => none("sha256", arg).map(|()| Self::Sha256),
            "limit" => bytes_of("limit", some("limit", "BYTES", arg)?).map(Self::Limit),
            "hold" => bytes_of("hold", some("hold", "BYTES", arg)?).map(Self::Hold),
            "delay" => {
                let ms = some("delay", "MS", arg)?.parse();
                ms.map(|ms| Self::Delay(Duration::from_millis(ms)))
                    .map_err(|error| SpecError::Number("delay", error))
            }
            "replace" => replace(some("replace", "OLD:NEW", arg)?),
            _ => Err(SpecError::Unknown(name.to_owned())),
        }
    }
}

/// Checks that there is no argument.
fn none(name: &'static str, arg: Option<&str>) -> Result<(), SpecError> {
    arg.map_or(Ok(()), |_| Err(SpecError::Unexpected(name)))
}

/// Checks that there is an argument.
fn some<'a>(
    name: &'static str,
    what: &'static str,
    arg: Option<&'a str>,
) -> Result<&'a str, SpecError> {
    arg.filter(|arg| !arg.is_empty()).ok_or(SpecError::Missing(name, what))
}

/// Reads a byte count: digits, and `K`, `M` or `G` for powers of 1024.
fn bytes_of(name: &'static str, text: &str) -> Result<u64, SpecError> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let count: u64 = digits.parse().map_err(|error| SpecError::Number(name, error))?;
    count.checked_mul(unit).ok_or(SpecError::TooLarge(name))
}

/// [`bytes_of`] for options that are no filter, as clap wants it.
pub(crate) fn byte_count(text: &str) -> Result<u64, SpecError> {
    bytes_of("BYTES", text)
}

/// Reads `OLD:NEW`; in OLD a backslash takes the next character as it is.
fn replace(arg: &str) -> Result<FilterSpec, SpecError> {
    let mut old = String::new();
    let mut chars = arg.chars();
    loop {
        match chars.next() {
            None => return Err(SpecError::NoColon),
            Some(':') => break,
            Some('\\') => old.extend(chars.next()),
            Some(other) => old.push(other),
        }
    }
    if old.is_empty() {
        return Err(SpecError::EmptyPattern);
    }
    let new = chars.as_str().to_owned();
    Ok(FilterSpec::Replace { old: old.into(), new: new.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FilterSpec, SpecError> {
        text.parse()
    }

    #[test]
    fn reads_every_filter() {
        assert_eq!(parse("log"), Ok(FilterSpec::Log));
        assert_eq!(parse("sha256"), Ok(FilterSpec::Sha256));
        assert_eq!(parse("limit=10"), Ok(FilterSpec::Limit(10)));
        assert_eq!(parse("limit=2M"), Ok(FilterSpec::Limit(2 << 20)));
        assert_eq!(parse("hold=64k"), Ok(FilterSpec::Hold(64 << 10)));
        assert_eq!(parse("delay=250"), Ok(FilterSpec::Delay(Duration::from_millis(250))));
    }

    #[test]
    fn replace_splits_at_the_first_free_colon() {
        let spec = |old: &'static str, new: &'static str| {
            Ok(FilterSpec::Replace { old: old.into(), new: new.into() })
        };
        assert_eq!(parse("replace=a:b"), spec("a", "b"));
        assert_eq!(parse("replace=a:"), spec("a", ""));
        assert_eq!(parse("replace=a:b:c=d"), spec("a", "b:c=d"));
        assert_eq!(parse(r"replace=http\:x:y"), spec("http:x", "y"));
        assert_eq!(parse(r"replace=\\:y"), spec(r"\", "y"));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(parse("gzip"), Err(SpecError::Unknown("gzip".to_owned())));
        assert_eq!(parse("log=1"), Err(SpecError::Unexpected("log")));
        assert_eq!(parse("limit"), Err(SpecError::Missing("limit", "BYTES")));
        assert_eq!(parse("limit="), Err(SpecError::Missing("limit", "BYTES")));
        assert!(matches!(parse("limit=x"), Err(SpecError::Number("limit", _))));
        assert!(matches!(parse("limit=-1"), Err(SpecError::Number("limit", _))));
        assert_eq!(parse("hold=99999999999999G"), Err(SpecError::TooLarge("hold")));
        assert_eq!(parse("replace=ab"), Err(SpecError::NoColon));
        assert_eq!(parse("replace=:b"), Err(SpecError::EmptyPattern));
    }
}
