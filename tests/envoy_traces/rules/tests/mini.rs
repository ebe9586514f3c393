//! Traces written by hand, a line an entry.
//!
//! `A req_data recv=d1 buf=null -> Continue` is a callback and its answer; with `{` in place of
//! the answer it stays open until `} -> Continue`. `A does VERB ARG` and `A did buf=` are an
//! action. `step JSON` begins a step; `origin JSON` and `client JSON` are what a peer got.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::trace::Trace;

#[derive(Default)]
struct Writer {
    chain: Vec<Value>,
    opts: Value,
    proto: Value,
    steps: Vec<Value>,
    counts: BTreeMap<String, usize>,
    open: Vec<Value>,
}

/// The trace that these lines write; the scripts of its filters are left out.
pub(super) fn mini(text: &str) -> Trace {
    let mut writer =
        Writer { opts: json!({}), proto: json!({"down": "h2", "up": "h2"}), ..Writer::default() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writer.line(line);
    }
    let nothing = json!({"body": "", "pieces": [], "end": false});
    let trace = json!({
        "name": "mini", "about": "", "envoy": "", "calls": [],
        "script": {"name": "mini", "about": "", "proto": writer.proto, "opts": writer.opts,
                   "chain": writer.chain, "steps": []},
        "steps": writer.steps,
        "origin_received": nothing, "client_received": nothing,
    });
    Trace::parse(&trace.to_string()).unwrap_or_else(|error| panic!("{error}: {trace:#}"))
}

impl Writer {
    fn line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "chain" => {
                self.chain = rest.split(' ').map(|name| json!({"name": name})).collect();
            }
            "opts" => self.opts = serde_json::from_str(rest).unwrap(),
            "proto" => self.proto = json!({"down": rest, "up": rest}),
            "step" => {
                let step: Value = serde_json::from_str(rest).unwrap();
                let number = self.steps.len();
                self.steps.push(json!({
                    "step": number, "do": step, "filters": [], "client": [], "origin": [],
                }));
            }
            "origin" | "client" => {
                let wire = serde_json::from_str(rest).unwrap();
                self.list(word).push(wire);
            }
            "}" => self.exit(rest),
            filter => self.entry(filter, rest),
        }
    }

    fn list(&mut self, name: &str) -> &mut Vec<Value> {
        self.steps.last_mut().unwrap()[name].as_array_mut().unwrap()
    }

    fn entry(&mut self, filter: &str, rest: &str) {
        let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut entry = json!({"f": filter, "depth": 0});
        match word {
            "destroy" => {
                entry["t"] = json!("note");
                entry["what"] = json!(word);
                self.list("filters").push(entry);
            }
            "does" => {
                entry["t"] = json!("do");
                entry["do"] = rest.split(' ').collect();
                self.list("filters").push(entry);
            }
            "did" => {
                entry["t"] = json!("did");
                entry["ok"] = json!(true);
                merge(&mut entry, rest);
                self.list("filters").push(entry);
            }
            callback => self.enter(entry, callback, rest),
        }
    }

    fn enter(&mut self, mut entry: Value, callback: &str, rest: &str) {
        let n = self.counts.entry(format!("{} {callback}", entry["f"])).or_default();
        *n += 1;
        entry["cb"] = json!(callback);
        entry["n"] = json!(*n);
        let (fields, answer) = match rest.split_once("->") {
            Some((fields, answer)) => (fields, Some(answer)),
            None => (rest.strip_suffix('{').unwrap(), None),
        };
        let mut enter = entry.clone();
        enter["t"] = json!("enter");
        merge(&mut enter, fields);
        for field in ["recv", "buf", "req_buf", "rsp_buf"] {
            if let Some(value) = enter.get(field) {
                entry[field] = value.clone();
            }
        }
        self.list("filters").push(enter);
        self.open.push(entry);
        if let Some(answer) = answer {
            self.exit(&format!("->{answer}"));
        }
    }

    fn exit(&mut self, rest: &str) {
        let (status, fields) =
            rest.trim_start_matches("->").trim().split_once(' ').unwrap_or((rest, ""));
        let mut exit = self.open.pop().unwrap();
        exit["t"] = json!("exit");
        exit["ret"] = json!(status.trim_start_matches("->").trim());
        merge(&mut exit, fields);
        self.list("filters").push(exit);
    }
}

/// `end` and `alias` are flags; `buf=null` is no buffer.
fn merge(entry: &mut Value, fields: &str) {
    let entry: &mut Map<String, Value> = entry.as_object_mut().unwrap();
    for field in fields.split_whitespace() {
        let (key, value) = match field.split_once('=') {
            None => (field, json!(true)),
            Some((key, "null")) => (key, Value::Null),
            Some((key, text)) => (key, json!(text)),
        };
        entry.insert(key.to_owned(), value);
    }
}
