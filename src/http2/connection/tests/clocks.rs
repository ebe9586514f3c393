use core::future::{pending, poll_fn};
use core::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::super::clock::{Clock, Life};
use super::{Client, ConnectionEnd, Ended, KEEP_ALIVE, Reply, served};
use crate::http2::protocol::tests::world::frame;
use crate::limits::{
    FIRST_FRAME_SECONDS, KEEP_ALIVE_ANSWER_SECONDS, LINGER_SECONDS, MAX_LINGER_BYTES,
};

const HOUR: Duration = Duration::from_secs(3600);

/// With a stream that is never answered.
async fn waiting() -> (Client, Ended) {
    let (mut client, ended) = served(65_536, pending(), |_| pending());
    client.greet(65_535).await;
    client.send(&frame::request(1, true)).await;
    client.next(frame::SETTINGS).await;
    (client, ended)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_has_not_long() {
    let begun = Instant::now();
    let (mut client, ended) = served(64, pending(), |_| pending());
    client.send(&frame::PREFACE[..10]).await;
    assert!(matches!(ended.await.expect("no panic"), Err(ConnectionEnd::Silent)));
    assert_eq!(begun.elapsed().as_secs(), FIRST_FRAME_SECONDS);
}

#[tokio::test(start_paused = true)]
async fn a_client_with_streams_is_asked_and_given_up() {
    let (mut client, ended) = waiting().await;
    let begun = Instant::now();
    let ping = client.next(frame::PING).await;
    assert!(!ping.has(frame::ACK), "nobody has asked the server");
    let asked = begun.elapsed();
    // The time begins behind that for the greeting.
    assert!(asked >= KEEP_ALIVE && asked <= KEEP_ALIVE + Duration::from_secs(11), "{asked:?}");
    assert!(matches!(ended.await.expect("no panic"), Err(ConnectionEnd::Silent)));
    assert_eq!((begun.elapsed() - asked).as_secs(), KEEP_ALIVE_ANSWER_SECONDS);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_is_kept() {
    let (mut client, ended) = waiting().await;
    for _ in 0..10 {
        let ping = client.next(frame::PING).await;
        client.send(&frame::frame(frame::PING, frame::ACK, 0, &ping.payload)).await;
    }
    assert!(!ended.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_client_without_streams_is_not_asked() {
    let (mut client, ended) = served(65_536, pending(), |_| async { Reply::of(10) });
    client.greet(65_535).await;
    client.send(&frame::request(1, true)).await;
    assert_eq!(client.bodies(1).await[&1].len(), 10);
    assert!(timeout(HOUR, client.frame()).await.is_err(), "it says nothing");
    assert!(!ended.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_leaves_serves_what_has_come_and_no_more() {
    let (leave, left) = oneshot::channel::<()>();
    let (go_on, gone_on) = oneshot::channel::<()>();
    let gone_on = std::sync::Mutex::new(Some(gone_on));
    let left = async move { _ = left.await };
    let (mut client, ended) = served(65_536, left, move |_| {
        let gone_on = gone_on.lock().expect("no panic").take();
        async move {
            if let Some(gone_on) = gone_on {
                _ = gone_on.await;
            }
            Reply::of(10)
        }
    });
    client.greet(65_535).await;
    client.send(&frame::request(1, true)).await;
    client.next(frame::SETTINGS).await;
    leave.send(()).expect("it waits");
    assert_eq!(frame::number(&client.next(frame::GOAWAY).await.payload), 0x7fff_ffff);
    client.send(&frame::request(3, true)).await;
    let ping = client.next(frame::PING).await;
    assert_eq!(client.bodies(1).await[&3].len(), 10, "it had not heard");
    client.send(&frame::frame(frame::PING, frame::ACK, 0, &ping.payload)).await;
    assert_eq!(frame::number(&client.next(frame::GOAWAY).await.payload), 3);
    go_on.send(()).expect("it waits");
    assert_eq!(client.bodies(1).await[&1].len(), 10);
    assert_eq!(client.frame().await, None);
    drop(client);
    ended.await.expect("no panic").expect("it ends well");
}

#[tokio::test(start_paused = true)]
async fn who_has_broken_the_rules_reads_why_and_has_not_long() {
    let (mut client, ended) = waiting().await;
    client.send(&frame::data(0, b"", false)).await;
    let begun = Instant::now();
    let go_away = client.next(frame::GOAWAY).await;
    assert!(go_away.payload.ends_with(b"DATA of no stream"));
    assert_eq!(client.frame().await, None);
    assert!(matches!(ended.await.expect("no panic"), Err(ConnectionEnd::Broken(_))));
    assert_eq!(begun.elapsed().as_secs(), LINGER_SECONDS);
}

#[tokio::test(start_paused = true)]
async fn what_is_thrown_away_is_bounded() {
    let (mut client, ended) = waiting().await;
    let begun = Instant::now();
    client.send(&frame::data(0, b"", false)).await;
    let mut sent = 0;
    while client.stream.write_all(&[0; 1000]).await.is_ok() {
        sent += 1000;
    }
    assert!((MAX_LINGER_BYTES..MAX_LINGER_BYTES + 200_000).contains(&sent), "{sent}");
    assert!(matches!(ended.await.expect("no panic"), Err(ConnectionEnd::Broken(_))));
    assert_eq!(begun.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_no_clock_can_tell_is_never() {
    let mut clock = Clock::new(Some(Duration::MAX));
    let life = Life { is_greeted: true, has_streams: true, reads: 0 };
    let due = timeout(1000 * 24 * HOUR, poll_fn(|cx| clock.poll(cx, &life))).await;
    assert!(due.is_err(), "{due:?}");
}
