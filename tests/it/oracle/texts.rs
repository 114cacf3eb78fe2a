//! Random texts of manifests: every style that YAML has for maps, lists and scalars, and then
//! careless edits, so that both what clients read and what they refuse is asked.

use super::dice::Dice;
use super::words::{
    PLAIN, WORDS, key, number, number_like, one_of, quoted_double, quoted_single, soup,
};

/// The text with this number.
pub(super) fn text(seed: u64, number: usize) -> String {
    let mut dice = Dice::new(seed, number);
    let dice = &mut dice;
    dice.wild = dice.one_in(5);
    let mut text =
        if !dice.wild && dice.one_in(25) { "\u{feff}".to_owned() } else { String::new() };
    let json = !dice.wild && dice.one_in(5);
    // Only a text of nothing but JSON is read as JSON; all other JSON has to be YAML, too.
    let pure = json && dice.one_in(2);
    if !pure && dice.one_in(6) {
        text.push_str(dice.word(&[
            "---\n",
            "--- \n",
            "# first\n---\n",
            "\n\n",
            "--- # x\n",
            "---\n---\n",
        ]));
    }
    let documents = *dice.pick(&[1, 1, 1, 1, 2, 3]);
    for number in 0..documents {
        if number > 0 {
            text.push_str(separator(dice, pure));
        }
        if json || !dice.wild && dice.one_in(20) {
            json_document(dice, number, pure, &mut text);
        } else {
            yaml_document(dice, number, &mut text);
        }
    }
    if !pure && dice.one_in(15) {
        text.push_str(dice.word(&["...\n", "...\nlost: 1\n", "---\n", "# end", "\n\n", "---"]));
    }
    let edits = if dice.wild { *dice.pick(&[0, 0, 1, 1, 2, 4]) } else { 0 };
    for _ in 0..edits {
        edit(dice, &mut text);
    }
    // Clients add the line break that a file may lack at its end.
    if !text.ends_with('\n') {
        text.truncate(text.trim_end_matches([' ', '\t']).len());
    }
    match dice.below(14) {
        0 => text.replace('\n', "\r\n"),
        // Where lines end in CR alone, `---` separates nothing, and quotes are not repaired.
        1 if !text.contains("---") && !text.contains(['"', '\'']) => text.replace('\n', "\r"),
        2 if !text.contains('+') => text.trim_end().to_owned(),
        _ => text,
    }
}

fn separator(dice: &mut Dice, json: bool) -> &'static str {
    let some = [
        "---\n",
        "---\n",
        "---\n",
        "--- # next\n",
        "---\t\n",
        "---\n---\n",
        "...\n---\n",
        "---   \n",
    ];
    if json { dice.word(&["\n", "", " ", "\n\n"]) } else { dice.word(&some) }
}

/// A careless change somewhere in the text.
fn edit(dice: &mut Dice, text: &mut String) {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    if places.is_empty() {
        return;
    }
    let at = *dice.pick(&places);
    let line = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    match dice.below(8) {
        0 | 1 => {
            text.remove(at);
        }
        2 | 3 => text.insert_str(at, dice.word(&INSERTED)),
        4 => text.insert(line, ' '),
        5 if text.as_bytes().get(line) == Some(&b' ') => {
            text.remove(line);
        }
        6 => {
            let end = text.get(at..).and_then(|t| t.find('\n')).map_or(text.len(), |i| at + i + 1);
            let copy = text.get(line..end).unwrap_or_default().to_owned();
            text.insert_str(line, &copy);
        }
        _ => {
            let end = text.get(at..).and_then(|t| t.find('\n')).map_or(text.len(), |i| at + i + 1);
            text.replace_range(line..end, "");
        }
    }
}

