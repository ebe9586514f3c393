//! Kinds for the tests, and what registering them refuses.

use std::convert::Infallible;

use http::{StatusCode, request, response};
use serde::Deserialize;
use tidegate::flow::Summary;
use tidegate::flow::config::{KindError, Kinds, NoSettings};
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
