//! Just enough of Rust's grammar: comments, literals, items for tests, functions.

/// The text as code (comments and the insides of literals blanked) and as comments (everything
/// else blanked). Both have the text's lines and columns.
pub(crate) fn split(text: &str) -> (String, String) {
    let text: Vec<char> = text.chars().collect();
    let mut split = Split { text: &text, at: 0, code: String::new(), comments: String::new() };
    while split.at < text.len() {
        split.next();
    }
    (split.code, split.comments)
}

struct Split<'a> {
    text: &'a [char],
    at: usize,
    code: String,
    comments: String,
}

/// Where characters go.
#[derive(Clone, Copy)]
enum To {
    Code,
    Comments,
    Nowhere,
}

impl Split<'_> {
    fn next(&mut self) {
        let ahead = |n: usize| self.text.get(self.at + n).copied().unwrap_or('\0');
        match (ahead(0), ahead(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', '\\') => self.character(),
            ('\'', _) if ahead(2) == '\'' => self.character(),
            (start, _) if is_word(start) => self.word(),
            _ => self.put(1, To::Code),
        }
    }

    fn put(&mut self, count: usize, to: To) {
        for _ in 0..count {
            let Some(&each) = self.text.get(self.at) else { return };
            self.at += 1;
            let blank = if each == '\n' { '\n' } else { ' ' };
            let (code, comment) = match to {
                To::Code => (each, blank),
                To::Comments => (blank, each),
                To::Nowhere => (blank, blank),
            };
            self.code.push(code);
            self.comments.push(comment);
        }
    }

    fn starts_with(&self, start: &str) -> bool {
        start.chars().enumerate().all(|(n, each)| self.text.get(self.at + n) == Some(&each))
    }

    fn line_comment(&mut self) {
        while self.at < self.text.len() && self.text[self.at] != '\n' {
            self.put(1, To::Comments);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.text.len() {
            if self.starts_with("/*") {
                depth += 1;
                self.put(2, To::Comments);
            } else if self.starts_with("*/") {
                depth -= 1;
                self.put(2, To::Comments);
                if depth == 0 {
                    return;
                }
            } else {
                self.put(1, To::Comments);
            }
        }
    }

    /// A string with escapes at its first quote.
    fn string(&mut self) {
        self.put(1, To::Code);
        while self.at < self.text.len() {
            match self.text[self.at] {
                '\\' => self.put(2, To::Nowhere),
                '"' => return self.put(1, To::Code),
                _ => self.put(1, To::Nowhere),
            }
        }
    }

    /// A raw string at its first hash or quote.
    fn raw_string(&mut self, hashes: usize) {
        let end = format!("\"{}", "#".repeat(hashes));
        self.put(hashes + 1, To::Code);
        while self.at < self.text.len() && !self.starts_with(&end) {
            self.put(1, To::Nowhere);
        }
        self.put(hashes + 1, To::Code);
    }

    fn character(&mut self) {
        self.put(1, To::Code);
        while self.at < self.text.len() && self.text[self.at] != '\'' {
            let count = if self.text[self.at] == '\\' { 2 } else { 1 };
            self.put(count, To::Nowhere);
        }
        self.put(1, To::Code);
    }

    /// A word, and the raw string it may be the prefix of.
    fn word(&mut self) {
        let start = self.at;
        while self.at < self.text.len() && is_word(self.text[self.at]) {
            self.put(1, To::Code);
        }
        let word: String = self.text[start..self.at].iter().collect();
        if !matches!(word.as_str(), "r" | "br" | "cr") {
            return;
        }
        let hashes = self.text[self.at..].iter().take_while(|&&each| each == '#').count();
        if self.text.get(self.at + hashes) == Some(&'"') {
            self.raw_string(hashes);
        }
    }
}

/// Whether `each` can be in an identifier or a number.
pub(crate) fn is_word(each: char) -> bool {
    each == '_' || each.is_alphanumeric()
}

/// The words of `text`, with the line of each, counted from 0.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(line, text)| {
        text.split(|each| !is_word(each)).filter(|word| !word.is_empty()).map(move |w| (line, w))
    })
}

