//! What is in the file.
//!
//! ```yaml
//! extensions:                   # asked when a route is built, not for its requests
//!   guard: { address: 127.0.0.1:9001, fail: closed }
//! routes:
//!   - path: /shop               # and all below it; / if nothing is said
//!     host: shop.example        # any host if nothing is said
//!     upstream: http://127.0.0.1:9000
//!     extension: guard
//!     flow:                     # see `tidegate::flow::config`
//!       name: shop
//!       filters:
//!         - { name: stamp, kind: stamp, settings: { value: v1 } }
//!         - { name: translated, kind: translated }
//!       main:
//!         flow: [ stamp, { call: upstream }, translated ]
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Deserialize;
use tidegate::flow::config::{self, ConfigPlace, FlowConfig};

use super::yaml::{Document, Mark};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    extensions: BTreeMap<String, ExtensionSpec>,
    routes: Vec<WrittenRoute>,
}

/// Where an extension is, and what becomes of its routes while it is not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtensionSpec {
    pub(crate) address: SocketAddr,
    #[serde(default)]
    pub(crate) fail: Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fail {
    /// Its routes fail.
    #[default]
    Closed,
    /// Its routes do without it.
    Open,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRoute {
    host: Option<String>,
    path: Option<String>,
    upstream: String,
    extension: Option<String>,
    flow: FlowConfig,
}

/// What a route is built of. Two are equal if they say the same, wherever they say it.
#[derive(Clone)]
pub(crate) struct RouteSpec {
    pub(crate) upstream: String,
    pub(crate) extension: Option<(String, ExtensionSpec)>,
    pub(crate) flow: FlowConfig,
    document: Arc<Document>,
    place: ConfigPlace,
}

impl RouteSpec {
    /// Where `place` in the route is in the file, and what the path of that is.
    pub(crate) fn locate(&self, place: &ConfigPlace) -> (Mark, ConfigPlace) {
        let place: ConfigPlace = self.place.parts().iter().chain(place.parts()).cloned().collect();
        (self.document.locate(&place), place)
    }
}

impl PartialEq for RouteSpec {
    fn eq(&self, other: &Self) -> bool {
        let said = |spec: &Self| (spec.upstream.clone(), spec.extension.clone());
        said(self) == said(other) && self.flow == other.flow
    }
}

/// A file that is not taken: what is wrong, and on which line.
#[derive(Debug)]
pub(crate) struct FileError {
    pub(crate) mark: Option<Mark>,
    pub(crate) error: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mark) = self.mark {
            write!(f, "{mark}: ")?;
        }
        f.write_str(&self.error)
    }
}

/// The key of a route in the table.
fn key(host: Option<&str>, path: Option<&str>) -> String {
    let host = host.unwrap_or("*").to_ascii_lowercase();
    let path = path.unwrap_or_default().trim_end_matches('/');
    format!("{host}{path}/")
}

/// The routes of a text, by their keys. What is wrong inside a flow shows when it is built.
pub(crate) fn read(text: &str) -> Result<BTreeMap<String, RouteSpec>, FileError> {
    let document = Document::read(text).map_err(|(error, mark)| FileError { mark, error })?;
    let document = Arc::new(document);
    let wrong = |place: &ConfigPlace, error: String| FileError {
        mark: Some(document.locate(place)),
        error,
    };
    let written: Written =
        config::read(document.tree()).map_err(|error| wrong(error.place(), error.to_string()))?;
    let mut routes = BTreeMap::new();
    for (i, route) in written.routes.into_iter().enumerate() {
        let place = ConfigPlace::default().key("routes").index(i);
        let WrittenRoute { host, path, upstream, extension, flow } = route;
        if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            let place = place.key("path");
            return Err(wrong(&place, format!("{place}: a path begins with `/`")));
        }
        let key = key(host.as_deref(), path.as_deref());
        let extension = match extension {
            None => None,
            Some(name) => match written.extensions.get(&name) {
                Some(spec) => Some((name, spec.clone())),
                None => {
                    let place = place.key("extension");
                    let error = format!("{place}: no extension is called `{name}`");
                    return Err(wrong(&place, error));
                }
            },
        };
        let document = Arc::clone(&document);
        let spec = RouteSpec { upstream, extension, flow, document, place: place.clone() };
        if routes.insert(key, spec).is_some() {
            return Err(wrong(&place, format!("{place}: another route has this host and path")));
        }
    }
    Ok(routes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(text).err().expect("it is refused").to_string()
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_the_line() {
        let route = "  - upstream: http://u\n    flow: { name: f }\n";
        let two = format!("routes:\n{route}{route}");
        assert_eq!(
            error(&two),
            "line 4, column 5: routes[1]: another route has this host and path"
        );
        let path = format!("routes:\n{route}    path: shop\n");
        assert_eq!(error(&path), "line 4, column 5: routes[0].path: a path begins with `/`");
        let gone = format!("routes:\n{route}    extension: guard\n");
        let told = "line 4, column 5: routes[0].extension: no extension is called `guard`";
        assert_eq!(error(&gone), told);
        let fail = "extensions:\n  guard:\n    address: 127.0.0.1:1\n    fail: often\nroutes: []\n";
        let told = "unknown variant `often`, expected `closed` or `open`";
        assert_eq!(error(fail), format!("line 4, column 5: extensions.guard.fail: {told}"));
        let call = format!("routes:\n{}", route.replace("name: f", "name: f, main: { flow: [7] }"));
        let told = "line 3, column 37: routes[0].flow.main.flow[0]: invalid type: integer `7`, ";
        assert!(error(&call).starts_with(told), "{}", error(&call));
        assert!(error("routes: [\n").starts_with("line 1, column 9: unclosed bracket"));
    }

    #[test]
    fn routes_that_say_the_same_are_the_same_wherever_they_are() {
        let text = "routes:\n  - { upstream: http://u, flow: { name: f } }\n";
        let (one, two) = (read(text).ok().unwrap(), read(&format!("# more\n{text}")).ok().unwrap());
        assert!(one.keys().eq(["*/"]));
        assert!(one == two);
    }
}
