//! palisade.yaml: read by our own tree, so that every mistake has its place.

mod profile;
mod schema;
mod section;
mod waiver;

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};
use ipnet::IpNet;

pub use profile::{Cni, Mesh, Profile, kubernetes_minor};
pub use schema::json_schema;
pub use section::ConfigError;
pub(crate) use section::nearest;
pub use waiver::{Match, Scope as WaiverScope, Spelling, Unreadable, Waiver, of_document};

use section::Section;

use crate::document::{FileId, Limits, Node, Span, read_settings};
use crate::finding::Severity;

/// A parameter of a check as configured.
#[derive(Clone, Debug)]
pub struct ParamValue {
    /// Place of the value.
    pub at: Span,
    /// The strings of a list.
    pub texts: Option<Vec<(String, Span)>>,
    /// The number.
    pub number: Option<u64>,
}

/// What the configuration says about one check. The slug is validated once all checks are known.
#[derive(Clone, Debug)]
pub struct CheckConfig {
    /// Place of the slug.
    pub at: Span,
    /// Severity instead of the check's own.
    pub severity: Option<Severity>,
    /// Whether the check is switched off.
    pub disable: bool,
    /// Parameters by name, with the place of the name.
    pub params: BTreeMap<String, (Span, ParamValue)>,
}

/// Settings for some paths.
#[derive(Clone, Debug)]
pub struct Override {
    /// Globs over file names as printed.
    pub paths: Vec<GlobMatcher>,
    /// Checks concerned.
    pub checks: BTreeMap<String, CheckConfig>,
}

/// The configuration of a run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file it came from.
    pub file: Option<FileId>,
    /// Globs of files to leave out.
    pub exclude: Vec<GlobMatcher>,
    /// Declared facts.
    pub profile: Profile,
    /// Checks by slug.
    pub checks: BTreeMap<String, CheckConfig>,
    /// Settings for some paths, later ones win.
    pub overrides: Vec<Override>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
    /// Bounds on what is read.
    pub limits: Limits,
}

const KEYS: [&str; 6] = ["exclude", "platform", "checks", "overrides", "waivers", "limits"];

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Gives every mistake of the text, each with its place.
    pub fn read(file: FileId, text: &str) -> Result<Self, Vec<ConfigError>> {
        let tree = read_settings(file, text).map_err(|problem| {
            vec![ConfigError {
                at: problem.at,
                message: problem.message,
                help: problem.help.map(str::to_owned),
            }]
        })?;
        let mut config = Self { file: Some(file), ..Self::default() };
        let mut errors = Vec::new();
        if let Some(tree) = &tree {
            config.take(tree.root(), &mut errors);
        }
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }

    fn take(&mut self, root: Node<'_>, errors: &mut Vec<ConfigError>) {
        let Some(mut section) = Section::open(root, "the configuration", &KEYS, errors) else {
            return;
        };
        let globs = section.texts("exclude");
        self.exclude = compile(globs, section.errors());
        let parts =
            ["platform", "checks", "overrides", "waivers", "limits"].map(|k| section.get(k));
        let [platform, checks, overrides, waivers, limits] = parts;
        if let Some(node) = platform {
            self.profile = platform_of(node, errors);
        }
        if let Some(node) = checks {
            self.checks = checks_of(node, errors, true);
        }
        for node in list(overrides, "`overrides`", errors) {
            self.overrides.extend(override_of(node, errors));
        }
        for node in list(waivers, "`waivers`", errors) {
            self.waivers.extend(waiver::of_configuration(node, errors));
        }
        if let Some(node) = limits {
            self.limits = limits_of(node, errors);
        }
    }
}

fn list<'n>(
    node: Option<Node<'n>>,
    name: &str,
    errors: &mut Vec<ConfigError>,
) -> impl Iterator<Item = Node<'n>> + use<'n> {
    let wrong = node.filter(|node| !node.is_list());
    errors.extend(wrong.map(|n| ConfigError::new(n.span(), format!("{name} must be a list"))));
    node.into_iter().flat_map(Node::children).filter(move |_| wrong.is_none())
}

fn compile(globs: Vec<(String, Span)>, errors: &mut Vec<ConfigError>) -> Vec<GlobMatcher> {
    let mut compiled = Vec::new();
    for (text, at) in globs {
        match Glob::new(&text) {
            Ok(glob) => compiled.push(glob.compile_matcher()),
            Err(error) => {
                errors.push(ConfigError::new(at, format!("not a glob: {}", error.kind())));
            }
        }
    }
    compiled
}

