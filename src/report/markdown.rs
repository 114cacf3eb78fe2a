//! Markdown for comments on changes and summaries of jobs.

use std::io;

use super::human::matrix;
use super::results::{Found, findings, place_of, unread};
use super::{Run, closing, counted, url};
use crate::document::clean;
use crate::finding::{Layer, Severity};

/// Bytes of the findings, which come first. GitHub takes 65,536 characters for a comment and 1 MiB for a
/// summary: the report fits in both.
const MOST_OF_FINDINGS: usize = 28_000;
/// Bytes of each other section.
const MOST_OF_SECTION: usize = 4_500;
/// Characters of one text.
const MOST_TEXT: usize = 300;

/// Writes the report.
pub(super) fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = headline(run);
    of_inputs(run, &mut text);
    let (ignored, found): (Vec<Found<'_>>, _) =
        findings(run).into_iter().partition(|(_, waiver)| waiver.is_some());
    of_findings(run, &found, &mut text);
    of_matrix(run, &mut text);
    of_waivers(run, &ignored, &mut text);
    for section in closing::sections(run) {
        let entries: Vec<String> =
            section.entries.iter().map(|entry| format!("- {}\n", prose(entry))).collect();
        let mut list = String::new();
        bounded(&entries, MOST_OF_SECTION, &mut list);
        text.push_str(&folded(section.title, entries.len(), &list));
    }
    out.write_all(text.as_bytes())
}

/// How many findings there are, how the run ended, and what was looked at.
fn headline(run: &Run<'_>) -> String {
    let count: usize = run.assessments.iter().map(|a| a.findings.len()).sum();
    let findings = match (&run.apart.base, run.apart.changed_files) {
        (Some(_), _) => counted(count, "new finding"),
        (None, true) => format!("{} in the changed files", counted(count, "finding")),
        (None, false) => counted(count, "finding"),
    };
    let mut text = format!("## palisade: {findings}\n\n");
    let totals = closing::totals(run);
    let Some((exit, totals)) = totals.split_last() else { return text };
    text.push_str(&format!("**{}**\n\n", prose(exit)));
    totals.iter().for_each(|line| text.push_str(&format!("- {}\n", prose(line))));
    text.push('\n');
    text
}

/// What was not read or rendered stands before the findings: they are not all there are.
fn of_inputs(run: &Run<'_>, text: &mut String) {
    let unread = unread(run);
    let rows: Vec<String> = unread
        .iter()
        .map(|input| {
            let reason = cell(&prose(&input.reasons.join("; ")));
            format!("| {} | {} | {reason} |\n", input.word, cell(&code(&input.name)))
        })
        .collect();
    if !rows.is_empty() {
        text.push_str(&format!("### Not read or rendered ({})\n\n", rows.len()));
        table(&["state", "input", "reason"], &rows, MOST_OF_SECTION, text);
    }
}

fn of_findings(run: &Run<'_>, found: &[Found<'_>], text: &mut String) {
    let mut room = MOST_OF_FINDINGS;
    for severity in Severity::ALL {
        let of_severity = found.iter().filter(|(finding, _)| finding.severity == severity);
        let rows: Vec<String> = of_severity.map(|found| row(run, found)).collect();
        if rows.is_empty() {
            continue;
        }
        let before = text.len();
        let mut title = severity.word().to_owned();
        title.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
        text.push_str(&format!("### {title} ({})\n\n", rows.len()));
        table(&["check", "place", "finding"], &rows, room, text);
        room = room.saturating_sub(text.len() - before);
    }
}

/// Check, place, and what is wrong with its remedy; the reason of a waiver.
fn row(run: &Run<'_>, (finding, waiver): &Found<'_>) -> String {
    let place = place_of(run, finding)
        .map(|(file, line, _)| code(&format!("{file}:{line}")))
        .unwrap_or_default();
    let second = match waiver {
        Some(waiver) => format!("Ignored: {}", prose(&waiver.reason)),
        None => format!("Fix: {}.", prose(&finding.help)),
    };
    format!(
        "| [{check}]({url}) | {} | {}<br>{} |\n",
        cell(&place),
        cell(&prose(&finding.message)),
        cell(&second),
        check = finding.check,
        url = url(finding.check),
    )
}

