//! What pages say in numbers and in configurations is what the code has.

use tidegate::ext_proc::mode::{DirectionMode, FilterConfig, ProcessingMode};
use tidegate::limits;

use super::source::{expect_none, expect_only, read};

const SECURITY: &str = "SECURITY.md";
const GUIDE: &str = "docs/first-filter.md";

/// A number of bytes as a reader would write it.
fn bytes(number: impl TryInto<u64>) -> String {
    let number: u64 = number.try_into().ok().expect("a limit is a number of 64 bits");
    match number {
        _ if number.is_multiple_of(1 << 20) => format!("{} MiB", number >> 20),
        _ if number.is_multiple_of(1 << 10) => format!("{} KiB", number >> 10),
        _ => format!("{number} B"),
    }
}

/// With a comma between thousands.
fn count(number: impl TryInto<u64>) -> String {
    let number: u64 = number.try_into().ok().expect("a limit is a number of 64 bits");
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    }
}

/// What the page has to say, of messages.
fn of_messages() -> Vec<String> {
    use limits::*;
    let per_byte = BOOKKEEPING_BYTES_PER_BYTE;
    vec![
        format!("the high marks ({} for each filter", bytes(DEFAULT_HIGH_BYTES)),
        format!("plus one frame ({})", bytes(MAX_FRAME_BYTES)),
        format!("it enters in pieces of {};", bytes(MAX_FRAME_BYTES)),
        format!("segments below {} are packed", bytes(PACK_BELOW_BYTES)),
        format!("at most {SEGMENTS_AT_REST} + length / {BYTES_PER_SEGMENT_AT_REST} segments"),
        format!("{} + {per_byte} B of bookkeeping", bytes(BOOKKEEPING_BASE_BYTES)),
        format!("at most {} times what is held", 16 * 1024 / PACK_BELOW_BYTES),
        format!("{} filter calls in one entry", count(MAX_CALLS_PER_DRIVE)),
        format!("{MAX_FRAMES_PER_POLL} frames in one poll"),
        format!("| {MAX_INFORMATIONAL_HEADS}, the rest is dropped and counted"),
        format!("{CHAINS_KEPT} chains a plan and direction"),
        format!("at most {} of buffers each", bytes(RECYCLED_CHAIN_BYTES)),
    ]
}

/// Of external processing, configurations and tables.
fn of_the_rest() -> Vec<String> {
    use limits::*;
    let (section, fields) = (bytes(DEFAULT_SECTION_BYTES), count(DEFAULT_SECTION_FIELDS as u64));
    let (connections, send) = (count(MAX_SERVED_CONNECTIONS as u64), bytes(SEND_BUFFER_BYTES));
    let (filters, nodes) = (MAX_CONFIG_FILTERS, MAX_CONFIG_NODES);
    let (settings, reply) =
        (bytes(MAX_SETTINGS_BYTES), bytes(DUPLEX_PIECE_BYTES.next_multiple_of(1024)));
    vec![
        format!("{section} and {fields} fields a head or trailers"),
        format!("{} of attributes and metadata a message", bytes(DEFAULT_ENVELOPE_BYTES)),
        format!("a message, {MAX_STRUCT_DEPTH} levels of nesting"),
        format!("not read beyond {} of it", bytes(SESSION_QUEUE_BYTES)),
        format!("whole bodies (`BUFFERED`) at most {}", bytes(MAX_WHOLE_BODY_BYTES)),
        format!("{} a stream, by HTTP/2's window", bytes(STREAM_WINDOW_BYTES)),
        format!("{send} and one reply ({reply}) a stream"),
        format!("a stream, {} a connection", bytes(TRANSPORT_WRITE_BYTES)),
        format!("after {DEFAULT_STALL_SECONDS} s the stream is ended"),
        format!("{MAX_SERVED_STREAMS} streams a connection, {connections} connections"),
        format!("(asked every {DEFAULT_KEEP_ALIVE_SECONDS} s)"),
        format!("streams under way have {DEFAULT_DRAIN_SECONDS} s"),
        format!("{filters} filters, {nodes} nodes a pipeline, {MAX_CONFIG_JUMPS} jumps a node"),
        format!("names of {MAX_CONFIG_NAME_BYTES} B"),
        format!("a filter {settings} and {MAX_SETTINGS_DEPTH} levels"),
        format!("{} a session", count(MAX_SUBSCRIBED_KEYS as u64)),
        format!("{} epochs of a table", count(MAX_LIVE_EPOCHS as u64)),
        format!("retried after {FIRST_RETRY_MILLIS} ms"),
        format!("at most {} s apart", LONGEST_RETRY_MILLIS / 1000),
    ]
}

fn check_said(page: &str, text: &str, sentences: &[String]) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing = sentences.iter().filter(|sentence| !text.contains(sentence.as_str()));
    missing.map(|sentence| format!("{page} does not say: {sentence}")).collect()
}

#[test]
fn the_numbers_of_the_threat_model_are_the_limits() {
    let sentences = [of_messages(), of_the_rest()].concat();
    let findings = check_said(SECURITY, &read(SECURITY), &sentences);
    expect_none(&findings, "a bound is stated in src/limits.rs, and told in SECURITY.md");
}

#[test]
fn a_number_that_was_changed_is_found() {
    let said = format!("frames of {} and\nno more", bytes(64 * 1024_u64));
    assert!(check_said("page", &said, &["64 KiB and no more".to_owned()]).is_empty());
    let findings = check_said("page", &said, &["32 KiB and no more".to_owned()]);
    expect_only(&findings, &["page does not say: 32 KiB"]);
    assert_eq!(
        (bytes(512_u64), bytes(1_u64 << 21), count(65_536_u64)),
        ("512 B".to_owned(), "2 MiB".to_owned(), "65,536".to_owned())
    );
}

/// Lines without their indentation: it is deeper where the text stands in a larger one.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn check_config(text: &str, config: &FilterConfig) -> Vec<String> {
    let (page, entry) = (lines(text), config.to_yaml("ext_proc"));
    let entry = lines(&entry);
    match page.windows(entry.len()).any(|window| window == entry) {
        true => vec![],
        false => {
            vec![format!("{GUIDE}: not the configuration of its server:\n{}", entry.join("\n"))]
        }
    }
}

#[test]
fn the_guide_configures_envoy_as_its_server_does() {
    let config = FilterConfig::new(ProcessingMode::both(DirectionMode::full_duplex()));
    expect_none(&check_config(&read(GUIDE), &config), "the text is what `to_yaml` answers");
    let other = FilterConfig::new(ProcessingMode::both(DirectionMode::streamed()));
    expect_only(&check_config(&read(GUIDE), &other), &[GUIDE]);
}
