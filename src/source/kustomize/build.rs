//! The build of a kustomization: what it gathers, and the order in which it changes it.

use std::collections::{BTreeSet, HashSet};

use crate::document::{Document, Gap, NamespaceSource, ObjectId, Scope, Span, Tree, known};
use crate::source::store::{Held, Kustomization, Store, join};

use super::file::{File, Text};
use super::object::{Id, Object, View};
use super::{Build, Refused, generate, patch, references, remote, transform};

/// Objects that were gathered so far.
#[derive(Debug, Default)]
pub(super) struct Gathered<'s> {
    pub(super) objects: Vec<Object<'s>>,
    ids: HashSet<Id>,
}

impl<'s> Gathered<'s> {
    /// Adds an object.
    pub(super) fn add(&mut self, object: Object<'s>) -> Result<(), Refused> {
        if !self.ids.insert(object.id()) {
            return Err(twice(&object));
        }
        self.objects.push(object);
        Ok(())
    }

    /// Takes stock after objects were changed.
    pub(super) fn count(&mut self) {
        self.ids = self.objects.iter().map(Object::id).collect();
    }
}

fn twice(object: &Object<'_>) -> Refused {
    Refused::Broken {
        at: object.place(),
        message: format!(
            "the kustomization has {} `{}` twice: already registered id",
            object.kind, object.name
        ),
        help: "remove one of them",
    }
}

/// One build.
pub(super) struct Builder<'s> {
    pub(super) store: &'s Store,
    pub(super) files: BTreeSet<String>,
    gaps: Vec<Gap>,
    /// The directories that are being built, the outermost first.
    open: Vec<String>,
}

impl<'s> Builder<'s> {
    /// Builds a directory.
    pub(super) fn run(store: &'s Store, directory: &str) -> Result<Build, Refused> {
        let mut builder =
            Self { store, files: BTreeSet::new(), gaps: Vec::new(), open: Vec::new() };
        let mut gathered = Gathered::default();
        builder.directory(directory, None, None, &mut gathered)?;
        let objects = finish(gathered.objects)?;
        Ok(Build { objects, files: builder.files, gaps: builder.gaps, ..Build::default() })
    }

    /// Builds what other settings than those of a file make of objects: those of a GitOps object,
    /// which stands in `held`.
    pub(super) fn overlay(
        store: &'s Store,
        directory: &str,
        objects: &'s [Document],
        (held, settings): (&'s Held, &'s Tree),
    ) -> Result<Build, Refused> {
        let mut builder =
            Self { store, files: BTreeSet::new(), gaps: Vec::new(), open: Vec::new() };
        let mut gathered = Gathered::default();
        for document in objects {
            let by = document.rendering.as_ref().map_or(settings.root().span(), |r| r.by);
            gathered.add(Object::of(document, by)?)?;
        }
        let file = File::read(settings.root())?;
        let place = Place { directory, held, by: None };
        for component in &file.components {
            builder.component(&place, *component, &mut gathered)?;
        }
        builder.transform(&place, &file, &mut gathered)?;
        let objects = finish(gathered.objects)?;
        Ok(Build { objects, files: builder.files, gaps: builder.gaps, ..Build::default() })
    }

    /// Builds a directory on top of what was gathered. `by` is the entry of the outermost
    /// kustomization that leads here, `at` the one that names the directory and whether it is for
    /// a component.
    fn directory(
        &mut self,
        directory: &str,
        by: Option<Span>,
        at: Option<(Span, bool)>,
        gathered: &mut Gathered<'s>,
    ) -> Result<(), Refused> {
        let (name, held, tree) = self.kustomization(directory, at.map(|(span, _)| span))?;
        self.files.insert(name.to_owned());
        let file = File::read(tree.root())?;
        if let Some((span, component)) = at
            && component != file.component
        {
            let message = match component {
                true => format!("`{directory}` is no component"),
                false => format!("`{directory}` is a component"),
            };
            let help = "list components under `components` and other directories under `resources`";
            return Err(Refused::Broken { at: span, message, help });
        }
        self.open.push(directory.to_owned());
        let place = Place { directory, held, by };
        for resource in &file.resources {
            self.resource(&place, *resource, gathered)?;
        }
        for generator in file.config_maps.iter().chain(&file.secrets) {
            generate::run(self, directory, generator, by.unwrap_or(generator.at), gathered)?;
        }
        for component in &file.components {
            self.component(&place, *component, gathered)?;
        }
        self.transform(&place, &file, gathered)?;
        self.open.pop();
        Ok(())
    }

