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
pub(crate) use section::{Section, nearest};
pub use waiver::{Match, Scope as WaiverScope, Spelling, Unreadable, Waiver, of_document};

use crate::document::{FileId, Limits, Node, Problem, Span, excerpt, read_settings};
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

/// What the configuration says about one check.
#[derive(Clone, Debug, Default)]
pub struct CheckConfig {
    /// Severity instead of the check's own.
    pub severity: Option<Severity>,
    /// Whether the check is switched off, where that is said.
    pub disable: Option<bool>,
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

/// A root that is named instead of discovered.
#[derive(Clone, Debug)]
pub struct RootConfig {
    /// Its directory, relative to the repository.
    pub path: String,
    /// Its name in outputs; the path unless given.
    pub name: Option<String>,
    /// Values of `${VAR}` in what it holds.
    pub variables: BTreeMap<String, String>,
    /// Files with values, for a chart.
    pub values: Vec<String>,
    /// Single values, for a chart.
    pub sets: Vec<String>,
}

/// Values with which charts are rendered for one environment.
#[derive(Clone, Debug)]
pub struct EnvironmentConfig {
    /// Its name.
    pub name: String,
    /// Files with values, relative to the repository or to the chart.
    pub values: Vec<String>,
    /// Single values: `replicas=3`.
    pub sets: Vec<String>,
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
    /// Roots that are named; nothing is discovered inside them.
    pub roots: Vec<RootConfig>,
    /// Environments for which charts are rendered, in the order written.
    pub environments: Vec<EnvironmentConfig>,
    /// Checks by slug.
    pub checks: BTreeMap<String, CheckConfig>,
    /// Settings for some paths, later ones win.
    pub overrides: Vec<Override>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
    /// Bounds on what is read.
    pub limits: Limits,
    /// Every slug that it names, with its place. They are validated once all checks are known.
    pub named: Vec<(String, Span)>,
}

/// Most bytes of one file that may be configured: places in a text are 32-bit offsets.
const MOST_BYTES: u64 = 1 << 30;
/// Most documents of a file, and anchors of a document, that may be configured.
const MOST_PARTS: u64 = 1 << 30;

const KEYS: [&str; 8] =
    ["exclude", "platform", "roots", "environments", "checks", "overrides", "waivers", "limits"];

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Gives every mistake of the text, each with its place.
    pub fn read(file: FileId, text: &str) -> Result<Self, Vec<ConfigError>> {
        let (config, errors) = Self::read_all(file, text);
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }

    /// Reads what can be read of a configuration, and every mistake in it.
    #[must_use]
    pub fn read_all(file: FileId, text: &str) -> (Self, Vec<ConfigError>) {
        let mut config = Self { file: Some(file), ..Self::default() };
        let of_problem = |problem: Problem| ConfigError {
            at: problem.at,
            message: problem.message,
            help: problem.help.map(str::to_owned),
        };
        let (tree, repeated) = match read_settings(file, text) {
            Ok(read) => read,
            Err(problem) => return (config, vec![of_problem(problem)]),
        };
        let mut errors: Vec<ConfigError> = repeated.into_iter().map(of_problem).collect();
        if let Some(tree) = &tree {
            config.take(tree.root(), &mut errors);
        }
        (config, errors)
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
        let [roots, environments] = ["roots", "environments"].map(|key| section.get(key));
        if let Some(node) = platform {
            self.profile = platform_of(node, errors);
        }
        for node in list(roots, "`roots`", errors) {
            self.roots.extend(root_of(node, errors));
        }
        if let Some(node) = environments {
            self.environments = environments_of(node, errors);
        }
        if let Some(node) = checks {
            self.checks = checks_of(node, errors, &mut self.named, true);
        }
        for node in list(overrides, "`overrides`", errors) {
            self.overrides.extend(override_of(node, errors, &mut self.named));
        }
        for node in list(waivers, "`waivers`", errors) {
            self.waivers.extend(waiver::of_configuration(node, errors, &mut self.named));
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
                let message = format!("`{}` is no glob: {}", excerpt(&text), error.kind());
                errors.push(ConfigError::new(at, message));
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
            Err(_) => {
                let message = format!("`{}` is no range of addresses", excerpt(&text));
                section.error(ConfigError::new(at, message).help("write it like \"10.0.0.0/8\""));
            }
        }
    }
    let kubernetes_minor = section.text("kubernetesVersion").and_then(|(text, at)| {
        let minor = kubernetes_minor(&text);
        if minor.is_none() {
            let message = format!("`{}` is no Kubernetes version", excerpt(&text));
            section.error(ConfigError::new(at, message).help("write it like \"1.34\""));
        }
        minor
    });
    Profile { cni, cni_version, mesh, root_namespace, trust_domain, pod_cidrs, kubernetes_minor }
}

