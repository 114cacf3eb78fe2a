//! From where a root begins to all of its objects: kustomizations are rendered, and what Flux and
//! Argo CD would create of its objects is joined into it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::adjust::{finish, made_namespace, place, reread, without_value};
use super::discover::Seed;
use super::gather::Gathered;
use super::gitops::{self, Variables};
use super::helm::{Release, Values};
use super::kustomize::{self, Build, Refused};
use super::programs::Programs;
use super::read::Role;
use super::roots::{Root, is_below};
use super::store::{Held, Kustomization, parent};
use super::{Declared, Environment};
use crate::document::{
    Comment, Content, Document, Draft, FileId, Gap, GapReason, NamespaceSource, Node, RootKind,
    write_json,
};

/// Most objects of Flux and Argo CD that are followed in one root.
const MEMBERS: usize = 10_000;

/// Makes a root of its seed.
///
/// # Errors
/// Gives the seed back where it needs other programs and there are none.
pub(super) fn expand<'g>(
    seed: Seed,
    gathered: &'g Gathered,
    programs: Option<&Programs<'g>>,
) -> Result<Root, Seed> {
    let expander = Expander { gathered, programs, lacks: Cell::new(false) };
    let mut root = match &seed {
        Seed::Plain(root) => {
            let applies = root.documents.iter().any(gitops::applies);
            if !applies || matches!(root.kind, RootKind::Stdin | RootKind::DocumentFile) {
                let Seed::Plain(root) = seed else { return Err(seed) };
                return Ok(*root);
            }
            root.as_ref().clone()
        }
        Seed::Kustomization(directory) => {
            let build = expander.kustomization(directory);
            rooted(directory, RootKind::Kustomize, build)
        }
        Seed::Applied(directory, owner) => {
            // What it applies comes with its members.
            let of_argo = gitops::application(owner).is_some();
            let kind = if of_argo { RootKind::ArgoCd } else { RootKind::Flux };
            let objects = vec![owner.as_ref().clone()];
            rooted(directory, kind, Build { objects, ..Build::default() })
        }
        Seed::Chart(chart, environment) => {
            let name = match environment {
                Some(environment) => format!("{chart} ({})", environment.name),
                None => chart.clone(),
            };
            rooted(&name, RootKind::Chart, expander.chart(chart, environment.as_deref()))
        }
        Seed::Declared(declared) => expander.declared(declared),
    };
    if !expander.lacks.get() {
        expander.members(&mut root);
    }
    carry_comments(&mut root, gathered);
    root.others.iter_mut().for_each(|other| carry_comments(other, gathered));
    if expander.lacks.get() { Err(seed) } else { Ok(root) }
}

fn rooted(name: &str, kind: RootKind, build: Build) -> Root {
    let mut root = Root::new(name, kind);
    take(&mut root, build);
    root
}

struct Expander<'e, 'g> {
    gathered: &'g Gathered,
    programs: Option<&'e Programs<'g>>,
    /// Whether something was met that another program renders.
    lacks: Cell<bool>,
}

impl Expander<'_, '_> {
    /// What a directory with a kustomization gives.
    fn kustomization(&self, directory: &str) -> Build {
        match kustomize::render(&self.gathered.store, directory) {
            Ok(build) => build,
            Err(Refused::Unsupported { at, what }) => {
                self.with_programs(|programs| programs.kustomization(directory, at, &what))
            }
            Err(refused) => refused_build(directory, refused),
        }
    }

