//! Every bound and default of the crate, with its reason.
//!
//! A bound is stated once, here. Code that enforces one names it.
//!
//! This module never depends on another.

/// The largest piece of body that enters a chain at once, in bytes.
///
/// Larger frames are split at the entrance without copying (rule I7). 64 KiB is four of Envoy's
/// DATA frames and the size from which a `memcpy` costs more than a virtual call by far.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// The default high watermark of one station, in bytes: above it the source is paused, or the
/// message answered 413 / 500, as the filter's last verdict says.
pub const DEFAULT_HIGH_BYTES: u64 = 64 * 1024;

/// The default low watermark of one station, in bytes: half of the high mark, as in Envoy.
pub const DEFAULT_LOW_BYTES: u64 = DEFAULT_HIGH_BYTES / 2;

/// Segments below this many bytes are packed when they come to rest (rule I11). Envoy coalesces
/// below the same size.
pub const PACK_BELOW_BYTES: usize = 512;

/// The size of a packing block, in bytes: one allocation for this many packed bytes.
pub const PACK_BLOCK_BYTES: usize = 4 * 1024;

/// How many segments a buffer at rest may have whatever its length: the constant of the cap
/// `SEGMENTS_AT_REST + len / BYTES_PER_SEGMENT_AT_REST`. Past the cap it is compacted.
///
/// Compaction leaves at most `2 + len / 256` segments, so that at least 14 more must be made
/// before the next one: its cost is shared by them.
pub const SEGMENTS_AT_REST: usize = 16;

/// How many bytes of body pay for one segment more at rest (see [`SEGMENTS_AT_REST`]).
///
/// Half of what compaction leaves in the worst case (a small segment between any two of
/// [`PACK_BELOW_BYTES`]): the distance between the two makes compaction amortised O(1).
pub const BYTES_PER_SEGMENT_AT_REST: usize = PACK_BELOW_BYTES / 4;

/// How many empty segment slots an idle buffer keeps, so that steady traffic allocates nothing:
/// 8 KiB of handles, four windows of 64 segments.
pub const SEGMENT_SLOTS_KEPT: usize = 256;

/// How many slots a buffer at rest may keep for each segment it holds, besides
/// [`SEGMENT_SLOTS_KEPT`]. A deque doubles when it is full; twice that leaves room between
/// growing and shrinking.
pub const SLOTS_PER_SEGMENT_KEPT: usize = 4;

/// What the bookkeeping of one buffer at rest costs at most, in bytes, whatever it holds: kept
/// slots, the slots of [`SEGMENTS_AT_REST`], an open packing block and a used one, and the buffer
/// itself.
///
/// Bookkeeping at rest is at most `BOOKKEEPING_BASE_BYTES + len * BOOKKEEPING_BYTES_PER_BYTE`.
pub const BOOKKEEPING_BASE_BYTES: usize = 20 * 1024;

/// What the bookkeeping of a buffer at rest costs at most for each byte of body, in bytes.
///
/// This is the worst case (512 B segments with one byte between, in a deque at its widest). With
/// segments of 16 KiB it is 1/128 at most.
pub const BOOKKEEPING_BYTES_PER_BYTE: usize = 1;

/// The most filters in one chain: a station mask is one `u64` word.
pub const MAX_FILTERS: usize = 64;

/// The most results that one filter can declare besides success: a result is one byte.
pub const MAX_RESULTS: usize = 255;

const _: () = assert!(DEFAULT_LOW_BYTES <= DEFAULT_HIGH_BYTES, "low <= high");
const _: () = assert!(PACK_BELOW_BYTES <= PACK_BLOCK_BYTES, "a packed segment fits its block");
const _: () = assert!(MAX_FILTERS <= u64::BITS as usize, "masks are one word");
const _: () = assert!(
    2 + 1024 / (PACK_BELOW_BYTES / 2) < SEGMENTS_AT_REST + 1024 / BYTES_PER_SEGMENT_AT_REST,
    "compaction gets below the cap"
);

/// After so many filter calls one entry into the engine starts nothing more (rule I13); a wave that
/// is under way is finished. What is left is reported as more work, so that a filter that keeps
/// itself busy cannot hold a thread.
pub const MAX_CALLS_PER_DRIVE: u32 = 1024;

