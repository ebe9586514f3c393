use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use crate::http2::hpack::Field;
use crate::limits::MAX_HEADER_LIST_BYTES;

/// The fields of a head or of trailers, as they come.
#[derive(Debug, Default)]
pub(super) struct Fields {
    method: Option<Method>,
    scheme: Option<HeaderValue>,
    authority: Option<HeaderValue>,
    path: Option<HeaderValue>,
    others: HeaderMap,
    /// How long they are, as RFC 9113 counts (section 10.5.1), in bytes.
    list_bytes: usize,
    fault: Option<Fault>,
}

/// Why fields are not taken. The connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// More than [`MAX_HEADER_LIST_BYTES`].
    TooLong,
    /// No request, or no trailers (RFC 9113, sections 8.2 and 8.3).
    Malformed,
}

/// How many fields a request of gRPC has besides the pseudo fields, at most mostly: as many as a
/// map of eight slots has room for.
const USUAL_FIELDS: usize = 6;

/// The target of the last request: those of a connection are mostly one.
#[derive(Debug, Default)]
pub(super) struct LastTarget {
    authority: Option<(HeaderValue, Authority)>,
    path: Option<(HeaderValue, PathAndQuery)>,
}

/// A request without its body, and how long that is if the head says so.
#[derive(Debug, Clone)]
pub(super) struct RequestHead {
    pub(super) request: Request<()>,
    pub(super) body_bytes: Option<u64>,
}

/// Fields of one hop of HTTP/1, which a message of HTTP/2 cannot have (RFC 9113, section 8.2.2).
pub(super) fn is_of_connection(name: &HeaderName, value: &HeaderValue) -> bool {
    match name.as_str() {
        "te" => value != "trailers",
        "keep-alive" | "proxy-connection" => true,
        _ => [CONNECTION, TRANSFER_ENCODING, UPGRADE].contains(name),
    }
}

impl Fields {
    /// With room for those of a request that a proxy makes.
    pub(super) fn new() -> Self {
        Self { others: HeaderMap::with_capacity(USUAL_FIELDS), ..Self::default() }
    }

    /// Takes in one more, that counts so many bytes.
    pub(super) fn add(&mut self, field: Field, bytes: usize) {
        self.list_bytes = self.list_bytes.saturating_add(bytes);
        if self.list_bytes > MAX_HEADER_LIST_BYTES as usize {
            self.fault = Some(Fault::TooLong);
        }
        if self.fault.is_some() {
            return;
        }
        let is_legal = match field {
            Field::Method(method) => self.is_head() && self.method.replace(method).is_none(),
            Field::Scheme(scheme) => self.is_head() && self.scheme.replace(scheme).is_none(),
            Field::Authority(authority) => {
                self.is_head() && self.authority.replace(authority).is_none()
            }
            Field::Path(path) => self.is_head() && self.path.replace(path).is_none(),
            Field::Regular(name, value) => {
                !is_of_connection(&name, &value) && self.others.try_append(name, value).is_ok()
            }
            Field::Status | Field::Protocol | Field::Malformed => false,
        };
        if !is_legal {
            self.fault = Some(Fault::Malformed);
        }
    }

    /// Pseudo fields come before the others.
    fn is_head(&self) -> bool {
        self.others.is_empty()
    }

    /// The head of a request.
    pub(super) fn into_request(self, last: &mut LastTarget) -> Result<RequestHead, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let body_bytes = body_bytes(&self.others)?;
        let method = self.method.ok_or(Fault::Malformed)?;
        let uri = uri(&method, self.scheme, self.authority, self.path, last)?;
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.others;
        Ok(RequestHead { request, body_bytes })
    }

    /// Trailers: they have no pseudo fields.
    pub(super) fn into_trailers(self) -> Result<HeaderMap, Fault> {
        let pseudo = [&self.scheme, &self.authority, &self.path];
        match self.fault {
            Some(fault) => Err(fault),
            None if self.method.is_some() || pseudo.iter().any(|field| field.is_some()) => {
                Err(Fault::Malformed)
            }
            None => Ok(self.others),
        }
    }
}

/// What `content-length` says: one number, however often.
fn body_bytes(fields: &HeaderMap) -> Result<Option<u64>, Fault> {
    let mut stated = None;
    for value in fields.get_all(CONTENT_LENGTH) {
        let text = value.to_str().map_err(|_| Fault::Malformed)?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::Malformed);
        }
        let bytes = text.parse::<u64>().map_err(|_| Fault::Malformed)?;
        if stated.replace(bytes).is_some_and(|before| before != bytes) {
            return Err(Fault::Malformed);
        }
    }
    Ok(stated)
}

/// The target of a request (RFC 9113, sections 8.3.1 and 8.5).
fn uri(
    method: &Method,
    scheme: Option<HeaderValue>,
    authority: Option<HeaderValue>,
    path: Option<HeaderValue>,
    last: &mut LastTarget,
) -> Result<Uri, Fault> {
    let authority = authority.map(|value| last.authority(value)).transpose()?;
    let mut parts = Parts::default();
    if method == Method::CONNECT {
        if scheme.is_some() || path.is_some() || authority.is_none() {
            return Err(Fault::Malformed);
        }
    } else {
        let (Some(scheme), Some(path)) = (scheme, path) else { return Err(Fault::Malformed) };
        let scheme = Scheme::try_from(scheme.as_bytes()).map_err(|_| Fault::Malformed)?;
        parts.path_and_query = Some(last.path(method, path)?);
        // There is no `Uri` of a scheme and a path.
        parts.scheme = authority.is_some().then_some(scheme);
    }
    parts.authority = authority;
    Uri::from_parts(parts).map_err(|_| Fault::Malformed)
}

impl LastTarget {
    fn authority(&mut self, value: HeaderValue) -> Result<Authority, Fault> {
        if let Some((before, authority)) = &self.authority
            && *before == value
        {
            return Ok(authority.clone());
        }
        let authority = Authority::try_from(value.as_bytes()).map_err(|_| Fault::Malformed)?;
        self.authority = Some((value, authority.clone()));
        Ok(authority)
    }

    fn path(&mut self, method: &Method, value: HeaderValue) -> Result<PathAndQuery, Fault> {
        if let Some((before, path)) = &self.path
            && *before == value
        {
            return Ok(path.clone());
        }
        let is_path = value.as_bytes().starts_with(b"/");
        let is_all = method == Method::OPTIONS && value == "*";
        if !is_path && !is_all {
            return Err(Fault::Malformed);
        }
        let path = PathAndQuery::try_from(value.as_bytes()).map_err(|_| Fault::Malformed)?;
        if is_path {
            self.path = Some((value, path.clone()));
        }
        Ok(path)
    }
}