const INSERTED: [&str; 42] = [
    "\n",
    " ",
    "\t",
    ":",
    ": ",
    "- ",
    "-",
    "#",
    " #",
    "'",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    "|",
    ">",
    "!!str ",
    "&a ",
    "*a",
    "? ",
    "%",
    "@",
    "`",
    "~",
    "<<: ",
    "\\",
    "\u{a0}",
    "\u{e9}",
    "\u{1f512}",
    "0",
    "1",
    "_",
    ".",
    "---",
    "\n---\n",
    "\n...\n",
    "null",
    "yes",
    "=",
    "$",
];

struct Yaml<'d, 'o> {
    dice: &'d mut Dice,
    out: &'o mut String,
    anchors: Vec<String>,
    /// Those of maps.
    maps: Vec<String>,
    /// How much may still be nested.
    depth: usize,
}

fn yaml_document(dice: &mut Dice, number: usize, out: &mut String) {
    let mut heads = vec![
        one_of(
            dice,
            &[
                "apiVersion: example.com/v1",
                "\"apiVersion\": example.com/v1",
                "apiVersion:   'example.com/v1'  # v",
            ],
        ),
        one_of(dice, &["kind: Farm", "kind: \"Farm\"", "kind:\n  Farm", "'kind': Farm"]),
    ];
    heads.push(match dice.below(4) {
        0 => format!("metadata: {{name: f{number}}}"),
        1 => format!("metadata:\n    name: f{number}\n    labels: {{a: b}}"),
        2 => format!("metadata:\n  name: 'f{number}'"),
        _ => format!("metadata:\n  name: f{number}"),
    });
    let mut yaml = Yaml { dice, out, anchors: Vec::new(), maps: Vec::new(), depth: 3 };
    while !heads.is_empty() {
        if yaml.dice.one_in(2) {
            yaml.entry(0, "x");
        }
        let head = heads.remove(yaml.dice.below(heads.len()));
        yaml.out.push_str(&head);
        yaml.out.push('\n');
    }
    let more = yaml.dice.below(5);
    for index in 0..more {
        yaml.entry(0, ["spec", "data", "y", "status", "a"].get(index).copied().unwrap_or("z"));
    }
}

impl Yaml<'_, '_> {
    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn say(&mut self, from: &[&str]) {
        let word = self.dice.word(from);
        self.out.push_str(word);
    }

    /// What may stand behind a value, and the end of its line.
    fn line_end(&mut self) {
        let ends = [
            "\n",
            "\n",
            "\n",
            "\n",
            "\n",
            "\n",
            " \n",
            "  # why\n",
            "\t\n",
            "\n\n",
            "\n# x\n",
            "\n    # y\n",
        ];
        self.say(&ends);
    }

    /// One key of a block map and its value.
    fn entry(&mut self, indent: usize, name: &str) {
        self.pad(indent);
        self.entry_behind_pad(indent, name);
    }

    fn entry_behind_pad(&mut self, indent: usize, name: &str) {
        let some = if self.dice.wild { &self.anchors } else { &self.maps };
        if !some.is_empty() && self.dice.one_in(8) {
            self.merge();
            return;
        }
        let explicit = self.dice.one_in(60);
        if explicit {
            self.out.push_str("? ");
        }
        match self.dice.below(8) {
            0 => self.out.push_str(&key(self.dice)),
            _ => self.out.push_str(name),
        }
        if explicit && !(self.dice.wild && self.dice.one_in(2)) {
            self.out.push('\n');
            self.pad(indent);
        }
        self.say(&[":", ":", ":", ":", ":", ":", ":", " :"]);
        self.value(indent, false);
    }

    fn merge(&mut self) {
        let maps = self.maps.clone();
        let map = |dice: &mut Dice| match maps.as_slice() {
            some @ [_, ..] if !dice.wild || dice.one_in(2) => format!("*{}", dice.pick(some)),
            _ => "*a".to_owned(),
        };
        let (alias, other) = (map(self.dice), map(self.dice));
        self.out.push_str(&match self.dice.below(if self.dice.wild { 6 } else { 5 }) {
            0 => format!("<<: [{alias}, {other}]"),
            1 => format!("'<<': {alias}"),
            2 => format!("<<: {{k: 1, m: {alias}}}"),
            5 => format!("<<:\n{alias}"),
            _ => format!("<<: {alias}"),
        });
        self.line_end();
    }

