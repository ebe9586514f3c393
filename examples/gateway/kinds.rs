//! The filters that a flow of the gateway can name.

use std::convert::Infallible;

use http::header::{HeaderName, InvalidHeaderName, InvalidHeaderValue};
use http::{HeaderValue, StatusCode, header, request, response};
use serde::Deserialize;
use tidegate::flow::Summary;
use tidegate::flow::config::{KindError, Kinds, NoSettings};
use tidegate::{Declaration, Filter, Head, LocalReply, Verdict, View};

/// The field of `stamp`.
const PLAN: HeaderName = HeaderName::from_static("x-plan");

/// The field of `translated`.
const TRANSLATED: HeaderName = HeaderName::from_static("x-translated");

/// Kinds for one route. `translation`: what the extension of the route answered, if it has one.
///
/// | kind | for | settings | results |
/// |---|---|---|---|
/// | `header-auth` | requests | `field`, `value` | `denied`: the field has another value |
/// | `stamp` | both | `value`, for `x-plan` | |
/// | `translated` | responses | none; puts the extension's answer into `x-translated` | |
/// | `page` | responses | `status`, `text`: what it answers instead | |
/// | `access-log` | finalizers | none | |
pub(crate) fn kinds(translation: Option<HeaderValue>) -> Result<Kinds, KindError> {
    let mut kinds = Kinds::new();
    kinds.request("header-auth", HeaderAuth::maker)?;
    kinds.both("stamp", |Stamped { value }: Stamped| {
        let value = HeaderValue::try_from(value)?;
        Ok::<_, InvalidHeaderValue>(move || Stamp { field: PLAN, value: Some(value.clone()) })
    })?;
    kinds.response("translated", move |_: NoSettings| {
        let value = translation.clone();
        Ok::<_, Infallible>(move || Stamp { field: TRANSLATED, value: value.clone() })
    })?;
    kinds.response("page", |PageSettings { status, text }: PageSettings| {
        let status = StatusCode::from_u16(status)?;
        Ok::<_, http::status::InvalidStatusCode>(move || Page { status, text: text.clone() })
    })?;
    kinds.finalizer("access-log", |_: NoSettings| Ok::<_, Infallible>(log))?;
    Ok(kinds)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthSettings {
    field: String,
    value: String,
}

struct HeaderAuth {
    field: HeaderName,
    value: String,
}

impl HeaderAuth {
    fn maker(settings: AuthSettings) -> Result<impl Fn() -> Self, InvalidHeaderName> {
        let AuthSettings { field, value } = settings;
        let field = HeaderName::try_from(field)?;
        Ok(move || Self { field: field.clone(), value: value.clone() })
    }
}

impl Filter<request::Parts> for HeaderAuth {
    fn declare(&self) -> Declaration {
        Declaration::new().result("denied")
    }

    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        let given = view.head().and_then(|head| head.headers.get(&self.field));
        if given.is_none_or(|given| *given != *self.value)
            && let Err(error) = view.set_result("denied")
        {
            tracing::error!(%error, "not denied");
            return view.fail(tidegate::Error::filter_failed(error));
        }
        Verdict::PASS
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamped {
    value: String,
}

/// Puts a field into a head.
struct Stamp {
    field: HeaderName,
    value: Option<HeaderValue>,
}

impl<H: Head> Filter<H> for Stamp {
    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let (Some(head), Some(value)) = (view.head_mut(), &self.value) {
            head.headers_mut().insert(self.field.clone(), value.clone());
        }
        Verdict::PASS
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageSettings {
    status: u16,
    #[serde(default)]
    text: String,
}

/// Answers in the place of the response.
struct Page {
    status: StatusCode,
    text: String,
}

impl Filter<response::Parts> for Page {
    fn head(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
        let mut reply = LocalReply::text(self.status, self.text.clone());
        reply
            .head_mut()
            .headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        view.reply(reply)
    }
}

fn log(summary: &Summary) {
    let nodes: Vec<&str> = summary.trace.iter().map(|entry| &*entry.node).collect();
    let status = summary.status.map(|status| status.as_u16());
    tracing::info!(flow = %summary.flow, status, nodes = nodes.join(" "), "exchange");
}
