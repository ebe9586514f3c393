//! The paths that code names, as their full segments.

use super::rust::is_word;
use super::source::Source;

/// A path of at least two segments, or imported.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Counted from 0.
    pub(crate) line: usize,
    /// From the root of a crate: what begins with `self` or `super` is resolved to `crate` and the
    /// modules behind it.
    pub(crate) segments: Vec<String>,
}

impl Path {
    /// Whether the path is `prefix`, as `a::b`, or something in it.
    pub(crate) fn is_in(&self, prefix: &str) -> bool {
        let mut segments = self.segments.iter();
        prefix.split("::").all(|each| segments.next().is_some_and(|segment| segment == each))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Separator,
    Other(char),
}

/// The paths in `code`, which is the code of `source` or a part of it.
pub(crate) fn paths(source: &Source, code: &str) -> Vec<Path> {
    let tokens = tokens(code);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        module: source.module(),
        inline: Vec::new(),
        found: vec![],
    };
    reader.run();
    reader.found
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let len = if is_word(first) {
                let len = rest.find(|each| !is_word(each)).unwrap_or(rest.len());
                tokens.push((line, Token::Word(rest[..len].to_owned())));
                len
            } else if rest.starts_with("::") {
                tokens.push((line, Token::Separator));
                2
            } else {
                tokens.push((line, Token::Other(first)));
                first.len_utf8()
            };
            rest = rest[len..].trim_start();
        }
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    /// The module of the file.
    module: Vec<String>,
    /// Modules written out in the file that are open here, each with the braces open inside it.
    inline: Vec<(String, usize)>,
    found: Vec<Path>,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some((_, token)) = self.tokens.get(self.at) {
            match token {
                Token::Word(_) => self.word(),
                Token::Other('{') => {
                    if let Some((_, braces)) = self.inline.last_mut() {
                        *braces += 1;
                    }
                    self.at += 1;
                }
                Token::Other('}') => {
                    if let Some((_, braces)) = self.inline.last_mut() {
                        *braces -= 1;
                        if *braces == 0 {
                            self.inline.pop();
                        }
                    }
                    self.at += 1;
                }
                // `<T>::name`: what stands before is no module.
                Token::Other('>') if self.peek(1) == Some(&Token::Separator) => self.at += 3,
                Token::Separator | Token::Other(_) => self.at += 1,
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(_, token)| token)
    }

    fn word(&mut self) {
        let imported = self.at > 0
            && self.tokens[..self.at]
                .iter()
                .rev()
                .find(|(_, token)| *token != Token::Separator)
                .is_some_and(|(_, token)| *token == Token::Word("use".into()));
        if let (Some(Token::Word(keyword)), Some(Token::Word(name)), Some(Token::Other('{'))) =
            (self.peek(0), self.peek(1), self.peek(2))
            && keyword == "mod"
        {
            self.inline.push((name.clone(), 1));
            self.at += 3;
            return;
        }
        self.tree(&[], imported);
    }

    /// A path or a tree of imports behind `prefix`.
    fn tree(&mut self, prefix: &[String], imported: bool) {
        let mut segments = prefix.to_vec();
        let line = self.tokens[self.at].0;
        loop {
            match self.peek(0) {
                Some(Token::Word(word)) => {
                    segments.push(word.clone());
                    self.at += 1;
                }
                Some(Token::Other('*')) if segments.len() > prefix.len() || imported => {
                    segments.push("*".into());
                    self.at += 1;
                    break;
                }
                Some(Token::Other('{')) => return self.group(&segments),
                _ => break,
            }
            if self.peek(0) != Some(&Token::Separator) {
                break;
            }
            self.at += 1;
        }
        if segments.len() > 1 || imported {
            let segments = self.resolved(segments);
            self.found.push(Path { line, segments });
        }
    }

    /// The group of imports that begins here.
    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return,
                Some(Token::Other('}')) => {
                    self.at += 1;
                    return;
                }
                Some(Token::Word(word)) if word == "as" => self.at += 2,
                Some(Token::Word(_) | Token::Other('*')) => self.tree(prefix, true),
                Some(_) => self.at += 1,
            }
        }
    }

    fn resolved(&self, segments: Vec<String>) -> Vec<String> {
        let here = || {
            let inline = self.inline.iter().map(|(name, _)| name.clone());
            self.module.iter().cloned().chain(inline).collect::<Vec<_>>()
        };
        let mut rest = segments.as_slice();
        let mut module = match rest.first().map(String::as_str) {
            Some("crate" | "$crate") => Vec::new(),
            Some("self" | "super") => here(),
            _ => return segments,
        };
        while let [first, behind @ ..] = rest
            && matches!(first.as_str(), "crate" | "self" | "super")
        {
            if first == "super" {
                module.pop();
            }
            rest = behind;
        }
        let mut all = vec!["crate".to_owned()];
        all.append(&mut module);
        all.extend_from_slice(rest);
        all
    }
}

fn named(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(path, text);
    paths(&source, &source.code).iter().map(|path| path.segments.join("::")).collect()
}

#[test]
fn imports_are_written_out() {
    let text = "use std::{sync::{Arc, atomic::*}, fmt::{self, Debug as D}};\nuse bytes;\n";
    let expected =
        ["std::sync::Arc", "std::sync::atomic::*", "std::fmt::self", "std::fmt::Debug", "bytes"];
    assert_eq!(named("src/a.rs", text), expected);
}

#[test]
fn paths_in_expressions_are_found() {
    let text = "fn a(b: &crate::c::D) -> Vec::<u8> { ::std::mem::take(b); <E>::f(); g::h::<u8>() }";
    let expected = ["crate::c::D", "std::mem::take", "g::h"];
    let named = named("src/a.rs", text);
    let named: Vec<_> = named.iter().filter(|path| *path != "Vec").collect();
    assert_eq!(named, expected);
}

#[test]
fn relative_paths_are_resolved() {
    let text = "use super::b::C;\nmod d { use super::e::F; fn g() { super::super::h::i() } }\n\
                use self::j::K;\n";
    let expected = ["crate::a::b::C", "crate::a::x::e::F", "crate::a::h::i", "crate::a::x::j::K"];
    assert_eq!(named("src/a/x.rs", text), expected);
    assert_eq!(named("src/a/mod.rs", "use super::b::C;"), ["crate::b::C"]);
}
