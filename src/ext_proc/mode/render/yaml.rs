use core::fmt::Write as _;

/// YAML in blocks, as Envoy's documentation writes it.
#[derive(Debug, Default)]
pub(super) struct Yaml {
    text: String,
    depth: usize,
}

impl Yaml {
    /// `key: value`, where `value` needs no quotes.
    pub(super) fn plain(&mut self, key: &str, value: impl core::fmt::Display) {
        self.indent();
        // Writing into a string does not fail.
        let _ = writeln!(self.text, "{key}: {value}");
    }

    /// `key: "value"`, whatever `value` is.
    pub(super) fn quoted(&mut self, key: &str, value: &str) {
        self.indent();
        self.text.push_str(key);
        self.text.push_str(": ");
        quote(&mut self.text, value);
        self.text.push('\n');
    }

    /// `key: true`, unless that is the default.
    pub(super) fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.plain(key, true);
        }
    }

    /// `key:` and what `inner` writes below it.
    pub(super) fn map(&mut self, key: &str, inner: impl FnOnce(&mut Self)) {
        self.indent();
        self.text.push_str(key);
        self.text.push_str(":\n");
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    /// One entry of a list, whose fields `inner` writes.
    pub(super) fn entry(&mut self, inner: impl FnOnce(&mut Self)) {
        let at = self.text.len();
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        // The dash takes the place of the indentation of the first field.
        let indent = self.depth * INDENT.len();
        if self.text.len() > at {
            self.text.replace_range(at + indent..at + indent + INDENT.len(), "- ");
        }
    }

    /// `key:` and a list of texts; nothing if it is empty.
    pub(super) fn texts(&mut self, key: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.map(key, |yaml| {
            for value in values {
                yaml.indent();
                yaml.text.push_str("- ");
                quote(&mut yaml.text, value);
                yaml.text.push('\n');
            }
        });
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.text.push_str(INDENT);
        }
    }
}

const INDENT: &str = "  ";

/// As JSON does, of which YAML takes all escapes.
fn quote(text: &mut String, value: &str) {
    text.push('"');
    for each in value.chars() {
        match each {
            '"' | '\\' => {
                text.push('\\');
                text.push(each);
            }
            // Line breaks of Unicode are line breaks to YAML.
            each if each.is_control() || matches!(each, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(text, "\\u{:04x}", u32::from(each));
            }
            each => text.push(each),
        }
    }
    text.push('"');
}
