//! Every key and value has the byte range at which it is written: random documents are built together
//! with the places of their parts, and the tree has to give the same places.

use std::fmt::Write;
use std::ops::Range;

use palisade::document::{Document, Node, Span};

use crate::oracle::dice::Dice;
use crate::support::{loaded, write};

/// Cases of each kind of container.
const CASES: usize = 120;

/// One step of the way to a part.
#[derive(Clone, Debug)]
enum Way {
    Key(String),
    Item(usize),
}

/// A part of a document: where it is written.
struct Part {
    way: Vec<Way>,
    key: Option<Range<usize>>,
    /// None for a value that is left out: it stands right behind its key.
    value: Option<Range<usize>>,
}

/// What a document is written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    /// A file of its own.
    Alone,
    /// The second document of a file.
    Second,
    /// A fence of a Markdown file.
    Fence,
    /// A fence inside a quote of a Markdown file.
    Quote,
    /// A fence inside a list of a Markdown file.
    List,
}

/// A text that grows, and the parts that were written.
struct Writer<'d> {
    dice: &'d mut Dice,
    text: String,
    line_end: &'static str,
    /// What every line begins with.
    prefix: &'static str,
    parts: Vec<Part>,
    anchors: usize,
}

impl Writer<'_> {
    fn line(&mut self) {
        self.text.push_str(self.line_end);
        self.text.push_str(self.prefix);
    }

    fn pad(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    /// Writes a token and gives its place.
    fn token(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    fn part(&mut self, way: &[Way], key: Option<Range<usize>>, value: Option<Range<usize>>) {
        self.parts.push(Part { way: way.to_vec(), key, value });
    }

    /// A key that its map has not yet: how it is written, and what it is.
    fn key(&mut self, number: usize) -> (String, String) {
        match self.dice.below(6) {
            0 => (format!("\"q{number}\\t\u{e9}\""), format!("q{number}\t\u{e9}")),
            1 => (format!("'it''s {number}'"), format!("it's {number}")),
            2 => (
                format!("\u{43a}\u{43b}\u{44e}\u{447}{number}"),
                format!("\u{43a}\u{43b}\u{44e}\u{447}{number}"),
            ),
            3 => (format!("\u{1f511}{number}"), format!("\u{1f511}{number}")),
            4 => (format!("two words {number}"), format!("two words {number}")),
            _ => (format!("k{number}"), format!("k{number}")),
        }
    }

    /// Ends a line, sometimes with a comment, sometimes with lines of comments behind it.
    fn end(&mut self, indent: usize) {
        if self.dice.one_in(5) {
            self.text.push_str(self.dice.word(&[
                " # why",
                "   # \u{43f}\u{43e}\u{447}\u{435}\u{43c}\u{443}: x",
                "  ",
                " #",
            ]));
        }
        self.line();
        if self.dice.one_in(8) {
            let pad = self.dice.below(indent + 3);
            self.pad(pad);
            self.text.push_str("# key: value \u{1f600}");
            self.line();
        }
    }

    /// The entries of a block map whose first line is padded already; gives the map's place.
    fn map(
        &mut self,
        indent: usize,
        way: &[Way],
        depth: usize,
        heads: &[(&str, &str)],
    ) -> Range<usize> {
        let start = self.text.len();
        let mut end = start;
        let count = heads.len() + 1 + self.dice.below(3);
        for number in 0..count {
            if number > 0 {
                self.pad(indent);
            }
            let head = heads.get(number);
            let (written, name) =
                head.map_or_else(|| self.key(number), |(k, _)| ((*k).into(), (*k).into()));
            let inner: Vec<Way> = way.iter().cloned().chain([Way::Key(name)]).collect();
            let key = self.token(&written);
            self.text.push(':');
            let last = number + 1 == count;
            let value = match head {
                Some((_, value)) => {
                    self.text.push(' ');
                    let place = self.token(value);
                    self.end(indent);
                    Some(place)
                }
                None => self.value(indent, &inner, depth, last),
            };
            end = value.as_ref().map_or(key.end, |place| place.end).max(end);
            self.part(&inner, Some(key), value);
        }
        start..end
    }

    /// A value behind `:`, with the end of its line; its place, if it has one.
    fn value(
        &mut self,
        indent: usize,
        way: &[Way],
        depth: usize,
        last: bool,
    ) -> Option<Range<usize>> {
        match self.dice.below(if depth == 0 { 6 } else { 9 }) {
            0 if !last => {
                self.end(indent);
                None
            }
            0..=3 => {
                self.text.push_str(self.dice.word(&[" ", " ", "   ", " !!str ", " "]));
                if self.dice.one_in(12) {
                    self.anchors += 1;
                    let name = format!("&a{} ", self.anchors);
                    self.text.push_str(&name);
                }
                let place = self.scalar(indent);
                self.end(indent);
                Some(place)
            }
            4 => Some(self.block_scalar(indent)),
            5 => {
                self.text.push(' ');
                let place = self.flow(way, 2);
                self.end(indent);
                Some(place)
            }
            6 | 7 => {
                let deeper = indent + *self.dice.pick(&[1, 2, 4]);
                self.end(deeper);
                self.pad(deeper);
                Some(self.map(deeper, way, depth - 1, &[]))
            }
            _ => Some(self.list(indent, way, depth - 1)),
        }
    }

    fn list(&mut self, indent: usize, way: &[Way], depth: usize) -> Range<usize> {
        let indent = indent + *self.dice.pick(&[0, 2]);
        self.end(indent);
        let mut place: Option<Range<usize>> = None;
        for number in 0..=self.dice.below(3) {
            self.pad(indent);
            let start = self.token("-").start;
            let inner: Vec<Way> = way.iter().cloned().chain([Way::Item(number)]).collect();
            self.text.push(' ');
            let value = match self.dice.below(3) {
                0 if depth > 0 => self.map(indent + 2, &inner, depth - 1, &[]),
                1 => {
                    let place = self.flow(&inner, 1);
                    self.end(indent);
                    place
                }
                _ => {
                    let place = self.scalar(indent);
                    self.end(indent);
                    place
                }
            };
            place = Some(place.map_or(start, |place| place.start)..value.end);
            self.part(&inner, None, Some(value));
        }
        place.expect("a list has items")
    }

    /// A scalar on one line or several.
    fn scalar(&mut self, indent: usize) -> Range<usize> {
        let words = [
            "web",
            "8080",
            "yes",
            "~x",
            "caf\u{e9}",
            "a b  c",
            "\u{1f512} shut",
            "http://a/b#c",
            "\"\u{fc}ber \\u00e9\"",
            "'it''s'",
            "''",
            "\"\"",
            "0x1F",
            "\"a # b: c\"",
        ];
        if !self.dice.one_in(5) {
            let word = self.dice.word(&words);
            return self.token(word);
        }
        let quote = self.dice.word(&["", "'", "\""]);
        let start = self.token(quote).start;
        self.text.push_str("first \u{e9}");
        for _ in 0..=self.dice.below(2) {
            self.line();
            self.pad(indent + 2);
            self.text.push_str("next \u{1f600} line");
        }
        self.text.push_str(quote);
        start..self.text.len()
    }

    /// A block scalar, whose place is its lines without the first blanks and the last line break.
    fn block_scalar(&mut self, indent: usize) -> Range<usize> {
        self.text.push_str(self.dice.word(&[" |", " >-", " |-", " > # so"]));
        self.line();
        self.pad(indent + 2);
        let mut place = self.token("line: \u{e9}");
        for _ in 0..self.dice.below(3) {
            self.line();
            self.pad(indent + 2);
            place.end = self.token("# more \u{1f600}").end;
        }
        self.line();
        place
    }

    fn flow(&mut self, way: &[Way], depth: usize) -> Range<usize> {
        let map = self.dice.one_in(2);
        let start = self.token(if map { "{" } else { "[" }).start;
        let count = self.dice.below(4);
        for number in 0..count {
            self.text.push_str(self.dice.word(&["", " "]));
            let mut inner = way.to_vec();
            let mut key = None;
            if map {
                let (written, name) = self.key(number);
                inner.push(Way::Key(name));
                key = Some(self.token(&written));
                self.text.push_str(": ");
            } else {
                inner.push(Way::Item(number));
            }
            let value = if depth > 0 && self.dice.one_in(3) {
                self.flow(&inner, depth - 1)
            } else {
                let word = self.dice.word(&["a", "\u{e9} b", "'c, d'", "\"}\"", "1", "no"]);
                self.token(word)
            };
            self.part(&inner, key, Some(value));
            if number + 1 < count {
                self.text.push(',');
            }
        }
        self.text.push_str(if map { "}" } else { "]" });
        start..self.text.len()
    }
}

/// A file with one document whose parts are known, and the name under which it is written.
fn case(container: Container, number: usize) -> (String, String, Vec<Part>) {
    let mut dice = Dice::new(7, number);
    let (prefix, extension) = match container {
        Container::Alone | Container::Second => ("", "yaml"),
        Container::Fence => ("", "md"),
        Container::Quote => ("> ", "md"),
        Container::List => ("  ", "md"),
    };
    let line_end = if dice.one_in(3) { "\r\n" } else { "\n" };
    let mut head = match container {
        Container::Alone => dice.word(&["", "\u{feff}", "---\n", "# caf\u{e9}\n\n"]).to_owned(),
        Container::Second => {
            "apiVersion: v1\nkind: Other\nmetadata: {name: \u{e9}}\n---\n".to_owned()
        }
        Container::Fence => "# \u{dc}ber\n\n```yaml\n".to_owned(),
        Container::Quote => "Text\n\n> ```yaml\n> ".to_owned(),
        Container::List => "- \u{e9}\n\n  ~~~ yaml\n  ".to_owned(),
    };
    head = head.replace('\n', line_end);
    let mut writer =
        Writer { dice: &mut dice, text: head, line_end, prefix, parts: Vec::new(), anchors: 0 };
    let name = format!("metadata-{number}");
    let heads = [("apiVersion", "example.com/v1"), ("kind", "Row")];
    let root = writer.map(0, &[], 3, &heads);
    let key = writer.token("metadata");
    writer.text.push_str(": ");
    let start = writer.token("{").start;
    let inner = writer.token("name");
    writer.text.push_str(": ");
    let value = writer.token(&name);
    let end = writer.token("}").end;
    let metadata = Way::Key("metadata".to_owned());
    writer.part(&[metadata.clone(), Way::Key("name".to_owned())], Some(inner), Some(value));
    writer.part(&[metadata], Some(key), Some(start..end));
    writer.part(&[], None, Some(root.start..end));
    writer.line();
    match container {
        Container::Alone | Container::Second => {}
        Container::Fence | Container::Quote => writer.text.push_str("```\n\nEnd\n"),
        Container::List => writer.text.push_str("~~~\n\nEnd\n"),
    }
    let Writer { text, parts, .. } = writer;
    (format!("{container:?}-{number}.{extension}"), text, parts)
}

fn find<'d>(document: &'d Document, way: &[Way]) -> Option<Node<'d>> {
    way.iter().try_fold(document.root(), |node, step| match step {
        Way::Key(key) => node.get(key),
        Way::Item(index) => node.children().nth(*index),
    })
}