fn of_matrix(run: &Run<'_>, text: &mut String) {
    let lines = matrix::lines(run);
    let Some(first) = lines.first() else { return };
    let several = lines.iter().any(|line| line.root != first.root);
    let row = |line: &matrix::Line<'_>| {
        let name = if several { format!("{}: {}", line.root, line.name()) } else { line.name() };
        let cells: Vec<String> = line.cells().map(|(_, state)| matrix::word(state)).collect();
        format!("| {} | {} | {} |\n", cell(&code(&name)), cells.join(" | "), line.left())
    };
    let rows: Vec<String> = lines.iter().map(row).collect();
    let header: Vec<&str> = ["workload"]
        .into_iter()
        .chain(Layer::ALL.map(Layer::word))
        .chain(["layers left"])
        .collect();
    let mut rendered = String::new();
    table(&header, &rows, MOST_OF_SECTION, &mut rendered);
    text.push_str(&folded("Defence in depth", rows.len(), &rendered));
}

fn of_waivers(run: &Run<'_>, ignored: &[Found<'_>], text: &mut String) {
    if ignored.is_empty() {
        return;
    }
    let rows: Vec<String> = ignored.iter().map(|found| row(run, found)).collect();
    let mut rendered = String::new();
    table(&["check", "place", "finding"], &rows, MOST_OF_SECTION, &mut rendered);
    text.push_str(&folded("Ignored", rows.len(), &rendered));
}

/// A section that is folded away until somebody opens it.
fn folded(title: &str, count: usize, content: &str) -> String {
    format!("<details><summary>{title} ({count})</summary>\n\n{content}\n</details>\n\n")
}

/// A table with as many rows as there is room for.
fn table(header: &[&str], rows: &[String], room: usize, text: &mut String) {
    let rule = vec!["---"; header.len()];
    text.push_str(&format!("| {} |\n| {} |\n", header.join(" | "), rule.join(" | ")));
    bounded(rows, room, text);
    text.push('\n');
}

/// As many entries as there is room for, and a sentence for the rest.
fn bounded(entries: &[String], room: usize, text: &mut String) {
    let mut used = 0;
    let fits = |entry: &&String| {
        used += entry.len();
        used <= room
    };
    let kept: Vec<&String> = entries.iter().take_while(fits).collect();
    kept.iter().for_each(|entry| text.push_str(entry));
    match entries.len() - kept.len() {
        0 => {}
        more => text.push_str(&format!("\nand {more} more; `--format json` has them all\n")),
    }
}

/// Text from the input as a code span, in which nothing is markup, a mention or a link.
fn code(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence with names in it: what stands between backticks, and each word that could be more than a
/// word, becomes a code span.
fn prose(text: &str) -> String {
    let mut text = clean(text);
    if text.chars().count() > MOST_TEXT {
        text = text.chars().take(MOST_TEXT).chain(['\u{2026}']).collect();
    }
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        if i % 2 == 1 && i + 1 < parts.len() {
            push(&code(part), &mut out);
            continue;
        }
        // A backtick that nothing closes is one more character.
        let part = if i % 2 == 1 { format!("`{part}") } else { (*part).to_owned() };
        for (j, word) in part.split(' ').enumerate() {
            if j > 0 {
                push(" ", &mut out);
            }
            let begins = out.is_empty();
            if plain(word, begins) { push(word, &mut out) } else { push(&code(word), &mut out) }
        }
    }
    out
}

fn push(piece: &str, out: &mut String) {
    // Blanks before a text would make it a block of code.
    if piece == " " && (out.is_empty() || out.ends_with(' ')) {
        return;
    }
    // Two spans that touch would be one.
    if out.ends_with('`') && piece.starts_with('`') {
        out.push(' ');
    }
    out.push_str(piece);
}