    fn alias(&mut self) -> String {
        match self.anchors.as_slice() {
            [] => "*none".to_owned(),
            some => format!("*{}", self.dice.pick(some)),
        }
    }

    /// An anchor or a tag, sometimes; it has the blank before it. Gives the anchor.
    fn properties(&mut self) -> Option<String> {
        let anchor =
            self.dice.one_in(10).then(|| one_of(self.dice, &["a", "b", "base", "x-1", "a"]));
        if let Some(name) = &anchor {
            self.out.push_str(&format!(" &{name}"));
        }
        if self.dice.one_in(if self.dice.wild { 24 } else { 60 }) {
            let tags = [
                " !mine",
                " !!str",
                " !",
                " !<tag:yaml.org,2002:str>",
                " !!int",
                " !!bool",
                " !!float",
                " !!null",
                " !!map",
                " !!seq",
                " !!binary",
                " !!set",
            ];
            let tag = self.dice.usual(1, &tags);
            self.out.push_str(tag);
        }
        anchor
    }

    /// The value behind `:` or `-`, which ends its line.
    fn value(&mut self, indent: usize, in_list: bool) {
        let anchor = self.properties();
        let early = self.dice.wild && self.dice.one_in(4);
        self.anchors.extend(anchor.clone().filter(|_| early));
        let choice = if self.depth == 0 { self.dice.below(8) } else { self.dice.below(14) };
        match choice {
            0..=3 => {
                let gap = self.dice.usual(4, &[" ", " ", " ", "  ", "\t"]);
                self.out.push_str(gap);
                self.scalar();
                self.line_end();
            }
            4 => self.block_scalar(indent),
            5 => {
                self.out.push(' ');
                self.flow(indent, 2);
                self.line_end();
            }
            6 => {
                if !self.anchors.is_empty() && (anchor.is_none() || self.dice.wild) {
                    let alias = self.alias();
                    self.out.push_str(&format!(" {alias}"));
                }
                self.line_end();
            }
            7 => self.multi_line(indent),
            8..=11 => self.map(indent, in_list && (anchor.is_none() || self.dice.wild)),
            _ => self.list(indent),
        }
        // One name may stand for several values: then no longer for a map alone.
        self.maps.retain(|map| Some(map) != anchor.as_ref());
        self.maps.extend(anchor.clone().filter(|_| (8..=11).contains(&choice)));
        self.anchors.extend(anchor.filter(|_| !early));
    }

    fn map(&mut self, indent: usize, in_list: bool) {
        self.depth -= 1;
        let compact = in_list && !self.dice.one_in(4);
        let step = *self.dice.pick(&[1, 2, 2, 2, 3, 4]);
        let indent = indent + if compact { 2 } else { step };
        if compact {
            self.out.push(' ');
        } else {
            self.line_end();
        }
        for number in 0..=self.dice.below(3) {
            let name = self.dice.word(&["a", "b", "c", "d", "on", "name", "k-1", "long.name/x"]);
            if number == 0 && compact {
                self.entry_behind_pad(indent, name);
            } else {
                self.entry(indent, name);
            }
        }
        self.depth += 1;
    }

    fn list(&mut self, indent: usize) {
        self.depth -= 1;
        self.line_end();
        let indent = indent + *self.dice.pick(&[0, 0, 2, 2, 4]);
        for _ in 0..=self.dice.below(3) {
            self.pad(indent);
            self.out.push('-');
            self.value(indent, true);
        }
        self.depth += 1;
    }