fn platform_of(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Profile {
    const KEYS: [&str; 7] = [
        "cni",
        "cniVersion",
        "mesh",
        "rootNamespace",
        "trustDomain",
        "podCIDRs",
        "kubernetesVersion",
    ];
    let Some(mut section) = Section::open(node, "`platform`", &KEYS, errors) else {
        return Profile::default();
    };
    let cni = section.choice("cni", &Cni::ALL.map(|cni| (cni.word(), cni)));
    let mesh = section.choice("mesh", &Mesh::ALL.map(|mesh| (mesh.word(), mesh)));
    let mut text = |key: &str| section.text(key).map(|(text, _)| text);
    let (cni_version, root_namespace) = (text("cniVersion"), text("rootNamespace"));
    let trust_domain = text("trustDomain");
    let mut pod_cidrs = Vec::new();
    for (text, at) in section.texts("podCIDRs") {
        match text.parse::<IpNet>() {
            Ok(net) => pod_cidrs.push(net),
            Err(_) => section.error(ConfigError::new(at, format!("`{text}` is no CIDR"))),
        }
    }
    let kubernetes_minor = section.text("kubernetesVersion").and_then(|(text, at)| {
        let minor = kubernetes_minor(&text);
        if minor.is_none() {
            let message = format!("`{text}` is no Kubernetes version");
            section.error(ConfigError::new(at, message).help("write it like \"1.34\""));
        }
        minor
    });
    Profile { cni, cni_version, mesh, root_namespace, trust_domain, pod_cidrs, kubernetes_minor }
}

fn checks_of(
    node: Node<'_>,
    errors: &mut Vec<ConfigError>,
    with_params: bool,
) -> BTreeMap<String, CheckConfig> {
    const KEYS: [&str; 3] = ["severity", "disable", "params"];
    if !node.is_map() {
        errors.push(ConfigError::new(node.span(), "`checks` must be a map of slugs"));
        return BTreeMap::new();
    }
    let keys = KEYS.get(..if with_params { 3 } else { 2 }).unwrap_or_default();
    let mut checks = BTreeMap::new();
    for child in node.children() {
        let at = child.key_span().unwrap_or(child.span());
        let Some(mut section) = Section::open(child, "a check", keys, errors) else { continue };
        let severities = Severity::ALL.map(|severity| (severity.word(), severity));
        let severity = section.choice("severity", &severities);
        let disable = section.flag("disable").unwrap_or(false);
        let params = section.get("params").map(|p| params_of(p, section.errors()));
        let params = params.unwrap_or_default();
        checks.insert(child.key().to_owned(), CheckConfig { at, severity, disable, params });
    }
    checks
}

fn params_of(
    node: Node<'_>,
    errors: &mut Vec<ConfigError>,
) -> BTreeMap<String, (Span, ParamValue)> {
    if !node.is_map() {
        errors.push(ConfigError::new(node.span(), "`params` must be a map"));
        return BTreeMap::new();
    }
    let value = |child: Node<'_>| ParamValue {
        at: child.span(),
        texts: child
            .is_list()
            .then(|| child.children().map(|i| Some((i.as_str()?.to_owned(), i.span()))).collect())
            .flatten(),
        number: child.as_int().and_then(|number| u64::try_from(number).ok()),
    };
    let entry = |child: Node<'_>| {
        let at = child.key_span().unwrap_or(child.span());
        (child.key().to_owned(), (at, value(child)))
    };
    node.children().map(entry).collect()
}

fn override_of(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Option<Override> {
    let mut section = Section::open(node, "an override", &["paths", "checks"], errors)?;
    let paths = section.texts("paths");
    if paths.is_empty() {
        let at = section.span();
        section.error(ConfigError::new(at, "the override names no `paths`"));
    }
    let checks = section.get("checks");
    let paths = compile(paths, section.errors());
    let checks = checks.map(|node| checks_of(node, errors, false)).unwrap_or_default();
    Some(Override { paths, checks })
}

fn limits_of(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Limits {
    const KEYS: [&str; 3] = ["fileBytes", "documents", "anchors"];
    let mut limits = Limits::default();
    let Some(mut section) = Section::open(node, "`limits`", &KEYS, errors) else { return limits };
    let file_bytes = section.count("fileBytes");
    let documents = section.count("documents").and_then(|n| usize::try_from(n).ok());
    let anchors = section.count("anchors").and_then(|n| usize::try_from(n).ok());
    limits.file_bytes = file_bytes.unwrap_or(limits.file_bytes);
    limits.documents = documents.unwrap_or(limits.documents);
    limits.anchors = anchors.unwrap_or(limits.anchors);
    limits
}
