use core::ops::{Deref, DerefMut};

use super::stations::{self, Masks, Stations, Table};
use crate::sync::ConstArc as Arc;

/// The stations of one message, or that they are as all idle ones of the plan: then the message
/// pays for a pointer.
///
/// Reads as the one or the other; to change something makes stations of its own.
#[derive(Default)]
pub(super) struct StationsSlot {
    own: Option<Box<Stations>>,
    /// `None` only when a chain that goes has given its stations away.
    idle: Option<Arc<Idle>>,
}

/// What the stations of a plan are like while messages only pass.
pub(super) struct Idle {
    pub(super) masks: Masks,
    pub(super) stations: Stations,
}

impl StationsSlot {
    pub(super) fn new(idle: &Arc<Idle>) -> Self {
        Self { own: None, idle: Some(Arc::clone(idle)) }
    }

    fn idle(&self) -> &Idle {
        known(self.idle.as_deref())
    }

    /// Before a message. Not inlined: the same for chains of both directions.
    #[inline(never)]
    pub(super) fn begin(&mut self) {
        let masks = self.idle().masks;
        Stations::begin(self, &masks);
    }

    /// Gives the memory back, if there is nothing in it.
    pub(super) fn park(&mut self) {
        if self.own.as_deref().is_some_and(|own| own.is_like(&self.idle().stations)) {
            self.own = None;
        }
    }

    /// Makes what it has ready for the next message, and says what that costs in bytes.
    #[inline(never)]
    pub(super) fn reset(&mut self) -> usize {
        self.own.as_deref_mut().map_or(0, |own| stations::reset(own.table_mut()))
    }

    pub(super) fn drop_buffers(&mut self) {
        if let Some(own) = &mut self.own {
            *own.table_mut() = Table::new();
        }
    }
}

impl Deref for StationsSlot {
    type Target = Stations;

    #[inline]
    fn deref(&self) -> &Stations {
        match &self.own {
            Some(own) => own,
            None => &self.idle().stations,
        }
    }
}

impl DerefMut for StationsSlot {
    #[inline]
    fn deref_mut(&mut self) -> &mut Stations {
        let Self { own, idle } = self;
        own.get_or_insert_with(|| copy_of(idle.as_deref()))
    }
}

#[cold]
fn copy_of(idle: Option<&Idle>) -> Box<Stations> {
    Box::new(known(idle).stations.copy_of_idle())
}

fn known(idle: Option<&Idle>) -> &Idle {
    idle.expect("a chain gives its stations away when it goes")
}
