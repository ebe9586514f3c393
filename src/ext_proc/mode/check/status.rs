use http::StatusCode;

/// The errors of Envoy's `type.v3.StatusCode`; for all others in 400..=599 its validation says
/// "value must be one of the defined enum values".
pub(super) fn is_defined_error(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        400..=417 | 421..=424 | 426 | 428 | 429 | 431 | 500..=508 | 510 | 511
    )
}
