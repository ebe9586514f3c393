use std::collections::BTreeMap;

use core::time::Duration;

use super::built::Names;
use crate::limits;
use crate::sync::ConstArc as Arc;

/// Which extensions are up and which are down, as far as is known. One that nobody has spoken of
/// is up.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    /// Those that are or have lately been down.
    known: BTreeMap<Arc<str>, State>,
}

/// | state | told down | told up | a build finds it down | its retry is due and finds it up |
/// |---|---|---|---|---|
/// | up (or not known) | `Told` | – | `Found`, users rebuilt | – |
/// | `Told` | – | up, users rebuilt | – | – |
/// | `Found` | `Told` | up, users rebuilt | the next retry is later | up, users rebuilt |
#[derive(Debug, Clone)]
enum State {
    /// Down, until somebody says that it is up.
    Told { error: Arc<str> },
    /// Down, found by a build: looked at again when its time has come.
    Found { error: Arc<str>, attempts: u32, retry_at: Duration },
    /// Up since then. If it is soon found down again, the retries go on where they were.
    Back { attempts: u32, since: Duration },
}

impl Extensions {
    /// Whether the extension called `name` is up.
    #[must_use]
    pub fn is_up(&self, name: &str) -> bool {
        self.down(name).is_none()
    }

    /// What is wrong with the extension called `name`; `None` if it is up.
    #[must_use]
    pub fn down(&self, name: &str) -> Option<&Arc<str>> {
        match self.known.get(name)? {
            State::Told { error } | State::Found { error, .. } => Some(error),
            State::Back { .. } => None,
        }
    }

    /// Those that are down, by name.
    pub fn all_down(&self) -> impl Iterator<Item = &Arc<str>> {
        self.known.keys().filter(|name| !self.is_up(name))
    }

    /// Somebody says that it is down. Answers whether that is news.
    pub(super) fn tell_down(&mut self, name: Arc<str>, error: Arc<str>) -> bool {
        let is_news = self.is_up(&name);
        self.known.insert(name, State::Told { error });
        is_news
    }

    /// Somebody says that it is up. Answers whether that is news.
    pub(super) fn tell_up(&mut self, name: &str) -> bool {
        let is_news = !self.is_up(name);
        if is_news {
            self.known.remove(name);
        }
        is_news
    }

    /// A build has found it down, while it was taken for up.
    pub(super) fn find_down(&mut self, name: Arc<str>, error: Arc<str>, now: Duration) {
        let steady = Duration::from_millis(limits::LONGEST_RETRY_MILLIS);
        let attempts = match self.known.get(&name) {
            Some(State::Back { attempts, since }) if now < since.saturating_add(steady) => {
                attempts.saturating_add(1)
            }
            Some(State::Found { attempts, .. }) => attempts.saturating_add(1),
            Some(State::Back { .. } | State::Told { .. }) | None => 1,
        };
        let retry_at = now.saturating_add(delay(attempts));
        self.known.insert(name, State::Found { error, attempts, retry_at });
    }

    /// A retry has not found it down.
    pub(super) fn set_back(&mut self, name: &str, now: Duration) {
        if let Some(state) = self.known.get_mut(name)
            && let State::Found { attempts, .. } = *state
        {
            *state = State::Back { attempts, since: now };
        }
    }

    /// When the first retry is due.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        let retries = self.known.values().filter_map(|state| match state {
            State::Found { retry_at, .. } => Some(*retry_at),
            State::Told { .. } | State::Back { .. } => None,
        });
        retries.min()
    }

    /// Those whose retry is due.
    pub(super) fn due(&self, now: Duration) -> Names {
        let due = self.known.iter().filter(
            |(_, state)| matches!(state, State::Found { retry_at, .. } if *retry_at <= now),
        );
        due.map(|(name, _)| Arc::clone(name)).collect()
    }
}

/// How long the retry behind that many failures waits: doubled each time, up to a limit.
fn delay(attempts: u32) -> Duration {
    let doubled = 1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX);
    let millis = limits::FIRST_RETRY_MILLIS.saturating_mul(doubled);
    Duration::from_millis(millis.min(limits::LONGEST_RETRY_MILLIS))
}
