//! Kustomizations that need kustomize itself, rendered by `kustomize build` or `kubectl kustomize`.
//!
//! Whoever calls this has looked for remote bases before: there are none.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::process::{self, Call, Failure, Scratch};
use super::store::{KUSTOMIZATIONS, join};
use crate::document::{
    self, Document, FileId, Node, ObjectId, ReadOptions, Reading, Rendering, Span, clean,
    overwrite_redacted,
};

/// Names the program where it is not the `kustomize` of PATH.
const VARIABLE: &str = "PALISADE_KUSTOMIZE";

/// Says where an object comes from. This program asks for it and takes it out again.
const ORIGIN: &str = "config.kubernetes.io/origin";

/// Most characters of an error message.
const MESSAGE: usize = 400;

/// A directory with a kustomization.
#[derive(Clone, Debug)]
pub(super) struct Kustomization {
    /// Its real path.
    pub(super) directory: PathBuf,
    /// Its name in outputs.
    pub(super) name: String,
    /// Real path of the directory that names in outputs are relative to.
    pub(super) base: PathBuf,
}

/// What a kustomization gave.
#[derive(Debug)]
pub(super) struct Rendered {
    /// Name of the virtual file.
    pub(super) name: String,
    /// Its text, values of Secrets overwritten.
    pub(super) text: String,
    /// What was read from it; every object knows its source.
    pub(super) reading: Reading,
}

/// Gives the place of an object in a file: by the file's name in outputs and the identity that the
/// object has after rendering, which prefixes and namespaces have changed.
pub(super) type Lookup<'l> = &'l dyn Fn(&str, &ObjectId) -> Option<Span>;

/// Renders a kustomization into the virtual file `file`.
///
/// # Errors
/// Says why there is nothing: kustomize stops at the first error.
pub(super) fn render(
    kustomization: &Kustomization,
    file: FileId,
    options: &ReadOptions,
    lookup: Lookup<'_>,
) -> Result<Rendered, Failure> {
    let program = program().ok_or(Failure::NotFound)?;
    render_with(&program, kustomization, file, options, lookup)
}

/// A program, and its word for what is wanted of it.
struct Program {
    path: PathBuf,
    command: &'static str,
}

fn program() -> Option<Program> {
    let kustomize = |path| Program { path, command: "build" };
    if let Some(named) = process::named(VARIABLE) {
        return process::find(named).map(kustomize);
    }
    let kubectl = |path| Program { path, command: "kustomize" };
    process::find("kustomize").map(kustomize).or_else(|| process::find("kubectl").map(kubectl))
}

fn render_with(
    program: &Program,
    kustomization: &Kustomization,
    file: FileId,
    options: &ReadOptions,
    lookup: Lookup<'_>,
) -> Result<Rendered, Failure> {
    let failed = |message: String| Failure::Failed { message };
    let scratch = Scratch::new()
        .map_err(|error| failed(format!("no scratch directory can be made: {error}")))?;
    let target = relative(scratch.path(), &kustomization.directory)
        .ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    // JSON is YAML, and quotes what needs it.
    let resources = serde_json::json!([target]);
    let wrapper = format!("resources: {resources}\nbuildMetadata: [originAnnotations]\n");
    scratch
        .write("kustomization.yaml", &wrapper)
        .map_err(|error| failed(format!("a scratch file cannot be written: {error}")))?;
    let arguments = [OsString::from(program.command), scratch.path().into()];
    let (program, directory) = (&*program.path, &*kustomization.directory);
    let call = Call { program, arguments: &arguments, directory, scratch: &scratch };
    let output = process::run(&call).map_err(|failure| match failure {
        Failure::Failed { message } => failed(shortened(&message, kustomization)),
        other => other,
    })?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let (text, origins) = without_origins(&text, options);
    let mut reading = document::read(file, &text, options);
    let place = Place { kustomization, scratch: scratch.path(), file, lookup };
    for document in &mut reading.documents {
        let by = place.of(document, origins.get(&document.extent.start).map(String::as_str));
        let rendering = Rendering { by, text: "the source", sources: Vec::new() };
        document.rendering = Some(Arc::new(rendering));
    }
    let text = overwrite_redacted(text, &reading);
    Ok(Rendered { name: format!("rendered:{}", kustomization.name), text, reading })
}

