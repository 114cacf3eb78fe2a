//! What is withheld of a text without a tree: a document that could not be read may be a Secret all
//! the same, and a script has its credentials beside its manifests. Judged by lines and words, with
//! caution: too much is better than too little, because only snippets lose by it.

use std::sync::LazyLock;

use regex::Regex;

use super::files::{narrow, slice};
use super::secret;
use super::tree::{Node, Text};

/// A kind that says Secret, or the key that only Secrets have.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"kind\\?["']?\s*:\s*\\?["']?Secret(?:List)?\b|\bstringData\b"#)
        .expect("a constant")
});

/// The key in front of the values of a Secret, wherever it stands in a line.
static DATA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[\s{,"'?-])(?:data|stringData)\\?["']?\s*:"#).expect("a constant")
});

/// A word that says that a credential follows.
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)pass(?:w|ph|_|-|:|=|\b)|pwd|secret|token|api.?key|access.?key|private|credential|auth")
        .expect("a constant")
});

/// Ranges of the file to overwrite. `base` maps offsets of the text to offsets of the file.
pub(super) fn of(text: &str, base: impl Fn(u32) -> u32) -> Vec<Text> {
    let mut ranges = Vec::new();
    let mut lines = Lines { is_secret: SECRET.is_match(text), ..Lines::default() };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        for (from, to) in lines.withheld(line) {
            let at = |i: usize| super::files::narrow(offset + i);
            if from < to {
                ranges.push(Text { start: base(at(from)), end: base(at(to - 1)) + 1 });
            }
        }
        offset += line.len();
    }
    ranges
}

/// Ranges of a kustomization or patch that hold values of Secrets: literals of a generator, patches
/// that stand in the file itself, and operations on the data of an object.
pub(super) fn of_parts(root: Node<'_>, raw: &str) -> Vec<Text> {
    let place = |node: Node<'_>| Text { start: node.span().start, end: node.span().end };
    let mut ranges = Vec::new();
    for literal in entries(root, "secretGenerator").flat_map(|secret| entries(secret, "literals")) {
        let Text { start, end } = place(literal);
        let key = slice(raw, start, end).find('=').map_or(0, |at| at + 1);
        ranges.push(Text { start: start + narrow(key), end });
    }
    let lists = ["patches", "patchesJson6902"];
    let inline =
        lists.into_iter().flat_map(|key| entries(root, key)).filter_map(|p| p.get("patch"));
    for patch in inline.chain(entries(root, "patchesStrategicMerge")) {
        let Text { start, end } = place(patch);
        let text = slice(raw, start, end);
        if SECRET.is_match(text) || text.contains("/data") || text.contains("/stringData") {
            ranges.extend(of(text, |offset| start + offset));
        }
    }
    let operations = root.children().filter(|_| root.is_list());
    let of_data = operations.filter(|operation| {
        let path = operation.get("path").and_then(Node::as_str);
        path.is_some_and(|path| path.starts_with("/data") || path.starts_with("/stringData"))
    });
    ranges.extend(of_data.filter_map(|operation| operation.get("value")).map(place));
    ranges
}

fn entries<'n>(node: Node<'n>, key: &str) -> impl Iterator<Item = Node<'n>> + use<'n> {
    node.get(key).into_iter().flat_map(Node::children)
}

/// What the lines before say about the next one.
#[derive(Default)]
struct Lines {
    is_secret: bool,
    /// Inside the values of a Secret.
    in_data: bool,
    /// Inside a private key in PEM form.
    in_key: bool,
    /// Indentation of a line with a word for credentials: what is deeper, or an item, belongs to it.
    below: Option<usize>,
    /// Whether the line before named a credential, so that this one may hold its value.
    named: bool,
}

impl Lines {
    /// Ranges of a line that are withheld.
    fn withheld(&mut self, line: &str) -> Vec<(usize, usize)> {
        let body = line.trim();
        let indentation = line.len() - line.trim_start().len();
        let whole = (indentation, line.len());
        let begins_key = body.contains("BEGIN") && body.contains("PRIVATE KEY");
        self.in_key |= begins_key;
        if self.in_key {
            self.in_key = !(body.contains("END") && body.contains("PRIVATE KEY"));
            return vec![whole];
        }
        if self.is_secret {
            return self.of_secret(line, whole);
        }
        if body.is_empty() {
            return Vec::new();
        }
        if self.below.is_some_and(|below| indentation > below) {
            return vec![whole];
        }
        self.below = None;
        // `value:` may stand before the name that explains it, so it is always withheld.
        if let Some(found) = CREDENTIAL.find(line) {
            self.named = true;
            let opens = body.ends_with([':', '|', '>', '-', '+']);
            self.below = opens.then_some(indentation);
            let start = line.get(..found.start()).and_then(value_of).unwrap_or(found.end());
            return vec![(start, line.len())];
        }
        let value = value_of(line).filter(|_| body.contains("value"));
        let item = body.starts_with("- ") && self.named;
        self.named = false;
        match value {
            Some(start) => vec![(start, line.len())],
            None if item => vec![whole],
            None => shapes(line),
        }
    }

    /// From the first `data` on everything but keys at the left margin may be a value.
    fn of_secret(&mut self, line: &str, whole: (usize, usize)) -> Vec<(usize, usize)> {
        if let Some(found) = DATA.find(line) {
            self.in_data = true;
            return vec![(found.end(), line.len())];
        }
        let top = !line.starts_with([' ', '\t', '-', '}', ']', '"', '\'', '#', '\r', '\n']);
        if self.in_data && top && line.contains(':') {
            self.in_data = false;
        }
        if self.in_data {
            return vec![whole];
        }
        CREDENTIAL.find(line).map_or_else(|| shapes(line), |found| vec![(found.end(), line.len())])
    }
}

/// Where the value under a key `value` begins, in block or flow form.
fn value_of(line: &str) -> Option<usize> {
    let at = line.find("value")?;
    let rest = line.get(at + "value".len()..)?;
    let colon = rest.find(':')?;
    rest.get(..colon)?
        .trim_matches(['"', '\'', ' '])
        .is_empty()
        .then_some(at + "value".len() + colon + 1)
}

/// Everything in a line that has the shape of a credential, or stands behind a name of one.
fn shapes(line: &str) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> =
        secret::in_line(line).map(|hit| hit.range).into_iter().collect();
    let mut from = 0;
    while let Some(hit) = line.get(from..).and_then(secret::by_shape) {
        let (start, end) = hit.range;
        ranges.push((from + start, from + end));
        from += end.max(1);
    }
    ranges
}