/// The most frames that one poll of an edge takes from a source that is always ready, while the
/// chain gives nothing out (rule I13). Then the edge wakes itself, so that other tasks get their
/// turn.
pub const MAX_FRAMES_PER_POLL: u32 = 64;

/// For how many chains a plan keeps what they were made of, if its builder does not say otherwise:
/// as many messages of one direction as begin and end at the same time on a busy machine.
pub const CHAINS_KEPT: usize = 128;

/// The most bytes that the buffers of a kept chain may cost, in bytes: the packing blocks of two
/// stations and some windows of segments. One that has grown beyond it gives its buffers back.
///
/// What a plan keeps is bounded by [`CHAINS_KEPT`] times this, besides tables and filters.
pub const RECYCLED_CHAIN_BYTES: usize = 32 * 1024;
/// The most informational heads (1xx) of one response; more are dropped and counted. Servers send
/// one `100`, perhaps some `103`, and a `102` now and then; each that the sink has not taken is
/// kept.
pub const MAX_INFORMATIONAL_HEADS: u32 = 64;

/// The most bytes that one filter can state to keep, so that sums over a chain cannot overflow.
pub const MAX_KEPT_BYTES: u64 = 1 << 48;

/// What one item in a pipe is charged at least besides its own weight, in bytes: the slot of a
/// `Bytes`, in a deque that may be half empty. So a pipe of empty items is bounded too. An item
/// with a larger slot is charged that.
pub const PIPE_ITEM_COST_BYTES: u64 = 96;

/// The most that one item of a pipe is taken to weigh, in bytes; more counts as this.
pub const MAX_PIPE_ITEM_BYTES: u64 = 1 << 48;

/// The highest mark of a pipe, in bytes; a higher one counts as this. With one item more it is
/// still a number of 61 bits, in which the weight is counted.
pub const MAX_PIPE_MARK_BYTES: u64 = 1 << 60;

/// How many kept blocks are looked at for one that is free, before a new one is made. Blocks come
/// free in the order in which they came back, but for those that a slow reader has pinned.
pub const BLOCKS_TRIED: usize = 4;

/// How many epochs of a table may be alive, if the table does not say otherwise. An old epoch costs
/// the entries that its messages still use, not its whole map; but one that never goes is a message
/// that never ends, and a thousand of them should not go unnoticed.
pub const MAX_LIVE_EPOCHS: usize = 1024;

/// How long an extension is left alone that a build has found down for the first time, in
/// milliseconds: shorter than a restart takes, and not so short that waiting costs anything. A
/// publish that a table has refused waits as long.
pub const FIRST_RETRY_MILLIS: u64 = 500;

/// The longest time between two retries of an extension that a build has found down, in
/// milliseconds: so long can a recovery that nobody tells stay unnoticed.
pub const LONGEST_RETRY_MILLIS: u64 = 30_000;

/// The most keys that one session of a consumer subscribes to: each costs the producer its name and
/// two words, whether or not there is an entry.
pub const MAX_SUBSCRIBED_KEYS: usize = 65_536;
/// The most definitions of filters in one configuration, and the most finalizers: twice what both
/// chains can have.
pub const MAX_CONFIG_FILTERS: usize = 4 * MAX_FILTERS;

/// The most nodes in one pipeline of a configuration: what both chains can have, a call, and some
/// ends.
pub const MAX_CONFIG_NODES: usize = 3 * MAX_FILTERS;

/// The most jumps of one node in a configuration.
pub const MAX_CONFIG_JUMPS: usize = 64;

/// The most failure statuses, or ranges of them, of one call in a configuration.
pub const MAX_CONFIG_STATUSES: usize = 64;

/// The longest name in a configuration, in bytes. Errors quote names, so that it is also what one
/// line of an error can bear.
pub const MAX_CONFIG_NAME_BYTES: usize = 128;

/// The most that the settings of one filter can be, in bytes: those of their text, and
/// `size_of::<serde_json::Value>()` for each value and each key.
pub const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// How deep lists and maps can be nested in the settings of a filter.
pub const MAX_SETTINGS_DEPTH: usize = 32;

/// The most bytes of one head or trailers that an external processor takes, encoded: twice the
/// 60 KiB that Envoy takes by default. Envoy can be told to take 8 MiB; then this is to be raised.
pub const DEFAULT_SECTION_BYTES: u32 = 128 * 1024;

