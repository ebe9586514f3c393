//! Two threads that do nothing but send and receive.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate::pipe::{Cut, Next, pipe};
use tidegate::watermark::Marks;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs it on this thread. A lost wake is an error after some seconds.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
        let parked = Instant::now();
        thread::park_timeout(Duration::from_secs(20));
        assert!(parked.elapsed() < Duration::from_secs(20), "a wake was lost");
    }
}

/// The same of both sides, of all bytes in order.
fn checksum(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte) + 1))
}

fn chunk(n: u64) -> Bytes {
    let bytes: Vec<u8> = (0..n % 37).map(|i| (n.wrapping_mul(7) + i).to_le_bytes()[0]).collect();
    Bytes::from(bytes)
}

/// Carries chunks from thread to thread for a while; how many.
fn carry(marks: Marks, end: Option<u64>) -> u64 {
    let (mut sender, mut receiver) = pipe::<Bytes, u64, ()>(marks);
    let until = Instant::now() + Duration::from_millis(400);
    let sending = thread::spawn(move || {
        block_on(async {
            let (mut sum, mut n) = (0, 0);
            while n < 50_000 && Instant::now() < until {
                let chunk = chunk(n);
                sum = checksum(sum, &chunk);
                sender.send(chunk).await.unwrap();
                n += 1;
            }
            if let Some(end) = end {
                sender.finish(end).unwrap();
            }
            (sum, n)
        })
    });
    let (sum, n) = block_on(async {
        let (mut sum, mut n) = (0, 0);
        loop {
            match receiver.next().await {
                Next::Item(chunk) => {
                    sum = checksum(sum, &chunk);
                    n += 1;
                }
                Next::Finished(told) => {
                    assert_eq!(Some(told), end);
                    return (sum, n);
                }
                Next::Cut(cut) => {
                    assert_eq!((cut, end), (Cut::Cancelled, None));
                    return (sum, n);
                }
                Next::Over => panic!("no end"),
            }
        }
    });
    assert_eq!(sending.join().unwrap(), (sum, n));
    assert_eq!(receiver.held_bytes(), 0);
    n
}

#[test]
fn two_threads_carry_what_was_sent() {
    for high_bytes in [0, 500, 20_000] {
        let low_high = Marks::new(high_bytes / 2, high_bytes).unwrap();
        for end in [Some(9), None] {
            let carried = carry(low_high, end);
            assert!(carried > 100, "{carried} chunks");
        }
    }
}
