//! What a key serves, by its edits and by extensions: one row of the table on `Controller` each,
//! and what a publish promises besides.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidegate::limits::{FIRST_RETRY_MILLIS, LONGEST_RETRY_MILLIS};
use tidegate::table::{
    BuildError, Built, Cause, Controller, Entry, ExemptKey, Extensions, Mode, Report, Table,
};

/// What a spec says: `fault`, `panic`, or filters, such as `auth! waf? 7`: fail-closed `auth`,
/// fail-open `waf`, and something that tells this spec from others.
type Spec = &'static str;
type Key = &'static str;

/// Extensions that do not answer builds.
type Away = Arc<Mutex<Vec<&'static str>>>;

type Builder = Box<dyn FnMut(&Key, &Spec, &Extensions) -> Result<Built<Spec>, BuildError>>;

struct Bench {
    controller: Controller<Key, Spec, Builder>,
    away: Away,
    builds: Arc<AtomicU32>,
}

impl Bench {
    fn new() -> Self {
        Self::of(Table::new(1))
    }

    fn of(table: Table<Key, Spec>) -> Self {
        let (away, builds) = (Away::default(), Arc::new(AtomicU32::new(0)));
        let builder: Builder = Box::new({
            let (away, builds) = (Arc::clone(&away), Arc::clone(&builds));
            move |_, spec, extensions| {
                builds.fetch_add(1, Ordering::Relaxed);
                let away = away.lock().unwrap().clone();
                build(spec, extensions, &away)
            }
        });
        Self { controller: Controller::new(table, builder), away, builds }
    }

    fn publish(&mut self, seconds: u64) -> Report<Key> {
        self.controller.publish(Duration::from_secs(seconds))
    }

    /// Sets `key` and publishes.
    fn set(&mut self, key: Key, spec: Spec, seconds: u64) -> Report<Key> {
        self.controller.set(key, spec).unwrap();
        self.publish(seconds)
    }

    /// What is in the table: `plan`, with `-name` for what was left out and `stale since: why`
    /// behind it, or `failed since: why`.
    fn sees(&self, key: Key) -> String {
        match self.controller.table().snapshot().get(&key) {
            None => "nothing".to_owned(),
            Some(Entry::Failed(fault)) => {
                format!("failed {}: {}", fault.since().as_secs(), fault.error())
            }
            Some(Entry::Ready(ready)) => {
                let mut text = (*ready.plan()).to_owned();
                ready.dropped().for_each(|name| text += &format!(" -{name}"));
                if let Some(fault) = ready.stale() {
                    text += &format!(" stale {}: {}", fault.since().as_secs(), fault.error());
                }
                text
            }
        }
    }

    fn builds(&self) -> u32 {
        self.builds.swap(0, Ordering::Relaxed)
    }
}

fn build(
    spec: &'static str,
    extensions: &Extensions,
    away: &[&str],
) -> Result<Built<Spec>, BuildError> {
    let mut built = Built::new(spec);
    for word in spec.split(' ') {
        let (name, closed) = match (word.strip_suffix('!'), word.strip_suffix('?')) {
            (Some(name), _) => (name, true),
            (None, Some(name)) => (name, false),
            (None, None) if word == "panic" => std::panic::resume_unwind(Box::new("boom")),
            (None, None) if word == "fault" => return Err(BuildError::spec("line 3")),
            (None, None) => continue,
        };
        let error = match extensions.down(name) {
            Some(error) => Some(error.to_string()),
            None => away.contains(&name).then(|| "no answer".to_owned()),
        };
        built = match error {
            None => built.uses(name),
            Some(error) if closed => return Err(BuildError::extension(name, error)),
            Some(_) => built.without(name),
        };
    }
    Ok(built)
}

fn modes(report: &Report<Key>) -> Vec<(Key, Mode)> {
    report.changes.iter().map(|change| (change.key, change.mode)).collect()
}

