//! Plans that say when they are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate::table::{Changes, Entry, Table};

/// How many plans are alive.
#[derive(Clone, Default)]
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub(crate) fn plan(&self, value: u32) -> Plan {
        self.0.fetch_add(1, Ordering::SeqCst);
        Plan { value, alive: self.clone() }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct Plan {
    pub(crate) value: u32,
    alive: Alive,
}

impl Drop for Plan {
    fn drop(&mut self) {
        assert_ne!(self.alive.0.fetch_sub(1, Ordering::SeqCst), 0, "dropped twice");
    }
}

pub(crate) type Plans = Table<&'static str, Plan>;

/// Publishes one plan.
pub(crate) fn publish(table: &Plans, key: &'static str, plan: Plan) {
    let mut changes = Changes::new();
    changes.set(key, Entry::ready(plan));
    table.publish(&changes).unwrap();
}