/// The path from one directory to another; both without symbolic links.
fn relative(from: &Path, to: &Path) -> Option<String> {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Some(".."));
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_str());
    let parts: Vec<&str> = up.chain(down).collect::<Option<_>>()?;
    Some(parts.join("/"))
}

/// Takes the origins out of a rendered text: what is left, and where in it each object begins whose
/// origin is known.
fn without_origins(text: &str, options: &ReadOptions) -> (String, BTreeMap<u32, String>) {
    let file = FileId(0);
    let reading = document::read(file, text, options);
    let mut origins = BTreeMap::new();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for document in &reading.documents {
        let annotations = document.root().path(&["metadata", "annotations"]);
        let Some(annotations) = annotations else { continue };
        let Some(origin) = annotations.get(ORIGIN) else { continue };
        let start = (document.extent.start as usize).saturating_sub(at) + kept.len();
        origins.insert(u32::try_from(start).unwrap_or(u32::MAX), said(origin));
        let only = annotations.children().count() == 1;
        let key = if only { annotations.key_span() } else { origin.key_span() };
        let lines = key.and_then(|key| entry(text, key.start as usize));
        if let Some((start, end)) = lines.filter(|(start, _)| *start >= at) {
            kept.push_str(text.get(at..start).unwrap_or_default());
            at = end;
        }
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    (kept, origins)
}

/// The lines of a map's entry whose key begins at `key`: its own and all that are indented deeper.
/// None where something else stands before it on its line; kustomize writes no such line.
fn entry(text: &str, key: usize) -> Option<(usize, usize)> {
    let start = text.get(..key)?.rfind('\n').map_or(0, |at| at + 1);
    if !text.get(start..key)?.trim().is_empty() {
        return None;
    }
    let indent = key - start;
    let mut end = start;
    for (number, line) in text.get(start..).unwrap_or_default().split_inclusive('\n').enumerate() {
        let blank = line.trim().is_empty();
        if number > 0 && !blank && line.len() - line.trim_start().len() <= indent {
            break;
        }
        end += line.len();
    }
    Some((start, end))
}

/// The file that an origin names, relative to the wrapper.
fn said(origin: Node<'_>) -> String {
    let lines = origin.as_str().unwrap_or_default().lines();
    let named = |key: &str| {
        let mut lines = lines.clone();
        lines.find_map(|line| line.strip_prefix(key).map(|path| path.trim().to_owned()))
    };
    named("path:").or_else(|| named("configuredIn:")).unwrap_or_default()
}

/// Finds where objects come from.
struct Place<'p> {
    kustomization: &'p Kustomization,
    scratch: &'p Path,
    file: FileId,
    lookup: Lookup<'p>,
}

impl Place<'_> {
    /// The place of an object's source; else the kustomization, else the start of the virtual file.
    fn of(&self, document: &Document, origin: Option<&str>) -> Span {
        let source = origin.filter(|origin| !origin.is_empty()).and_then(|o| self.name(o));
        let own = KUSTOMIZATIONS.iter().filter_map(|file| join(&self.kustomization.name, file));
        let place = source.into_iter().chain(own).find_map(|n| (self.lookup)(&n, &document.id));
        place.unwrap_or_else(|| Span::start_of(self.file))
    }

    /// The name in outputs of a path that is relative to the wrapper.
    fn name(&self, path: &str) -> Option<String> {
        let path = path.trim_matches(['"', '\'']);
        let mut real = self.scratch.to_owned();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir => _ = real.pop(),
                Component::Normal(part) => real.push(part),
                _ => {}
            }
        }
        let inside = real.strip_prefix(&self.kustomization.base).ok()?;
        let parts: Option<Vec<&str>> =
            inside.components().map(|c| c.as_os_str().to_str()).collect();
        Some(parts?.join("/"))
    }
}

/// What kubectl logs where it prints no error: `E1121 ... "command failed" err="..."`, or between
/// `err=<` and `>` where it has several lines.
fn logged(message: &str) -> Option<String> {
    if let Some((_, lines)) = message.split_once(" err=<\n") {
        return lines.lines().next().map(|line| line.trim().to_owned());
    }
    let (_, rest) = message.lines().next()?.split_once(" err=\"")?;
    Some(rest.strip_suffix('"').unwrap_or(rest).replace("\\\"", "\""))
}