    fn kustomization(
        &self,
        directory: &str,
        at: Option<Span>,
    ) -> Result<(&'s str, &'s Held, &'s Tree), Refused> {
        let nowhere = Span::start_of(crate::document::FileId(0));
        let (name, held) = match self.store.kustomization(directory) {
            Kustomization::One(name, held) => (name, held),
            Kustomization::None => {
                return Err(Refused::Broken {
                    at: at.unwrap_or(nowhere),
                    message: format!("`{directory}` has no kustomization file"),
                    help: "add one, or list its files one by one",
                });
            }
            Kustomization::Several(names) => {
                let first = names.first().and_then(|name| self.store.file(name));
                return Err(Refused::Broken {
                    at: first.map_or(at.unwrap_or(nowhere), |held| Span::start_of(held.id)),
                    message: format!(
                        "`{directory}` has several kustomization files: {}",
                        names.join(", ")
                    ),
                    help: "keep one of them",
                });
            }
        };
        unbroken(held)?;
        match held.trees.first() {
            Some(tree) => Ok((name, held, tree)),
            None => Err(Refused::Broken {
                at: Span::start_of(held.id),
                message: "the kustomization is empty".to_owned(),
                help: "list its resources",
            }),
        }
    }

    fn resource(
        &mut self,
        place: &Place<'_>,
        entry: Text<'_>,
        gathered: &mut Gathered<'s>,
    ) -> Result<(), Refused> {
        let by = place.by.unwrap_or(entry.at);
        if remote::is_remote(entry.text) {
            self.gaps.push(remote::remote_gap(entry.text, entry.at));
            return Ok(());
        }
        let name = self.locate(place, entry)?;
        if let Some((name, held)) = self.store.files.get_key_value(&name) {
            inside(place.directory, name, entry)?;
            self.files.insert(name.clone());
            unbroken(held)?;
            for document in &held.documents {
                gathered.add(Object::of(document, by)?)?;
            }
            return Ok(());
        }
        self.enter(&name, entry)?;
        let mut own = Gathered::default();
        self.directory(&name, Some(by), Some((entry.at, false)), &mut own)?;
        own.objects.into_iter().try_for_each(|object| gathered.add(object))
    }

    fn component(
        &mut self,
        place: &Place<'_>,
        entry: Text<'_>,
        gathered: &mut Gathered<'s>,
    ) -> Result<(), Refused> {
        if remote::is_remote(entry.text) {
            // What a component does to the other objects cannot be left out.
            let what = "a remote component".to_owned();
            return Err(Refused::Unsupported { at: entry.at, what });
        }
        let name = self.locate(place, entry)?;
        self.enter(&name, entry)?;
        let by = place.by.unwrap_or(entry.at);
        self.directory(&name, Some(by), Some((entry.at, true)), gathered)?;
        let objects = std::mem::take(gathered).objects;
        objects.into_iter().try_for_each(|object| gathered.add(object))
    }

    fn locate(&self, place: &Place<'_>, entry: Text<'_>) -> Result<String, Refused> {
        if entry.text.starts_with('/') {
            let what = "an absolute path".to_owned();
            return Err(Refused::Unsupported { at: entry.at, what });
        }
        match join(place.directory, entry.text) {
            Some(name) if !entry.text.is_empty() => Ok(name),
            Some(_) => Err(missing(entry)),
            None => {
                let what = "a path outside what was read".to_owned();
                Err(Refused::Unsupported { at: entry.at, what })
            }
        }
    }

    /// Whether a directory may be built as part of those that are being built.
    fn enter(&self, name: &str, entry: Text<'_>) -> Result<(), Refused> {
        if !self.store.has_directory(name) {
            return Err(match self.store.read(name) {
                Ok(_) => {
                    let what = "a resource file that was not read".to_owned();
                    Refused::Unsupported { at: entry.at, what }
                }
                Err(_) => missing(entry),
            });
        }
        if self.open.iter().any(|open| is_in(open, name)) {
            return Err(Refused::Broken {
                at: entry.at,
                message: format!("`{}` leads back to a directory that is being built", entry.text),
                help: "break the cycle: a kustomization may not name itself or a directory above it",
            });
        }
        Ok(())
    }

    fn transform(
        &mut self,
        place: &Place<'_>,
        file: &File<'_>,
        gathered: &mut Gathered<'s>,
    ) -> Result<(), Refused> {
        let objects = &mut gathered.objects;
        patch::merges(self, place.directory, place.held, file, objects)?;
        patch::patches(self, place.directory, place.held, file, objects)?;
        transform::namespace(objects, file)?;
        transform::names(objects, file);
        transform::labels(objects, file)?;
        transform::annotations(objects, file)?;
        patch::json(self, place.directory, place.held, file, objects)?;
        transform::replicas(objects, file)?;
        transform::images(objects, file)?;
        gathered.count();
        Ok(())
    }

