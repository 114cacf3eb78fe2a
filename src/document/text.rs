//! From bytes to text, and from a text to the documents in it, as Kubernetes clients cut it.

use serde::de::IgnoredAny;

use super::files::narrow;

/// A file's bytes as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// Text.
    Text(Decoding),
    /// No text at all: encrypted by git-crypt.
    Encrypted(&'static str),
    /// UTF-16 without the mark that says so, which clients refuse.
    UnmarkedUtf16,
}

/// A text and what its bytes were like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoding {
    pub(crate) text: String,
    /// What had to be replaced, and where for the first time.
    pub(crate) replaced: Option<(u32, &'static str)>,
    /// Whether the bytes look like those of a binary format. Clients read the documents of such a
    /// file up to the first broken one, so only a file without any object is called binary.
    pub(crate) binary: bool,
}

/// Decodes UTF-8, and UTF-16 with a byte order mark, as kubectl does.
pub(crate) fn decode(bytes: Vec<u8>) -> Decoded {
    if let Some(text) = decode_utf16(&bytes) {
        return Decoded::Text(Decoding { text, ..Decoding::default() });
    }
    if bytes.starts_with(b"\0GITCRYPT\0") {
        return Decoded::Encrypted("encrypted by git-crypt");
    }
    let head = bytes.get(..bytes.len().min(8192)).unwrap_or_default();
    let zeros = memchr::memchr(0, head).is_some();
    if zeros && is_unmarked_utf16(head) {
        return Decoded::UnmarkedUtf16;
    }
    let control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r');
    let binary = zeros && head.iter().filter(control).count() * 10 > head.len();
    match String::from_utf8(bytes) {
        Ok(text) => Decoded::Text(Decoding { text, replaced: None, binary }),
        Err(error) => {
            let at = narrow(error.utf8_error().valid_up_to());
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let replaced = Some((at, "bytes that are not UTF-8 read as U+FFFD"));
            Decoded::Text(Decoding { text, replaced, binary })
        }
    }
}

/// Whether every second byte of what is mostly ASCII text is zero.
fn is_unmarked_utf16(head: &[u8]) -> bool {
    let zeros = |skip: usize| head.iter().skip(skip).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    pairs >= 8 && even.max(odd) * 4 > pairs * 3 && even.min(odd) * 16 < pairs
}

fn decode_utf16(bytes: &[u8]) -> Option<String> {
    let (little, rest) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (true, rest),
        [0xFE, 0xFF, rest @ ..] => (false, rest),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| match *pair {
        [a, b] if little => u16::from_le_bytes([a, b]),
        [a, b] => u16::from_be_bytes([a, b]),
        _ => 0xFFFD,
    });
    Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect())
}

/// One document's part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: ChunkKind,
}

/// What is known of a chunk before it is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkKind {
    /// A document.
    Document,
    /// Content behind `...`, up to the next separator: clients drop it.
    NeverApplied,
    /// Only directives such as `%YAML`, which clients refuse before a separator.
    Directives,
    /// A separator line with content behind `---`, and what follows it.
    BadSeparator,
}

/// Cuts a text at lines that begin with `---`, as `kubectl` does before it parses anything.
///
/// Chunks without content are left out. JSON values at the start are one document each.
pub(super) fn split(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let base = start;
    for end in json_ends(text.get(base..).unwrap_or_default()) {
        let chunk =
            Chunk { start: narrow(start), end: narrow(base + end), kind: ChunkKind::Document };
        chunks.push(chunk);
        start = base + end;
    }
    if !chunks.is_empty() {
        start += blank_line(text.get(start..).unwrap_or_default());
    }
    let mut bad = false;
    let separators = memchr::memmem::Finder::new("\n---");
    let mut line = start;
    loop {
        let rest = text.get(line..).unwrap_or_default();
        if rest.starts_with("---") {
            let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |i| i + 1);
            let behind = rest.get(3..length).unwrap_or_default().trim();
            push(text, start, line, bad, &mut chunks);
            bad = !behind.is_empty() && !behind.starts_with('#');
            start = if bad { line } else { line + length };
        }
        let Some(next) = separators.find(rest.as_bytes()) else { break };
        line += next + 1;
    }
    push(text, start, text.len(), bad, &mut chunks);
    chunks
}

/// Length of the blanks that a text begins with, up to its first line break.
fn blank_line(text: &str) -> usize {
    let blanks = text.len() - text.trim_start().len();
    text.get(..blanks).and_then(|blank| blank.find('\n')).map_or(blanks, |end| end + 1)
}

fn push(text: &str, start: usize, end: usize, bad: bool, chunks: &mut Vec<Chunk>) {
    let part = text.get(start..end).unwrap_or_default();
    let chunk = |from: usize, to: usize, kind| Chunk {
        start: narrow(start + from),
        end: narrow(start + to),
        kind,
    };
    if bad {
        chunks.push(chunk(0, part.len(), ChunkKind::BadSeparator));
        return;
    }
    let stop = end_marker(part).unwrap_or(part.len());
    let document = part.get(..stop).unwrap_or_default();
    match content(document) {
        Content::None => {}
        Content::Directives => chunks.push(chunk(0, stop, ChunkKind::Directives)),
        Content::Some => chunks.push(chunk(0, stop, ChunkKind::Document)),
    }
    let dropped = part.get(stop..).unwrap_or_default();
    let after_marker = dropped.find('\n').map_or(dropped.len(), |i| i + 1);
    if matches!(content(dropped.get(after_marker..).unwrap_or_default()), Content::Some) {
        chunks.push(chunk(stop, part.len(), ChunkKind::NeverApplied));
    }
}