/// An error message of kustomize without the way down to its cause, which names every directory
/// twice.
fn shortened(message: &str, kustomization: &Kustomization) -> String {
    let line =
        message.lines().rfind(|line| line.starts_with("Error:") || line.starts_with("error:"));
    let line = line.or(message.lines().next()).unwrap_or_default();
    let mut text = logged(message).unwrap_or_else(|| line.to_owned());
    for prefix in ["Error: ", "error: "] {
        text = text.strip_prefix(prefix).map(str::to_owned).unwrap_or(text);
    }
    let ways = ["recursed accumulation of path '", "couldn't make target for path '"];
    let deepest = ways.iter().filter_map(|way| Some(text.rfind(way)? + way.len())).max();
    let cause = deepest.and_then(|at| text.get(at..)?.split_once("': "));
    if let Some((path, cause)) = cause {
        text = format!("`{path}`: {cause}");
    }
    if kustomization.base.components().count() > 1 {
        let base = kustomization.base.to_string_lossy();
        text = text.replace(&format!("{base}/"), "").replace(&*base, ".");
    }
    let text = clean(&text);
    if text.chars().count() <= MESSAGE {
        return text;
    }
    text.chars().take(MESSAGE).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        Failure, Kustomization, Program, relative, render_with, shortened, without_origins,
    };
    use crate::document::{FileId, Node, ObjectId, ReadOptions, Span};
    use crate::source::oracle;

    const WEB: &str = r#"apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {note: a}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec: {containers: [{name: c, env: [{name: X, value: y}]}]}
"#;

    const BASE: &str = "resources: [web.yaml]
