//! What all targets have in common.

/// One target, as its drivers see it.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Runs the case that the choices describe. Panics if it is not as it should be.
    pub(crate) run: fn(&[u8]),
    /// Writes the decoded case, one operation a line, as far as it gets: it may panic as `run`.
    pub(crate) describe: fn(&[u8], &mut String),
    /// Longer strings of choices say nothing more.
    pub(crate) most_choices: usize,
}