    /// A scalar on one line.
    fn scalar(&mut self) {
        let text = match self.dice.below(9) {
            0 => number(self.dice),
            1 => number_like(self.dice),
            2 => self.dice.usual(34, &WORDS).to_owned(),
            3 => quoted_single(self.dice),
            4 => quoted_double(self.dice),
            5 => self.dice.usual(16, &PLAIN).to_owned(),
            6 => soup(self.dice),
            7 => format!("{} {}", self.dice.usual(16, &PLAIN), soup(self.dice)),
            _ => one_of(self.dice, &["a", "web", "8080", "true", "\"true\"", "1.10", ""]),
        };
        self.out.push_str(&text);
    }

    fn block_scalar(&mut self, indent: usize) {
        let deeper = *self.dice.pick(&[1, 2, 2, 2, 4]);
        let head = self.dice.word(&[" |", " >", " |-", " >-", " |+", " >+", " | # c"]);
        self.out.push_str(head);
        if !head.ends_with('c') && self.dice.one_in(6) {
            self.out.push_str(&deeper.to_string());
        }
        self.out.push('\n');
        let inner = indent + deeper;
        let mut first = true;
        for _ in 0..self.dice.below(5) {
            if self.dice.one_in(5) {
                let blank = self.dice.usual(1, &["\n", "\n", "   \n"]);
                self.out.push_str(blank);
                continue;
            }
            let extra = *self.dice.pick(&[0, 0, 0, 1, 3]);
            // The first line says how deep the others are.
            self.pad(inner + if first { 0 } else { extra });
            let more = ["# no comment", "- a", "a: b", "--- x", "'", "%x", "..."];
            let line = match self.dice.below(4) {
                0 => one_of(self.dice, &more),
                _ => soup(self.dice),
            };
            self.out.push_str(&line);
            first = false;
            self.say(&["\n", "\n", "\n", " \n"]);
        }
    }

    /// A plain or quoted scalar over several lines.
    fn multi_line(&mut self, indent: usize) {
        let quote = self.dice.word(&["", "'", "\""]);
        self.say(&[" ", "\n"]);
        if self.out.ends_with('\n') {
            self.pad(indent + 2);
        }
        self.out.push_str(quote);
        self.out.push_str("first");
        for _ in 0..=self.dice.below(3) {
            self.say(&["\n", "\n", " \n", "\n\n", "\n \n"]);
            if quote == "\"" && self.dice.one_in(6) {
                self.out.push('\\');
            }
            let shift = *self.dice.pick(&[1, 2, 2, 4]);
            let back = usize::from(quote.is_empty() && self.dice.one_in(30));
            self.pad((indent + shift).saturating_sub(back * 3));
            let words = ["next", "more of it", "a:b", "1", "- x", "#not", "---", "\ttab", "\\n"];
            let word = self.dice.usual(5, &words);
            self.out.push_str(word);
        }
        self.out.push_str(quote);
        self.line_end();
    }

    fn flow(&mut self, indent: usize, depth: usize) {
        let map = self.dice.one_in(2);
        self.out.push(if map { '{' } else { '[' });
        let count = self.dice.below(4);
        for number in 0..count {
            self.flow_gap(indent);
            if map {
                let name = if self.dice.one_in(5) {
                    key(self.dice)
                } else {
                    one_of(self.dice, &["a", "b", "\"c\"", "'d'", "e"])
                };
                self.out.push_str(&name);
                let colon = self.dice.usual(4, &[": ", ": ", ": ", " : ", ":", ":\n      ", ""]);
                self.out.push_str(colon);
            }
            match self.dice.below(6) {
                0 if depth > 0 => self.flow(indent, depth - 1),
                1 if self.dice.wild || !self.anchors.is_empty() => {
                    let alias = self.alias();
                    self.out.push_str(&alias);
                }
                2 if !self.dice.wild => {
                    let word = one_of(self.dice, &["a", "1", "yes", "'q'", "a b", "x/y", "0x1F"]);
                    self.out.push_str(&word);
                }
                _ => self.scalar(),
            }
            self.flow_gap(indent);
            if number + 1 < count || self.dice.one_in(8) {
                self.out.push(',');
            }
        }
        self.out.push(if map { '}' } else { ']' });
    }

