//! Kinds for the tests, and what registering them refuses.

use std::convert::Infallible;

use http::{StatusCode, request, response};
use serde::Deserialize;
use serde_json::json;
use tidegate::flow::Summary;
use tidegate::flow::config::{FlowConfig, KindError, Kinds, NoSettings};
use tidegate::{Declaration, Filter, Head, LocalReply, Verdict, View};

/// Says `denied` of what it is told to deny.
struct Guard {
    denies: bool,
}

impl Filter<request::Parts> for Guard {
    fn declare(&self) -> Declaration {
        Declaration::new().result("denied")
    }

    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        if self.denies {
            view.set_result("denied").expect("declared");
        }
        Verdict::PASS
    }
}

/// Puts a field into heads of both directions.
struct Stamp(&'static str);

impl<H: Head> Filter<H> for Stamp {
    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(head) = view.head_mut() {
            head.headers_mut().insert("x-stamp", self.0.parse().expect("a value"));
        }
        Verdict::PASS
    }
}

/// Answers in the place of a response.
struct Page(StatusCode);

impl Filter<response::Parts> for Page {
    fn head(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
        view.reply(LocalReply::new(self.0))
    }
}

struct Broken;

impl<H: Head> Filter<H> for Broken {
    fn declare(&self) -> Declaration {
        panic!("it cannot declare itself")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardSettings {
    #[serde(default)]
    denies: bool,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what they say is only read")]
struct Rule {
    field: String,
    most_bytes: u32,
}

#[derive(Deserialize)]
struct PageSettings {
    status: u16,
}

pub(crate) fn all() -> Kinds {
    let mut kinds = Kinds::new();
    add(&mut kinds).expect("they differ");
    kinds
}

fn add(kinds: &mut Kinds) -> Result<(), KindError> {
    kinds.request("guard", |settings: GuardSettings| match settings.rules.len() {
        0..3 => Ok(move || Guard { denies: settings.denies }),
        rules => Err(format!("{rules} rules, and two are enough")),
    })?;
    kinds.both("stamp", |_: NoSettings| Ok::<_, Infallible>(|| Stamp("here")))?;
    kinds.response("page", |settings: PageSettings| {
        StatusCode::from_u16(settings.status).map(|status| move || Page(status))
    })?;
    kinds.finalizer("log", |_: NoSettings| Ok::<_, Infallible>(|_: &Summary| ()))?;
    kinds
        .both("panics", |text: String| -> Result<fn() -> Stamp, Infallible> { panic!("{text}") })?;
    kinds.both("broken", |_: NoSettings| Ok::<_, Infallible>(|| Broken))?;
    Ok(())
}

/// Can only declare itself for requests, or only for responses.
struct Half {
    works_for_requests: bool,
}

impl Half {
    fn declared(&self, is_request: bool) -> Declaration {
        assert_eq!(is_request, self.works_for_requests, "it cannot declare itself for these");
        Declaration::new()
    }
}

impl Filter<request::Parts> for Half {
    fn declare(&self) -> Declaration {
        self.declared(true)
    }
}

impl Filter<response::Parts> for Half {
    fn declare(&self) -> Declaration {
        self.declared(false)
    }
}

#[test]
fn a_kind_for_both_that_can_only_be_made_for_one_is_told() {
    for works_for_requests in [true, false] {
        let mut kinds = Kinds::new();
        let make = move || Half { works_for_requests };
        kinds.both("half", move |_: NoSettings| Ok::<_, Infallible>(make)).unwrap();
        let config = json!({ "name": "f", "filters": [{ "name": "a", "kind": "half" }] });
        let error = FlowConfig::read(config).unwrap().build(&kinds).expect_err("it panics");
        assert_eq!(
            error.to_string(),
            "filters[0]: making a filter of kind `half` panicked",
            "{works_for_requests}"
        );
    }
}

#[test]
fn a_kind_that_is_refused_is_told() {
    let duplicate = KindError::Duplicate { kind: "stamp".to_owned() };
    assert_eq!(duplicate.to_string(), "there is a kind called `stamp` already");
    assert_eq!(KindError::Empty.to_string(), "a kind without a name");
    let told = "the name of a kind: limits::MAX_CONFIG_NAME_BYTES is 128";
    assert_eq!(KindError::TooLong.to_string(), told);
}

#[test]
fn a_kind_has_a_name_of_its_own() {
    let mut kinds = all();
    let mut add = |name: &str| {
        kinds.both(name, |_: NoSettings| Ok::<_, Infallible>(|| Stamp("there"))).map(|_| ())
    };
    assert_eq!(add(""), Err(KindError::Empty));
    assert_eq!(add("stamp"), Err(KindError::Duplicate { kind: "stamp".to_owned() }));
    assert_eq!(add(&"k".repeat(129)), Err(KindError::TooLong));
    assert_eq!(add(&"k".repeat(128)), Ok(()));
    assert_eq!(kinds.names().count(), 7);
    assert_eq!(
        format!("{kinds:?}").split(", ").next(),
        Some(r#"{"broken": Both"#),
        "what each is for"
    );
}