#[test]
fn g3_a_faulty_edit_keeps_the_last_good_plan_and_stops_no_other_key() {
    let mut bench = Bench::new();
    bench.controller.set("a", "1").unwrap();
    bench.controller.set("b", "1").unwrap();
    _ = bench.publish(1);
    bench.controller.set("a", "fault").unwrap();
    bench.controller.set("b", "2").unwrap();
    let report = bench.publish(2);
    assert_eq!(modes(&report), [("a", Mode::Stale), ("b", Mode::Current)]);
    assert_eq!(report.faults.len(), 1);
    assert_eq!(
        (report.faults[0].0, report.faults[0].1.error().to_string()),
        ("a", "line 3".into())
    );
    assert_eq!((bench.sees("a"), bench.sees("b")), ("1 stale 2: line 3".into(), "2".into()));
    // Stale since the first of the faulty edits.
    _ = bench.set("a", "panic", 3);
    assert_eq!(bench.sees("a"), "1 stale 2: the build panicked: boom");
    _ = bench.set("a", "3", 4);
    assert_eq!(bench.sees("a"), "3");
    _ = bench.set("a", "fault", 5);
    assert_eq!(bench.sees("a"), "3 stale 5: line 3");
}

#[test]
fn g3_a_key_that_was_never_good_is_a_failure() {
    let mut bench = Bench::new();
    let report = bench.set("a", "fault", 1);
    assert_eq!(modes(&report), [("a", Mode::Failed)]);
    // The same failure again is nothing new.
    let report = bench.set("a", "fault", 2);
    assert_eq!((modes(&report), report.faults.len()), (vec![], 1));
    _ = bench.set("a", "panic", 2);
    assert_eq!(bench.sees("a"), "failed 1: the build panicked: boom");
    _ = bench.set("a", "1", 3);
    assert_eq!(bench.sees("a"), "1");
}

#[test]
fn g9_an_extension_that_is_down_concerns_the_keys_that_use_it() {
    let mut bench = Bench::new();
    for (key, spec) in [("closed", "auth!"), ("open", "auth?"), ("other", "waf!")] {
        bench.controller.set(key, spec).unwrap();
    }
    _ = bench.publish(1);
    bench.builds();
    bench.controller.extension_down("auth", "gone");
    let report = bench.publish(2);
    assert_eq!(modes(&report), [("closed", Mode::Failed), ("open", Mode::Degraded)]);
    assert!(report.changes.iter().all(|it| it.cause == Cause::Extension("auth".into())));
    assert_eq!(bench.builds(), 2);
    assert_eq!(bench.sees("closed"), "failed 2: extension auth is down: gone");
    assert_eq!(bench.sees("open"), "auth? -auth");
    // Told again: no news.
    bench.controller.extension_down("auth", "still gone");
    assert!(bench.publish(3).changes.is_empty());
    // An edit meanwhile does not move the start of the failure.
    _ = bench.set("closed", "auth! 2", 4);
    assert_eq!(bench.sees("closed"), "failed 2: extension auth is down: still gone");
    // G8: up again, with no edit.
    bench.controller.extension_up("auth");
    let report = bench.publish(5);
    assert_eq!(modes(&report), [("closed", Mode::Current), ("open", Mode::Current)]);
    assert_eq!((bench.sees("closed"), bench.sees("open")), ("auth! 2".into(), "auth?".into()));
}

#[test]
fn a_stale_plan_does_not_serve_without_its_fail_closed_filter() {
    let mut bench = Bench::new();
    _ = bench.set("a", "auth! waf?", 1);
    _ = bench.set("a", "fault", 2);
    assert_eq!(bench.sees("a"), "auth! waf? stale 2: line 3");
    // Fail-open: the last good spec is built again without it.
    bench.controller.extension_down("waf", "gone");
    _ = bench.publish(3);
    assert_eq!(bench.sees("a"), "auth! waf? -waf stale 2: line 3");
    // Fail-closed wins.
    bench.controller.extension_down("auth", "gone");
    _ = bench.publish(4);
    assert_eq!(bench.sees("a"), "failed 4: extension auth is down: gone");
    bench.controller.extension_up("auth");
    bench.controller.extension_up("waf");
    _ = bench.publish(5);
    assert_eq!(bench.sees("a"), "auth! waf? stale 2: line 3");
}