fn size(node: Node<'_>) -> usize {
    1 + node.children().map(size).sum::<usize>()
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// What is wrong with the places of a document.
fn differences(document: &Document, text: &str, parts: &[Part]) -> Vec<String> {
    let mut found = Vec::new();
    let nodes = size(document.root());
    if nodes != parts.len() {
        found.push(format!("{nodes} nodes, not {}", parts.len()));
    }
    let mut compare = |what: &str, way: &[Way], have: Range<usize>, want: &Range<usize>| {
        if have != *want {
            let have = (text.get(have.clone()), have);
            found.push(format!("{what} {way:?}: {have:?}, not {want:?} {:?}", &text[want.clone()]));
        }
    };
    for Part { way, key, value } in parts {
        let Some(node) = find(document, way) else {
            compare("node", way, 0..0, &(0..1));
            continue;
        };
        if let (Some(want), Some(have)) = (key, node.key_span()) {
            compare("key", way, range(have), want);
        }
        match value {
            Some(want) => compare("value", way, range(node.span()), want),
            None => {
                let behind = key.as_ref().map_or(0, |key| key.end);
                let have = range(node.span());
                let fits = have.is_empty() && (behind..=behind + 1).contains(&have.start);
                if !fits {
                    compare("empty value", way, have, &(behind..behind + 1));
                }
            }
        }
    }
    found
}

#[test]
fn every_key_and_value_has_the_place_where_it_is_written() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let containers =
        [Container::Alone, Container::Second, Container::Fence, Container::Quote, Container::List];
    let cases: Vec<(String, String, Vec<Part>)> = containers
        .into_iter()
        .flat_map(|container| (0..CASES).map(move |number| case(container, number)))
        .collect();
    for (name, text, _) in &cases {
        write(scratch.path(), name, text);
    }
    let loaded = loaded(&[scratch.path().to_owned()]);
    let refused: Vec<String> = loaded
        .problems
        .iter()
        .map(|p| format!("{}: {}", loaded.files.get(p.at.file).name(), p.message))
        .collect();
    assert!(refused.is_empty(), "the texts are YAML: {refused:#?}");
    let documents: Vec<&Document> =
        loaded.inventories.iter().flat_map(|inventory| &inventory.documents).collect();
    let mut wrong = String::new();
    let mut count = 0;
    for (name, text, parts) in &cases {
        let own = documents.iter().find(|document| {
            loaded.files.get(document.extent.file).name() == name && document.id.kind == "Row"
        });
        let own = own.unwrap_or_else(|| panic!("{name} was not read:\n{text}"));
        count += parts.len();
        let found = differences(own, text, parts);
        if !found.is_empty() {
            writeln!(wrong, "{name}\n{}\n{text}", found.join("\n")).expect("a string");
        }
    }
    assert!(count > 10 * cases.len(), "the documents have {count} parts");
    let shown: String = wrong.chars().take(6000).collect();
    assert!(wrong.is_empty(), "{shown}");
}
