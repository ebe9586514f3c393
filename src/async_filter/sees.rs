use http::{request, response};

use crate::filter::Head;

/// What an [`Input`](super::Input) knows of the head: `()` knows its fields and fits messages of
/// both directions; [`request::Parts`] and [`response::Parts`] know all of it, and fit theirs.
///
/// Sealed.
pub trait Sees<H>: sealed::Sealed + Send + Sync + 'static {}

impl<H: Head> Sees<H> for () {}
impl Sees<Self> for request::Parts {}
impl Sees<Self> for response::Parts {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for http::request::Parts {}
    impl Sealed for http::response::Parts {}
}
