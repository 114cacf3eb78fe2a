//! Heredocs of a shell script: where their body stands, what the shell expands in it, and what the
//! command that reads it says.

use std::ops::Range;

use super::narrow;
use crate::document::OffsetMap;

/// A heredoc.
pub(super) struct Heredoc {
    /// The body as the command gets it, but for what the shell expands.
    pub(super) text: String,
    /// Places of the body in the file.
    pub(super) map: OffsetMap,
    /// Place of the body in the script.
    pub(super) body: Range<usize>,
    /// Place of the delimiter (`<<EOF`) in the file.
    pub(super) delimiter: (u32, u32),
    /// Places of what the shell expands; none where the delimiter is quoted.
    pub(super) expansions: Vec<(u32, u32)>,
    /// `-n` of the command.
    pub(super) namespace: Option<String>,
    /// `--kubeconfig` or `--context` of the command.
    pub(super) cluster: Option<String>,
}

/// A line of the script, with its place in the text.
struct Line<'t> {
    start: usize,
    text: &'t str,
}

/// Finds the heredocs of a script.
pub(super) fn heredocs(script: &str, map: &OffsetMap) -> Vec<Heredoc> {
    let mut start = 0;
    let lines: Vec<Line<'_>> = script
        .split_inclusive('\n')
        .map(|text| {
            let line = Line { start, text };
            start += text.len();
            line
        })
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some(opening) = opening(line.text) else { continue };
        let body = lines.get(at..).unwrap_or_default();
        let ends = |line: &Line<'_>| {
            let text = line.text.trim_end_matches(['\n', '\r']);
            let text = if opening.strips_tabs { text.trim_start_matches('\t') } else { text };
            text == opening.word
        };
        let length = body.iter().position(ends).unwrap_or(body.len());
        let command = command(&lines, at - 1);
        let body = body.get(..length).unwrap_or_default();
        found.push(heredoc(line, &opening, body, &command, map));
        at += length + 1;
    }
    found
}

struct Opening {
    word: String,
    quoted: bool,
    strips_tabs: bool,
    /// Place in the line, from `<<` to the end of the word.
    range: (usize, usize),
}

/// The `<<WORD` of a line; `<<<` is another thing.
fn opening(line: &str) -> Option<Opening> {
    let at = line.match_indices("<<").map(|(at, _)| at).find(|at| {
        let before = line.get(..*at).unwrap_or_default();
        let comment = before.trim_start().starts_with('#');
        !comment
            && !before.ends_with('<')
            && !line.get(at + 2..).unwrap_or_default().starts_with('<')
    })?;
    let rest = line.get(at + 2..)?;
    let (strips_tabs, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let rest = rest.get(blanks..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '\\'));
    let inner = quote.map_or(rest, |quote| rest.get(quote.len_utf8()..).unwrap_or_default());
    let word_length =
        inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let word = inner.get(..word_length)?;
    if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let closing = usize::from(matches!(quote, Some('\'' | '"')));
    let prefix = 2 + usize::from(strips_tabs) + blanks + usize::from(quote.is_some());
    Some(Opening {
        word: word.to_owned(),
        quoted: quote.is_some(),
        strips_tabs,
        range: (at, at + prefix + word_length + closing),
    })
}

