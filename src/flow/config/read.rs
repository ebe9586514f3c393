use serde::Deserialize;
use serde::de::Deserializer;

use super::{ConfigError, ConfigErrorKind, ConfigPlace};

/// Reads a configuration that has flows in it, and says where it has the wrong shape.
///
/// # Errors
///
/// [`ConfigErrorKind::Shape`]: an unknown or missing field, a value of the wrong type, or text that
/// the format cannot read.
///
/// # Examples
///
/// ```
/// use serde::Deserialize;
/// use tidegate::flow::config::{FlowConfig, read};
///
/// #[derive(Debug, Deserialize)]
/// struct Gateway {
///     routes: Vec<FlowConfig>,
/// }
///
/// let text = r#"{ "routes": [{ "name": "shop", "main": { "flow": [{ "call": 7 }] } }] }"#;
/// let mut json = serde_json::Deserializer::from_str(text);
/// let error = read::<Gateway, _>(&mut json).unwrap_err();
/// assert_eq!(error.place().to_string(), "routes[0].main.flow[0].call");
/// ```
pub fn read<'de, T, D>(from: D) -> Result<T, ConfigError>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    serde_path_to_error::deserialize(from).map_err(|error| {
        let place = ConfigPlace::of_path(error.path());
        let reason = error.into_inner().to_string();
        ConfigError::new(place, ConfigErrorKind::shape(&reason))
    })
}
