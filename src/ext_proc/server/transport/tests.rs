use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const MAX_FRAME_BYTES: usize = 64 * 1024;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("a port");
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.expect("a client"), server.expect("a server").0)
}

fn connected<C: Future>(
    socket: TcpStream,
    connect: impl FnOnce(Transport, Spawner) -> C,
) -> Connected<C> {
    Connected::new(socket, MAX_FRAME_BYTES, connect)
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// More than all buffers take, to somebody who reads late.
#[tokio::test]
async fn everything_that_is_written_arrives_in_order() {
    let (mut client, server) = pair().await;
    let all = pattern(16 << 20);
    let sent = all.clone();
    let connection = connected(server, |mut transport, _| async move {
        for piece in sent.chunks(10_000) {
            let mut slices = [IoSlice::new(&piece[..9]), IoSlice::new(&piece[9..])];
            let mut slices = &mut slices[..];
            while !slices.is_empty() {
                let n = transport.write_vectored(slices).await.expect("a socket");
                IoSlice::advance_slices(&mut slices, n);
            }
            transport.flush().await.expect("nothing to wait for");
        }
        transport.shutdown().await.expect("all is out");
    });
    let connection = tokio::spawn(connection);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut came = Vec::new();
    client.read_to_end(&mut came).await.expect("a socket");
    assert!(came == all, "{} of {} bytes", came.len(), all.len());
    connection.await.expect("no panic");
}

/// Nobody writes more, and nobody shuts down.
#[tokio::test]
async fn what_a_poll_has_written_goes_out_at_its_end() {
    let (mut client, server) = pair().await;
    let connection = connected(server, |mut transport, _| async move {
        transport.write_all(b"hello").await.expect("room");
        core::future::pending::<()>().await;
    });
    let connection = tokio::spawn(connection);
    let mut came = [0; 5];
    client.read_exact(&mut came).await.expect("a socket");
    assert_eq!(&came, b"hello");
    connection.abort();
}

/// Done once it was polled so often, by waking itself in between.
async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// Says when it goes.
struct Gone(Option<tokio::sync::oneshot::Sender<()>>);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.take().expect("dropped once").send(());
    }
}

#[tokio::test]
async fn streams_run_in_the_task_of_their_connection_as_often_as_they_are_woken() {
    use hyper::rt::Executor;
    let (_client, server) = pair().await;
    let (done, mut all) = tokio::sync::mpsc::unbounded_channel();
    let connection = connected(server, |_, spawner| async move {
        for n in 0..10 {
            let (done, spawner_of_stream) = (done.clone(), spawner.clone());
            spawner.execute(async move {
                turns(n * 7).await;
                // Woken by another task, and by a clock.
                let other = tokio::spawn(turns(n));
                tokio::time::sleep(Duration::from_millis(n as u64)).await;
                other.await.expect("no panic");
                let task = tokio::task::id();
                done.send((n, task)).expect("somebody listens");
                // A place that is free is taken again.
                spawner_of_stream.execute(async move {
                    turns(3).await;
                    done.send((n, task)).expect("somebody listens");
                });
            });
        }
        core::future::pending::<()>().await;
    });
    let connection = tokio::spawn(connection);
    let mut counts = [0; 10];
    for _ in 0..20 {
        let (n, task) = all.recv().await.expect("all are run");
        assert_eq!(task, connection.id());
        counts[n] += 1;
    }
    assert_eq!(counts, [2; 10]);
    connection.abort();
}

#[tokio::test]
async fn a_stream_that_panics_ends_no_other() {
    use hyper::rt::Executor;
    let (_client, server) = pair().await;
    let (done, ended) = tokio::sync::oneshot::channel();
    let connection = connected(server, |_, spawner| async move {
        spawner.execute(async {
            turns(1).await;
            panic!("as told");
        });
        spawner.execute(async {
            turns(20).await;
            done.send(()).expect("somebody listens");
        });
        core::future::pending::<()>().await;
    });
    let connection = tokio::spawn(connection);
    ended.await.expect("it goes on");
    connection.abort();
}

#[tokio::test]
async fn streams_end_with_their_connection() {
    use hyper::rt::Executor;
    let (_client, server) = pair().await;
    let (polled, polled_gone) = tokio::sync::oneshot::channel();
    let (new, new_gone) = tokio::sync::oneshot::channel();
    let (polled, new) = (Gone(Some(polled)), Gone(Some(new)));
    let connection = connected(server, |_, spawner| async move {
        spawner.execute(async move {
            let _polled = polled;
            core::future::pending::<()>().await;
        });
        turns(20).await;
        // The connection is over before anybody polls this one.
        spawner.execute(async move { drop(new) });
    });
    connection.await;
    polled_gone.await.expect("it goes");
    new_gone.await.expect("it goes");
}

/// Streams that are always woken, and a client that waits for what they have had written.
#[tokio::test]
async fn what_is_written_does_not_wait_for_streams_that_are_always_woken() {
    use hyper::rt::Executor;
    let (mut client, server) = pair().await;
    let connection = connected(server, |mut transport, spawner| async move {
        spawner.execute(async {
            loop {
                turns(1).await;
            }
        });
        transport.write_all(b"hello").await.expect("room");
        core::future::pending::<()>().await;
    });
    let connection = tokio::spawn(connection);
    let mut came = [0; 5];
    client.read_exact(&mut came).await.expect("a socket");
    assert_eq!(&came, b"hello");
    connection.abort();
}

/// tokio lets a task do so much before it has to wait, and the streams of a connection have that
/// together: one that always uses it up must not stop the others, nor what is written.
#[tokio::test]
async fn a_stream_that_uses_up_the_budget_of_the_task_stops_no_other_and_no_write() {
    use hyper::rt::Executor;
    let (mut client, server) = pair().await;
    let (done, ended) = tokio::sync::oneshot::channel();
    let connection = connected(server, |mut transport, spawner| async move {
        spawner.execute(async {
            loop {
                tokio::task::consume_budget().await;
            }
        });
        spawner.execute(async {
            for _ in 0..1_000 {
                tokio::task::consume_budget().await;
            }
            done.send(()).expect("somebody listens");
        });
        transport.write_all(b"hello").await.expect("room");
        core::future::pending::<()>().await;
    });
    let connection = tokio::spawn(connection);
    let mut came = [0; 5];
    let patience = Duration::from_secs(20);
    let read = tokio::time::timeout(patience, client.read_exact(&mut came)).await;
    read.expect("it is written").expect("a socket");
    assert_eq!(&came, b"hello");
    tokio::time::timeout(patience, ended).await.expect("it has its turn").expect("it goes on");
    connection.abort();
}
