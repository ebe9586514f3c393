//! Panics as values.

use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};

thread_local! {
    /// The last panic of this thread that was not meant to be silent.
    static LAST: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// What a run panicked with.
#[derive(Debug, Clone)]
pub struct Failure {
    /// File and line.
    place: String,
    message: String,
}

impl Failure {
    /// Whether it is the same, though the numbers in its message may differ.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let kind = |failure: &Self| {
            let line = failure.message.lines().next().unwrap_or_default();
            line.chars().filter(|c| !c.is_ascii_digit()).collect::<String>()
        };
        self.place == other.place && kind(self) == kind(other)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Keeps panics from being printed: scripts panic on purpose, and the shrinker all the time.
pub fn silence() {
    panic::set_hook(Box::new(|info| {
        let failure = of(info);
        LAST.with(|last| *last.borrow_mut() = Some(failure));
    }));
}

/// Runs `work`. Needs [`silence`] to say more than that it panicked.
///
/// # Errors
///
/// Its panic.
pub fn caught(work: impl FnOnce()) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let unknown = || Failure { place: "?".to_owned(), message: "a panic".to_owned() };
        LAST.with(|last| last.borrow_mut().take()).unwrap_or_else(unknown)
    })
}

fn of(info: &PanicHookInfo<'_>) -> Failure {
    let place = info.location().map_or("?".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    let message = info.payload_as_str().unwrap_or("a panic with a value").to_owned();
    Failure { place, message }
}
