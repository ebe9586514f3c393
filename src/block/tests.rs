use core::num::NonZeroUsize;
use std::collections::VecDeque;
use std::thread;

use bytes::BufMut;

use super::{BlockPool, ReadBlock};

const SIZE: usize = 4096;

fn pool(blocks: usize) -> BlockPool {
    BlockPool::new(NonZeroUsize::new(SIZE).expect("not 0"), blocks)
}

/// Reads `n` bytes of value `fill` into the block.
fn read(block: &mut ReadBlock, fill: u8, n: usize) -> bytes::Bytes {
    block.room().put_bytes(fill, n);
    block.split()
}

#[test]
fn a_block_is_used_again_once_its_slices_are_gone() {
    let pool = pool(4);
    let mut block = pool.take();
    let chunk = read(&mut block, 1, SIZE);
    let at = chunk.as_ptr();
    drop(block);
    let slice = chunk.slice(10..11);
    drop(chunk);
    // One byte of it is alive.
    let mut other = pool.take();
    assert_ne!(read(&mut other, 2, 1).as_ptr(), at);
    assert_eq!(slice, [1][..]);
    drop(slice);
    drop(other);
    let mut places: Vec<_> = Vec::new();
    let mut blocks: Vec<_> = (0..2).map(|_| pool.take()).collect();
    for block in &mut blocks {
        assert_eq!(block.room_bytes(), SIZE, "all of its room");
        assert!(block.filled().is_empty());
        places.push(read(block, 3, 1).as_ptr());
    }
    assert!(places.contains(&at), "the very same memory");
    let stats = pool.stats();
    assert_eq!((stats.made, stats.reused, stats.pinned), (2, 2, 1));
}

#[test]
fn a_block_never_grows() {
    let pool = pool(1);
    let mut block = pool.take();
    assert_eq!(block.room().remaining_mut(), SIZE);
    let first = read(&mut block, 1, 100);
    assert_eq!((block.room_bytes(), block.room().remaining_mut()), (SIZE - 100, SIZE - 100));
    let second = read(&mut block, 2, SIZE - 100);
    assert_eq!((block.room_bytes(), block.room().remaining_mut()), (0, 0));
    assert_eq!((first[99], second[0], second.len()), (1, 2, SIZE - 100));
}

#[test]
fn what_was_read_and_not_taken_is_not_seen_by_the_next() {
    let pool = pool(1);
    let mut block = pool.take();
    block.room().put_slice(b"secret");
    assert_eq!(block.filled(), b"secret");
    drop(block);
    let mut block = pool.take();
    assert_eq!(pool.stats().reused, 1);
    assert!(block.filled().is_empty());
    assert!(block.split().is_empty());
    assert_eq!(block.room_bytes(), SIZE);
}

/// A window of chunks that queue: after the first turn nothing is allocated, and no more than the
/// bound is kept.
#[test]
fn a_window_of_queued_chunks_goes_round() {
    const WINDOW: usize = 16;
    let pool = pool(WINDOW + 4);
    let mut made = 0;
    let mut queue = VecDeque::new();
    for turn in 0..1000usize {
        if turn == 200 {
            made = pool.stats().made;
        }
        let mut block = pool.take();
        queue.push_back((turn as u8, read(&mut block, turn as u8, SIZE)));
        drop(block);
        if queue.len() > WINDOW {
            let (fill, chunk) = queue.pop_front().expect("a full window");
            assert!(chunk.iter().all(|&byte| byte == fill), "nobody writes what is looked at");
        }
    }
    let stats = pool.stats();
    assert!(made <= 2 * WINDOW as u64, "{made} blocks for a window of {WINDOW}");
    assert_eq!(stats.made, made, "a steady state allocates nothing");
    assert_eq!(stats.made + stats.reused, 1000);
    queue.clear();
    assert!(pool.stats().kept * SIZE <= pool.bound_bytes());
}

#[test]
fn more_blocks_than_it_keeps_are_dropped() {
    let pool = pool(2);
    let blocks: Vec<_> = (0..5).map(|_| pool.take()).collect();
    drop(blocks);
    let stats = pool.stats();
    assert_eq!((stats.kept, stats.refused, stats.made), (2, 3, 5));
    assert_eq!(pool.bound_bytes(), 2 * SIZE);
}

/// A pinned block that came back long ago does not keep the others from being used.
#[test]
fn one_slow_reader_does_not_pin_the_pool() {
    let pool = pool(8);
    let slow = read(&mut pool.take(), 1, SIZE);
    for _ in 0..100 {
        drop(read(&mut pool.take(), 2, SIZE));
    }
    assert!(slow.iter().all(|&byte| byte == 1));
    assert!(pool.stats().made <= 2, "{:?}", pool.stats());
}

#[test]
fn blocks_and_slices_go_back_from_any_thread_and_outlive_the_pool() {
    let pool = pool(4);
    for turn in 0..100u8 {
        let mut block = pool.take();
        let chunk = read(&mut block, turn, SIZE);
        let other = thread::spawn(move || {
            drop(block);
            assert!(chunk.iter().all(|&byte| byte == turn));
        });
        other.join().expect("the chunk is whole");
    }
    assert_eq!(pool.stats().made, 1);
    let mut block = pool.take();
    drop(pool);
    let chunk = read(&mut block, 9, SIZE);
    drop(block);
    assert_eq!(chunk.len(), SIZE);
}
