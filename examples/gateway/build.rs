//! Builds the plan of a route.

use http::HeaderValue;
use tidegate::flow::config::ConfigPlace;
use tidegate::table::{Build, BuildError, Built, Extensions};

use super::extension::{AskError, ask};
use super::file::{ExtensionSpec, Fail, RouteSpec};
use super::kinds::kinds;
use super::plan::Plan;

/// What became of the question to the extension of a route.
enum Translated {
    By(HeaderValue),
    /// It is down, and the route does without.
    Without,
}

/// Asks extensions, and makes flows.
pub(crate) struct Builder;

impl Build<String, RouteSpec> for Builder {
    type Plan = Plan;

    fn build(
        &mut self,
        key: &String,
        spec: &RouteSpec,
        extensions: &Extensions,
    ) -> Result<Built<Plan>, BuildError> {
        let Some((name, extension)) = &spec.extension else {
            return Ok(Built::new(plan(spec, None)?));
        };
        match translate(key, spec, name, extension, extensions)? {
            Translated::By(value) => Ok(Built::new(plan(spec, Some(value))?).uses(name.as_str())),
            Translated::Without => Ok(Built::new(plan(spec, None)?).without(name.as_str())),
        }
    }
}

fn translate(
    key: &str,
    spec: &RouteSpec,
    name: &str,
    extension: &ExtensionSpec,
    extensions: &Extensions,
) -> Result<Translated, BuildError> {
    let asked = match extensions.down(name) {
        Some(error) => Err(error.to_string()),
        None => match ask(extension.address, key) {
            Ok(answer) => Ok(answer),
            Err(AskError::Down(error)) => Err(error.to_string()),
            Err(AskError::Refused(told)) => {
                let error = format!("extension `{name}` refuses: {told}");
                return Err(wrong(spec, &ConfigPlace::default().key("extension"), &error));
            }
        },
    };
    match (asked, extension.fail) {
        (Ok(answer), _) => match HeaderValue::try_from(answer) {
            Ok(value) => Ok(Translated::By(value)),
            Err(error) => Err(BuildError::extension(name, error)),
        },
        (Err(error), Fail::Closed) => Err(BuildError::extension(name, error)),
        (Err(_), Fail::Open) => Ok(Translated::Without),
    }
}

fn plan(spec: &RouteSpec, translation: Option<HeaderValue>) -> Result<Plan, BuildError> {
    let kinds = kinds(translation).map_err(BuildError::spec)?;
    let flow = spec.flow.build(&kinds).map_err(|error| {
        let place = error.place().clone();
        let inner = ConfigPlace::default().key("flow");
        let place = inner.parts().iter().chain(place.parts()).cloned().collect();
        wrong(spec, &place, error.kind())
    })?;
    tracing::info!(flow = flow.name(), held_bound_bytes = flow.held_bound_bytes(), "built");
    Plan::new(&flow, &spec.upstream)
        .map_err(|error| wrong(spec, &ConfigPlace::default().key("upstream"), &error))
}

/// The error of a route, with its line and place in the file.
fn wrong(
    spec: &RouteSpec,
    place: &ConfigPlace,
    error: &(impl std::fmt::Display + ?Sized),
) -> BuildError {
    let (mark, place) = spec.locate(place);
    BuildError::spec(format!("{mark}: {place}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::file;
    use super::*;

    /// The file on the front page.
    fn on_the_page() -> String {
        let page = include_str!("../../README.md");
        let (_, text) = page.split_once("```yaml\n").unwrap();
        text.split_once("```\n").unwrap().0.to_owned()
    }

    fn built(text: &str) -> BTreeMap<String, Result<(), String>> {
        let routes = file::read(text).ok().unwrap();
        let built = routes.into_iter().map(|(key, spec)| {
            let plan = plan(&spec, None).map(drop).map_err(|error| error.to_string());
            (key, plan)
        });
        built.collect()
    }

    #[test]
    fn the_file_on_the_front_page_is_served() {
        assert_eq!(built(&on_the_page()), BTreeMap::from([("*/shop/".to_owned(), Ok(()))]));
    }

    #[test]
    fn what_is_wrong_with_a_route_is_told_with_the_line() {
        let page = include_str!("../../README.md");
        let built = built(&on_the_page().replace("denied: sorry", "denied: sory"));
        let error = built["*/shop/"].clone().unwrap_err();
        let told = format!("*/shop/: {error}");
        assert!(page.replace('\n', " ").contains(&told), "{told}");
    }
}
