use core::fmt;

use super::stage::Stage;

/// Where in a flow something is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The pipeline.
    pub stage: Stage,
    /// The step, counted from 0; `None` for the pipeline as a whole.
    pub step: Option<usize>,
    /// What the step is called.
    pub name: Option<String>,
    /// The result in question; `""` is success.
    pub result: Option<String>,
    /// The target of its jump.
    pub target: Option<String>,
}

impl Place {
    /// A pipeline as a whole.
    pub(super) fn stage(stage: Stage) -> Self {
        Self { stage, step: None, name: None, result: None, target: None }
    }

    /// A step of it.
    pub(super) fn step(stage: Stage, step: usize, name: &str) -> Self {
        Self { step: Some(step), name: Some(name.to_owned()), ..Self::stage(stage) }
    }

    /// One of its results.
    pub(super) fn result(self, result: &str) -> Self {
        Self { result: Some(result.to_owned()), ..self }
    }

    /// The target of that.
    pub(super) fn target(self, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pipeline", self.stage)?;
        if let Some(step) = self.step {
            write!(f, ", node {step}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        if let Some(result) = &self.result {
            write!(f, ", result `{result}`")?;
        }
        if let Some(target) = &self.target {
            write!(f, ", target `{target}`")?;
        }
        Ok(())
    }
}
