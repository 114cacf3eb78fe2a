//! The words of random texts: keys and scalars in every notation, the usual ones before the rare ones.

use super::dice::Dice;

pub(super) fn one_of(dice: &mut Dice, from: &[&str]) -> String {
    (dice.word(from)).to_owned()
}

pub(super) fn key(dice: &mut Dice) -> String {
    let keys = [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
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
        "''",
        "1:2",
        "0.1",
        "-.5e-7",
        "2001-12-14",
        "1000000.5",
        "123456789.5",
        "1e21",
        "3.0",
        ".inf",
        "[a]",
        "{a: b}",
        "!!str 1",
        "&a k",
        "*a ",
        "<<",
        "!!int '7'",
        "=",
        "-",
    ];
    if dice.one_in(10) { number_like(dice) } else { dice.usual(32, &keys).to_owned() }
}

pub(super) const WORDS: [&str; 44] = [
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
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43",
    "12:30:45",
    "190:20:30.15",
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
];

pub(super) const PLAIN: [&str; 36] = [
    "web",
    "a b",
    "a:b",
    "a#b",
    "http://x/y?z=1&b=2",
    "it's",
    "say \"x\"",
    "-x",
    "?x",
    ":x",
    "a\\b",
    "caf\u{e9}",
    "\u{1f512}",
    "--",
    "...",
    "$(x)",
    "a: b",
    "a #b",
    "- x",
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
    "a\tb",
    "---x",
];

pub(super) const NUMBERS: [&str; 52] = [
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

pub(super) fn number(dice: &mut Dice) -> String {
    one_of(dice, &NUMBERS)
}

/// Characters of numbers in any order.
pub(super) fn number_like(dice: &mut Dice) -> String {
    let parts = [
        "0", "1", "7", "8", "9", "_", ".", "e", "E", "x", "o", "b", "+", "-", "f", "A", ":", "00",
        "12",
    ];
    let first = dice.word(&["0", "1", "-", "+", ".", "0x", "0b", "0o", "9", "-0", "1."]);
    let mut text = first.to_owned();
    for _ in 0..dice.below(6) {
        text.push_str(dice.word(&parts));
    }
    text
}

/// Characters in any order.
pub(super) fn soup(dice: &mut Dice) -> String {
    let parts = [
        "a",
        "b",
        "xyz",
        "1",
        "0",
        " ",
        ":b",
        "#",
        "-",
        ",",
        ".",
        "'",
        "\"",
        "_",
        "/",
        "\u{e9}",
        "\u{1f512}",
        "&",
        "*",
        "|",
        ">",
        "%",
        "@",
        "~",
        "=",
        "<",
        ": ",
        " #",
        ":",
        "\\",
        "[",
        "]",
        "{",
        "}",
        "`",
        "\u{a0}",
        "\t",
    ];
    let mut text = one_of(dice, &["a", "a", "b", "x1", "z"]);
    for _ in 0..dice.below(7) {
        // What is rare in files is rare here.
        let rare = dice.wild && dice.one_in(12);
        let some = parts.get(..if rare { parts.len() } else { 26 }).expect("fewer than all");
        text.push_str(dice.word(some));
    }
    text
}

pub(super) fn quoted_single(dice: &mut Dice) -> String {
    let inner = if dice.one_in(3) { one_of(dice, &WORDS) } else { soup(dice) };
    format!("'{}'", inner.replace('\'', "''"))
}

pub(super) fn quoted_double(dice: &mut Dice) -> String {
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
            "\\ ",
            "\\'",
            "\\r",
            "\\v",
            "\\/",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\q",
            "\\u12",
        ];
        inner.push_str(dice.usual(20, &escapes));
    }
    format!("\"{inner}\"")
}