/// `code` with every item under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(code: &str) -> String {
    let mut shipped = code.to_owned();
    while let Some(start) = shipped.find("#[cfg(test)]") {
        let end = start + item_len(&shipped[start..]);
        let blank: String =
            shipped[start..end].chars().map(|each| if each == '\n' { '\n' } else { ' ' }).collect();
        shipped.replace_range(start..end, &blank);
    }
    shipped
}

/// How long the item is at which `code` begins: to its semicolon or its last brace.
fn item_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, each) in code.char_indices() {
        match each {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The functions of `code` as (first line counted from 0, number of lines, name). Relies on
/// rustfmt: the closing brace of a function stands under its first character.
pub(crate) fn functions(code: &str) -> Vec<(usize, usize, String)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut functions = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(keyword) = words.iter().position(|&word| word == "fn") else { continue };
        let modifiers = ["pub", "const", "async", "unsafe", "extern", "\"", "\"C\""];
        let is_item =
            words[..keyword].iter().all(|w| modifiers.contains(w) || w.starts_with("pub("));
        let Some(name) = words.get(keyword + 1).filter(|_| is_item) else { continue };
        let name = name.split(|each| !is_word(each)).next().unwrap_or(name);
        let indent = line.len() - line.trim_start().len();
        if let Some(count) = function_lines(&lines[first..], indent) {
            functions.push((first, count, name.to_owned()));
        }
    }
    functions
}

/// How many lines the function has that begins `lines`; none if it has no body.
fn function_lines(lines: &[&str], indent: usize) -> Option<usize> {
    for (n, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        let own = line.len() - line.trim_start().len();
        if n == 0 && trimmed.ends_with('}') {
            return Some(1);
        }
        if own == indent && trimmed.starts_with('}') {
            return Some(n + 1);
        }
        if trimmed.ends_with(';') && (n == 0 || own == indent) {
            return None;
        }
    }
    None
}

#[test]
fn comments_and_literals_are_told_from_code() {
    let text = r##"let a = "// no \" comment"; // yes "one"
let b = r#"raw " // no"#; /* block /* nested */ still */ let c = '"';
let d: &'static str = "'"; let e = '\''; let r = b"x"; // end
"##;
    let (code, comments) = split(text);
    let blank = |count: usize| " ".repeat(count);
    let line = format!("let a = \"{}\"; {}", blank(16), blank(12));
    assert_eq!(code.lines().next(), Some(line.as_str()));
    assert_eq!(comments.lines().next().map(str::trim), Some("// yes \"one\""));
    assert!(code.contains(&format!("let b = r#\"{}\"#;", blank(11))), "{code}");
    assert!(code.contains("let c = ' ';"), "{code}");
    assert!(code.contains("&'static str = \" \"; let e = '  '; let r = b\" \";"), "{code}");
    assert!(comments.contains("/* block /* nested */ still */"));
    assert_eq!(code.chars().count(), text.chars().count());
}

#[test]
fn test_items_are_left_out() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c(); }\n}\nfn d() {}\n";
    let shipped = without_tests(code);
    let lines: Vec<&str> = shipped.lines().map(str::trim).collect();
    assert_eq!(lines, ["fn a() {}", "", "", "", "", "fn d() {}"]);
    let code = "#[cfg(test)]\nmod tests;\nfn d() {}";
    assert!(without_tests(code).ends_with("fn d() {}"));
    assert!(!without_tests(code).contains("mod"));
}

#[test]
fn functions_are_measured() {
    let code = "\
impl A {
    pub(crate) const fn a(
        self,
    ) -> u8 {
        0
    }

    fn b() {}
}
trait B {
    fn c();
    fn d(
        e: u8,
    ) -> u8;
    fn e() {
        loop {}
    }
}
type F = fn() -> u8;
";
    let expected = [(1, 5, "a"), (7, 1, "b"), (14, 3, "e")];
    let expected = expected.map(|(first, count, name)| (first, count, name.to_owned()));
    assert_eq!(functions(code), expected);
}