fn root_of(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Option<RootConfig> {
    const KEYS: [&str; 5] = ["path", "name", "variables", "values", "set"];
    let mut section = Section::open(node, "a root", &KEYS, errors)?;
    let path = section.text("path").map(|(path, _)| path);
    if path.is_none() && !section.has_wrong("path") {
        let error = ConfigError::new(section.span(), "the root names no `path`");
        section.error(error.help("write the directory under `path`"));
    }
    let name = section.text("name").map(|(name, _)| name);
    let mut texts = |key: &str| section.texts(key).into_iter().map(|(text, _)| text).collect();
    let (values, sets) = (texts("values"), texts("set"));
    let mut variables = BTreeMap::new();
    for child in section.get("variables").into_iter().flat_map(Node::children) {
        match child.as_str() {
            Some(text) => _ = variables.insert(child.key().to_owned(), text.to_owned()),
            None => {
                let message = format!("the variable `{}` must be a string", excerpt(child.key()));
                section.error(ConfigError::new(child.span(), message).help("quote the value"));
            }
        }
    }
    Some(RootConfig { path: path?, name, variables, values, sets })
}

fn environments_of(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Vec<EnvironmentConfig> {
    if !node.is_map() {
        errors.push(ConfigError::new(node.span(), "`environments` must be a map of names"));
        return Vec::new();
    }
    let mut environments = Vec::new();
    for child in node.children() {
        let keys = ["values", "set"];
        let Some(mut section) = Section::open(child, "an environment", &keys, errors) else {
            continue;
        };
        let mut texts = |key: &str| section.texts(key).into_iter().map(|(text, _)| text).collect();
        let (values, sets) = (texts("values"), texts("set"));
        environments.push(EnvironmentConfig { name: child.key().to_owned(), values, sets });
    }
    environments
}

fn checks_of(
    node: Node<'_>,
    errors: &mut Vec<ConfigError>,
    named: &mut Vec<(String, Span)>,
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
        named.push((child.key().to_owned(), child.key_span().unwrap_or(child.span())));
        let Some(mut section) = Section::open(child, "a check", keys, errors) else { continue };
        let severities = Severity::ALL.map(|severity| (severity.word(), severity));
        let severity = section.choice("severity", &severities);
        let disable = section.flag("disable");
        let params = section.get("params").filter(|_| with_params);
        let params = params.map(|p| params_of(p, section.errors())).unwrap_or_default();
        checks.insert(child.key().to_owned(), CheckConfig { severity, disable, params });
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

fn override_of(
    node: Node<'_>,
    errors: &mut Vec<ConfigError>,
    named: &mut Vec<(String, Span)>,
) -> Option<Override> {
    let mut section = Section::open(node, "an override", &["paths", "checks"], errors)?;
    let paths = section.texts("paths");
    if paths.is_empty() && !section.has_wrong("paths") {
        let at = section.span();
        let error = ConfigError::new(at, "the override names no `paths`");
        section.error(error.help("list the globs of the files that it is for under `paths`"));
    }
    let checks = section.get("checks");
    let paths = compile(paths, section.errors());
    let checks = checks.map(|node| checks_of(node, errors, named, false)).unwrap_or_default();
    Some(Override { paths, checks })
}

fn limits_of(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Limits {
    const KEYS: [&str; 3] = ["fileBytes", "documents", "anchors"];
    let mut limits = Limits::default();
    let Some(mut section) = Section::open(node, "`limits`", &KEYS, errors) else { return limits };
    let mut parts = |key: &str| section.count(key, MOST_PARTS).and_then(|n| n.try_into().ok());
    let (documents, anchors) = (parts("documents"), parts("anchors"));
    let file_bytes = section.count("fileBytes", MOST_BYTES);
    limits.file_bytes = file_bytes.unwrap_or(limits.file_bytes);
    limits.documents = documents.unwrap_or(limits.documents);
    limits.anchors = anchors.unwrap_or(limits.anchors);
    limits
}