/// The command of a line, with the lines before it that end in a backslash.
fn command(lines: &[Line<'_>], at: usize) -> String {
    let mut first = at;
    while first > 0 && lines.get(first - 1).is_some_and(|line| line.text.trim_end().ends_with('\\'))
    {
        first -= 1;
    }
    let parts = lines.get(first..=at).unwrap_or_default();
    parts
        .iter()
        .map(|line| line.text.trim_end().trim_end_matches('\\'))
        .collect::<Vec<_>>()
        .join(" ")
}

fn heredoc(
    line: &Line<'_>,
    opening: &Opening,
    body: &[Line<'_>],
    command: &str,
    map: &OffsetMap,
) -> Heredoc {
    let place = |offset: usize| map.start(narrow(offset));
    let mut text = String::new();
    let mut pieces = Vec::new();
    let mut expansions = Vec::new();
    for line in body {
        let kept = if opening.strips_tabs { line.text.trim_start_matches('\t') } else { line.text };
        let mut from = line.start + (line.text.len() - kept.len());
        for part in parts(kept, opening.quoted) {
            match part {
                Part::Text(part) => {
                    pieces.push((narrow(text.len()), place(from)));
                    text.push_str(part);
                    from += part.len();
                }
                Part::Escape => from += 1,
                Part::Expansion(part) => {
                    pieces.push((narrow(text.len()), place(from)));
                    // A backtick begins no value of YAML, and `$` says as well that one is unknown.
                    text.push_str(if part.starts_with('`') { "$" } else { "" });
                    text.push_str(part.strip_prefix('`').unwrap_or(part));
                    let end = from + part.len();
                    expansions.push((place(from), place(end - 1) + 1));
                    from = end;
                }
            }
        }
    }
    let (start, end) = opening.range;
    let begin = line.start + line.text.len();
    let body = begin..body.last().map_or(begin, |line| line.start + line.text.len());
    Heredoc {
        text,
        body,
        map: OffsetMap::pieces(pieces),
        delimiter: (place(line.start + start), place(line.start + end - 1) + 1),
        expansions,
        namespace: option(command, &["-n", "--namespace"]),
        cluster: option(command, &["--kubeconfig", "--context"]),
    }
}

/// What a message calls an expansion: its variable or command, but nothing that may be a value.
pub(super) fn title(expansion: &str) -> String {
    let (open, inner, close) = if let Some(inner) = expansion.strip_prefix("${") {
        ("${", inner, "}")
    } else if let Some(inner) = expansion.strip_prefix("$(") {
        ("$(", inner, ")")
    } else if let Some(inner) = expansion.strip_prefix('`') {
        ("$(", inner, ")")
    } else {
        return expansion.to_owned();
    };
    let inner = inner.strip_suffix([')', '}', '`']).unwrap_or(inner);
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = |c: char| if open == "${" { name(c) } else { word(c) };
    let end = inner.find(|c| !fits(c)).unwrap_or(inner.len());
    let more = if end < inner.len() { "\u{2026}" } else { "" };
    format!("{open}{}{more}{close}", inner.get(..end).unwrap_or_default())
}

/// A stretch of a body line.
enum Part<'l> {
    Text(&'l str),
    /// A backslash that the shell removes.
    Escape,
    Expansion(&'l str),
}

/// Cuts a line at what the shell changes.
fn parts(line: &str, quoted: bool) -> Vec<Part<'_>> {
    if quoted {
        return vec![Part::Text(line)];
    }
    let mut parts = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let escaped = rest.strip_prefix('\\').filter(|r| r.starts_with(['$', '`', '\\']));
        let length = if escaped.is_some() { Some(0) } else { expansion(rest) };
        let Some(length) = length else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        parts.extend(line.get(from..at).filter(|text| !text.is_empty()).map(Part::Text));
        if length == 0 {
            parts.push(Part::Escape);
            from = at + 1;
            at += 2;
        } else {
            parts.extend(line.get(at..at + length).map(Part::Expansion));
            at += length;
            from = at;
        }
    }
    parts.extend(line.get(from..).filter(|text| !text.is_empty()).map(Part::Text));
    parts
}

/// Length of the expansion that a text begins with: `$name`, `${name}`, `$(command)`, a backtick.
fn expansion(text: &str) -> Option<usize> {
    let Some(rest) = text.strip_prefix('$') else {
        let inner = text.strip_prefix('`')?;
        return Some(inner.find('`').map_or(1, |end| end + 2));
    };
    match rest.chars().next()? {
        '{' => Some(rest.find('}').map_or(2, |end| end + 2)),
        '(' => Some(balanced(rest) + 1),
        c if c.is_ascii_alphabetic() || c == '_' => {
            let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            Some(name.unwrap_or(rest.len()) + 1)
        }
        '0'..='9' | '@' | '*' | '#' | '?' | '!' | '$' | '-' => Some(2),
        _ => None,
    }
}

/// Length up to the bracket that closes the first one; the whole text where none does.
fn balanced(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.trim_end().len()
}

/// The value of an option of a command: `-n x`, `-nx`, `--namespace x`, `--namespace=x`.
fn option(command: &str, names: &[&str]) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let value = words.iter().enumerate().find_map(|(at, word)| {
        names.iter().find_map(|name| {
            let rest = word.strip_prefix(name)?;
            let long = name.starts_with("--");
            match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => words.get(at + 1).copied(),
                None => Some(rest).filter(|_| !long),
            }
        })
    })?;
    let value = value.trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains('$')).then(|| value.to_owned())
}
