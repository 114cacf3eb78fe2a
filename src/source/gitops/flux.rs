//! Kustomizations and HelmReleases of Flux.

use crate::document::{Document, Draft, Node, Span};

/// A Kustomization of Flux as written.
pub(in crate::source) struct Kustomization<'d> {
    /// The directory that it applies, relative to the repository.
    pub(in crate::source) path: Option<(String, Span)>,
    /// Whether its source is a repository in git: another source is never this one.
    pub(in crate::source) from_git: bool,
    /// The namespace of all of its objects.
    pub(in crate::source) target_namespace: Option<(String, Span)>,
    /// The cluster that it applies to, where that is not the one that it lies in.
    pub(in crate::source) cluster: Option<String>,
    /// Its `spec`.
    pub(in crate::source) spec: Node<'d>,
}

/// Reads a Kustomization of Flux; none for any other object.
pub(in crate::source) fn kustomization(document: &Document) -> Option<Kustomization<'_>> {
    let id = &document.id;
    if id.group != "kustomize.toolkit.fluxcd.io" || id.kind != "Kustomization" {
        return None;
    }
    let spec = document.root().get("spec")?;
    let text = |path: &[&str]| {
        let node = spec.path(path)?;
        Some((node.as_str()?.to_owned(), node.span()))
    };
    let kind = text(&["sourceRef", "kind"]).map(|(kind, _)| kind);
    Some(Kustomization {
        // Without a path it applies the whole source.
        path: text(&["path"]).or_else(|| Some((".".to_owned(), document.head))),
        from_git: kind.as_deref() == Some("GitRepository"),
        target_namespace: text(&["targetNamespace"]),
        cluster: spec.get("kubeConfig").filter(|node| !node.is_null()).map(|node| {
            let name =
                ["secretRef", "configMapRef"].iter().find_map(|key| node.path(&[key, "name"]));
            name.and_then(Node::as_str).unwrap_or("another cluster").to_owned()
        }),
        spec,
    })
}

/// What a Kustomization of Flux sets, as the kustomization that Flux makes of it; none where it sets
/// nothing.
pub(in crate::source) fn settings(kustomization: &Kustomization<'_>) -> Option<Draft> {
    const TAKEN: [&str; 5] = ["namePrefix", "nameSuffix", "patches", "images", "components"];
    let mut settings = Draft::map(kustomization.spec.span());
    for key in TAKEN {
        if let Some(node) = kustomization.spec.get(key).filter(|node| !node.is_null()) {
            settings.set(key, node.key_span(), Draft::of(node));
        }
    }
    if let Some((namespace, at)) = &kustomization.target_namespace {
        settings.set("namespace", None, Draft::text(namespace.clone(), *at));
    }
    (!settings.fields().is_empty()).then_some(settings)
}

/// A HelmRelease of Flux as written.
pub(in crate::source) struct HelmRelease<'d> {
    /// The directory of a chart in the repository.
    pub(in crate::source) chart: Option<(String, Span)>,
    /// Name of the release.
    pub(in crate::source) name: String,
    /// Namespace of the release.
    pub(in crate::source) namespace: String,
    /// Its values.
    pub(in crate::source) values: Option<Node<'d>>,
    /// ConfigMaps and Secrets with more values, before [`HelmRelease::values`] in rank.
    pub(in crate::source) values_from: Vec<Node<'d>>,
}

/// Reads a HelmRelease; none for any other object.
pub(in crate::source) fn release(document: &Document) -> Option<HelmRelease<'_>> {
    let id = &document.id;
    if id.group != "helm.toolkit.fluxcd.io" || id.kind != "HelmRelease" {
        return None;
    }
    let spec = document.root().get("spec")?;
    let text = |path: &[&str]| spec.path(path).and_then(Node::as_str).map(str::to_owned);
    let chart = spec.path(&["chart", "spec", "chart"]);
    let in_git = text(&["chart", "spec", "sourceRef", "kind"]).as_deref() == Some("GitRepository");
    let target = text(&["targetNamespace"]);
    let default = match &target {
        Some(target) => format!("{target}-{}", id.name),
        None => id.name.clone(),
    };
    let path = chart.filter(|_| in_git);
    Some(HelmRelease {
        chart: path.and_then(|node| Some((node.as_str()?.to_owned(), node.span()))),
        name: text(&["releaseName"]).unwrap_or(default),
        namespace: target.unwrap_or_else(|| id.namespace.clone()),
        values: spec.get("values"),
        values_from: spec.get("valuesFrom").into_iter().flat_map(Node::children).collect(),
    })
}