    /// The file that a kustomization names, which has to lie in or below its directory.
    pub(super) fn local(&mut self, directory: &str, path: Text<'_>) -> Result<String, Refused> {
        if path.text.starts_with('/') || path.text.contains("://") {
            let what = "a path that is not relative".to_owned();
            return Err(Refused::Unsupported { at: path.at, what });
        }
        let Some(name) = join(directory, path.text) else {
            return Err(outside(path));
        };
        inside(directory, &name, path)?;
        self.files.insert(name.clone());
        Ok(name)
    }
}

/// Where a kustomization stands.
struct Place<'p> {
    directory: &'p str,
    held: &'p Held,
    by: Option<Span>,
}

/// Refuses a file that is partly unreadable.
pub(super) fn unbroken(held: &Held) -> Result<(), Refused> {
    match &held.problem {
        None => Ok(()),
        Some((at, message)) => Err(Refused::Broken {
            at: *at,
            message: message.clone(),
            help: "mend the file: kustomize renders nothing while a part of it is unreadable",
        }),
    }
}

/// The error for a file that is not there.
pub(super) fn missing(entry: Text<'_>) -> Refused {
    Refused::Broken {
        at: entry.at,
        message: format!("`{}` does not exist", entry.text),
        help: "correct the path, or remove the entry",
    }
}

fn outside(path: Text<'_>) -> Refused {
    Refused::Broken {
        at: path.at,
        message: format!("`{}` lies outside the kustomization's directory", path.text),
        help: "move the file, or make its directory a kustomization of its own",
    }
}

fn inside(directory: &str, name: &str, path: Text<'_>) -> Result<(), Refused> {
    if is_in(name, directory) { Ok(()) } else { Err(outside(path)) }
}

/// Whether a file or directory is another one or lies below it.
fn is_in(name: &str, directory: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    directory == "." || name.strip_prefix(directory).is_some_and(below)
}

/// The documents of a finished build.
fn finish(mut objects: Vec<Object<'_>>) -> Result<Vec<Document>, Refused> {
    for object in objects.iter_mut().filter(|object| object.memory.hash) {
        object.remember();
    }
    references::follow(&mut objects)?;
    let mut ids = HashSet::new();
    for object in objects.iter().filter(|object| !object.memory.hash) {
        if !ids.insert(object.id()) {
            return Err(twice(object));
        }
    }
    let mut documents = Vec::with_capacity(objects.len());
    for mut object in objects {
        let annotations = object.view().texts(&["metadata", "annotations"]);
        let local = "config.kubernetes.io/local-config";
        if annotations.iter().any(|(key, value)| *key == local && *value != "false") {
            continue;
        }
        if let Some((key, _)) =
            annotations.iter().find(|(key, _)| key.starts_with("internal.config.kubernetes.io/"))
        {
            return Err(Refused::Unsupported {
                at: object.place(),
                what: format!("the annotation `{key}`"),
            });
        }
        // Kustomize writes the annotations anew, and none where there are none.
        let empty = object.view().path(&["metadata", "annotations"]).is_some_and(is_empty);
        if empty && let Some(metadata) = object.draft().get_mut("metadata") {
            metadata.remove("annotations");
        }
        documents.push(document(object));
    }
    Ok(documents)
}

fn is_empty(view: View<'_>) -> bool {
    let mut any = view.as_str().is_some() || view.is_list();
    view.each(&mut |_, _| any = true);
    !any
}

/// The document of a finished object.
fn document(object: Object<'_>) -> Document {
    let by = (object.by, "rendered by this kustomization");
    let Object { source, draft, given, group, version, kind, name, namespace, .. } = object;
    let (namespace, found) = match known(&group, &kind) {
        Some(Scope::Cluster) => (String::new(), NamespaceSource::ClusterScoped),
        _ if namespace.is_empty() => match source {
            // What gave it a namespace that it did not write still does.
            Some(source) if source.namespace != NamespaceSource::Written => {
                (source.id.namespace.clone(), source.namespace)
            }
            _ => ("default".to_owned(), NamespaceSource::Assumed),
        },
        _ if given => (namespace, NamespaceSource::Given),
        _ => (namespace, NamespaceSource::Written),
    };
    let id = ObjectId { group, kind, namespace, name };
    match (source, draft) {
        (Some(source), None) => source.unchanged(found, by),
        (Some(source), Some(draft)) => source.rendered(id, found, draft, by),
        (None, draft) => Document::generated(
            (id, version),
            found,
            draft.unwrap_or_else(|| crate::document::Draft::map(by.0)),
            by,
        ),
    }
}
