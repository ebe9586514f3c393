//! The demo: an origin, an extension, the gateway and its clients, all on loopback.
//!
//! First the story of Envoy Gateway's issue #5595, step by step: routes that went through an
//! extension that was down stayed broken when it was back, all but those that somebody edited.
//! Then reloads under load: no exchange is lost, and none sees two plans.

mod client;
mod load;
mod rig;
mod servers;
mod story;

use rig::Rig;

use crate::gateway::ends::BoxError;

/// How much the demo does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// How often the file is written under load.
    pub(crate) reloads: usize,
    /// Clients at the same time.
    pub(crate) clients: usize,
}

impl Size {
    /// What `main` runs.
    pub(crate) const FULL: Self = Self { reloads: 24, clients: 16 };
}

/// Runs the demo and prints what happens. An error if anything is not as it has to be.
pub(crate) fn run(size: &Size) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut rig = Rig::start().await?;
        println!("{}\n", rig.bounds());
        let asked = story::play(&mut rig).await?;
        println!();
        let sent = load::run(&mut rig, size).await?;
        rig.stop(asked + sent).await
    })
}