#[test]
fn a_faulty_edit_and_an_extension_that_goes_down_at_once_are_a_failure() {
    let mut bench = Bench::new();
    _ = bench.set("a", "auth!", 1);
    bench.controller.set("a", "fault").unwrap();
    bench.controller.extension_down("auth", "gone");
    let report = bench.publish(2);
    assert_eq!((modes(&report), report.faults.len()), (vec![("a", Mode::Failed)], 1));
    bench.controller.extension_up("auth");
    _ = bench.publish(3);
    assert_eq!(bench.sees("a"), "auth! stale 2: line 3");
}

#[test]
fn an_edit_that_needs_what_is_down_is_not_served_by_the_plan_before_it() {
    let mut bench = Bench::new();
    _ = bench.set("a", "1", 1);
    bench.controller.extension_down("auth", "gone");
    _ = bench.set("a", "auth!", 2);
    assert_eq!(bench.sees("a"), "failed 2: extension auth is down: gone");
    // It is given up: the plan of before is the last good one.
    _ = bench.set("a", "fault", 3);
    assert_eq!(bench.sees("a"), "1 stale 3: line 3");
}

#[test]
fn a_plan_on_what_is_down_is_not_served_whatever_the_builder_says() {
    let careless = |_: &Key, spec: &Spec, _: &Extensions| Ok(Built::new(*spec).uses("auth"));
    let mut controller = Controller::new(Table::new(1), careless);
    controller.set("a", "1").unwrap();
    assert_eq!(modes(&controller.publish(Duration::ZERO)), [("a", Mode::Current)]);
    controller.extension_down("auth", "gone");
    assert_eq!(modes(&controller.publish(Duration::ZERO)), [("a", Mode::Failed)]);
    controller.extension_up("auth");
    assert_eq!(modes(&controller.publish(Duration::ZERO)), [("a", Mode::Current)]);
}

/// By its own word the extension is down, though nobody else has said so.
#[test]
fn a_plan_that_uses_what_it_leaves_out_is_not_served() {
    let torn =
        |_: &Key, spec: &Spec, _: &Extensions| Ok(Built::new(*spec).uses("auth").without("auth"));
    let mut controller = Controller::new(Table::new(1), torn);
    controller.set("a", "1").unwrap();
    assert_eq!(modes(&controller.publish(Duration::ZERO)), [("a", Mode::Failed)]);
    assert!(!controller.extensions().is_up("auth"));
}

#[test]
fn a_publish_that_changes_nothing_makes_no_epoch_and_builds_nothing() {
    let mut bench = Bench::new();
    _ = bench.set("a", "auth!", 1);
    bench.builds();
    let before = bench.controller.table().epoch();
    assert!(bench.set("a", "auth!", 2).changes.is_empty());
    // Back to what it was before anybody could build it; and a key that never was.
    bench.controller.set("a", "2").unwrap();
    bench.controller.remove("never").unwrap();
    assert!(bench.set("a", "auth!", 3).changes.is_empty());
    assert_eq!((bench.controller.table().epoch(), bench.builds()), (before, 0));
    // A faulty spec is built again if it is set again; nothing has come of it.
    _ = bench.set("a", "fault", 4);
    bench.builds();
    let report = bench.set("a", "fault", 5);
    assert_eq!((report.changes.len(), report.faults.len(), bench.builds()), (0, 1, 1));
}