/// Start of a line that is `...` alone.
fn end_marker(part: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(part.as_bytes().get(from..)?, b"...") {
        let at = from + found;
        let at_line_start = at == 0 || part.as_bytes().get(at - 1) == Some(&b'\n');
        let behind = part.as_bytes().get(at + 3);
        if at_line_start && behind.is_none_or(u8::is_ascii_whitespace) {
            return Some(at);
        }
        from = at + 3;
    }
    None
}

/// The characters that end a line for the YAML reader of Kubernetes clients.
pub(super) const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

enum Content {
    None,
    Directives,
    Some,
}

fn content(part: &str) -> Content {
    let mut directives = false;
    // The line breaks of YAML 1.1: a comment ends at each of them.
    for line in part.split(BREAKS) {
        let text = line.trim_start_matches('\u{FEFF}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if !line.starts_with('%') {
            return Content::Some;
        }
        directives = true;
    }
    if directives { Content::Directives } else { Content::None }
}

/// Ends of the JSON values that a text begins with, where it begins with an object.
///
/// Clients that meet a brace first read values as long as they are JSON, and only then go over to
/// YAML, which knows one document per piece.
fn json_ends(text: &str) -> Vec<usize> {
    if !text.trim_start().starts_with('{') {
        return Vec::new();
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let mut ends = Vec::new();
    while let Some(Ok(_)) = values.next() {
        ends.push(values.byte_offset());
    }
    ends
}

/// The first characters of a text for a message, without line breaks and control characters.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 60;
    let clean = clean(text);
    if clean.chars().count() <= MOST {
        return clean;
    }
    clean.chars().take(MOST).chain(['\u{2026}']).collect()
}

/// Whether a character could steer a terminal or hide text: control characters and bidirectional
/// marks.
pub(crate) fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Text without harmful characters: each becomes a blank.
pub(crate) fn clean(text: &str) -> String {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !plain && text.chars().any(harmful) {
        text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect()
    } else {
        text.to_owned()
    }
}

/// Decodes base64 with or without line breaks; `None` where it is none.
pub(crate) fn decode_base64(text: &str) -> Option<String> {
    use base64::Engine;
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{ChunkKind, Decoded, Decoding, decode, split};

    fn parts(text: &str) -> Vec<(&str, ChunkKind)> {
        let part =
            |start: u32, end: u32| text.get(start as usize..end as usize).unwrap_or_default();
        split(text).into_iter().map(|c| (part(c.start, c.end).trim(), c.kind)).collect()
    }

    #[test]
    fn documents_are_cut_where_clients_cut_them() {
        use ChunkKind::{BadSeparator, Directives, Document, NeverApplied};
        let cases: [(&str, &[(&str, ChunkKind)]); 11] = [
            ("# a comment\ra: 1\r", &[("# a comment\ra: 1", Document)]),
            ("# a comment\u{2028}a: 1", &[("# a comment\u{2028}a: 1", Document)]),
            ("a: 1\n---\nb: 2", &[("a: 1", Document), ("b: 2", Document)]),
            ("---\n---\n# only a comment\n---\n", &[]),
            ("\u{feff}---\na: 1", &[("a: 1", Document)]),
            ("a: |\n  --- x\n", &[("a: |\n  --- x", Document)]),
            ("--- # why\na: 1", &[("a: 1", Document)]),
            ("--- {a: 1}\n---\nb: 2", &[("--- {a: 1}", BadSeparator), ("b: 2", Document)]),
            ("a: 1\n...\nb: 2\n", &[("a: 1", Document), ("...\nb: 2", NeverApplied)]),
            ("%YAML 1.1\n---\na: 1", &[("%YAML 1.1", Directives), ("a: 1", Document)]),
            ("{\"a\":\"}\"}{\"b\":2}\n", &[("{\"a\":\"}\"}", Document), ("{\"b\":2}", Document)]),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_become_text_or_are_binary() {
        let utf16 = Decoded::Text(Decoding { text: "a: é".into(), ..Decoding::default() });
        assert_eq!(decode(vec![0xFF, 0xFE, b'a', 0, b':', 0, b' ', 0, 0xE9, 0]), utf16);
        assert_eq!(decode(vec![0xFE, 0xFF, 0, b'a', 0, b':', 0, b' ', 0, 0xE9]), utf16);
        let git_crypt = decode(b"\0GITCRYPT\0x".to_vec());
        assert_eq!(git_crypt, Decoded::Encrypted("encrypted by git-crypt"));
        let plain: Vec<u8> = "kind: Pod\n".bytes().flat_map(|byte| [byte, 0]).collect();
        assert_eq!(decode(plain), Decoded::UnmarkedUtf16);
        let text = |bytes: &[u8]| match decode(bytes.to_vec()) {
            Decoded::Text(decoding) => decoding,
            other => panic!("{other:?}"),
        };
        let broken = text(b"a:\xFF");
        assert_eq!(
            (broken.text.as_str(), broken.replaced.map(|(at, _)| at)),
            ("a:\u{FFFD}", Some(2))
        );
        assert!(text(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0").binary);
        assert!(!text(b"kind: Pod\nmetadata: {name: \"a\0b\"}\n").binary, "one byte is a mistake");
    }
}
