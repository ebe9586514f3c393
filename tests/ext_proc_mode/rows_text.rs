//! A row says the same in words, in Envoy's text and as a value of ours.

use serde_json::Value;
use tidegate::ext_proc::mode::{BodyMode, ModeField};

use crate::rows::{Ours, Row, rows};

/// The number that the text of a row has for `field`, if it has one.
fn written(row: &Row, field: ModeField) -> Option<i32> {
    let text = row.route.unwrap_or(row.filter);
    let fields: Value = serde_saphyr::from_str(text).expect("YAML");
    let of_route = row.route.map(|_| &fields["overrides"]["processing_mode"]);
    let mode = of_route.unwrap_or_else(|| &fields["processing_mode"]);
    let value = mode.get(field.name())?;
    let number = value.as_i64().map(|number| number.try_into().expect("a small number"));
    number.or_else(|| number_of(field, value.as_str()?))
}

fn number_of(field: ModeField, name: &str) -> Option<i32> {
    match name {
        "GRPC" => Some(5),
        _ if field.is_body() => {
            let mode = BodyMode::ALL.into_iter().find(|mode| mode.name() == name)?;
            Some(mode.number())
        }
        "DEFAULT" => Some(0),
        "SEND" => Some(1),
        "SKIP" => Some(2),
        _ => None,
    }
}

/// The numbers of our value: the route's, if it has a mode.
fn of_value(row: &Row) -> Option<[i32; 6]> {
    match row.ours {
        Ours::NoMode(numbers, _) => Some(numbers),
        Ours::Takes(build, _) | Ours::Refuses(build, _) => {
            let (config, route) = build();
            let mode = route.map(|route| config.mode_on(&route));
            Some(mode.unwrap_or(config.processing_mode).numbers())
        }
        Ours::CannotBeSaid | Ours::NotModelled => None,
    }
}

#[test]
fn the_text_of_a_row_says_what_our_value_says() {
    for row in rows() {
        let Some(numbers) = of_value(row) else { continue };
        // Nothing is said of the mode of a route where the processor is disabled.
        let is_disabled = row.route == Some("disabled: true");
        for (at, field) in ModeField::ALL.into_iter().enumerate() {
            let text = written(row, field);
            if field.is_body() && !is_disabled {
                assert_eq!(text.unwrap_or(0), numbers[at], "{}: {field}", row.name);
            }
            // Our values say SEND where the protocol says DEFAULT for a head.
            let is_default = text == Some(0);
            if let Some(number) = text.filter(|_| !is_default) {
                assert_eq!(number, numbers[at], "{}: {field}", row.name);
            }
        }
    }
}

/// What is in the first column is what the text has: each field that is named there with a value.
#[test]
fn the_name_of_a_row_says_what_its_text_says() {
    for row in rows() {
        for field in ModeField::ALL {
            let named = row.name.split([',', '(', ')']).map(str::trim);
            let stated =
                named.filter_map(|part| part.strip_prefix(field.name())?.strip_prefix(": "));
            for value in stated.filter(|value| !value.is_empty() && *value != "DUPLEX") {
                let value = value.split(' ').next().expect("not empty");
                let number = value.parse().ok().or_else(|| number_of(field, value));
                assert_eq!(written(row, field), number, "{}: {field}", row.name);
            }
        }
    }
}
