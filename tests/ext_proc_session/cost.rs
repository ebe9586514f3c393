//! I11: a chunk that passes a session allocates nothing and copies nothing, from what was read to
//! what is written; and a body that nobody edits is not kept.

use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::{Session, SessionOutput, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::{Decoder, WireLimits, encode};
use tidegate::{Capability, Declaration, Filter, Head, Verdict, View};

use crate::counting::allocations;
use crate::messages::{message_frame, protocol_config, request_body, request_headers};
use crate::support::both;

const MESSAGES: usize = 200;

/// May edit, looks at everything, and passes it.
struct Looks;

impl<H: Head> Filter<H> for Looks {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::PASS
    }
}

/// The wire of many messages with bodies of `len`, in reads of `piece`.
fn reads(len: usize, piece: usize, messages: usize) -> Vec<Bytes> {
    let frame = message_frame(&request_body(vec![7; len], false));
    let mut all = Bytes::from(vec![frame; messages].concat());
    // Shared already: the first split of a fresh one costs an allocation inside `bytes`.
    drop(all.clone());
    let mut reads = Vec::new();
    while !all.is_empty() {
        reads.push(all.split_to(piece.min(all.len())));
    }
    reads
}

fn session(mode: BodyMode, filters: usize) -> (Session, Decoder) {
    let mut plan = ExchangePlan::builder();
    for k in 0..filters {
        plan = plan.request(format!("looks {k}"), || Looks);
    }
    let plan = plan.build().expect("a plan");
    let plan = SessionPlan::new(plan, SessionSettings::new(both(mode))).expect("it fits");
    let (mut session, mut decoder) = (plan.session(), Decoder::new(WireLimits::new()));
    let head = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];
    let config = protocol_config(mode.number(), mode.number());
    decoder.push(message_frame(&request_headers(&head, false).first(config)));
    let mut out = 0;
    give(&mut session, &mut decoder, &[], &mut out);
    assert!(out > 0, "the head is answered");
    (session, decoder)
}

/// Gives the session what was read, and writes what it answers. Adds the bytes written to `out`.
fn give(session: &mut Session, decoder: &mut Decoder, reads: &[Bytes], out: &mut u64) {
    let cx = Context::from_waker(Waker::noop());
    for at in 0..reads.len().max(1) {
        if let Some(read) = reads.get(at) {
            decoder.push(read.clone());
        }
        while let Some(event) = decoder.next().expect("good messages") {
            session.handle(event);
        }
        while let Poll::Ready(SessionOutput::Reply(reply)) = session.poll_reply(&cx) {
            let mut frame = encode(reply).expect("it fits");
            while frame.has_remaining() {
                let mut slices = [std::io::IoSlice::new(b""); 8];
                let n = frame.chunks_vectored(&mut slices);
                let len: usize = slices[..n].iter().map(|slice| slice.len()).sum();
                frame.advance(len);
                *out += len as u64;
            }
        }
    }
}

#[test]
fn i11_a_chunk_allocates_nothing_from_read_to_write() {
    for mode in [BodyMode::FullDuplexStreamed, BodyMode::Streamed] {
        for filters in [0, 1, 8] {
            for (len, piece) in [(16_384, 16_384), (16_384, 8_192), (100, 16_384), (600, 250)] {
                let (mut session, mut decoder) = session(mode, filters);
                let mut out = 0;
                give(&mut session, &mut decoder, &reads(len, piece, MESSAGES), &mut out);
                let reads = reads(len, piece, MESSAGES);
                out = 0;
                let n = allocations(|| give(&mut session, &mut decoder, &reads, &mut out));
                let case = format!("{mode}, {filters} filters, {len} bytes in reads of {piece}");
                assert_eq!(n, 0, "{case}");
                let bodies = (MESSAGES * len) as u64;
                let is_duplex = mode == BodyMode::FullDuplexStreamed;
                assert_eq!(out >= bodies, is_duplex, "{case}: {out} bytes written");
            }
        }
    }
}

#[test]
fn t14_a_buffered_body_that_nobody_may_edit_is_not_kept() {
    for filters in [0, 1] {
        let (mut session, mut decoder) = session(BodyMode::Buffered, filters);
        let len = 4 * 1024 * 1024;
        let reads = reads(len, 16_384, 1);
        let (most, mut out) = (reads.len() / 2, 0);
        give(&mut session, &mut decoder, &reads[..most], &mut out);
        let kept = session.held_bytes();
        let is_kept = kept > (len / 3) as u64;
        assert_eq!(is_kept, filters == 1, "{kept} bytes are kept of {len}");
        give(&mut session, &mut decoder, &reads[most..], &mut out);
        assert!(out > 0 && out < 100, "an answer without a body, as nobody edited: {out}");
    }
}