/// Whether a word is nothing but a word: letters or a number, with what stands around words in a
/// sentence. Hosts, addresses, hashes, mentions and markup are not; nor is what could begin a list.
fn plain(word: &str, begins: bool) -> bool {
    let core = word.trim_start_matches(['(', '"', '\'']);
    let core = core.trim_end_matches([')', '"', '\'', ',', ';', ':', '.', '\u{2026}']);
    let number = core.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    let letters = core.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '/' | '\'' | '.'));
    let starts = core.starts_with(char::is_alphabetic);
    let host = core.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    match (number, begins) {
        (true, true) => !word.ends_with(['.', ')']),
        (true, false) => true,
        (false, _) => word == "=" && !begins || letters && starts && !host,
    }
}

/// Markdown in the cell of a table. A backslash before a bar is kept apart from it.
fn cell(markdown: &str) -> String {
    markdown.replace("\\|", "\\ |").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::{cell, code, plain, prose};

    #[test]
    fn only_words_are_plain() {
        for word in ["it", "(TCP", "443)", "80,443", "name,", "shop/web", "\"read\"", "don't", "="]
        {
            assert!(plain(word, false), "{word}");
        }
        let live = [
            "@everyone",
            "#1",
            "a#1",
            "!1",
            "<b>",
            "*a*",
            "_a_",
            "~~a~~",
            "[x](y)",
            "https://a.b",
            "www.a.b",
            "(WWW.a.b",
            "a@b.c",
            "GH-1",
            "deadbeef1",
            "&lt;",
            "\\",
            "a|b",
            ":smile:",
            "$1",
            "-",
            "+",
            "1.32",
            "`",
        ];
        for word in live {
            assert!(!plain(word, false), "{word}");
        }
        for word in ["1.", "1)", "=", "-"] {
            assert!(!plain(word, true), "{word} begins a list or a heading");
        }
    }

    #[test]
    fn names_stay_what_they_are_in_code() {
        assert_eq!(prose("Pod `web` has 2 faults"), "Pod `web` has 2 faults");
        assert_eq!(prose("Pod `<b>` of @all"), "Pod `<b>` of `@all`");
        assert_eq!(prose("`a``b`"), "`a` `b`");
        assert_eq!(prose("odd ` one"), "odd `` ` `` one");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(cell(&prose("a|b \\|")), "`a\\|b` `\\ \\|`");
    }

    /// What a reader makes of it: the text outside code, and how many cells there are. Everything
    /// but text, code and the frame around them is refused.
    fn read(markdown: &str) -> (String, usize) {
        let (mut text, mut cells) = (String::new(), 0);
        for event in Parser::new_ext(markdown, Options::all()) {
            match event {
                Event::Text(part) => text.push_str(&part),
                Event::Start(Tag::TableCell) => cells += 1,
                Event::Start(
                    Tag::Table(_)
                    | Tag::TableHead
                    | Tag::TableRow
                    | Tag::List(None)
                    | Tag::Item
                    | Tag::Paragraph
                    | Tag::Strong,
                )
                | Event::Code(_)
                | Event::End(_) => {}
                other => panic!("{other:?} in {markdown}"),
            }
        }
        (text, cells)
    }

    proptest! {
        #[test]
        fn no_text_is_markup(given in "[-a-cwW0-2`|\\\\@#<>\\[\\]()!*_~:/.+=&$^'\"{} \n\r\t\u{202e}]{0,30}") {
            let (said, name) = (prose(&given), code(&given));
            let table = format!("| a | b |\n| --- | --- |\n| {} | x {} |\n", cell(&said), cell(&name));
            let (text, cells) = read(&table);
            prop_assert_eq!(cells, 4, "{}", table);
            let (item, _) = read(&format!("- {said}\n- x {name}\n\n**{}**\n", prose(&format!("x {given} y"))));
            for text in [text, item] {
                let live = text.contains(['@', '#', '<', '>', '!', '*', '_', '~', '|', '[', '\\', '$', '&']);
                prop_assert!(!live && !text.contains("://"), "{}", text);
            }
        }
    }
}
