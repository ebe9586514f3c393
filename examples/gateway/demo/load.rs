//! Reloads while clients send: every fourth file is broken, and nobody may notice any of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::Size;
use super::client::{Client, field};
use super::rig::{Rig, Route};
use crate::gateway::ends::BoxError;
use crate::gateway::event::Event;

/// How many exchanges there are at least between two reloads.
const BETWEEN: u64 = 32;

/// How long all of it may take.
const LOAD_LIMIT: Duration = Duration::from_secs(120);

/// Runs it. Answers how many requests were sent.
pub(super) async fn run(rig: &mut Rig, size: &Size) -> Result<u64, BoxError> {
    println!("{} clients send while the file is written {} times:", size.clients, size.reloads);
    let (sent, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..size.clients)
        .map(|i| {
            let (client, sent) = (rig.client.clone(), Arc::clone(&sent));
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    exchange(&client, i, number).await.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    let limit = tokio::time::timeout(LOAD_LIMIT, reload(rig, size, &sent));
    let reloaded = limit.await.unwrap_or_else(|_| Err("the load does not end".into()));
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await??;
    }
    reloaded?;
    Ok(sent.load(Ordering::Relaxed))
}

/// One exchange, whose answer has to be whole, and of one plan.
async fn exchange(client: &Client, i: usize, number: u64) -> Result<(), BoxError> {
    let bytes = usize::try_from(number * 7919 % 60_000)?;
    let body = Bytes::from(vec![b'a' + (i % 26) as u8; bytes]);
    let path = if number.is_multiple_of(2) { "/one/x" } else { "/two" };
    let response = client.send(path, body.clone()).await?;
    let (asked, answered) = (field(&response, "x-request-plan"), field(&response, "x-plan"));
    if response.status() != StatusCode::OK || !field(&response, "x-served").is_empty() {
        return Err(format!("{path}: {}", response.status()).into());
    }
    if asked.is_empty() || asked != answered {
        return Err(format!("{path}: the request met `{asked}`, its response `{answered}`").into());
    }
    if *response.body() != body {
        return Err(format!("{path}: another body came back").into());
    }
    Ok(())
}

/// Writes the file again and again, and waits for what the gateway makes of it.
async fn reload(rig: &mut Rig, size: &Size, sent: &AtomicU64) -> Result<(), BoxError> {
    for n in 0..size.reloads {
        let from = sent.load(Ordering::Relaxed);
        while sent.load(Ordering::Relaxed) < from + BETWEEN {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let is_broken = n % 4 == 3;
        if is_broken {
            rig.write_broken()?;
        } else {
            let version = 100 + n;
            rig.write([Route { version, faulty: false }; 2])?;
        }
        match (rig.event().await?, is_broken) {
            (Event::Refused(_), true) => {}
            (Event::Published(report), false) if report.faults.is_empty() => {}
            (event, _) => return Err(format!("reload {n}: {event}").into()),
        }
    }
    Ok(())
}
