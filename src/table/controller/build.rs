use super::{BuildError, Built, Extensions};

/// Makes a plan of a spec: what a [`Controller`](super::Controller) is given by its embedder.
///
/// Closures are builders too:
///
/// ```
/// use tidegate::table::{BuildError, Built, Extensions};
///
/// let build = |_key: &String, words: &String, extensions: &Extensions| {
///     if words.is_empty() {
///         return Err(BuildError::spec("no words"));
///     }
///     if let Some(error) = extensions.down("auth") {
///         return Err(BuildError::extension("auth", error)); // Fail-closed.
///     }
///     Ok(Built::new(words.len()).uses("auth"))
/// };
/// # fn is_builder<B: tidegate::table::Build<String, String, Plan = usize>>(_: B) {}
/// # is_builder(build);
/// ```
pub trait Build<K, S> {
    /// What is made.
    type Plan;

    /// Builds the plan of `key` by `spec`, while extensions are as `extensions` says.
    ///
    /// It is called outside all locks, at most a few times for each key and publish, and never
    /// while a message is served by it. Where an extension is down, a fail-closed filter is a
    /// [`BuildError::Extension`], and a fail-open one is [left out](Built::without). A plan that
    /// uses an extension that is down is not served, whatever this returns.
    ///
    /// # Panics
    ///
    /// A panic is contained and taken for a faulty spec. The builder is used on.
    ///
    /// # Errors
    ///
    /// [`BuildError`], which says whose fault it is: the spec's or an extension's.
    fn build(
        &mut self,
        key: &K,
        spec: &S,
        extensions: &Extensions,
    ) -> Result<Built<Self::Plan>, BuildError>;
}

impl<K, S, P, F> Build<K, S> for F
where
    F: FnMut(&K, &S, &Extensions) -> Result<Built<P>, BuildError>,
{
    type Plan = P;

    fn build(
        &mut self,
        key: &K,
        spec: &S,
        extensions: &Extensions,
    ) -> Result<Built<P>, BuildError> {
        self(key, spec, extensions)
    }
}
