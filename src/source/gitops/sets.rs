//! ApplicationSets of Argo CD: the Applications that their generators and their template give, as far
//! as the files decide it.

use std::collections::BTreeSet;

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::super::store::{Store, parent};
use super::template::{Templates, normalized, plain};
use crate::document::{Content, Document, Draft, Field, Node, ObjectId, Span, read_settings};

/// Most Applications of one ApplicationSet.
const MOST: usize = 5_000;
/// How deep generators stand in each other.
const DEPTH: usize = 3;

/// What the files do not tell.
#[derive(Debug)]
pub(in crate::source) struct Open {
    /// Where it is asked for.
    pub(in crate::source) at: Span,
    /// What it is.
    pub(in crate::source) what: String,
}

impl Open {
    pub(super) fn new(at: Span, what: &str) -> Self {
        Self { at, what: what.to_owned() }
    }
}

/// What an ApplicationSet gives.
pub(in crate::source) struct Generated {
    pub(in crate::source) applications: Vec<Document>,
    /// The files that its parameters come from.
    pub(in crate::source) files: BTreeSet<String>,
}

/// The Applications of an ApplicationSet in a file; none for any other object.
pub(in crate::source) fn generated(
    document: &Document,
    store: &Store,
    file: &str,
) -> Option<Result<Generated, Open>> {
    let id = &document.id;
    (id.group == "argoproj.io" && id.kind == "ApplicationSet").then(|| make(document, store, file))
}

fn make(document: &Document, store: &Store, file: &str) -> Result<Generated, Open> {
    let root = document.root();
    let go = root.path(&["spec", "goTemplate"]).and_then(Node::as_bool) == Some(true);
    if let Some(patch) = root.path(&["spec", "templatePatch"]).filter(|node| !node.is_null()) {
        return Err(Open::new(patch.span(), "`templatePatch`"));
    }
    let mut generators =
        Generators { store, file, templates: Templates::new(go), files: BTreeSet::new() };
    let template = root.path(&["spec", "template"]).map(Draft::of);
    let template = template.ok_or_else(|| Open::new(document.head, "a missing `template`"))?;
    let list = root.path(&["spec", "generators"]).into_iter().flat_map(Node::children);
    let mut sets = Vec::new();
    for generator in list {
        sets.extend(generators.run(&Draft::of(generator), 0)?);
    }
    let mut applications = Vec::new();
    for parameters in &sets {
        let mut filled = template.clone();
        // Without parameters the template is taken as it is written.
        if !parameters.fields().is_empty() {
            generators.templates.fill(&mut filled, parameters)?;
        }
        applications.push(application(document, filled));
    }
    Ok(Generated { applications, files: generators.files })
}

/// The Application that a filled template is. It always lies in the namespace of its ApplicationSet.
fn application(set: &Document, template: Draft) -> Document {
    let at = template.span;
    let mut draft = Draft::map(at);
    draft.set("apiVersion", None, Draft::text("argoproj.io/v1alpha1", at));
    draft.set("kind", None, Draft::text("Application", at));
    if let Content::Map(fields) = template.value {
        for Field { key, key_span, value } in fields {
            draft.set(&key, key_span, value);
        }
    }
    if let Some(metadata) = draft.entry_map("metadata", at) {
        metadata.set("namespace", None, Draft::text(set.id.namespace.clone(), set.head));
    }
    let name = draft.path(&["metadata", "name"]).and_then(Draft::as_str);
    let id = ObjectId {
        group: "argoproj.io".to_owned(),
        kind: "Application".to_owned(),
        namespace: set.id.namespace.clone(),
        name: name.unwrap_or_default().to_owned(),
    };
    let by = (set.head, "made by this ApplicationSet");
    Document::generated((id, "v1alpha1".to_owned()), set.namespace, draft, by)
}

struct Generators<'s> {
    store: &'s Store,
    /// The file of the ApplicationSet.
    file: &'s str,
    templates: Templates,
    files: BTreeSet<String>,
}

