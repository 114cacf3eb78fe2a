//! Random texts of manifests: every style that YAML has for maps, lists and scalars, and then
//! careless edits, so that both what clients read and what they refuse is asked.

use super::dice::Dice;

/// The text with this number.
pub(super) fn text(seed: u64, number: usize) -> String {
    let mut dice = Dice::new(seed, number);
    let dice = &mut dice;
    let mut text = if dice.one_in(25) { "\u{feff}".to_owned() } else { String::new() };
    if dice.one_in(6) {
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
    let json = dice.one_in(6);
    for number in 0..documents {
        if number > 0 {
            text.push_str(separator(dice, json));
        }
        if json || dice.one_in(20) {
            json_document(dice, number, &mut text);
        } else {
            yaml_document(dice, number, &mut text);
        }
    }
    if dice.one_in(15) {
        text.push_str(dice.word(&["...\n", "...\nlost: 1\n", "---\n", "# end", "\n\n", "---"]));
    }
    for _ in 0..*dice.pick(&[0, 0, 0, 1, 1, 2, 4]) {
        edit(dice, &mut text);
    }
    match dice.below(14) {
        0 => text.replace('\n', "\r\n"),
        1 if dice.one_in(4) => text.replace('\n', "\r"),
        2 => text.trim_end().to_owned(),
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
    if json && dice.one_in(2) { dice.word(&["\n", "", " ", "\n\n"]) } else { dice.word(&some) }
}

/// A careless change somewhere in the text.
fn edit(dice: &mut Dice, text: &mut String) {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    if places.is_empty() {
        return;
    }
    let at = *dice.pick(&places);
    let line = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    match dice.below(9) {
        0 | 1 => {
            text.remove(at);
        }
        2 | 3 => text.insert_str(at, dice.word(&INSERTED)),
        4 => text.insert(line, ' '),
        5 if text.as_bytes().get(line) == Some(&b' ') => {
            text.remove(line);
        }
        6 => text.insert(line, '\t'),
        7 => {
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

const INSERTED: [&str; 48] = [
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
    "!",
    "!!str ",
    "&a ",
    "*a",
    "?",
    "? ",
    "%",
    "@",
    "`",
    "~",
    "<<: ",
    "\\",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{e9}",
    "\u{1f512}",
    "0",
    "1",
    "_",
    ".",
    "---",
    "\n---\n",
    "\n...\n",
    "\r",
    "null",
    "yes",
    "=",
    "$",
];

struct Yaml<'d, 'o> {
    dice: &'d mut Dice,
    out: &'o mut String,
    anchors: Vec<String>,
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
    let mut yaml = Yaml { dice, out, anchors: Vec::new(), depth: 3 };
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

fn one_of(dice: &mut Dice, from: &[&str]) -> String {
    (dice.word(from)).to_owned()
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
        if !self.anchors.is_empty() && self.dice.one_in(8) {
            self.merge();
            return;
        }
        if self.dice.one_in(60) {
            self.out.push_str("? ");
        }
        match self.dice.below(8) {
            0 => self.out.push_str(&key(self.dice)),
            _ => self.out.push_str(name),
        }
        self.say(&[":", ":", ":", ":", ":", ":", ":", " :"]);
        self.value(indent, false);
    }

    fn merge(&mut self) {
        let alias = self.alias();
        let other = self.alias();
        self.out.push_str(&match self.dice.below(6) {
            0 => format!("<<: [{alias}, {other}]"),
            1 => format!("'<<': {alias}"),
            2 => format!("<<: {{k: 1, m: {alias}}}"),
            3 => format!("<<:\n{alias}"),
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

    /// An anchor or a tag, sometimes; it has the blank before it.
    fn properties(&mut self) {
        if self.dice.one_in(14) {
            let name = one_of(self.dice, &["a", "b", "base", "x-1", "a"]);
            self.out.push_str(&format!(" &{name}"));
            self.anchors.push(name);
        }
        if self.dice.one_in(24) {
            self.say(&[
                " !!str",
                " !!int",
                " !!bool",
                " !!float",
                " !!null",
                " !!map",
                " !!seq",
                " !!binary",
                " !mine",
                " !<tag:yaml.org,2002:str>",
                " !",
                " !!timestamp",
                " !!set",
            ]);
        }
    }

    /// The value behind `:` or `-`, which ends its line.
    fn value(&mut self, indent: usize, in_list: bool) {
        self.properties();
        let choice = if self.depth == 0 { self.dice.below(8) } else { self.dice.below(14) };
        match choice {
            0..=3 => {
                self.say(&[" ", " ", " ", "  ", "\t"]);
                self.scalar(indent);
                self.line_end();
            }
            4 => self.block_scalar(indent),
            5 => {
                self.out.push(' ');
                self.flow(indent, 2);
                self.line_end();
            }
            6 => {
                if !self.anchors.is_empty() {
                    let alias = self.alias();
                    self.out.push_str(&format!(" {alias}"));
                }
                self.line_end();
            }
            7 => self.multi_line(indent),
            8..=11 => self.map(indent, in_list),
            _ => self.list(indent),
        }
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
    fn scalar(&mut self, indent: usize) {
        let text = match self.dice.below(9) {
            0 => number(self.dice),
            1 => number_like(self.dice),
            2 => one_of(self.dice, &WORDS),
            3 => quoted_single(self.dice),
            4 => quoted_double(self.dice),
            5 => one_of(self.dice, &PLAIN),
            6 => soup(self.dice),
            7 => format!("{} {}", one_of(self.dice, &PLAIN), soup(self.dice)),
            _ => one_of(self.dice, &["a", "web", "8080", "true", "\"true\"", "1.10", ""]),
        };
        let _ = indent;
        self.out.push_str(&text);
    }

    fn block_scalar(&mut self, indent: usize) {
        self.say(&[
            " |", " >", " |-", " >-", " |+", " >+", " |2", " >2-", " |1", " | # c", " |+2", " |4",
        ]);
        self.out.push('\n');
        let inner = indent + *self.dice.pick(&[1, 2, 2, 2, 4]);
        for _ in 0..self.dice.below(5) {
            if self.dice.one_in(5) {
                self.say(&["\n", "\n", "   \n", "\t\n"]);
                continue;
            }
            let extra = *self.dice.pick(&[0, 0, 0, 1, 3]);
            self.pad(inner + extra);
            let line = match self.dice.below(4) {
                0 => one_of(
                    self.dice,
                    &["# no comment", "- a", "a: b", "--- x", "\ttab", "'", "%x", "..."],
                ),
                _ => soup(self.dice),
            };
            self.out.push_str(&line);
            self.say(&["\n", "\n", "\n", " \n"]);
        }
    }

    /// A plain or quoted scalar over several lines.
    fn multi_line(&mut self, indent: usize) {
        let quote = self.dice.word(&["", "'", "\""]);
        self.say(&[" ", "\n  "]);
        self.out.push_str(quote);
        self.out.push_str("first");
        for _ in 0..=self.dice.below(3) {
            self.say(&["\n", "\n", " \n", "\n\n", "\n \n"]);
            if quote == "\"" && self.dice.one_in(6) {
                self.out.push('\\');
            }
            let shift = *self.dice.pick(&[1, 2, 2, 4]);
            let back = usize::from(self.dice.one_in(12));
            self.pad((indent + shift).saturating_sub(back * 3));
            self.say(&[
                "next",
                "more of it",
                "#not",
                "- x",
                "---",
                "'",
                "a:b",
                "1",
                "\ttab",
                "\\n",
            ]);
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
                self.say(&[": ", ": ", ": ", ":", " : ", ":\n      ", ""]);
            }
            match self.dice.below(6) {
                0 if depth > 0 => self.flow(indent, depth - 1),
                1 => {
                    let alias = self.alias();
                    self.out.push_str(&alias);
                }
                _ => self.scalar(indent),
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
            self.say(&["", "", "  ", "\t"]);
        } else if self.dice.one_in(2) {
            self.out.push(' ');
        }
    }
}

fn key(dice: &mut Dice) -> String {
    let keys = [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "~",
        "null",
        "1",
        "0x1F",
        "010",
        "1.5",
        "1e3",
        "true",
        "'1'",
        "\"yes\"",
        "'on'",
        ".5",
        "1_000",
        "a b",
        "a.b/c",
        "\"a\\tb\"",
        "'it''s'",
        "-1",
        "[a]",
        "{a: b}",
        "123456789.5",
        "1e21",
        "!!str 1",
        "&a k",
        "*a ",
        "<<",
        "''",
        "1:2",
        "0.1",
        "1000000.5",
        "-.5e-7",
        "2001-12-14",
        "!!int '7'",
        "9223372036854775808",
        ".inf",
        "=",
        "-",
        "3.0",
    ];
    if dice.one_in(10) { number_like(dice) } else { one_of(dice, &keys) }
}

const WORDS: [&str; 44] = [
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "oN",
    "off",
    "Off",
    "OFF",
    "y",
    "Y",
    "n",
    "N",
    "true",
    "True",
    "TRUE",
    "tRUE",
    "false",
    "False",
    "FALSE",
    "null",
    "Null",
    "NULL",
    "nUll",
    "~",
    "",
    ".inf",
    "-.inf",
    "+.INF",
    ".nan",
    ".NaN",
    ".Nan",
    "=",
    "<<",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43",
    "12:30:45",
    "190:20:30.15",
];

const PLAIN: [&str; 36] = [
    "web",
    "a b",
    "a: b",
    "a:b",
    "a #b",
    "a#b",
    "http://x/y?z=1&b=2",
    "it's",
    "say \"x\"",
    "-x",
    "- x",
    "?x",
    ":x",
    "x:",
    "%x",
    "@x",
    "`x`",
    "!x",
    "&x",
    "*x",
    "|x",
    ">x",
    "[x",
    "x]",
    "{x",
    "x}",
    "x,y",
    "x, y",
    "a\\b",
    "a\tb",
    "caf\u{e9}",
    "\u{1f512}",
    "--",
    "---x",
    "...",
    "$(x)",
];

const NUMBERS: [&str; 52] = [
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "08",
    "010",
    "0o17",
    "0O17",
    "0x1F",
    "0X1f",
    "0b101",
    "0B11",
    "-0x1F",
    "+0b11",
    "-0",
    "-0.0",
    "0.0",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "0x_1",
    "0x1_F",
    "1.5",
    "1.",
    ".5",
    "-.5",
    "+.5",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.5e300",
    "1e400",
    "1e-400",
    "5e-324",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "0x8000000000000000",
    "1e21",
    "1e20",
    "123456789012345678901234567890",
    "0.1",
    "0.30000000000000004",
    "1e-7",
    "100000000000000000000000",
    "1.0",
];

fn number(dice: &mut Dice) -> String {
    one_of(dice, &NUMBERS)
}

/// Characters of numbers in any order.
fn number_like(dice: &mut Dice) -> String {
    let parts = [
        "0", "1", "7", "8", "9", "_", ".", "e", "E", "x", "o", "b", "+", "-", "f", "A", ":", "00",
        "12",
    ];
    let first = dice.word(&[
        "0",
        "1",
        "-",
        "+",
        ".",
        "0x",
        "0b",
        "0o",
        "9",
        "-0",
        "1.",
        "12345678901234567",
    ]);
    let mut text = first.to_owned();
    for _ in 0..dice.below(6) {
        text.push_str(dice.word(&parts));
    }
    text
}

/// Characters in any order.
fn soup(dice: &mut Dice) -> String {
    let parts = [
        "a",
        "b",
        "xyz",
        "1",
        "0",
        " ",
        ":",
        ": ",
        "#",
        " #",
        "-",
        ",",
        ".",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        "!",
        "&",
        "*",
        "?",
        "|",
        ">",
        "%",
        "@",
        "`",
        "~",
        "=",
        "<",
        "_",
        "/",
        "\u{e9}",
        "\u{1f512}",
        "\u{a0}",
        "\t",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
    ];
    let mut text = one_of(dice, &["a", "a", "b", "x1", "z"]);
    for _ in 0..dice.below(7) {
        // What is rare in files is rare here.
        let most = if dice.one_in(12) { parts.len() } else { 24 };
        let part = dice.below(most);
        text.push_str(parts.get(part).copied().unwrap_or("a"));
    }
    text
}

fn quoted_single(dice: &mut Dice) -> String {
    let inner = if dice.one_in(3) { one_of(dice, &WORDS) } else { soup(dice) };
    format!("'{}'", inner.replace('\'', "''"))
}

fn quoted_double(dice: &mut Dice) -> String {
    if dice.one_in(3) {
        return format!("\"{}\"", one_of(dice, &NUMBERS));
    }
    let mut inner = soup(dice).replace('\\', "\\\\").replace('"', "\\\"");
    if dice.one_in(2) {
        let escapes = [
            "\\n",
            "\\t",
            "\\\"",
            "\\\\",
            "\\/",
            "\\0",
            "\\a",
            "\\b",
            "\\e",
            "\\x41",
            "\\u00e9",
            "\\N",
            "\\_",
            "\\L",
            "\\P",
            "\\U0001F512",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\q",
            "\\ ",
            "\\'",
            "\\u12",
            "\\r",
            "\\v",
        ];
        inner.push_str(dice.word(&escapes));
    }
    format!("\"{inner}\"")
}

fn json_document(dice: &mut Dice, number: usize, out: &mut String) {
    let heads = [
        "\"apiVersion\":\"example.com/v1\"".to_owned(),
        "\"kind\": \"Farm\"".to_owned(),
        format!("\"metadata\": {{\"name\":\"f{number}\"}}"),
    ];
    out.push('{');
    for (index, head) in heads.iter().enumerate() {
        if index > 0 {
            json_gap(dice, ",", out);
        }
        out.push_str(head);
    }
    for name in ["spec", "a", "spec"].iter().take(dice.below(4)) {
        json_gap(dice, ",", out);
        out.push_str(&format!("\"{name}\""));
        json_gap(dice, ":", out);
        json_value(dice, 3, out);
    }
    out.push('}');
    out.push_str(dice.word(&["\n", "", "\n\n", " \n"]));
}

fn json_gap(dice: &mut Dice, mark: &str, out: &mut String) {
    out.push_str(dice.word(&["", "", " ", "\n", "\n\t", "\n  "]));
    out.push_str(mark);
    out.push_str(dice.word(&["", " ", " ", "\n", "\n\t", "\n  "]));
}

fn json_value(dice: &mut Dice, depth: usize, out: &mut String) {
    match dice.below(if depth > 0 { 10 } else { 7 }) {
        0 => out.push_str(dice.word(&["true", "false", "null", "True", "nil"])),
        1 | 2 => out.push_str(dice.word(&[
            "0",
            "-0",
            "1",
            "-1",
            "1.5",
            "1.0",
            "1e3",
            "1E400",
            "0.1",
            "-0.0",
            "9223372036854775808",
            "01",
            "1.",
            ".5",
            "12345678901234567890",
            "1e-7",
            "0x1F",
            "9007199254740993",
            "-9223372036854775809",
        ])),
        3..=6 => out.push_str(&quoted_double(dice)),
        7 => {
            out.push('[');
            for index in 0..dice.below(4) {
                if index > 0 {
                    json_gap(dice, ",", out);
                }
                json_value(dice, depth - 1, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..dice.below(4) {
                if index > 0 {
                    json_gap(dice, ",", out);
                }
                out.push_str(
                    dice.word(&[
                        "\"a\"", "\"b\"", "\"yes\"", "\"1\"", "\"\"", "\"<<\"", "c", "\"A\"",
                    ]),
                );
                json_gap(dice, ":", out);
                json_value(dice, depth - 1, out);
            }
            out.push('}');
        }
    }
}