#[test]
fn what_counts_is_what_is_wanted_when_it_is_published() {
    let mut bench = Bench::new();
    _ = bench.set("a", "1", 1);
    // Removed and set in one publish: an edit, with a last good plan.
    bench.controller.remove("a").unwrap();
    _ = bench.set("a", "fault", 2);
    assert_eq!(bench.sees("a"), "1 stale 2: line 3");
    // Removed and set in two: another key.
    bench.controller.remove("a").unwrap();
    assert_eq!(modes(&bench.publish(3)), [("a", Mode::Removed)]);
    _ = bench.set("a", "fault", 4);
    assert_eq!(bench.sees("a"), "failed 4: line 3");
}

#[test]
fn g8_an_extension_that_a_build_finds_down_is_down_for_all_and_retried() {
    let mut bench = Bench::new();
    for (key, spec) in [("a", "auth!"), ("b", "auth!"), ("c", "auth?")] {
        bench.controller.set(key, spec).unwrap();
    }
    _ = bench.publish(1);
    bench.away.lock().unwrap().push("auth");
    assert_eq!(bench.controller.retry_at(), None);
    // Only `a` is edited; its build finds out.
    let report = bench.set("a", "auth! 2", 2);
    assert_eq!(modes(&report), [("a", Mode::Failed), ("b", Mode::Failed), ("c", Mode::Degraded)]);
    // Waits double, up to a limit, and a failed retry changes nothing for readers.
    let mut now = Duration::from_secs(2);
    let mut wait = Duration::from_millis(FIRST_RETRY_MILLIS);
    for _ in 0..9 {
        let retry_at = bench.controller.retry_at().unwrap();
        assert_eq!(retry_at, now + wait);
        now = retry_at;
        let report = bench.controller.poll(now).unwrap();
        assert!(report.changes.is_empty(), "{report:?}");
        wait = (wait * 2).min(Duration::from_millis(LONGEST_RETRY_MILLIS));
    }
    assert_eq!(wait, Duration::from_millis(LONGEST_RETRY_MILLIS));
    bench.away.lock().unwrap().clear();
    now = bench.controller.retry_at().unwrap();
    let report = bench.controller.poll(now).unwrap();
    assert_eq!(modes(&report), [("a", Mode::Current), ("b", Mode::Current), ("c", Mode::Current)]);
    assert_eq!((bench.sees("a"), bench.controller.retry_at()), ("auth! 2".into(), None));
    // One that is soon down again waits as long as if it had never been up.
    bench.away.lock().unwrap().push("auth");
    _ = bench.controller.set("a", "auth! 3");
    _ = bench.controller.publish(now);
    assert_eq!(bench.controller.retry_at(), Some(now + wait));
}

#[test]
fn an_extension_that_was_up_for_long_is_waited_for_as_if_for_the_first_time() {
    let mut bench = Bench::new();
    let (first, steady) =
        (Duration::from_millis(FIRST_RETRY_MILLIS), Duration::from_millis(LONGEST_RETRY_MILLIS));
    let mut now = Duration::from_secs(10);
    // Found down again and again: up for a moment in between, then for long.
    for (up_for, wait) in [(None, first), (Some(Duration::ZERO), 2 * first), (Some(steady), first)]
    {
        if let Some(up_for) = up_for {
            now = bench.controller.retry_at().unwrap();
            bench.away.lock().unwrap().clear();
            _ = bench.controller.poll(now).unwrap();
            assert_eq!(bench.controller.retry_at(), None);
            now += up_for;
        }
        *bench.away.lock().unwrap() = vec!["auth"];
        let spec = if up_for == Some(steady) { "auth! 3" } else { "auth! 2" };
        bench.controller.set("a", if up_for.is_none() { "auth! 1" } else { spec }).unwrap();
        _ = bench.controller.publish(now);
        assert_eq!(bench.controller.retry_at(), Some(now + wait), "{up_for:?}");
    }
}