configMapGenerator: [{name: conf, literals: [a=b]}]
replacements:
- source: {kind: Service, name: web, fieldPath: metadata.name}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [spec.template.spec.containers.0.env.0.value]
";

    /// A repository with an overlay over a base.
    fn repository(base: &str) -> (tempfile::TempDir, Kustomization) {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let root = directory.path().canonicalize().expect("it is there");
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("writable");
            std::fs::write(path, text).expect("writable");
        };
        write("base/kustomization.yaml", base);
        write("base/web.yaml", WEB);
        let overlay = "namePrefix: prod-\nnamespace: shop\nresources: [../../base]\n";
        write("envs/prod, eu/kustomization.yaml", overlay);
        let overlay = root.join("envs/prod, eu");
        let name = "envs/prod, eu".to_owned();
        (directory, Kustomization { directory: overlay, name, base: root })
    }

    fn programs() -> Vec<Program> {
        let kustomize = oracle::program("kustomize");
        let kubectl = crate::source::process::find("kubectl");
        let kustomize = kustomize.map(|path| Program { path, command: "build" });
        let kubectl = kubectl.map(|path| Program { path, command: "kustomize" });
        kustomize.into_iter().chain(kubectl).collect()
    }

    #[test]
    fn every_object_of_an_external_rendering_knows_its_source() {
        for program in programs() {
            let (_directory, kustomization) = repository(BASE);
            let lookup = |name: &str, id: &ObjectId| match (name, id.kind.as_str()) {
                ("base/web.yaml", "Service") => Some(Span { file: FileId(1), start: 1, end: 2 }),
                ("base/web.yaml", "Deployment") => Some(Span { file: FileId(1), start: 3, end: 4 }),
                ("base/kustomization.yaml", _) => Some(Span::start_of(FileId(2))),
                _ => panic!("{name} was looked up for {id}"),
            };
            let options = ReadOptions::default();
            let rendered = render_with(&program, &kustomization, FileId(9), &options, &lookup);
            let rendered = rendered.unwrap_or_else(|failure| panic!("{failure:?}"));
            assert_eq!(rendered.name, "rendered:envs/prod, eu");
            assert!(!rendered.text.contains("origin"), "{}", rendered.text);
            let mut found: Vec<String> = Vec::new();
            for document in &rendered.reading.documents {
                let rendering = document.rendering.as_ref().expect("all are rendered");
                let (file, start) = (rendering.by.file.0, rendering.by.start);
                found.push(format!("{} {file}:{start} {}", document.id, rendering.text));
                let Span { file, start, end } = document.head;
                let head = rendered.text.get(start as usize..end as usize);
                assert_eq!((file, head), (FileId(9), Some(document.id.name.as_str())));
            }
            found.sort();
            let (config_map, others) = found.split_first().expect("there are objects");
            assert!(config_map.starts_with("ConfigMap shop/prod-conf-"), "{config_map}");
            assert!(config_map.ends_with(" 2:0 the source"), "{config_map}");
            let expected =
                ["Deployment shop/prod-web 1:3 the source", "Service shop/prod-web 1:1 the source"];
            assert_eq!(others, expected);
            let mut documents = rendered.reading.documents.iter();
            let service = documents.find(|d| d.id.kind == "Service").expect("there");
            let note = service.root().path(&["metadata", "annotations", "note"]);
            assert_eq!(note.and_then(Node::as_str), Some("a"));
        }
    }

    #[test]
    fn a_failure_says_the_cause_and_no_scratch_path() {
        for program in programs() {
            let (_directory, kustomization) = repository("nope: 1\n");
            let lookup = |_: &str, _: &ObjectId| None;
            let options = ReadOptions::default();
            let rendered = render_with(&program, &kustomization, FileId(9), &options, &lookup);
            let Err(Failure::Failed { message }) = rendered else { panic!("it must fail") };
            let expected = r#"`base`: invalid Kustomization: json: unknown field "nope""#;
            assert_eq!(message, expected, "{}", program.path.display());
        }
    }

    #[test]
    fn nothing_is_fetched_even_where_something_asks_for_it() {
        for program in programs() {
            for remote in ["https://example.org/x.yaml", "https://example.org/a/b//c?ref=v1"] {
                let (_directory, kustomization) = repository(&format!("resources: ['{remote}']\n"));
                let lookup = |_: &str, _: &ObjectId| None;
                let options = ReadOptions::default();
                let rendered = render_with(&program, &kustomization, FileId(9), &options, &lookup);
                let Err(Failure::Failed { message }) = rendered else { panic!("it must fail") };
                // The proxy at which nobody listens.
                assert!(message.contains("127.0.0.1:9: connect"), "{message}");
            }
        }
    }

    #[test]
    fn messages_are_cut_to_their_cause() {
        let directory = Path::new("/srv/over").to_owned();
        let base = Path::new("/srv").to_owned();
        let kustomization = Kustomization { directory, name: "over".to_owned(), base };
        let cause = "accumulating resources from 'web.yaml': yaml: line 8: bad";
        let way = "accumulating resources: accumulation err='accumulating resources from '../base': \
                   '/srv/base' must resolve to a file': recursed accumulation of path '/srv/base': ";
        let logged =
            format!("E1121 23:53:18 16786 run.go:72] \"command failed\" err=\"{way}{cause}\"");
        let expected = format!("`base`: {cause}");
        assert_eq!(shortened(&format!("Error: {way}{cause}"), &kustomization), expected);
        assert_eq!(shortened(&logged, &kustomization), expected);
        assert_eq!(shortened("error: no /srv/x\nusage", &kustomization), "no x");
    }

    #[test]
    fn paths_lead_up_and_down() {
        let cases = [("/tmp/a", "/srv/x/y", "../../srv/x/y"), ("/tmp/a", "/tmp/b", "../b")];
        for (from, to, expected) in cases {
            assert_eq!(relative(Path::new(from), Path::new(to)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn origins_are_taken_out_of_the_text() {
        let text = "apiVersion: v1\nkind: A\nmetadata:\n  annotations:\n    \
                    config.kubernetes.io/origin: |\n      path: ../x/a.yaml\n  name: a\n---\n\
                    apiVersion: v1\nkind: B\nmetadata:\n  annotations:\n    \
                    config.kubernetes.io/origin: |\n      configuredIn: k.yaml\n    z: z\n  name: b\n";
        let (kept, origins) = without_origins(text, &ReadOptions::default());
        let expected = "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n---\n\
                        apiVersion: v1\nkind: B\nmetadata:\n  annotations:\n    z: z\n  name: b\n";
        assert_eq!(kept, expected);
        let origins: Vec<(u32, &str)> = origins.iter().map(|(at, o)| (*at, o.as_str())).collect();
        assert_eq!(origins, [(0, "../x/a.yaml"), (47, "k.yaml")]);
    }
}