    fn flow_gap(&mut self, indent: usize) {
        if self.dice.one_in(12) {
            self.say(&["\n", " # c\n", "\n\n"]);
            self.pad(indent + 2);
            let more = self.dice.usual(3, &["", "", "  ", "\t"]);
            self.out.push_str(more);
        } else if self.dice.one_in(2) {
            self.out.push(' ');
        }
    }
}

fn json_document(dice: &mut Dice, number: usize, pure: bool, out: &mut String) {
    let heads = [
        "\"apiVersion\":\"example.com/v1\"".to_owned(),
        "\"kind\": \"Farm\"".to_owned(),
        format!("\"metadata\": {{\"name\":\"f{number}\"}}"),
    ];
    out.push('{');
    for (index, head) in heads.iter().enumerate() {
        if index > 0 {
            json_gap(dice, ",", pure, out);
        }
        out.push_str(head);
    }
    for name in ["spec", "a", "spec"].iter().take(dice.below(4)) {
        json_gap(dice, ",", pure, out);
        out.push_str(&format!("\"{name}\""));
        json_gap(dice, ":", pure, out);
        json_value(dice, 3, pure, out);
    }
    out.push('}');
    let ends = ["\n", "\n\n", " \n", ""];
    out.push_str(dice.word(if pure { &ends[..] } else { &ends[..3] }));
}

fn json_gap(dice: &mut Dice, mark: &str, pure: bool, out: &mut String) {
    let gaps = ["", "", " ", "\n", "\n\t", "\n  "];
    let before = if pure { &gaps[..] } else { &gaps[..3] };
    out.push_str(dice.word(before));
    out.push_str(mark);
    out.push_str(dice.word(&gaps));
}

fn json_value(dice: &mut Dice, depth: usize, pure: bool, out: &mut String) {
    match dice.below(if depth > 0 { 10 } else { 7 }) {
        0 => out.push_str(dice.usual(3, &["true", "false", "null", "True", "nil"])),
        1 | 2 => {
            let numbers = [
                "0",
                "-0",
                "1",
                "-1",
                "1.5",
                "1.0",
                "1e3",
                "0.1",
                "-0.0",
                "9223372036854775808",
                "12345678901234567890",
                "1e-7",
                "9007199254740993",
                "-9223372036854775809",
                "1E400",
                "01",
                "1.",
                ".5",
                "0x1F",
            ];
            out.push_str(dice.usual(14, &numbers));
        }
        3..=6 => out.push_str(&json_string(dice, pure)),
        7 => {
            out.push('[');
            for index in 0..dice.below(4) {
                if index > 0 {
                    json_gap(dice, ",", pure, out);
                }
                json_value(dice, depth - 1, pure, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..dice.below(4) {
                if index > 0 {
                    json_gap(dice, ",", pure, out);
                }
                let keys = ["\"a\"", "\"b\"", "\"yes\"", "\"1\"", "\"\"", "\"<<\"", "\"A\""];
                out.push_str(dice.word(&keys));
                json_gap(dice, ":", pure, out);
                json_value(dice, depth - 1, pure, out);
            }
            out.push('}');
        }
    }
}

/// A string of JSON.
fn json_string(dice: &mut Dice, pure: bool) -> String {
    let escapes =
        ["", "\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\u00e9", "\\ud83d\\ude00", "\\ud83d"];
    let escapes = escapes.get(..if pure { 10 } else { 5 }).expect("ten");
    let inner = soup(dice).replace('"', "\\\"");
    format!("\"{inner}{}\"", dice.word(escapes))
}
