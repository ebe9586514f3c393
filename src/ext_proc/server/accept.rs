use core::pin::pin;
use core::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::{ServeSettings, Served};

/// How long nothing is accepted when that has failed: what is missing is a resource of the process,
/// which comes back when connections go.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections that were accepted.
pub(super) struct Accepted<E> {
    connections: JoinSet<Result<(), E>>,
    served: Served,
}

/// Runs what `connect` makes of each connection until `shutdown` is ready. Then nothing more is
/// accepted.
pub(super) async fn accept<F, E>(
    listener: TcpListener,
    settings: &ServeSettings,
    shutdown: impl Future<Output = ()>,
    connect: impl Fn(TcpStream) -> F,
) -> Accepted<E>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Send + 'static,
{
    let mut shutdown = pin!(shutdown);
    let mut served = Served::default();
    let mut connections = JoinSet::new();
    loop {
        let has_room = connections.len() < settings.max_connections;
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                served.count(&ended);
                continue;
            }
            accepted = listener.accept(), if has_room => accepted,
        };
        let Ok((stream, _)) = accepted else {
            served.not_accepted += 1;
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        served.connections += 1;
        // Small answers must not wait for more of them. A socket that was reset in the meantime
        // says so to who reads it.
        let _ = stream.set_nodelay(true);
        connections.spawn(connect(stream));
    }
    Accepted { connections, served }
}

impl<E: 'static> Accepted<E> {
    /// Waits for the connections to end. `told` tells them to; those that have not `within` that
    /// time are cut off.
    pub(super) async fn drain(
        mut self,
        within: Duration,
        told: impl Future<Output = ()>,
    ) -> Served {
        let ended = async {
            while let Some(ended) = self.connections.join_next().await {
                self.served.count(&ended);
            }
        };
        let all = async { tokio::join!(told, ended) };
        if timeout(within, all).await.is_err() {
            self.connections.abort_all();
        }
        while let Some(ended) = self.connections.join_next().await {
            self.served.count(&ended);
        }
        self.served
    }
}

impl Served {
    fn count<E>(&mut self, ended: &Result<Result<(), E>, JoinError>) {
        match ended {
            Ok(Ok(())) => {}
            Err(error) if error.is_cancelled() => self.cut += 1,
            Ok(Err(_)) | Err(_) => self.failed += 1,
        }
    }
}
