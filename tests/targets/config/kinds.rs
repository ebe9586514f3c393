//! The kinds of the target: filters that say the result of their settings when a head comes.

use std::convert::Infallible;

use serde::Deserialize;
use tidegate::flow::Summary;
use tidegate::flow::config::{KindError, Kinds, NoSettings};
use tidegate::{Declaration, Filter, Head, Verdict, View};

/// What is known of each kind: its name, its results, whether it is for requests and for responses.
pub(super) const KINDS: [(&str, &[&str], bool, bool); 3] = [
    ("ask", &["no", "maybe"], true, false),
    ("page", &["bad"], false, true),
    ("both", &["odd"], true, true),
];

/// The kind of finalizers.
pub(super) const LOG: &str = "log";

/// A result that all kinds refuse in settings.
pub(super) const REFUSED: &str = "refused";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    says: String,
}

struct Sayer {
    results: &'static [&'static str],
    says: String,
}

impl<H: Head> Filter<H> for Sayer {
    fn declare(&self) -> Declaration {
        self.results.iter().fold(Declaration::new(), |declared, result| declared.result(*result))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        view.set_result(&self.says).expect("its kind has looked");
        Verdict::PASS
    }
}

pub(super) fn kinds() -> Kinds {
    let mut kinds = Kinds::new();
    add(&mut kinds).expect("they differ");
    kinds
}

fn add(kinds: &mut Kinds) -> Result<(), KindError> {
    let [ask, page, both] = KINDS;
    kinds.request(ask.0, |settings| maker(ask.1, settings))?;
    kinds.response(page.0, |settings| maker(page.1, settings))?;
    kinds.both(both.0, |settings| maker(both.1, settings))?;
    kinds.finalizer(LOG, |_: NoSettings| Ok::<_, Infallible>(|_: &Summary| ()))?;
    Ok(())
}

fn maker(
    results: &'static [&'static str],
    Settings { says }: Settings,
) -> Result<impl Fn() -> Sayer, String> {
    if says.is_empty() || results.contains(&says.as_str()) {
        Ok(move || Sayer { results, says: says.clone() })
    } else {
        Err(format!("`{says}` is no result"))
    }
}
