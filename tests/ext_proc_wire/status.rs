//! How an RPC ends.

use http::HeaderValue;
use tidegate::ext_proc::wire::{GrpcCode, GrpcStatus};

#[test]
fn ok_has_a_number_and_no_message() {
    let trailers = GrpcStatus::OK.to_trailers();
    assert_eq!(trailers.len(), 1);
    assert_eq!(trailers["grpc-status"], "0");
    assert!(GrpcStatus::OK.is_ok());
}

/// gRPC over HTTP/2, `Status-Message`: also line ends, which would end the field.
#[test]
fn a_message_is_percent_encoded() {
    let status = GrpcStatus::new(GrpcCode::Internal, "50 % of ~é\r\nx: y\u{7f}");
    let trailers = status.to_trailers();
    assert_eq!(trailers["grpc-status"], "13");
    let expected = HeaderValue::from_static("50 %25 of ~%C3%A9%0D%0Ax: y%7F");
    assert_eq!(trailers["grpc-message"], expected);
    assert_eq!(GrpcStatus::new(GrpcCode::Aborted, "a").to_string(), "ABORTED: a");
    assert_eq!(GrpcStatus::OK.to_string(), "OK");
}

#[test]
fn codes_have_the_numbers_of_grpc() {
    for (code, number) in GrpcCode::ALL.into_iter().zip(0..) {
        assert_eq!(code.number(), number);
        assert_eq!(GrpcCode::from_number(number.into()), Some(code));
    }
    assert_eq!(GrpcCode::from_number(17), None);
    assert_eq!(GrpcCode::from_number(256), None);
    assert_eq!(GrpcCode::Unauthenticated.name(), "UNAUTHENTICATED");
}
