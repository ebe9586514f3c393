//! What carries HTTP/2, and a server on it.

use std::net::SocketAddr;
use std::sync::Arc;

use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::DirectionMode;
use tidegate::ext_proc::server::{ExternalProcessor, ServeSettings, Served};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::stage::{Capitals, processor};

/// What carries HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// hyper, and h2 in it.
    Hyper,
    /// The crate's own.
    #[cfg(feature = "ext-proc-direct")]
    Direct,
}

impl Carrier {
    pub(crate) const ALL: &[Self] = &[
        Self::Hyper,
        #[cfg(feature = "ext-proc-direct")]
        Self::Direct,
    ];

    fn settings(self) -> ServeSettings {
        match self {
            Self::Hyper => ServeSettings::new(),
            #[cfg(feature = "ext-proc-direct")]
            Self::Direct => {
                ServeSettings::new().carrier(tidegate::ext_proc::server::Carrier::Direct)
            }
        }
    }
}

/// A server on loopback. It goes when this does.
pub(crate) struct Server {
    pub(crate) carrier: Carrier,
    pub(crate) address: SocketAddr,
    shutdown: Arc<Notify>,
    task: JoinHandle<Served>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(carrier: Carrier) -> Self {
        Self::start_with(carrier, |settings| settings).await
    }

    /// With settings of its own.
    pub(crate) async fn start_with(
        carrier: Carrier,
        change: impl FnOnce(ServeSettings) -> ServeSettings,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = change(carrier.settings());
        let shutdown = Arc::new(Notify::new());
        let told = shutdown.clone();
        let told = async move { told.notified().await };
        let task = tokio::spawn(capitals().serve(listener, settings, told));
        Self { carrier, address, shutdown, task }
    }

    /// Has it go away.
    pub(crate) fn shut_down(&self) {
        self.shutdown.notify_one();
    }
}

/// Makes capitals of bodies, in pieces, and answers each message by one.
fn capitals() -> ExternalProcessor {
    let filters = ExchangePlan::builder().pair("capitals", || (Capitals, Capitals));
    processor(DirectionMode::streamed(), filters)
}