#[test]
fn a_fail_open_filter_that_a_build_leaves_out_is_retried_too() {
    let mut bench = Bench::new();
    bench.away.lock().unwrap().push("waf");
    _ = bench.set("a", "waf?", 1);
    assert_eq!(bench.sees("a"), "waf? -waf");
    bench.away.lock().unwrap().clear();
    let retry_at = bench.controller.retry_at().unwrap();
    assert_eq!(modes(&bench.controller.poll(retry_at).unwrap()), [("a", Mode::Current)]);
    assert_eq!(bench.sees("a"), "waf?");
}

#[test]
fn what_is_told_down_is_not_retried() {
    let mut bench = Bench::new();
    bench.away.lock().unwrap().push("auth");
    _ = bench.set("a", "auth!", 1);
    assert!(bench.controller.retry_at().is_some());
    bench.controller.extension_down("auth", "told");
    assert_eq!(bench.controller.retry_at(), None);
    assert_eq!(bench.controller.extensions().down("auth").map(|it| &**it), Some("told"));
    assert_eq!(bench.controller.extensions().all_down().count(), 1);
}

#[test]
fn g9_exempt_keys_take_no_specs() {
    let mut bench = Bench::new();
    bench.controller.set("ready", "fault").unwrap();
    bench.controller.set_exempt("ready", "plan");
    let refused: Result<(), ExemptKey> = bench.controller.set("ready", "1");
    assert!(refused.is_err());
    assert!(bench.controller.remove("ready").is_err());
    assert_eq!(modes(&bench.publish(1)), [("ready", Mode::Current)]);
    assert_eq!((bench.sees("ready"), bench.builds()), ("plan".into(), 0));
    assert!(bench.controller.remove_exempt(&"ready"));
    assert!(!bench.controller.remove_exempt(&"ready"));
    _ = bench.set("ready", "2", 2);
    assert_eq!(bench.sees("ready"), "2");
}

#[test]
fn g6_what_the_table_refuses_is_kept_and_tried_again() {
    let mut bench = Bench::of(Table::with_max_live_epochs(1, 2));
    let mut reader = bench.controller.table().reader();
    _ = bench.set("a", "1", 1);
    let first = reader.pin("a").unwrap();
    _ = bench.set("a", "2", 2);
    let second = reader.pin("a").unwrap();
    reader.rest();
    let report = bench.set("a", "3", 3);
    assert!(report.refused.is_some() && report.changes.is_empty(), "{report:?}");
    assert_eq!((report.epoch, bench.sees("a")), (second.epoch(), "2".to_owned()));
    let retry_at = Duration::from_secs(3) + Duration::from_millis(FIRST_RETRY_MILLIS);
    assert_eq!(bench.controller.retry_at(), Some(retry_at));
    drop((first, second));
    bench.builds();
    let report = bench.controller.poll(retry_at).unwrap();
    assert_eq!((modes(&report), bench.builds()), (vec![("a", Mode::Current)], 0));
    assert_eq!((bench.sees("a"), bench.controller.retry_at()), ("3".into(), None));
}

/// Panics when it goes.
struct Bomb(#[allow(dead_code, reason = "it has a size")] u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("boom"));
        }
    }
}

#[test]
fn plans_that_panic_when_they_go_stop_no_publish() {
    let build = |_: &u8, spec: &u32, _: &Extensions| Ok(Built::new(Bomb(*spec)).uses("auth"));
    let mut controller = Controller::new(Table::new(1), build);
    for round in 0..3 {
        for key in 0..4 {
            controller.set(key, round).unwrap();
        }
        assert_eq!(controller.publish(Duration::ZERO).changes.len(), 4);
    }
    controller.extension_down("auth", "gone");
    assert_eq!(controller.publish(Duration::ZERO).changes.len(), 4);
    for key in 0..4 {
        controller.remove(key).unwrap();
    }
    assert_eq!(controller.publish(Duration::ZERO).changes.len(), 4);
    assert!(controller.table().snapshot().is_empty());
}