/// The most fields of one head or trailers that an external processor takes: ten times the 100
/// that Envoy takes by default.
pub const DEFAULT_SECTION_FIELDS: usize = 1024;

/// The most fields of one head or trailers that can be allowed: `http::HeaderMap` holds 24,576
/// names.
pub const MAX_SECTION_FIELDS: usize = 16 * 1024;

/// The most bytes that attributes and metadata of one message to an external processor may have,
/// encoded. Metadata is what other filters of the data plane left, such as the claims of a token.
pub const DEFAULT_ENVELOPE_BYTES: u32 = 128 * 1024;

/// How deep structs and lists can be nested in attributes and metadata. The same as in settings;
/// `prost` reads a little more.
pub const MAX_STRUCT_DEPTH: usize = 32;
/// How much of a stream of external processing may have come that the filters have not taken, in
/// bytes, before the stream is not read any more: four windows of Envoy's DATA frames of 16 KiB,
/// so that a direction that waits does not stop the other at once.
pub const SESSION_QUEUE_BYTES: u64 = 256 * 1024;

/// The longest body of a local reply of an external processor, in bytes: it goes in one message,
/// and Envoy keeps it whole.
pub const MAX_IMMEDIATE_BODY_BYTES: u64 = 1024 * 1024;

/// The longest body that an external processor keeps whole for one answer, in bytes: twice Envoy's
/// default stream window, as an Envoy that is not told otherwise sends a little more than that in
/// one message.
pub const MAX_WHOLE_BODY_BYTES: u64 = 32 * 1024 * 1024;

/// The largest piece of body in one answer of full duplex, in bytes: data planes that limit it
/// allow 64 KiB and more; this leaves some room for what stands around it (pitfall P15).
pub const DUPLEX_PIECE_BYTES: usize = 62_000;

/// The longest `message_timeout` and `max_message_timeout` of Envoy's `ext_proc` filter, in
/// milliseconds: its validation takes an hour.
pub const MAX_MESSAGE_TIMEOUT_MILLIS: u64 = 3_600_000;

/// Envoy's `message_timeout` where its configuration has none, in milliseconds.
pub const DEFAULT_MESSAGE_TIMEOUT_MILLIS: u64 = 200;
/// How long a client may leave lying what an external processor has sent it, in seconds, if the
/// settings do not say otherwise: as long as nginx waits between two writes.
pub const DEFAULT_STALL_SECONDS: u64 = 60;

/// How many times in each stall timeout a watchdog looks at the streams: a stream that is stalled
/// is ended at most one look late.
pub const STALL_LOOKS: u32 = 4;

/// The longest request of a health check, in bytes: a name of a service.
pub const MAX_HEALTH_REQUEST_BYTES: usize = 4 * 1024;

/// How many connections an external processor serves at once, if its settings do not say otherwise.
/// Each worker of an Envoy has one, or a few.
pub const MAX_SERVED_CONNECTIONS: usize = 1024;

/// How many streams one connection of an external processor can have at once, if its settings do
/// not say otherwise: one for each request that an Envoy worker has under way.
pub const MAX_SERVED_STREAMS: u32 = 256;

/// How much a client may send an external processor on one stream before it is read, in bytes, if
/// the settings do not say otherwise: 4 ms of a 1 Gbit/s line. Client and server work by turns on a
/// full window: with half of it both were woken twice as often, and with the double eight stalled
/// streams could hold 10 MiB.
pub const STREAM_WINDOW_BYTES: u32 = 512 * 1024;

/// How little of a window is left to the client, in bytes, when an external processor on the direct
/// carrier tells it what was read: what one read takes in, half a millisecond of a 1 Gbit/s line.
/// At half of the window (256 KiB) both ends were woken more often, for less each time: the server
/// took a fifth more processor time in `BUFFERED` and in the echo.
pub const WINDOW_LOW_BYTES: u32 = 64 * 1024;

/// How much of what an external processor sends on one stream can wait for its window, in bytes, if
/// the settings do not say otherwise: two of the largest replies.
pub const SEND_BUFFER_BYTES: usize = 128 * 1024;

/// How much an external processor reads from a socket at once, in bytes: four of Envoy's DATA
/// frames. Each connection has a buffer for it.
pub const TRANSPORT_READ_BYTES: usize = 64 * 1024;

