//! Section 5.1.2: more streams than a connection may have; and what refused requests leave behind.

use crate::carrier::Server;
use crate::case::each;
use crate::client::Client;
use crate::frames::code::{CANCEL, PROTOCOL_ERROR, REFUSED_STREAM};
use crate::frames::{GOT, PROCESS, flag, get, headers, open, reset, setting};
use crate::hpack::{INDEXED, LATEST, block, indexed, literal};
use crate::record::End;

/// How many streams the server allows.
const STREAMS: u32 = 3;

/// A call without its type of content, which `more` has to say.
fn untyped(stream: u32, more: &[Vec<u8>]) -> Vec<u8> {
    let rest: Vec<_> = PROCESS.into_iter().filter(|field| field.0 != "content-type").collect();
    headers(stream, flag::WHOLE, &[block(&rest), more.concat()].concat())
}

/// The type of content, as an entry for the dynamic table.
fn typed() -> Vec<u8> {
    literal(INDEXED, b"content-type", b"application/grpc")
}

/// What [`untyped`] is answered when the type of content is there, and when it is not.
const TYPED: u32 = 200;
const UNTYPED: u32 = 415;

#[tokio::test]
async fn a_stream_too_many_is_refused_and_its_fields_are_not_forgotten() {
    each(async |carrier| {
        let server = Server::start_with(carrier, |it| it.max_streams(STREAMS)).await;
        let mut client = Client::connect(&server, &[]).await;
        let allowed = client.record.settings.as_ref().unwrap()[&setting::MAX_CONCURRENT_STREAMS];
        assert_eq!(allowed, STREAMS, "{carrier:?}");
        client.send(&[open(1), open(3), open(5), untyped(7, &[typed()])].concat()).await;
        assert!(client.until(|record| record.end(7).is_some()).await, "{:?}", client.record.goaway);
        let refused = [End::Reset(REFUSED_STREAM), End::Reset(PROTOCOL_ERROR)];
        assert!(refused.contains(&client.record.end(7).unwrap()), "{:?}", client.record.end(7));
        // Those that were there go on, and where one has ended there is room.
        assert!(client.lives().await);
        client.send(&[reset(3, CANCEL), untyped(9, &[indexed(LATEST)])].concat()).await;
        assert_eq!(client.answer(9).await.value(":status"), Some(TYPED), "{carrier:?}");
    })
    .await;
}

/// What [`TYPED`] is worth: without the entry there is another answer.
#[tokio::test]
async fn a_call_without_its_type_is_none() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        let mut client = Client::connect(&server, &[]).await;
        client.send(&untyped(1, &[])).await;
        assert_eq!(client.answer(1).await.value(":status"), Some(UNTYPED), "{carrier:?}");
    })
    .await;
}

/// What a server takes that does not say, in bytes: more than any of ours.
const UNSAID_BYTES: u32 = 256 * 1024;

/// Section 10.5.1: refused, with 431 or a reset; the connection lives, and its tables are in step.
#[tokio::test]
async fn a_header_list_above_the_limit_is_refused_and_its_entries_are_not_forgotten() {
    each(async |carrier| {
        let server = Server::start(carrier).await;
        for is_first in [true, false] {
            let mut client = Client::connect(&server, &[]).await;
            let said = client.record.settings.as_ref().unwrap();
            let limit = said.get(&setting::MAX_HEADER_LIST_SIZE).unwrap_or(&UNSAID_BYTES);
            let large: Vec<Vec<u8>> =
                (0..limit / 1000 + 1).map(|_| literal(0, b"x", &[b'x'; 1000])).collect();
            let fields = [vec![typed()], large.clone()];
            let fields = if is_first { fields.concat() } else { [large, vec![typed()]].concat() };
            client.send(&untyped(1, &fields)).await;
            let came = client.until(|record| record.end(1).is_some()).await;
            assert!(came, "{carrier:?}: {:?}", client.record.goaway);
            let status = client.record.streams[&1].value(":status");
            assert!(matches!(status, None | Some(431)), "{carrier:?}: {status:?}");
            client.send(&untyped(3, &[indexed(LATEST)])).await;
            assert_eq!(client.answer(3).await.value(":status"), Some(TYPED), "{carrier:?}");
        }
    })
    .await;
}

/// As many as are allowed, each served by the end of another.
#[tokio::test]
async fn streams_that_end_make_room() {
    each(async |carrier| {
        let server = Server::start_with(carrier, |it| it.max_streams(1)).await;
        let mut client = Client::connect(&server, &[]).await;
        for stream in (1..200).step_by(2) {
            client.send(&get(stream)).await;
            let answer = client.answer(stream).await;
            assert_eq!(answer.value(":status"), Some(u32::from(GOT)), "{carrier:?}");
        }
    })
    .await;
}