    /// What another program renders; nothing yet where there are none.
    fn with_programs(&self, render: impl FnOnce(&Programs<'_>) -> Build) -> Build {
        self.lacks.set(self.lacks.get() || self.programs.is_none());
        self.programs.map(render).unwrap_or_default()
    }

    /// What Flux applies of a directory: its kustomization, else all manifests below it.
    fn flux(&self, directory: &str) -> Build {
        if !matches!(self.gathered.store.kustomization(directory), Kustomization::None) {
            return self.kustomization(directory);
        }
        self.manifests(directory, |_| true)
    }

    /// All manifests below a directory, with kustomizations rendered.
    fn manifests(&self, directory: &str, wanted: impl Fn(&str) -> bool) -> Build {
        let mut build = Build::default();
        let mut rendered: BTreeSet<&str> = BTreeSet::new();
        for (name, part) in &self.gathered.parts {
            if !(directory == "." || is_below(name, directory)) || !wanted(name) {
                continue;
            }
            if let Some(kustomization) = self.outermost(parent(name), directory) {
                if rendered.insert(kustomization) {
                    build.append(self.kustomization(kustomization));
                }
                continue;
            }
            if part.role != Role::Manifests || part.kind != RootKind::Directory {
                continue;
            }
            let Some(held) = self.gathered.store.file(name) else { continue };
            build.objects.extend(held.documents.iter().cloned());
            build.gaps.extend(part.gaps.iter().cloned());
            build.files.insert(name.clone());
        }
        build
    }

    /// Whether a comment of a file tells Argo CD to leave it out.
    fn skipped(&self, name: &str) -> bool {
        let held = self.gathered.store.file(name);
        let file = held.and_then(|held| self.gathered.texts.get(held.id.0 as usize));
        file.is_some_and(|file| file.text().contains("+argocd:skip-file-rendering"))
    }

    /// The outermost directory with a kustomization from `inner` up to, but without, `outer`.
    fn outermost<'n>(&self, inner: &'n str, outer: &str) -> Option<&'n str> {
        let mut found = None;
        let mut at = inner;
        while at != outer && at != "." {
            if !matches!(self.gathered.store.kustomization(at), Kustomization::None) {
                found = Some(at);
            }
            at = parent(at);
        }
        found
    }

    /// A root that the configuration names.
    fn declared(&self, declared: &Declared) -> Root {
        let path = &declared.path;
        if !self.gathered.store.has_directory(path) {
            let gap = Gap {
                reason: GapReason::RendererFailed,
                what: format!("root `{}`: nothing was read in `{path}`", declared.name),
                at: None,
                hint: "correct its `path` in palisade.yaml".to_owned(),
                namespace: None,
            };
            let build = Build { gaps: vec![gap], ..Build::default() };
            return rooted(&declared.name, RootKind::Directory, build);
        }
        let (kind, mut build) = if self.gathered.is_chart(path) {
            (RootKind::Chart, self.chart(path, Some(&declared.values)))
        } else if matches!(self.gathered.store.kustomization(path), Kustomization::None) {
            (RootKind::Directory, self.manifests(path, |_| true))
        } else {
            (RootKind::Kustomize, self.kustomization(path))
        };
        let values = declared.variables.clone();
        let variables = Variables { values, open: true };
        let mut open = BTreeSet::new();
        if !variables.values.is_empty() {
            for object in build.objects.iter_mut().filter(|object| object.tree.mentions("${")) {
                let mut draft = Draft::of(object.root());
                open.extend(gitops::substitute(&mut draft, &variables));
                reread(object, draft, (object.head, "variables of palisade.yaml are set here"));
            }
        }
        let first = build.objects.first().map(|object| object.head);
        build.notes.extend(first.and_then(|at| without_value(&open, at)));
        rooted(&declared.name, kind, build)
    }

    /// A chart that nothing installs, with the values of the command line and of an environment.
    fn chart(&self, chart: &str, environment: Option<&Environment>) -> Build {
        self.with_programs(|programs| programs.chart(chart, programs.defaults(chart, environment)))
    }

    /// What a chart gives that an object of Flux or Argo CD installs.
    fn installed(&self, chart: &str, release: Release) -> Build {
        self.with_programs(|programs| programs.chart(chart, release))
    }

    /// The directory that a GitOps object means by a path.
    fn directory(&self, path: &str, owner: &Document) -> Option<String> {
        let file = self.gathered.texts.get(owner.head.file.0 as usize)?;
        self.gathered.store.resolve(path, file.name())
    }

    /// What a HelmRelease installs; none where the chart is not in the tree.
    fn release(&self, document: &Document, root: &Root) -> Option<Build> {
        let release = gitops::release(document)?;
        let chart = self.directory(&release.chart.as_ref()?.0, document)?;
        if !self.gathered.is_chart(&chart) {
            return None;
        }
        let mut values = Vec::new();
        let mut gaps = Vec::new();
        for source in &release.values_from {
            let text = |key: &str| source.get(key).and_then(Node::as_str);
            let key = text("valuesKey").unwrap_or("values.yaml");
            let found = self.config_map(text("name").unwrap_or_default(), document, root);
            let found = found.filter(|_| text("kind") == Some("ConfigMap"));
            let value = found.and_then(|found| found.root().path(&["data", key])?.as_str());
            match value.filter(|_| text("targetPath").is_none()) {
                Some(value) => values.push(Values::Text(value.to_owned())),
                None => gaps.push(Gap {
                    reason: GapReason::UnresolvedVariable,
                    what: format!("values of {}", document.id.title()),
                    at: Some(source.span()),
                    hint: "they are not in the input, and the chart was rendered without"
                        .to_owned(),
                    namespace: Some(release.namespace.clone()),
                }),
            }
        }
        if let Some(own) = release.values {
            let mut text = String::new();
            write_json(own, &mut text);
            values.push(Values::Text(text));
        }
        let (name, namespace) = (release.name, release.namespace);
        let release = Release { name, namespace, values, ..Release::default() };
        let mut build = self.installed(&chart, release);
        build.gaps.extend(gaps);
        Some(build)
    }

    /// A ConfigMap that a GitOps object refers to, in its own namespace.
    fn config_map<'d>(
        &'d self,
        name: &str,
        owner: &Document,
        root: &'d Root,
    ) -> Option<&'d Document> {
        let held = self.gathered.store.files.values().flat_map(|held| &held.documents);
        root.documents.iter().chain(held).find(|document| {
            let id = &document.id;
            let assumed = document.namespace == NamespaceSource::Assumed;
            let here = id.namespace == owner.id.namespace || assumed;
            id.group.is_empty() && id.kind == "ConfigMap" && id.name == name && here
        })
    }

    /// Joins what the objects of a root make Flux and Argo CD apply.
    fn members(&self, root: &mut Root) {
        let mut seen = BTreeSet::new();
        let mut queue: VecDeque<usize> = (0..root.documents.len()).collect();
        while let Some(at) = queue.pop_front() {
            let Some(document) = root.documents.get(at) else { continue };
            if !gitops::applies(document)
                || seen.len() >= MEMBERS
                || !seen.insert((document.id.clone(), document.head))
            {
                continue;
            }
            let document = document.clone();
            let Some(build) = self.member(&document, root) else { continue };
            if let Some(document) = root.documents.get_mut(at) {
                document.made = true;
            }
            if let Some(cluster) = gitops::cluster(&document) {
                let name = format!("{} ({cluster})", root.name);
                let known = root.others.iter().position(|other| other.name == name);
                let mut other = match known {
                    Some(at) => root.others.remove(at),
                    None => Root::new(name, root.kind),
                };
                other.members.push(document.id.to_string());
                take(&mut other, build);
                root.others.push(other);
                continue;
            }
            root.members.push(document.id.to_string());
            let before = root.documents.len();
            take(root, build);
            queue.extend(before..root.documents.len());
        }
        let mut others = std::mem::take(&mut root.others);
        others.iter_mut().for_each(|other| self.members(other));
        root.others = others;
        if root.members.is_empty() {
            return;
        }
        // What a directory applies to itself stands twice in it: as it is written, and then as it is
        // applied.
        let key = |document: &Document| (document.id.clone(), document.head);
        let made: BTreeSet<_> = root.documents.iter().filter(|d| d.made).map(key).collect();
        let mut once = BTreeSet::new();
        root.documents.reverse();
        root.documents.retain(|document| once.insert(key(document)));
        root.documents.reverse();
        for document in &mut root.documents {
            document.made = document.made || made.contains(&key(document));
        }
    }

    /// What an object of Flux or Argo CD applies; none where that is not in the tree.
    fn member(&self, document: &Document, root: &Root) -> Option<Build> {
        if let Some(kustomization) = gitops::kustomization(document) {
            let (path, _) = kustomization.path.clone()?;
            let directory = self.directory(&path, document)?;
            if !kustomization.from_git {
                return None;
            }
            let build = self.flux(&directory);
            let settings = gitops::settings(&kustomization);
            let mut build = self.overlaid(build, settings, &directory, document);
            let variables = self.variables(kustomization.spec, document, root);
            let common = kustomization.spec.get("commonMetadata");
            let mut open = BTreeSet::new();
            for object in &mut build.objects {
                open.extend(finish(object, common, variables.as_ref(), document));
            }
            build.notes.extend(without_value(&open, document.head));
            return Some(build);
        }
        if gitops::release(document).is_some() {
            return self.release(document, root);
        }
        let file = self.gathered.texts.get(document.head.file.0 as usize)?;
        if let Some(set) = gitops::generated(document, &self.gathered.store, file.name()) {
            return Some(match set {
                Ok(set) => {
                    Build { objects: set.applications, files: set.files, ..Build::default() }
                }
                Err(open) => Build { gaps: vec![open_set(document, open)], ..Build::default() },
            });
        }
        let application = gitops::application(document)?;
        let mut all = Build::default();
        for source in &application.sources {
            let (path, _) = source.path.as_ref()?;
            let directory = self.directory(path, document)?;
            let build = if self.gathered.is_chart(&directory) {
                let release = gitops::source_release(source, &application, document);
                self.installed(&directory, release)
            } else if matches!(self.gathered.store.kustomization(&directory), Kustomization::None) {
                let takes = |name: &str| source.takes(name, &directory) && !self.skipped(name);
                self.manifests(&directory, takes)
            } else {
                self.kustomization(&directory)
            };
            let settings = gitops::source_settings(source);
            all.append(self.overlaid(build, settings, &directory, document));
        }
        for object in &mut all.objects {
            let unnamed = object.namespace == NamespaceSource::Assumed;
            if let Some((namespace, at)) = application.namespace.as_ref().filter(|_| unnamed) {
                place(object, namespace, *at);
            }
        }
        let found = !(all.files.is_empty() && all.failed.is_empty());
        // One that is written decides over one that is made.
        let made = made_namespace(&application).filter(|made| {
            let mut others = all.objects.iter().chain(&root.documents);
            found && !others.any(|other| other.id == made.id)
        });
        all.objects.extend(made);
        found.then_some(all)
    }

    /// What a GitOps object sets on the objects that it applies.
    fn overlaid(
        &self,
        build: Build,
        settings: Option<Draft>,
        directory: &str,
        owner: &Document,
    ) -> Build {
        let Some(settings) = settings else { return build };
        let tree = settings.into_tree();
        let (documents, trees, comments) = (Vec::new(), Vec::new(), Vec::new());
        let held = Held { id: owner.head.file, documents, trees, comments, problem: None };
        let store = &self.gathered.store;
        match kustomize::overlay(store, directory, &build.objects, (&held, &tree)) {
            Ok(overlaid) => {
                let mut all = Build { objects: Vec::new(), ..build };
                all.append(overlaid);
                all
            }
            // Without its settings the objects would be others than those that are applied.
            Err(refused) => refused_build(directory, refused),
        }
    }

    /// The variables of a Kustomization; none where it replaces nothing.
    fn variables(&self, spec: Node<'_>, owner: &Document, root: &Root) -> Option<Variables> {
        let post = spec.get("postBuild")?;
        let mut variables = Variables::default();
        let sources = post.get("substituteFrom").into_iter().flat_map(Node::children);
        let mut any = false;
        for source in sources {
            any = true;
            let text = |key: &str| source.get(key).and_then(Node::as_str).unwrap_or_default();
            match self.config_map(text("name"), owner, root) {
                Some(found) if text("kind") == "ConfigMap" => {
                    let data = found.root().get("data").into_iter().flat_map(Node::children);
                    let values = data.filter_map(|value| {
                        Some((value.key().to_owned(), value.as_str()?.to_owned()))
                    });
                    variables.values.extend(values);
                }
                _ => variables.open |= source.get("optional").and_then(Node::as_bool) != Some(true),
            }
        }
        let inline = post.get("substitute").into_iter().flat_map(Node::children);
        for value in inline {
            any = true;
            let text = match Draft::of(value).value {
                Content::Str(text) => text,
                Content::Bool(value) => value.to_string(),
                Content::Int(value) => value.to_string(),
                Content::Float(value) => value.to_string(),
                _ => continue,
            };
            variables.values.insert(value.key().to_owned(), text);
        }
        any.then_some(variables)
    }
}

