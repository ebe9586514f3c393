/// What the first message of a stream announces (`ProtocolConfiguration`), as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProtocolConfig {
    /// The number of the request's body mode.
    pub request_body_mode: i32,
    /// The number of the response's body mode.
    pub response_body_mode: i32,
    /// Body may come before the head has been answered.
    pub send_body_without_waiting: bool,
}
