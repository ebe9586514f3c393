use bytes::Bytes;

/// What is to change in a head or in trailers (`HeaderMutation`). Envoy removes first, then sets in
/// order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderMutation {
    /// Names of fields to take away.
    pub(in crate::ext_proc) remove: Vec<Bytes>,
    /// Fields to set, in order.
    pub(in crate::ext_proc) set: Vec<SetField>,
}

/// One field to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ext_proc) struct SetField {
    pub(in crate::ext_proc) name: Bytes,
    pub(in crate::ext_proc) value: Bytes,
    /// Besides the values that are there, else in their place.
    pub(in crate::ext_proc) append: bool,
}

impl HeaderMutation {
    /// No change.
    #[must_use]
    pub const fn new() -> Self {
        Self { remove: Vec::new(), set: Vec::new() }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty()
    }

    /// Takes all fields called `name` away.
    pub fn remove(&mut self, name: impl Into<Bytes>) {
        self.remove.push(name.into());
    }

    /// Sets `name` to `value`, in place of the values that are there.
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.set.push(SetField { name: name.into(), value: value.into(), append: false });
    }

    /// Adds `value` to those that `name` has.
    pub fn append(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.set.push(SetField { name: name.into(), value: value.into(), append: true });
    }
}
