//! Text for terminals: wrapped by what it is wide, and nothing in it that could steer one.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::document::clean;

/// A number and the word for what is counted.
pub(crate) fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Columns of a text in a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Columns of a character in a terminal.
pub(super) fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Lines of at most `width` columns, broken at blanks; a longer word stays whole.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in clean(text).split(' ').filter(|word| !word.is_empty()) {
        let wide = columns(word);
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
            used = wide;
        } else if used + 1 + wide <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + wide;
        } else {
            lines.push(word.to_owned());
            used = wide;
        }
    }
    lines
}

/// Lines of at most `width` columns, all of them: a word that is longer is broken, behind a slash
/// where it has one.
pub(super) fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in wrap(text, width) {
        if columns(&line) <= width {
            lines.push(line);
            continue;
        }
        let mut open = String::new();
        for piece in line.split_inclusive('/') {
            if !open.is_empty() && columns(&open) + columns(piece) > width {
                lines.push(std::mem::take(&mut open));
            }
            for c in piece.chars() {
                if !open.is_empty() && columns(&open) + columns_of(c) > width {
                    lines.push(std::mem::take(&mut open));
                }
                open.push(c);
            }
        }
        lines.push(open);
    }
    lines
}

/// Wraps a text behind `first`; further lines are indented as far.
pub(crate) fn paragraph(first: &str, text: &str, width: usize, out: &mut String) {
    let indent = columns(first);
    for (i, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        if i == 0 {
            out.push_str(first);
        } else {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(line);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, folded, paragraph, wrap};

    #[test]
    fn text_is_broken_at_blanks_by_what_it_is_wide() {
        let cases: [(&str, usize, &[&str]); 6] = [
            ("a bc def", 4, &["a bc", "def"]),
            ("  a   b ", 9, &["a b"]),
            ("unbreakable x", 4, &["unbreakable", "x"]),
            ("\u{65e5}\u{672c} \u{8a9e}", 5, &["\u{65e5}\u{672c}", "\u{8a9e}"]),
            ("e\u{301}e\u{301} e\u{301}", 4, &["e\u{301}e\u{301} e\u{301}"]),
            ("", 4, &[""]),
        ];
        for (text, width, lines) in cases {
            assert_eq!(wrap(text, width), lines, "{text:?}");
        }
    }

    #[test]
    fn what_must_fit_is_broken_behind_slashes_first() {
        let cases: [(&str, usize, &[&str]); 5] = [
            ("a/b/c.yaml:12", 20, &["a/b/c.yaml:12"]),
            ("some/long/path.yaml:12", 14, &["some/long/", "path.yaml:12"]),
            ("x/unbreakable and more", 6, &["x/", "unbrea", "kable", "and", "more"]),
            ("\u{65e5}\u{672c}\u{8a9e}", 5, &["\u{65e5}\u{672c}", "\u{8a9e}"]),
            ("", 4, &[""]),
        ];
        for (text, width, lines) in cases {
            assert_eq!(folded(text, width), lines, "{text:?}");
        }
    }

    #[test]
    fn what_could_steer_a_terminal_is_a_blank() {
        assert_eq!(wrap("a\u{1b}[31mb\nc\u{202e}d\u{7}", 40), ["a [31mb c d"]);
    }

    #[test]
    fn further_lines_are_indented_as_far_as_the_first() {
        let mut text = String::new();
        paragraph("  note: ", "one two three", 16, &mut text);
        assert_eq!(text, "  note: one two\n        three\n");
        assert_eq!((counted(1, "file"), counted(0, "file")), ("1 file".into(), "0 files".into()));
    }
}
