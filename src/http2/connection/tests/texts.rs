//! What logs say.

use std::io;

use super::ConnectionEnd;
use crate::http2::{Broken, DirectError, Reason};

#[test]
fn reasons_have_the_names_of_the_rfc() {
    let names = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
        "error code 0xe",
    ];
    for (number, name) in (0..).zip(names) {
        assert_eq!(Reason(number).to_string(), name);
        assert_eq!(format!("{:?}", Reason(number)), name);
    }
}

#[test]
fn ends_say_why() {
    let reset = DirectError::Reset { code: 8 };
    assert_eq!(reset.to_string(), "the stream was reset: CANCEL");
    assert_eq!(DirectError::Disconnected.to_string(), "the connection is gone");
    let broken = ConnectionEnd::from(Broken::calm("too much"));
    assert_eq!(broken.to_string(), "ENHANCE_YOUR_CALM: too much");
    assert_eq!(ConnectionEnd::Silent.to_string(), "the peer says nothing");
    let socket = ConnectionEnd::from(io::Error::other("cut"));
    assert_eq!(socket.to_string(), "the socket: cut");
    assert_eq!(io::Error::from(broken).kind(), io::ErrorKind::InvalidData);
    assert_eq!(io::Error::from(ConnectionEnd::Silent).kind(), io::ErrorKind::TimedOut);
    assert_eq!(io::Error::from(socket).to_string(), "cut");
}
