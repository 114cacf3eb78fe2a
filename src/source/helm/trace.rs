//! Where rendered objects come from: the template that made them, and the values in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Chart, Release, Texts};
use crate::document::{
    Content, Document, Draft, Field, FileId, Node, Plain, Rendering, Span, Tree, Value, resolve,
};

/// Stands for a text that is no file of the run.
pub(super) const NOWHERE: FileId = FileId(u32::MAX);

/// Shorter values stand in too many places to say where they come from.
const SHORTEST: usize = 4;

/// Where values are set.
#[derive(Debug)]
pub(super) struct Origins {
    /// The only place at which a value is set; none where several set it, or something that has no
    /// place.
    of_texts: BTreeMap<String, Option<Span>>,
    /// All values, without those that flags set.
    merged: Draft,
}

impl Origins {
    /// Merges values as helm does, weakest first, and looks at what is left.
    pub(super) fn of(values: &[Tree], sets: &[String]) -> Self {
        let mut merged = Draft::map(Span::start_of(NOWHERE));
        for tree in values {
            merge(&mut merged, Draft::of(tree.root()));
        }
        let mut given = Vec::new();
        for set in sets.iter().flat_map(|set| assignments(set)) {
            let (path, value) = set.split_once('=').unwrap_or((&set, ""));
            remove(&mut merged, path);
            given.push(value.to_owned());
        }
        let mut of_texts = BTreeMap::new();
        given.into_iter().for_each(|value| keep(&mut of_texts, value, None));
        collect(&mut of_texts, &merged);
        Self { of_texts, merged }
    }

    fn place(&self, text: &str) -> Option<Span> {
        self.of_texts.get(text).copied().flatten()
    }

    /// Where the value of a path stands, if it is this one.
    fn value(&self, path: &str, text: &str) -> Option<Span> {
        let keys: Vec<&str> = path.split('.').collect();
        let draft = self.merged.path(&keys)?;
        let same = match &draft.value {
            Content::Str(value) => value == text,
            Content::Int(value) => value.to_string() == text,
            Content::Bool(value) => value.to_string() == text,
            _ => false,
        };
        placed(draft).filter(|_| same)
    }
}

fn placed(draft: &Draft) -> Option<Span> {
    Some(draft.span).filter(|span| span.file != NOWHERE && span.start < span.end)
}

fn collect(of_texts: &mut BTreeMap<String, Option<Span>>, draft: &Draft) {
    draft.items().iter().for_each(|item| collect(of_texts, item));
    draft.fields().iter().for_each(|field| collect(of_texts, &field.value));
    let text = match &draft.value {
        Content::Str(text) => text.clone(),
        Content::Int(value) => value.to_string(),
        _ => return,
    };
    keep(of_texts, text, placed(draft));
}

fn keep(of_texts: &mut BTreeMap<String, Option<Span>>, text: String, place: Option<Span>) {
    let is_word = matches!(resolve(&text), Plain::Null | Plain::Bool(_));
    if text.chars().count() >= SHORTEST && !is_word {
        of_texts.entry(text).and_modify(|known| *known = None).or_insert(place);
    }
}

/// Puts stronger values over others: maps join, null removes, everything else replaces.
fn merge(weak: &mut Draft, strong: Draft) {
    let Content::Map(fields) = strong.value else { return };
    for Field { key, key_span, value } in fields {
        let is_map = |draft: &Draft| matches!(draft.value, Content::Map(_));
        match weak.get_mut(&key) {
            _ if matches!(value.value, Content::Null) => _ = weak.remove(&key),
            Some(known) if is_map(known) && is_map(&value) => merge(known, value),
            _ => weak.set(&key, key_span, value),
        }
    }
}