/// How much free memory at the top of the heap a process that serves as an external processor keeps
/// on glibc, in bytes: four of the largest writes of a connection.
pub const KEPT_HEAP_BYTES: usize = 1024 * 1024;

/// How long a frame may become of which an external processor joins what it reads, in bytes: two of
/// Envoy's DATA frames. Buffers of 64 KiB go back to the kernel one by one on glibc, and come back
/// as fresh pages: 138 page faults for each MiB of a body, with 32 KiB 4.
pub const MAX_JOINED_FRAME_BYTES: usize = 32 * 1024;

/// How much an external processor gathers before it writes to a socket, in bytes, if one poll has
/// as much to write: sixteen of Envoy's DATA frames. Of body segments nothing is copied for it.
pub const TRANSPORT_WRITE_BYTES: usize = 256 * 1024;

/// From which length on a segment of body is kept by a connection of an external processor, so that
/// it is written without a copy, in bytes. Below, a copy costs less.
pub const MIN_LENT_BYTES: usize = 2 * 1024;

/// How many of them a connection keeps: as many as two windows of a stream have. More than that are
/// copied.
pub const MAX_LENT_SEGMENTS: usize = 64;

/// How often a connection of an external processor and its streams are polled by turns before what
/// they have written goes out: a stream that always has more must not keep it back.
pub const MAX_ROUNDS_PER_POLL: usize = 4;

/// The largest HTTP/2 frame that an external processor reads, in bytes, if its settings do not say
/// otherwise: one of [`MAX_FRAME_BYTES`].
pub const MAX_SERVED_FRAME_BYTES: u32 = 64 * 1024;

/// How often the client of an external processor is asked whether it is still there, in seconds, if
/// the settings do not say otherwise.
pub const DEFAULT_KEEP_ALIVE_SECONDS: u64 = 60;

/// How long the streams of an external processor have to finish when it goes away, in seconds, if
/// the settings do not say otherwise: what Kubernetes gives a pod.
pub const DEFAULT_DRAIN_SECONDS: u64 = 30;

/// How many streams the direct carrier remembers that it has ended before the client did: what was
/// under way on them may still come. Four times [`MAX_SERVED_STREAMS`].
pub const MAX_REMEMBERED_STREAMS: usize = 1024;

/// How many streams of a connection of the direct carrier may come to nothing by the client's doing
/// (refused, malformed, reset before the response), less those that did not, before the connection
/// ends. A client that is only unlucky has not that many.
pub const MAX_SPOILT_STREAMS: u32 = 1024;

/// The longest head of a request, or trailers, on the direct carrier, as RFC 9113 counts (section
/// 10.5.1), in bytes: what a proxy adds to a stream of its own is below 1 KiB. It is announced; a
/// longer head is answered 431.
pub const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;

/// The longest block of fields on the direct carrier, as it is encoded, in bytes. A longer one ends
/// the connection: it would have to be read, for the table of fields, and kept, to be read.
pub const MAX_HEADER_BLOCK_BYTES: usize = 32 * 1024;

/// The longest SETTINGS frame on the direct carrier, in bytes: 128 settings, where RFC 9113 has
/// seven.
pub const MAX_SETTINGS_FRAME_BYTES: usize = 128 * 6;

/// From which length on a piece of a body is handed on by the direct carrier as a slice of what was
/// read, in bytes; shorter ones are copied. A slice keeps all of [`TRANSPORT_READ_BYTES`] alive.
/// What filters keep they pack below the same length.
pub const MIN_SLICED_BYTES: usize = PACK_BELOW_BYTES;

/// How much room a read of the direct carrier has at least, in bytes: one of Envoy's DATA frames.
pub const MIN_READ_BYTES: usize = 16 * 1024;

/// How long a client of the direct carrier may take for what comes first (the preface, and its
/// settings), in seconds.
pub const FIRST_FRAME_SECONDS: u64 = 10;

/// How long a client of the direct carrier that was asked whether it is there has to say anything,
/// in seconds: as long as with hyper.
pub const KEEP_ALIVE_ANSWER_SECONDS: u64 = 20;

/// For how long the direct carrier throws away what comes on a connection that it has ended, in
/// seconds, so that the client can read why.
pub const LINGER_SECONDS: u64 = 1;

/// How much of it, in bytes.
pub const MAX_LINGER_BYTES: usize = 1024 * 1024;