impl Generators<'_> {
    /// The sets of parameters that a generator gives.
    fn run(&mut self, generator: &Draft, depth: usize) -> Result<Vec<Draft>, Open> {
        let set = |field: &&Field| !matches!(field.value.value, Content::Null);
        let fields: Vec<&Field> = generator.fields().iter().filter(set).collect();
        let [Field { key, value, .. }] = fields.as_slice() else {
            return Err(Open::new(generator.span, "a generator with several parts"));
        };
        if let Some(template) = value.get("template").filter(|t| !t.fields().is_empty()) {
            return Err(Open::new(template.span, "a `template` of a generator"));
        }
        let sets = match key.as_str() {
            "list" => self.list(value),
            "git" if value.get("directories").is_some_and(|d| !d.items().is_empty()) => {
                self.directories(value)
            }
            "git" => self.files(value),
            "matrix" if depth < DEPTH => self.matrix(value, depth),
            _ => Err(Open::new(generator.span, &format!("the generator `{key}`"))),
        }?;
        if sets.len() > MOST {
            return Err(Open::new(generator.span, &format!("more than {MOST} Applications")));
        }
        Ok(sets)
    }

    fn list(&self, list: &Draft) -> Result<Vec<Draft>, Open> {
        if let Some(text) = list.get("elementsYaml") {
            return Err(Open::new(text.span, "`elementsYaml`"));
        }
        let elements = list.get("elements").map(Draft::items).unwrap_or_default();
        if self.templates.is_go() {
            return Ok(elements.to_vec());
        }
        let text = |draft: &Draft| {
            let open = || Open::new(draft.span, "a parameter that is no string");
            draft.as_str().map(str::to_owned).ok_or_else(open)
        };
        let flat = |element: &Draft| {
            let mut parameters = Draft::map(element.span);
            for Field { key, value, .. } in element.fields() {
                if key != "values" {
                    parameters.set(key, None, Draft::text(text(value)?, value.span));
                    continue;
                }
                for Field { key, value, .. } in value.fields() {
                    let value = Draft::text(text(value)?, value.span);
                    parameters.set(&format!("values.{key}"), None, value);
                }
            }
            Ok(parameters)
        };
        elements.iter().map(flat).collect()
    }

    /// Every combination of what several generators give. A later one may use the parameters of those
    /// before it.
    fn matrix(&mut self, matrix: &Draft, depth: usize) -> Result<Vec<Draft>, Open> {
        let generators = matrix.get("generators").map(Draft::items).unwrap_or_default();
        if generators.len() < 2 {
            return Err(Open::new(matrix.span, "a matrix of fewer than two generators"));
        }
        let mut sets = vec![Draft::map(matrix.span)];
        for generator in generators {
            let mut combined = Vec::new();
            for before in &sets {
                let mut generator = generator.clone();
                if !before.fields().is_empty() {
                    self.templates.fill(&mut generator, before)?;
                }
                for after in self.run(&generator, depth + 1)? {
                    let mut both = before.clone();
                    self.combine(&mut both, &after)?;
                    combined.push(both);
                }
                if combined.len() > MOST {
                    return Err(Open::new(matrix.span, &format!("more than {MOST} Applications")));
                }
            }
            sets = combined;
        }
        Ok(sets)
    }

    /// Adds parameters to others. What both give, the first ones decide; without templates of Go they
    /// must be equal.
    fn combine(&self, first: &mut Draft, second: &Draft) -> Result<(), Open> {
        for Field { key, key_span, value } in second.fields() {
            match first.get_mut(key) {
                Some(own) if !own.fields().is_empty() && self.templates.is_go() => {
                    self.combine(own, value)?;
                }
                Some(own) if self.templates.is_go() && plain(Some(own)).as_deref() != Some("") => {}
                Some(own) if own.as_str() != value.as_str() => {
                    let what = format!("two values of the parameter `{key}`");
                    return Err(Open::new(own.span, &what));
                }
                _ => first.set(key, *key_span, value.clone()),
            }
        }
        Ok(())
    }

    /// One set of parameters for each directory that the patterns take.
    fn directories(&self, git: &Draft) -> Result<Vec<Draft>, Open> {
        let list = git.get("directories").map(Draft::items).unwrap_or_default();
        let patterns = patterns(list, |path| {
            // Two stars are two times one star, and brackets of the two dialects differ.
            let plain = !path.contains(['[', ']', '{', '}', '\\']);
            let glob = path.replace("**", "*");
            plain.then(|| GlobBuilder::new(&glob).literal_separator(true).build().ok()).flatten()
        })?;
        let visible = |name: &str| !name.split('/').any(|part| part.starts_with('.'));
        let names = self.store.files.keys();
        let mut all: BTreeSet<&str> = BTreeSet::new();
        for name in names {
            let mut directory = parent(name);
            while directory != "." && all.insert(directory) {
                directory = parent(directory);
            }
        }
        let takes = |name: &str| visible(name) && taken(&patterns, name);
        let found = self.below(all.iter().copied(), takes);
        if found.is_empty() {
            return Err(Open::new(list_span(git, "directories"), "no directory that was read"));
        }
        let sets = found.into_iter().map(|path| {
            let mut own = Draft::map(git.span);
            self.path_parameters(&mut own, &path, None, git);
            self.with_values(own, git)
        });
        sets.collect()
    }

    /// The names below the repository, or the outermost directory above the ApplicationSet, that
    /// something takes there.
    fn below<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
        takes: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut bases: Vec<&str> = vec![parent(self.file)];
        while let Some(base) = bases.last().copied().filter(|base| *base != ".") {
            bases.push(parent(base));
        }
        let found = bases.into_iter().rev().map(|base| {
            let inside = names.clone().filter_map(move |name| match base {
                "." => Some(name),
                base => name.strip_prefix(base)?.strip_prefix('/'),
            });
            inside.filter(|name| takes(name)).map(str::to_owned).collect::<Vec<_>>()
        });
        found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// The sets of parameters that the files hold which the patterns take.
    fn files(&mut self, git: &Draft) -> Result<Vec<Draft>, Open> {
        let list = git.get("files").map(Draft::items).unwrap_or_default();
        let build = |deep: bool| {
            patterns(list, |path| GlobBuilder::new(path).literal_separator(!deep).build().ok())
        };
        let (strict, loose) = (build(false)?, build(true)?);
        let store = self.store;
        let names = || store.files.keys().map(String::as_str);
        let found = self.below(names(), |name| taken(&strict, name));
        let at = list_span(git, "files");
        // Whether a star goes into directories depends on how Argo CD is set up.
        if found != self.below(names(), |name| taken(&loose, name)) {
            return Err(Open::new(at, "whether a star takes directories"));
        }
        if found.is_empty() {
            return Err(Open::new(at, "no file that was read"));
        }
        let mut sets = Vec::new();
        for path in found {
            let name = store.files.keys().find(|name| {
                name.strip_suffix(&path).is_some_and(|base| base.is_empty() || base.ends_with('/'))
            });
            let unread = || Open::new(at, &format!("what `{path}` holds"));
            let name = name.ok_or_else(unread)?;
            let held = store.file(name).ok_or_else(unread)?;
            let text = store.read(name).map_err(|_| unread())?;
            let (tree, _) = read_settings(held.id, &text).map_err(|_| unread())?;
            let content = tree.map(|tree| Draft::of(tree.root()));
            let objects = match content {
                Some(draft) if matches!(draft.value, Content::List(_)) => draft.items().to_vec(),
                Some(draft) if matches!(draft.value, Content::Map(_)) => vec![draft],
                None => vec![Draft::map(at)],
                Some(_) => return Err(unread()),
            };
            self.files.insert(name.clone());
            for object in objects {
                let mut own = if self.templates.is_go() { object } else { flattened(&object)? };
                let (directory, file) = (parent(&path), path.rsplit('/').next());
                self.path_parameters(&mut own, directory, file, git);
                sets.push(self.with_values(own, git)?);
            }
        }
        Ok(sets)
    }

    /// The parameters `path` and those below it.
    fn path_parameters(&self, own: &mut Draft, path: &str, file: Option<&str>, git: &Draft) {
        let at = git.span;
        let text = |text: &str| Draft::text(text, at);
        let base = path.rsplit('/').next().unwrap_or(path);
        let mut parts =
            vec![("basename", base.to_owned()), ("basenameNormalized", normalized(base))];
        if let Some(file) = file {
            parts.push(("filename", file.to_owned()));
            parts.push(("filenameNormalized", normalized(file)));
        }
        let prefix = git.get("pathParamPrefix").and_then(Draft::as_str).filter(|p| !p.is_empty());
        if self.templates.is_go() {
            let mut map = Draft::map(at);
            map.set("path", None, text(path));
            for (key, value) in parts {
                map.set(key, None, text(&value));
            }
            let segments = path.split('/').map(text).collect();
            map.set("segments", None, Draft { value: Content::List(segments), ..Draft::map(at) });
            match prefix {
                Some(prefix) => {
                    let mut outer = Draft::map(at);
                    outer.set("path", None, map);
                    own.set(prefix, None, outer);
                }
                None => own.set("path", None, map),
            }
            return;
        }
        let name = prefix.map_or_else(|| "path".to_owned(), |prefix| format!("{prefix}.path"));
        own.set(&name, None, text(path));
        for (key, value) in parts {
            own.set(&format!("{name}.{key}"), None, text(&value));
        }
        for (nth, segment) in path.split('/').enumerate() {
            own.set(&format!("{name}[{nth}]"), None, text(segment));
        }
    }

    /// Parameters with the `values` of their generator, which may use them.
    fn with_values(&self, mut own: Draft, generator: &Draft) -> Result<Draft, Open> {
        let values = generator.get("values").map(Draft::fields).unwrap_or_default();
        let mut filled = Draft::map(generator.span);
        for Field { key, value, .. } in values {
            let text = self.templates.text(value.as_str().unwrap_or_default(), &own, value.span)?;
            filled.set(key, None, Draft::text(text, value.span));
        }
        if self.templates.is_go() && !values.is_empty() {
            own.set("values", None, filled);
            return Ok(own);
        }
        for Field { key, value, .. } in filled.fields() {
            own.set(&format!("values.{key}"), None, value.clone());
        }
        Ok(own)
    }
}

