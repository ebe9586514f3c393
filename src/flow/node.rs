use core::fmt;

use crate::filter::{Filter, Head};
use crate::sync::ConstArc as Arc;

/// The reserved name of the end of a pipeline, as the target of a jump.
pub const END: &str = "END";

/// A filter in a pipeline: its name there, how it is made, and where its results jump to.
///
/// The same maker may be in many nodes; each node has an instance of its own.
pub struct Node<H: Head> {
    pub(super) name: String,
    pub(super) make: Arc<dyn Fn() -> Box<dyn Filter<H>> + Send + Sync>,
    pub(super) jumps: Vec<Jump>,
}

/// On this result, to this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jump {
    pub(super) result: String,
    pub(super) target: String,
}

impl<H: Head> Node<H> {
    /// A node called `name`. `make` is called once when the flow is built, for the declaration, and
    /// then for exchanges.
    pub fn new<F>(name: impl Into<String>, make: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Filter<H> + 'static,
    {
        Self::boxed(name, Arc::new(move || Box::new(make())))
    }

    /// The same for a filter whose type is known only at run time.
    pub fn boxed(
        name: impl Into<String>,
        make: Arc<dyn Fn() -> Box<dyn Filter<H>> + Send + Sync>,
    ) -> Self {
        Self { name: name.into(), make, jumps: Vec::new() }
    }

    /// On `result`, which the filter has declared, the node called `target` is next; `""` is
    /// success, and [`END`] ends the pipeline. The target stands behind this node, in the same
    /// pipeline.
    #[must_use]
    pub fn jump(mut self, result: impl Into<String>, target: impl Into<String>) -> Self {
        self.jumps.push(Jump { result: result.into(), target: target.into() });
        self
    }

    /// On `result` the pipeline ends: it is *stopped*.
    #[must_use]
    pub fn jump_to_end(self, result: impl Into<String>) -> Self {
        self.jump(result, END)
    }

    /// What the node is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<H: Head> Clone for Node<H> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), make: Arc::clone(&self.make), jumps: self.jumps.clone() }
    }
}

impl<H: Head> fmt::Debug for Node<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("jumps", &self.jumps)
            .finish_non_exhaustive()
    }
}
