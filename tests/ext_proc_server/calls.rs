//! What is no call of the service, and what is.

use http::{Request, StatusCode};
use tidegate::ext_proc::server::PROCESS_PATH;
use tidegate::ext_proc::wire::GrpcCode;

use super::peer::{Peer, full, grpc};
use crate::stage::passing;

#[tokio::test]
async fn a_path_that_is_not_served_is_unimplemented() {
    let mut peer = Peer::connect(&passing()).await;
    for path in ["/", "/envoy.service.ext_proc.v3.ExternalProcessor/process", "/x/Process"] {
        let mut call = peer.call(path).await;
        assert!(call.head.contains_key("grpc-status"), "all is in the head: {path}");
        assert_eq!(call.ended().await.code(), Some(GrpcCode::Unimplemented), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_grpc_is_refused_by_http() {
    let mut peer = Peer::connect(&passing()).await;
    let uri = format!("http://processor{PROCESS_PATH}");
    let no_type = Request::post(&uri);
    let json = Request::post(&uri).header("content-type", "application/json");
    let web = Request::post(&uri).header("content-type", "application/grpc-web");
    let get = Request::get(&uri).header("content-type", "application/grpc");
    for (request, status) in [
        (no_type, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (json, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (web, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (get, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let response = peer.request(request.body(full("")).unwrap()).await;
        assert_eq!(response.status(), status);
    }
    let response = peer.request(grpc("/nowhere").body(full("")).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK, "gRPC has its own");
}
