//! Where a carrier does something else than the RFC asks, and why that is left.

use crate::carrier::Carrier;
use crate::case::Case;
use crate::frames::GOT;
use crate::frames::code::PROTOCOL_ERROR;
use crate::outcome::Expect;

/// Cases in which a carrier deviates.
pub(crate) struct Deviation {
    carrier: Carrier,
    /// What it does. Once it no longer does, the case fails, so that it goes from here.
    pub(crate) does: Expect,
    /// Why it does that, and why that can be.
    #[allow(dead_code, reason = "for who reads it")]
    why: &'static str,
    cases: &'static [&'static str],
}

const DEVIATIONS: &[Deviation] = &[
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Goaway(PROTOCOL_ERROR),
        why: "h2 has one code for all field blocks that it cannot read. The connection ends as it \
              has to; the code is for people.",
        cases: &[
            "4.3 the entry 0",
            "4.3 an entry that was never inserted",
            "4.3 the name of an entry that was never inserted",
            "4.3 an entry beyond all tables",
            "4.3 an entry that had to go",
            "4.3 an entry that a table of no bytes has dropped",
            "4.3 a table above the limit",
            "4.3 a table that changes inside of a block",
            "4.3 a number without an end",
            "4.3 a number above 2^64",
            "4.3 a string beyond the block",
            "4.3 a name beyond the block",
            "4.3 a literal without a value",
            "4.3 a string longer than anything",
            "4.3 Huffman: padded with zeros",
            "4.3 Huffman: padded with a whole byte",
            "4.3 Huffman: the code of the end",
            "4.3 Huffman: the end between others",
        ],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Goaway(PROTOCOL_ERROR),
        why: "h2 has one code for all frames of a wrong length but for those that are longer than \
              any may be. The connection ends as it has to.",
        cases: &[
            "6.3 PRIORITY of 4 bytes",
            "6.3 PRIORITY of 6 bytes, idle stream",
            "6.4 RST_STREAM of 3 bytes",
            "6.4 RST_STREAM of 5 bytes",
            "6.5 SETTINGS of 5 bytes",
            "6.5 SETTINGS of 7 bytes",
            "6.5 an acknowledgement with a payload",
            "6.7 PING of 7 bytes",
            "6.7 PING of 9 bytes",
            "6.7 an answer to PING of 9 bytes",
            "6.8 GOAWAY of 7 bytes",
            "6.9 WINDOW_UPDATE of 3 bytes",
            "6.9 WINDOW_UPDATE of 5 bytes, of a stream",
        ],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Goaway(PROTOCOL_ERROR),
        why: "h2 has one code for all bad settings. The connection ends as it has to.",
        cases: &["6.5.2 INITIAL_WINDOW_SIZE of 2^31"],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Goaway(PROTOCOL_ERROR),
        why: "h2 says PROTOCOL_ERROR, of the connection, and not STREAM_CLOSED.",
        cases: &["5.1 half-closed: DATA", "5.1 half-closed: HEADERS"],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Goaway(PROTOCOL_ERROR),
        why: "h2 finds it where it reads field blocks, and ends the connection with all its \
              streams. Section 5.4.1 allows that; it is more than the section of the field asks.",
        cases: &[
            "8.2.1 a capital in a name",
            "8.2.1 a name of no bytes",
            "8.2.1 a space in a name",
            "8.2.1 a colon in a name",
            "8.2.1 a byte above 0x7e in a name",
            "8.2.1 a control character in a name",
            "8.2.1 NUL in a value",
            "8.2.1 CR in a value",
            "8.2.1 LF in a value",
            "8.2.1 a capital in trailers",
            "8.3 an unknown pseudo-header field",
            "8.3 an unknown pseudo-header field in trailers",
            "8.3.1 :method that is none",
            "8.3.1 :method of no bytes",
        ],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Status(GOT),
        why: "h2 does not look for spaces around values, nor for what CONNECT has to have. Nothing \
              is passed on by an external processor.",
        cases: &[
            "8.2.1 a space before a value",
            "8.2.1 a tab behind a value",
            "8.5 CONNECT without :authority",
        ],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Grpc(0),
        why: "h2 leaves pseudo-header fields out of trailers, which nobody reads here.",
        cases: &["8.1 a second head", "8.3 a pseudo-header field in trailers"],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Status(GOT),
        why: "h2 does not wait for SETTINGS of the client, and serves with the defaults.",
        cases: &["3.4 a request before SETTINGS"],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Lives,
        why: "h2 does not wait for SETTINGS of the client, and serves with the defaults.",
        cases: &["3.4 no SETTINGS behind the preface"],
    },
    Deviation {
        carrier: Carrier::Hyper,
        does: Expect::Goaway(PROTOCOL_ERROR),
        why: "h2 forgets streams that it has reset after a second, or when there are 50 of them. \
              gRPC has no trailers of requests, so an external processor does not meet it.",
        cases: &[crate::forgotten::LATE_TRAILERS],
    },
];

pub(crate) fn deviation(carrier: Carrier, case: &str) -> Option<&'static Deviation> {
    DEVIATIONS.iter().find(|known| known.carrier == carrier && known.cases.contains(&case))
}

/// Every case that is data.
const CASES: &[fn() -> Vec<Case>] = &[
    crate::preface::cases,
    crate::formats::cases,
    crate::sizes::cases,
    crate::compression::cases,
    crate::states::cases,
    crate::settings::cases,
    crate::windows::cases,
    crate::continuation::cases,
    crate::fields::cases,
];

/// Cases that are programs.
const PROGRAMS: &[&str] = &[crate::forgotten::LATE_TRAILERS];

#[test]
fn deviations_are_of_cases() {
    let mut names: Vec<&str> = CASES.iter().flat_map(|it| it()).map(|case| case.name).collect();
    names.extend(PROGRAMS);
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "two cases have one name");
    for case in DEVIATIONS.iter().flat_map(|known| known.cases) {
        assert!(names.contains(case), "no case: {case}");
    }
}
