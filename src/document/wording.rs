//! The parser's reasons in the words of a message, and what to do about each.

use granit_parser::{ErrorKind, ScanError};

use super::repair;

/// Why a text is not YAML: where, in which words, and how to mend it.
pub(super) struct Wording {
    /// Offset in the parsed text.
    pub(super) at: usize,
    pub(super) reason: String,
    pub(super) help: &'static str,
}

/// Words the parser's error.
pub(super) fn of(error: &ScanError, text: &str) -> Wording {
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let (reason, help) = match error.kind() {
        ErrorKind::UnknownAnchor => (
            "the alias refers to no anchor of this document".to_owned(),
            "define the anchor before the alias: anchors end at `---`",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            (format!("`{open}` is not closed"), "close every bracket and brace")
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            format!("`{open}` is closed by `{close}`"),
            "close brackets and braces by their own kind",
        ),
        ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar => {
            let at = repair::opening(text, at).unwrap_or(at);
            let reason = "a quote is opened here and not closed".to_owned();
            return Wording { at, reason, help: "close the quote" };
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => (
            "the indentation fits no line above".to_owned(),
            "align the line with the keys or items that it belongs to",
        ),
        ErrorKind::RecursionLimitExceeded => (
            "lists and maps are nested too deep".to_owned(),
            "nest at most 255 levels, which no real manifest reaches",
        ),
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => (
            format!("the control character U+{:04X}", u32::from(*character)),
            "remove the character: clients refuse the document",
        ),
        kind => (super::text::clean(kind.to_string().trim_end_matches('.')), help(kind)),
    };
    Wording { at: at - tab_before(error.kind(), text, at), reason, help }
}

/// The parser names the place behind a misplaced tab; the tab itself is the place.
fn tab_before(kind: &ErrorKind, text: &str, at: usize) -> usize {
    let before = text.get(repair::line_start(text, at)..at).unwrap_or_default();
    let tabs = before.len() - before.trim_end_matches('\t').len();
    if is_tab(kind) { tabs } else { 0 }
}

fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
    )
}

fn help(kind: &ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        kind if is_tab(kind) => "indent with blanks",
        E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::ExpectedFlowMappingSeparator
        | E::ExpectedFlowSequenceSeparator
        | E::MisplacedFlowCollectionEnd => {
            "close every bracket and brace, write commas between items"
        }
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            "quote the whole value, quotes inside it doubled or escaped"
        }
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => "double the backslash, or write the value in single quotes",
        E::MappingValueNotAllowed
        | E::SimpleKeyExpected
        | E::InvalidSimpleKey
        | E::InvalidColonPlacement => {
            "write every key as `key: value`, quote values that hold `: `"
        }
        E::UnexpectedCharacter { .. } | E::PlainScalarStartsWithDashFlowIndicator => {
            "quote the value: it begins with a character that YAML reserves"
        }
        E::UndeclaredTagHandle => "write the tag as `!name`, or leave it out",
        _ => "mend the line: clients refuse the document",
    }
}