/// The patterns of a list, and whether each excludes.
fn patterns(
    list: &[Draft],
    build: impl Fn(&str) -> Option<Glob>,
) -> Result<Vec<(GlobMatcher, bool)>, Open> {
    let pattern = |entry: &Draft| {
        let open = || Open::new(entry.span, "the pattern");
        let path = entry.get("path").and_then(Draft::as_str).ok_or_else(open)?;
        let glob = build(path).ok_or_else(open)?;
        let exclude = entry.get("exclude").is_some_and(|e| matches!(e.value, Content::Bool(true)));
        Ok((glob.compile_matcher(), exclude))
    };
    list.iter().map(pattern).collect()
}

/// Whether patterns take a name: one that excludes it wins.
fn taken(patterns: &[(GlobMatcher, bool)], name: &str) -> bool {
    let matches =
        |exclude| patterns.iter().any(|(glob, out)| *out == exclude && glob.is_match(name));
    matches(false) && !matches(true)
}

fn list_span(git: &Draft, key: &str) -> Span {
    git.get(key).map_or(git.span, |list| list.span)
}

/// The scalars of a value by their paths, as `a.b` and `list.0`.
fn flattened(draft: &Draft) -> Result<Draft, Open> {
    fn walk(draft: &Draft, path: &str, flat: &mut Draft) -> Result<(), Open> {
        let under =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        for Field { key, value, .. } in draft.fields() {
            walk(value, &under(key), flat)?;
        }
        for (nth, item) in draft.items().iter().enumerate() {
            walk(item, &under(&nth.to_string()), flat)?;
        }
        if !matches!(draft.value, Content::Map(_) | Content::List(_)) {
            let text = plain(Some(draft));
            let text = text.ok_or_else(|| Open::new(draft.span, "a parameter of this kind"))?;
            flat.set(path, None, Draft::text(text, draft.span));
        }
        Ok(())
    }
    let mut flat = Draft::map(draft.span);
    walk(draft, "", &mut flat)?;
    Ok(flat)
}