/// The gap of an ApplicationSet whose Applications the files do not tell.
fn open_set(document: &Document, open: gitops::Open) -> Gap {
    Gap {
        reason: GapReason::MadeElsewhere,
        what: format!("ApplicationSet `{}`: {}", document.id.name, open.what),
        at: Some(open.at),
        hint: "check what it renders".to_owned(),
        namespace: None,
    }
}

/// The gap of a kustomization, or of settings on it, that is not rendered.
fn refused_build(directory: &str, refused: Refused) -> Build {
    let what = format!("kustomization `{directory}`");
    let gap = match refused {
        Refused::Unsupported { at, what: feature } => Gap {
            reason: GapReason::UnsupportedFeature,
            what: format!("{what}: `{feature}`"),
            at: Some(at),
            hint: "write it in another way, or check what it renders".to_owned(),
            namespace: None,
        },
        Refused::Broken { at, message, help } => Gap {
            reason: GapReason::RendererFailed,
            what: format!("{what}: {message}"),
            at: Some(at),
            hint: help.to_owned(),
            namespace: None,
        },
    };
    Build { gaps: vec![gap], failed: vec![directory.to_owned()], ..Build::default() }
}

/// Gives the objects of a root the comments beside the parts of them that stand in other files.
fn carry_comments(root: &mut Root, gathered: &Gathered) {
    let held = gathered.store.files.values().filter(|held| !held.comments.is_empty());
    let of_files: BTreeMap<FileId, &[Comment]> =
        held.map(|held| (held.id, held.comments.as_slice())).collect();
    if of_files.is_empty() {
        return;
    }
    for document in &mut root.documents {
        let Some(rendering) = &document.rendering else { continue };
        let mut files = document.tree.files();
        files.insert(rendering.by.file);
        let more = files.iter().filter(|file| **file != document.extent.file);
        let more: Vec<Comment> =
            more.filter_map(|file| of_files.get(file)).copied().flatten().cloned().collect();
        if !more.is_empty() {
            document.comments = document.comments.iter().cloned().chain(more).collect();
        }
    }
}

fn take(root: &mut Root, build: Build) {
    root.documents.extend(build.objects);
    root.files.extend(build.files);
    root.gaps.extend(build.gaps);
    root.failed.extend(build.failed);
    root.notes.extend(build.notes);
}

impl Build {
    fn append(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.files.extend(other.files);
        self.gaps.extend(other.gaps);
        self.failed.extend(other.failed);
        self.notes.extend(other.notes);
    }
}
