use super::{Flags, FrameHead, Kind, bytes};
use crate::http2::{Broken, Reason};

/// What a peer has said of itself that a server has to mind (RFC 9113, section 6.5.2). How large a
/// table of fields it would keep is not there: nothing is put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http2) struct Settings {
    /// How much each stream may be sent before the peer says more, in bytes.
    pub(in crate::http2) initial_window_bytes: u32,
    /// The longest frame that it takes, in bytes.
    pub(in crate::http2) max_frame_bytes: u32,
}

const INITIAL_WINDOW: u16 = 0x4;
const MAX_FRAME: u16 = 0x5;
const ENABLE_PUSH: u16 = 0x2;
const MAX_STREAMS: u16 = 0x3;
const MAX_HEADER_LIST: u16 = 0x6;

/// How long one setting is.
const ENTRY_BYTES: usize = 6;

const MIN_FRAME_BYTES: u32 = 1 << 14;
const MAX_FRAME_BYTES: u32 = (1 << 24) - 1;
const MAX_WINDOW_BYTES: u32 = (1 << 31) - 1;

impl Settings {
    /// Those of a peer that has said nothing.
    pub(in crate::http2) const fn new() -> Self {
        Self { initial_window_bytes: 65_535, max_frame_bytes: MIN_FRAME_BYTES }
    }

    /// Takes in what has come, in its order. Unknown ones are skipped.
    ///
    /// # Errors
    ///
    /// A length that is no number of settings, or a value that its setting cannot have.
    pub(in crate::http2) fn read(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let (entries, rest) = payload.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() {
            return Err(Broken::frame_size("SETTINGS of no whole number of settings"));
        }
        for &[i0, i1, v0, v1, v2, v3] in entries {
            let value = u32::from_be_bytes([v0, v1, v2, v3]);
            match u16::from_be_bytes([i0, i1]) {
                INITIAL_WINDOW if value > MAX_WINDOW_BYTES => {
                    let what = "SETTINGS_INITIAL_WINDOW_SIZE above 2^31 - 1";
                    return Err(Broken::new(Reason::FLOW_CONTROL_ERROR, what));
                }
                INITIAL_WINDOW => self.initial_window_bytes = value,
                MAX_FRAME if !(MIN_FRAME_BYTES..=MAX_FRAME_BYTES).contains(&value) => {
                    return Err(Broken::protocol("SETTINGS_MAX_FRAME_SIZE out of its range"));
                }
                MAX_FRAME => self.max_frame_bytes = value,
                ENABLE_PUSH if value > 1 => {
                    return Err(Broken::protocol("SETTINGS_ENABLE_PUSH is neither 0 nor 1"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The SETTINGS of a server.
pub(in crate::http2) fn write_settings(
    max_streams: u32,
    window_bytes: u32,
    max_frame_bytes: u32,
    max_header_list_bytes: u32,
) -> Vec<u8> {
    let entries = [
        (MAX_STREAMS, max_streams),
        (INITIAL_WINDOW, window_bytes),
        (MAX_FRAME, max_frame_bytes),
        (MAX_HEADER_LIST, max_header_list_bytes),
    ];
    let len = bytes(entries.len() * ENTRY_BYTES);
    let head = FrameHead { len, kind: Kind::Settings, flags: Flags::NONE, stream: 0 };
    let mut frame = head.write().to_vec();
    for (number, value) in entries {
        frame.extend_from_slice(&number.to_be_bytes());
        frame.extend_from_slice(&value.to_be_bytes());
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u16, value: u32) -> Vec<u8> {
        [&number.to_be_bytes()[..], &value.to_be_bytes()].concat()
    }

    fn read(payload: &[u8]) -> Result<Settings, Broken> {
        let mut settings = Settings::new();
        settings.read(payload).map(|()| settings)
    }

    #[test]
    fn the_last_of_two_counts_and_unknown_ones_are_skipped() {
        let payload = [entry(4, 1), entry(5, 20_000), entry(0xff, 7), entry(4, 9)].concat();
        let expected = Settings { initial_window_bytes: 9, max_frame_bytes: 20_000 };
        assert_eq!(read(&payload), Ok(expected));
        assert_eq!(read(&[]), Ok(Settings::new()));
    }

    #[test]
    fn values_end_at_their_edges() {
        for (number, value, reason) in [
            (2, 2, Reason::PROTOCOL_ERROR),
            (4, 1 << 31, Reason::FLOW_CONTROL_ERROR),
            (5, (1 << 14) - 1, Reason::PROTOCOL_ERROR),
            (5, 1 << 24, Reason::PROTOCOL_ERROR),
        ] {
            assert_eq!(read(&entry(number, value)).map_err(|error| error.reason), Err(reason));
        }
        for (number, value) in [(2, 1), (4, (1 << 31) - 1), (5, 1 << 14), (5, (1 << 24) - 1)] {
            assert!(read(&entry(number, value)).is_ok(), "{number}: {value}");
        }
        let cut = read(&[0; 5]).map_err(|error| error.reason);
        assert_eq!(cut, Err(Reason::FRAME_SIZE_ERROR));
    }

    #[test]
    fn a_servers_own_can_be_read() {
        let frame = write_settings(100, 300, 20_000, 400);
        let (head, payload) = frame.split_at(FrameHead::BYTES);
        let head = FrameHead::read(head.try_into().expect("nine bytes"));
        assert_eq!((head.len as usize, head.kind), (payload.len(), Kind::Settings));
        let expected = Settings { initial_window_bytes: 300, max_frame_bytes: 20_000 };
        assert_eq!(read(payload), Ok(expected));
        assert!(payload.starts_with(&entry(3, 100)) && payload.ends_with(&entry(6, 400)));
    }
}
