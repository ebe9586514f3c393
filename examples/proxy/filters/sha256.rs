//! `sha256`: adds a trailer `content-digest` (RFC 9530) with the SHA-256 of the body, as it is
//! where this filter stands.
//!
//! A preferred need: where trailers cannot be added (no `te: trailers` from a plain client, no
//! body) the message passes without one, and nothing is computed. One that came is replaced.

use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256 as Hash};
use tidegate::{Capability, Declaration, Filter, Head, Interest, Verdict, View};

/// The trailer.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Hashes what passes.
#[derive(Debug, Default)]
pub(crate) struct Sha256 {
    hash: Hash,
}

impl<H: Head> Filter<H> for Sha256 {
    fn declare(&self) -> Declaration {
        Declaration::new().prefer(Capability::AddTrailers).trailer(CONTENT_DIGEST)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if !view.granted(Capability::AddTrailers) {
            view.drop_interest(Interest::DATA | Interest::TRAILERS);
        }
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        // All of it is new: nothing is ever held.
        for chunk in view.body().chunks() {
            self.hash.update(chunk);
        }
        Verdict::PASS
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.granted(Capability::AddTrailers)
            && let Some(trailers) = view.trailers_mut()
        {
            trailers.insert(CONTENT_DIGEST, field(&self.hash.finalize_reset()));
        }
        Verdict::PASS
    }
}

/// The value of the field for a digest.
pub(crate) fn field(digest: &[u8]) -> HeaderValue {
    let value = format!("sha-256=:{}:", base64(digest));
    HeaderValue::from_str(&value).expect("letters, digits and signs are a field value")
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= group.len() { char::from(sign) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};
    use http::{HeaderMap, request};
    use tidegate::MessageTraits;

    #[test]
    fn the_digest_does_not_depend_on_the_cut() {
        for_each_cut(b"some body", |pieces| {
            let sent = run(&only::<request::Parts, _>("sha256", Sha256::default), pieces);
            assert_eq!(sent.body(), b"some body");
            assert_eq!(sent.trailers[CONTENT_DIGEST], field(&Hash::digest(b"some body")));
            assert!(!sent.head().headers.contains_key("content-length"), "trailers follow");
        });
    }

    #[test]
    fn trailers_that_came_stay_and_an_old_digest_does_not() {
        let mut chain =
            chain(&only::<request::Parts, _>("sha256", Sha256::default), MessageTraits::new());
        chain.handle_head(head(None), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-mine", HeaderValue::from_static("1"));
        trailers.insert(CONTENT_DIGEST, HeaderValue::from_static("old"));
        chain.handle_trailers(trailers).unwrap();
        let sent = drain(&mut chain);
        assert_eq!(sent.trailers["x-mine"], "1");
        assert_eq!(sent.trailers[CONTENT_DIGEST], field(&Hash::digest(b"")));
    }

    #[test]
    fn where_no_trailers_can_be_added_it_costs_nothing() {
        let traits = MessageTraits::new().without(Capability::AddTrailers);
        let (plan, calls) = counted::<request::Parts, _>(Sha256::default);
        let mut chain = chain(&plan, traits);
        chain.handle_head(head(Some(3)), false).unwrap();
        chain.handle_data("abc".into(), true).unwrap();
        assert_eq!(calls(), 0);
        let sent = drain(&mut chain);
        assert_eq!(sent.head().headers["content-length"], "3");
        assert!(sent.ended && sent.trailers.is_empty());
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