/// The single assignments of `a=1,b=2`; a comma behind a backslash belongs to the value.
fn assignments(set: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in set.chars() {
        match (c, parts.last_mut()) {
            (',', _) if !escaped => parts.push(String::new()),
            (_, Some(part)) => part.push(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    parts
}

/// Removes what a path of `--set` leads to. Where an item of a list or an escaped dot is named, all
/// of the value around it goes.
fn remove(draft: &mut Draft, path: &str) {
    let plain = path.split(['[', '\\', '{']).next().unwrap_or(path);
    let cut = plain.len() < path.len();
    let mut keys: Vec<&str> = plain.split('.').collect();
    if cut && path.contains('\\') && keys.len() > 1 {
        keys.pop();
    }
    let Some((last, above)) = keys.split_last() else { return };
    if let Some(holder) = draft.path_mut(above) {
        holder.remove(last);
    }
}

/// A rendered text whose objects are traced.
pub(super) struct Traced<'t> {
    /// The text as helm wrote it.
    pub(super) text: &'t str,
    pub(super) file: FileId,
    pub(super) chart: &'t Chart,
    pub(super) release: &'t Release,
    pub(super) texts: &'t Texts<'t>,
    pub(super) origins: Origins,
}

impl Traced<'_> {
    /// Tells every object where it comes from.
    pub(super) fn mark(&self, documents: &mut [Document]) {
        let templates = self.templates();
        for document in documents {
            let behind = templates.partition_point(|(at, _)| *at <= document.extent.start as usize);
            let template = behind.checked_sub(1).and_then(|last| templates.get(last));
            let template = template.and_then(|(_, name)| self.texts.get(name));
            let (by, text, sources) = match template {
                Some((file, text)) => {
                    let by = self.line(document, *file, text);
                    (by, "the template", self.sources(document, *file, text))
                }
                // A template of a packed chart.
                None => {
                    let chart = format!("{}/Chart.yaml", self.release.chart_name);
                    let file = self.texts.get(&chart).map_or(self.file, |(file, _)| *file);
                    (Span::start_of(file), "the chart", Vec::new())
                }
            };
            document.rendering = Some(Arc::new(Rendering { by, text, sources }));
        }
    }

    /// Where each template's part of the text begins, and the template's name in outputs. Helm
    /// writes `# Source:` right behind the separator; other such lines are the template's own.
    fn templates(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let (mut at, mut separated) = (0, false);
        for line in self.text.split_inclusive('\n') {
            let source = line.trim_end().strip_prefix("# Source: ").filter(|_| separated);
            let inside = source.and_then(|path| path.strip_prefix(&self.chart.name));
            if let Some(inside) = inside.filter(|inside| inside.starts_with('/')) {
                found.push((at, format!("{}{inside}", self.release.chart_name)));
            }
            separated = line.trim_end() == "---";
            at += line.len();
        }
        found
    }

    /// The line of a template that is the line with the object's name, if there is exactly one;
    /// else the template's start.
    fn line(&self, document: &Document, file: FileId, template: &str) -> Span {
        let (before, behind) =
            self.text.split_at_checked(document.head.start as usize).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let end = behind.find('\n').map_or(self.text.len(), |at| before.len() + at);
        let wanted = self.text.get(begin..end).unwrap_or_default().trim();
        let mut at = 0;
        let mut places = Vec::new();
        for line in template.split_inclusive('\n') {
            if line.trim() == wanted {
                let start = at + (line.len() - line.trim_start().len());
                places.push((start, start + wanted.len()));
            }
            at += line.len();
        }
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        match places.as_slice() {
            [(start, end)] if !wanted.is_empty() => {
                Span { file, start: narrow(*start), end: narrow(*end) }
            }
            _ => Span::start_of(file),
        }
    }

    /// Where the values of an object come from: the line of the template that writes them, and the
    /// place in the values files that sets them.
    fn sources(&self, document: &Document, file: FileId, template: &str) -> Vec<Source> {
        let helpers = self.chart.helpers.iter().map(String::as_str);
        let written: Vec<&str> = helpers.chain([template]).collect();
        let lines = Lines::of(file, template);
        let mut sources = Vec::new();
        self.collect(document.root(), &written, &lines, &mut sources);
        sources
    }

    fn collect(
        &self,
        node: Node<'_>,
        written: &[&str],
        lines: &Lines<'_>,
        sources: &mut Vec<Source>,
    ) {
        let text = match node.value() {
            Value::Str(text) => text.to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => {
                node.children().for_each(|child| self.collect(child, written, lines, sources));
                return;
            }
        };
        let line = lines.of_key(node.key());
        sources.extend(line.map(|(place, _)| (node.span(), place, "written here")));
        let named = line.and_then(|(_, line)| self.origins.value(only_value(line)?, &text));
        // What a template writes out itself may not come from the values.
        let literal = || written.iter().any(|literal| literal.contains(&text));
        let place = named.or_else(|| self.origins.place(&text).filter(|_| !literal()));
        sources.extend(place.map(|place| (node.span(), place, "set here")));
    }
}

/// The place of a value, the place behind it, and what is to be seen there.
type Source = (Span, Span, &'static str);

/// The lines of a template by the key that they write.
struct Lines<'t>(BTreeMap<&'t str, Option<(Span, &'t str)>>);

impl<'t> Lines<'t> {
    fn of(file: FileId, template: &'t str) -> Self {
        let mut of_keys = BTreeMap::new();
        let mut at = 0;
        for line in template.split_inclusive('\n') {
            let text = line.trim();
            let start = at + (line.len() - line.trim_start().len());
            at += line.len();
            let Some((key, value)) = text.trim_start_matches("- ").split_once(':') else {
                continue;
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
            if key.is_empty() || value.trim().is_empty() || !key.chars().all(plain) {
                continue;
            }
            let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
            let place = Span { file, start: narrow(start), end: narrow(start + text.len()) };
            // Two lines of one key leave open which of them it was.
            of_keys.entry(key).and_modify(|known| *known = None).or_insert(Some((place, text)));
        }
        Self(of_keys)
    }

    fn of_key(&self, key: &str) -> Option<(Span, &'t str)> {
        self.0.get(key).copied().flatten()
    }
}

/// The path of the only value that a line of a template asks for.
fn only_value(line: &str) -> Option<&str> {
    let mut parts = line.split(".Values.").skip(1);
    let (part, None) = (parts.next()?, parts.next()) else { return None };
    let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')));
    let path = part.get(..end.unwrap_or(part.len()))?.trim_end_matches('.');
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::{NOWHERE, Origins};
    use crate::document::{FileId, read_settings};

    #[test]
    fn a_value_has_a_place_if_nothing_else_sets_the_same() {
        let tree = |file, text| {
            let read = read_settings(file, text);
            read.expect("YAML").0.expect("a document")
        };
        let own = "on: \"true\"\nname: first\nport: 8443\nsame: twice\nlist: [kept, gone]\nmap: {a: dropped}\n";
        let own = tree(FileId(1), own);
        let over = tree(FileId(2), "name: second\nother: twice\nlist: [lasting]\nmap: null\n");
        let inline = tree(NOWHERE, "port: 9443\n");
        let sets = ["x.y=given,z[0]=a\\,b".to_owned()];
        let origins = Origins::of(&[own, over, inline], &sets);
        let place = |text: &str| origins.place(text).map(|span| (span.file.0, span.start));
        assert_eq!(place("second"), Some((2, 6)));
        assert_eq!(place("lasting"), Some((2, 33)));
        for text in ["true", "first", "8443", "9443", "twice", "kept", "gone", "dropped", "given"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_flag_sets_has_no_place() {
        let text = "image: {tag: one-1, name: nginx}\nlist: [four, five]\nlast: value\n";
        let tree = read_settings(FileId(1), text).expect("YAML").0.expect("a document");
        let sets = ["image.tag=two-2", "list[0]=x", "last=a\\,b"].map(str::to_owned);
        let origins = Origins::of(&[tree], &sets);
        for text in ["one-1", "two-2", "four", "five", "value"] {
            assert_eq!(origins.place(text), None, "{text}");
        }
        assert!(origins.place("nginx").is_some());
    }
}
