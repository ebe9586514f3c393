//! A configuration as the target draws it, and as a tree.

use serde_json::{Map, Value, json};

/// A name that is too long.
pub(super) const LONG: &str = "a-name-of-129-bytes-------------------------------------------\
    -------------------------------------------------------------------";

pub(super) type Name = &'static str;

#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) name: Name,
    pub(super) kind: Name,
    pub(super) settings: Settings,
}

/// What the kinds of the target read: `says`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settings {
    None,
    /// The result that it says.
    Says(Name),
    /// A number in the place of a result.
    Number,
    /// A field that no kind has.
    Field,
    /// Deeper than allowed.
    Deep,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) what: What,
    pub(super) jumps: Vec<(Name, Name)>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Filter { filter: Name, alias: Option<Name> },
    Call { name: Name, statuses: Option<Vec<(u16, u16)>> },
}

#[derive(Debug, Clone)]
pub(super) struct Pipe {
    pub(super) flow: Option<Vec<Node>>,
    pub(super) continues: bool,
}

/// Both switches of a border: stopped, failed.
pub(super) type Border = [Option<bool>; 2];

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: Name,
    pub(super) filters: Vec<Filter>,
    /// Before, main, after; main is always there.
    pub(super) pipes: [Option<Pipe>; 3],
    /// To main, to after, past main.
    pub(super) borders: Option<[Border; 3]>,
    pub(super) easegress: Option<[bool; 2]>,
    pub(super) finalizers: Vec<Name>,
    pub(super) frame_bytes: Option<usize>,
    pub(super) marks: Option<(Option<u64>, u64)>,
    /// What the upstream answers.
    pub(super) status: u16,
}

pub(super) const STAGES: [&str; 3] = ["before", "main", "after"];

impl Node {
    /// What jumps call it. An end is not called.
    pub(super) fn name(&self) -> Name {
        match self.what {
            What::Filter { filter, alias } => alias.unwrap_or(filter),
            What::Call { name, .. } => name,
        }
    }

    pub(super) fn is_end(&self) -> bool {
        matches!(self.what, What::Filter { filter: "END", .. })
    }

    fn tree(&self) -> Value {
        let mut map = Map::new();
        match &self.what {
            What::Filter { filter, alias: None } if self.jumps.is_empty() => return json!(filter),
            What::Filter { filter, alias } => {
                map.insert("filter".to_owned(), json!(filter));
                if let Some(alias) = alias {
                    map.insert("as".to_owned(), json!(alias));
                }
            }
            What::Call { name, statuses } => {
                map.insert("call".to_owned(), json!(name));
                if let Some(statuses) = statuses {
                    map.insert("failure_statuses".to_owned(), statuses_tree(statuses));
                }
            }
        }
        if !self.jumps.is_empty() {
            let jumps = self.jumps.iter().map(|(result, to)| ((*result).to_owned(), json!(to)));
            map.insert("jump_if".to_owned(), Value::Object(jumps.collect()));
        }
        Value::Object(map)
    }
}

fn statuses_tree(statuses: &[(u16, u16)]) -> Value {
    let one = |&(first, last): &(u16, u16)| match first == last {
        true => json!(first),
        false => json!(format!("{first}-{last}")),
    };
    statuses.iter().map(one).collect()
}

impl Case {
    pub(super) fn filter(&self, name: &str) -> Option<&Filter> {
        self.filters.iter().find(|filter| filter.name == name)
    }

    /// The configuration.
    pub(super) fn tree(&self) -> Value {
        let mut map = Map::new();
        map.insert("name".to_owned(), json!(self.name));
        if !self.filters.is_empty() {
            map.insert("filters".to_owned(), self.filters.iter().map(filter_tree).collect());
        }
        for (stage, pipe) in STAGES.iter().zip(&self.pipes) {
            if let Some(pipe) = pipe {
                map.insert((*stage).to_owned(), pipe_tree(pipe));
            }
        }
        if let Some(borders) = &self.borders {
            let keys = ["to_main", "to_after", "past_main"];
            let borders = keys.iter().zip(borders).map(|(key, border)| {
                let said = ["stopped", "failed"].iter().zip(border);
                let said =
                    said.filter_map(|(key, is_on)| Some(((*key).to_owned(), json!((*is_on)?))));
                ((*key).to_owned(), Value::Object(said.collect()))
            });
            map.insert("fall_through".to_owned(), Value::Object(borders.collect()));
        }
        if let Some([before, main]) = self.easegress {
            map.insert("easegress".to_owned(), json!({ "before": before, "main": main }));
        }
        if !self.finalizers.is_empty() {
            map.insert("finalizers".to_owned(), json!(self.finalizers));
        }
        let mut limits = Map::new();
        if let Some(bytes) = self.frame_bytes {
            limits.insert("max_frame_bytes".to_owned(), json!(bytes));
        }
        if let Some((low, high)) = self.marks {
            let marks = match low {
                Some(low) => json!({ "low_bytes": low, "high_bytes": high }),
                None => json!({ "high_bytes": high }),
            };
            limits.insert("response_output".to_owned(), marks);
        }
        map.insert("limits".to_owned(), Value::Object(limits));
        Value::Object(map)
    }
}

fn filter_tree(filter: &Filter) -> Value {
    let settings = match filter.settings {
        Settings::None => return json!({ "name": filter.name, "kind": filter.kind }),
        Settings::Says(result) => json!({ "says": result }),
        Settings::Number => json!({ "says": 7 }),
        Settings::Field => json!({ "sayz": "no" }),
        Settings::Deep => (0..40).fold(json!(1), |inner, _| json!([inner])),
    };
    json!({ "name": filter.name, "kind": filter.kind, "settings": settings })
}

fn pipe_tree(pipe: &Pipe) -> Value {
    let mut map = Map::new();
    if let Some(nodes) = &pipe.flow {
        map.insert("flow".to_owned(), nodes.iter().map(Node::tree).collect());
    }
    if pipe.continues {
        map.insert("on_unhandled".to_owned(), json!("continue"));
    }
    Value::Object(map)
}
