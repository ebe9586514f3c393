use http::{HeaderName, HeaderValue, Method};

/// A field of a request as it came.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Method(Method),
    Scheme(HeaderValue),
    Authority(HeaderValue),
    Path(HeaderValue),
    /// Of a response; a request may not have it.
    Status,
    /// Of an extended CONNECT (RFC 8441), which only who was offered it may send.
    Protocol,
    Regular(HeaderName, HeaderValue),
    /// Nothing that a field of HTTP/2 can be (RFC 9113, sections 8.2.1 and 8.3): an upper-case,
    /// empty or otherwise bad name, an unknown pseudo-header field, a value with bytes that are no
    /// text or with space around it.
    Malformed,
}

/// The name of a field.
#[derive(Debug, Clone)]
pub(super) enum Name {
    Pseudo(Pseudo),
    Regular(HeaderName),
    /// No name, of so many bytes.
    Malformed(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pseudo {
    Authority,
    Method,
    Path,
    Protocol,
    Scheme,
    Status,
}

/// A field that keeps its name if that is all there is to it: what comes later may refer to it.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    Good(Field),
    Malformed(Name),
}

impl Name {
    pub(super) fn new(name: &[u8]) -> Self {
        let pseudo = match name {
            [b':', ..] => Pseudo::new(name).map(Self::Pseudo),
            _ => HeaderName::from_lowercase(name).ok().map(Self::Regular),
        };
        pseudo.unwrap_or(Self::Malformed(name.len()))
    }

    /// In bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Pseudo(pseudo) => pseudo.as_str().len(),
            Self::Regular(name) => name.as_str().len(),
            Self::Malformed(len) => *len,
        }
    }
}

impl Pseudo {
    const ALL: [Self; 6] =
        [Self::Authority, Self::Method, Self::Path, Self::Protocol, Self::Scheme, Self::Status];

    fn new(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|pseudo| pseudo.as_str().as_bytes() == name)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Authority => ":authority",
            Self::Method => ":method",
            Self::Path => ":path",
            Self::Protocol => ":protocol",
            Self::Scheme => ":scheme",
            Self::Status => ":status",
        }
    }

    fn field(self, value: &[u8], is_sensitive: bool) -> Option<Field> {
        let text = || text(value, is_sensitive);
        match self {
            Self::Authority => text().map(Field::Authority),
            Self::Method => Method::from_bytes(value).ok().map(Field::Method),
            Self::Path => text().map(Field::Path),
            Self::Scheme => text().map(Field::Scheme),
            Self::Protocol => Some(Field::Protocol),
            Self::Status => Some(Field::Status),
        }
    }
}

impl Kept {
    pub(super) fn new(name: Name, value: &[u8], is_sensitive: bool) -> Self {
        match name {
            Name::Pseudo(pseudo) => pseudo
                .field(value, is_sensitive)
                .map_or(Self::Malformed(Name::Pseudo(pseudo)), Self::Good),
            Name::Regular(name) => match text(value, is_sensitive) {
                Some(value) => Self::Good(Field::Regular(name, value)),
                None => Self::Malformed(Name::Regular(name)),
            },
            Name::Malformed(len) => Self::Malformed(Name::Malformed(len)),
        }
    }

    #[inline]
    pub(super) fn field(&self) -> Field {
        match self {
            Self::Good(field) => field.clone(),
            Self::Malformed(_) => Field::Malformed,
        }
    }

    pub(super) fn into_field(self) -> Field {
        match self {
            Self::Good(field) => field,
            Self::Malformed(_) => Field::Malformed,
        }
    }

    pub(super) fn name(&self) -> Name {
        Name::Pseudo(match self {
            Self::Good(Field::Authority(_)) => Pseudo::Authority,
            Self::Good(Field::Method(_)) => Pseudo::Method,
            Self::Good(Field::Path(_)) => Pseudo::Path,
            Self::Good(Field::Protocol) => Pseudo::Protocol,
            Self::Good(Field::Scheme(_)) => Pseudo::Scheme,
            Self::Good(Field::Status) => Pseudo::Status,
            Self::Good(Field::Regular(name, _)) => return Name::Regular(name.clone()),
            Self::Good(Field::Malformed) => return Name::Malformed(0),
            Self::Malformed(name) => return name.clone(),
        })
    }
}

/// A copy of the value, so that nobody who keeps it keeps the block.
fn text(value: &[u8], is_sensitive: bool) -> Option<HeaderValue> {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if is_space(value.first()) || is_space(value.last()) {
        return None;
    }
    let mut value = HeaderValue::from_bytes(value).ok()?;
    value.set_sensitive(is_sensitive);
    Some(value)
}
