//! From arguments, environment and palisade.yaml to the settings of a run.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::gate::Scope;
use super::{CheckArgs, CliError, ConfidenceArg, PersonaArg, SeverityArg, policies};
use crate::catalog::PodSecurity;
use crate::config::{Config, RootConfig, kubernetes_minor, nearest};
use crate::document::{File, FileId, clean};
use crate::engine::{Settings, UnknownName};
use crate::finding::{Confidence, Persona, Severity};
use crate::model::pod_security::{Level, Version};
use crate::rego::Runtime;
use crate::source::{Base, CONFIGURATIONS, Charts, Declared, Environment, Snapshot};

/// The text of the configuration always has this id.
const CONFIG: FileId = FileId(0);

/// The settings of a run, and the configuration they were made from: its name and its text.
pub(super) struct Setup {
    pub(super) settings: Settings,
    pub(super) config: Option<(String, String)>,
    /// Where that lies.
    at: Option<PathBuf>,
}

/// Finds and reads the configuration, and makes the settings.
pub(super) fn setup(args: &CheckArgs, scope: &Scope) -> Result<Setup, CliError> {
    made_from(args, scope, config_text(args, &scope.paths)?)
}

/// The same by the configuration of an earlier tree; none where its text has mistakes.
pub(super) fn setup_earlier(
    args: &CheckArgs,
    scope: &Scope,
    now: &Setup,
    tree: &Snapshot,
) -> Option<Setup> {
    // One that is named, and not in the tree, is not what was changed.
    let outside = || Some((now.at.clone()?, now.config.clone()?.1));
    let found = match named(args) {
        Some(_) => {
            let at = now.at.clone()?;
            tree.text(&at).map(|text| (at, text)).or_else(outside)
        }
        None if args.no_config => None,
        None => search(&scope.paths, |path| tree.text(path)),
    };
    made_from(args, scope, found.map(|(path, text)| Found::new(&path, tree.root(), text))).ok()
}

fn made_from(args: &CheckArgs, scope: &Scope, found: Option<Found>) -> Result<Setup, CliError> {
    let text = found.as_ref().map(|found| (found.name.clone(), found.text.clone()));
    let at = found.as_ref().map(|found| found.at.clone());
    let today = today(args)?;
    let rego = policies::read(&args.policy, args.rego_engine)?;
    let mut settings = configured(text.as_ref(), today, rego)?;
    settings.include.clone_from(&args.include);
    settings.exclude.clone_from(&args.exclude);
    settings.persona = persona(args.persona);
    settings.min_severity = severity(args.min_severity);
    settings.min_confidence = confidence(args.min_confidence);
    settings.waivers = !args.no_ignores;
    settings.pod_security = pod_security(args, settings.config.profile.kubernetes_minor)?;
    settings.whole = found.is_none_or(|found| is_whole(&scope.paths, &found.directory));
    for name in args.include.iter().chain(&args.exclude) {
        settings.known(name, true).map_err(|error| unknown(error, "check or layer"))?;
    }
    for name in args.fail_on_check.iter().chain(&args.warn_on_check) {
        settings.known(name, false).map_err(|error| unknown(error, "check"))?;
    }
    if settings.enabled().is_empty() {
        return Err(CliError::NothingToRun);
    }
    Ok(Setup { settings, config: text, at })
}

/// Settings of a configuration. Every mistake of its text is an error of its own.
fn configured(
    text: Option<&(String, String)>,
    today: Date,
    rego: Runtime,
) -> Result<Settings, CliError> {
    let (name, text) = text.cloned().unwrap_or_default();
    let (config, mut errors) = Config::read_all(CONFIG, &text);
    match Settings::with_policies(config, today, rego) {
        Ok(settings) if errors.is_empty() => return Ok(settings),
        Ok(_) => {}
        Err(more) => errors.extend(more),
    }
    errors.sort_by_key(|error| error.at);
    Err(CliError::Config { file: Box::new(File::new(name, text)), errors })
}

/// Whether the paths hold everything below the directory that a configuration is for.
fn is_whole(paths: &[PathBuf], directory: &Path) -> bool {
    let real = paths.iter().filter_map(|path| path.canonicalize().ok());
    real.into_iter().any(|path| path.is_dir() && directory.starts_with(path))
}

fn unknown(UnknownName { name, near }: UnknownName, what: &'static str) -> CliError {
    let help = match near {
        Some(near) => format!("write `{near}`"),
        None => "`palisade checks` lists them all".to_owned(),
    };
    CliError::BadValue { value: clean(&name), what, help }
}

/// A configuration as found.
struct Found {
    /// Where it lies.
    at: PathBuf,
    /// Its name in outputs.
    name: String,
    text: String,
    /// The directory that it is for.
    directory: PathBuf,
}

impl Found {
    fn new(path: &Path, base: &Path, text: String) -> Self {
        let at = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let parent = at.parent().unwrap_or(&at);
        let directory = match parent.file_name().is_some_and(|name| name == ".github") {
            true => parent.parent().unwrap_or(parent),
            false => parent,
        };
        let name = Base::at(base).name(&at);
        Self { name, text, directory: directory.to_owned(), at }
    }
}

/// The configuration that the command line or the environment names.
fn named(args: &CheckArgs) -> Option<PathBuf> {
    let variable =
        || std::env::var_os("PALISADE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    args.config.clone().or_else(variable).filter(|_| !args.no_config)
}

/// The configuration that is named, or the one that is found from the first path up to the
/// repository's root.
fn config_text(args: &CheckArgs, paths: &[PathBuf]) -> Result<Option<Found>, CliError> {
    if args.no_config {
        return Ok(None);
    }
    let is_file = |path: &Path| path.is_file().then(String::new);
    let found = || search(paths, is_file).map(|(path, _)| path);
    let Some(path) = named(args).or_else(found) else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| CliError::NoConfig {
        path: clean(&path.to_string_lossy()),
        reason: clean(&error.to_string()),
    })?;
    let base = Base::of(std::slice::from_ref(&path));
    let mut found = Found::new(&path, Path::new(""), text);
    found.name = base.map_or_else(|_| "palisade.yaml".to_owned(), |base| base.name(&found.at));
    Ok(Some(found))
}

/// The nearest configuration at or above the first path, with what `read` gives of it.
fn search(paths: &[PathBuf], read: impl Fn(&Path) -> Option<String>) -> Option<(PathBuf, String)> {
    let start = paths.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    let real = start.canonicalize().ok()?;
    let directory = if real.is_dir() { real } else { real.parent()?.to_owned() };
    for parent in directory.ancestors() {
        let mut here = CONFIGURATIONS.iter().map(|name| parent.join(name));
        if let Some(found) = here.find_map(|path| read(&path).map(|text| (path, text))) {
            return Some(found);
        }
        if parent.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The only clock of a run.
fn today(args: &CheckArgs) -> Result<Date, CliError> {
    let Some(text) = &args.now else {
        return Ok(Zoned::now().with_time_zone(TimeZone::UTC).date());
    };
    let time = text.parse::<Timestamp>().map(|time| time.to_zoned(TimeZone::UTC).date());
    time.or_else(|_| text.parse::<Date>()).map_err(|_| CliError::BadValue {
        value: clean(text),
        what: "time",
        help: "write a date (2027-01-31) or an RFC 3339 time (2027-01-31T12:00:00Z)".to_owned(),
    })
}

fn pod_security(args: &CheckArgs, configured: Option<u32>) -> Result<PodSecurity, CliError> {
    let bad = |value: &str, what, help: &str| CliError::BadValue {
        value: clean(value),
        what,
        help: help.to_owned(),
    };
    let mut asked = PodSecurity { instead: None, version: configured.map(Version::of_minor) };
    if let Some(text) = &args.kubernetes_version {
        let minor = kubernetes_minor(text);
        let minor = minor.ok_or_else(|| bad(text, "Kubernetes version", "write it like 1.34"))?;
        asked.version = Some(Version::of_minor(minor));
    }
    let Some(text) = &args.pss else { return Ok(asked) };
    let (level, version) = match text.split_once(':') {
        Some((level, version)) => (level, Some(version)),
        None => (text.as_str(), None),
    };
    let help = "write privileged, baseline or restricted, and a version like v1.34 or latest";
    let level = Level::from_word(level).ok_or_else(|| bad(text, "Pod Security level", help))?;
    let version = match version {
        Some(version) => {
            Version::parse(version).ok_or_else(|| bad(text, "Pod Security version", help))?
        }
        None => asked.version(),
    };
    asked.instead = Some((level, version));
    Ok(asked)
}

/// The version of Kubernetes that charts are rendered for, where one is declared.
pub(super) fn kubernetes_version(args: &CheckArgs, config: &Config) -> Option<String> {
    let given = args.kubernetes_version.as_deref().and_then(kubernetes_minor);
    given.or(config.profile.kubernetes_minor).map(|minor| format!("1.{minor}"))
}

/// The roots that the configuration names.
pub(super) fn declared(config: &Config) -> Vec<Declared> {
    let root = |root: &RootConfig| {
        let path = root.path.trim_start_matches("./").trim_end_matches('/');
        let path = if path.is_empty() { "." } else { path };
        let name = root.name.clone().unwrap_or_else(|| path.to_owned());
        let (values, sets) = (root.values.clone(), root.sets.clone());
        Declared {
            path: path.to_owned(),
            values: Environment { name: name.clone(), values, sets },
            name,
            variables: root.variables.clone(),
        }
    };
    config.roots.iter().map(root).collect()
}

/// How charts are rendered that nothing in the input installs.
pub(super) fn charts(args: &CheckArgs, config: &Config) -> Result<Charts, CliError> {
    if let Some(missing) = args.values.iter().find(|path| !path.is_file()) {
        return Err(CliError::NoSuchInput(format!(
            "cannot find `{}`: no file with values",
            clean(&missing.to_string_lossy())
        )));
    }
    let all = config.environments.iter().map(|environment| Environment {
        name: environment.name.clone(),
        values: environment.values.clone(),
        sets: environment.sets.clone(),
    });
    let wanted =
        |environment: &Environment| args.env.as_ref().is_none_or(|name| *name == environment.name);
    let environments: Vec<Environment> = all.filter(wanted).collect();
    if let Some(name) = args.env.as_ref().filter(|_| environments.is_empty()) {
        let known = config.environments.iter().map(|environment| environment.name.as_str());
        let help = match nearest(name, known) {
            Some(near) => format!("write `{near}`"),
            None => "declare it under `environments` of palisade.yaml".to_owned(),
        };
        return Err(CliError::BadValue { value: clean(name), what: "environment", help });
    }
    Ok(Charts { values: args.values.clone(), sets: args.sets.clone(), environments })
}

pub(super) const fn severity(arg: SeverityArg) -> Severity {
    match arg {
        SeverityArg::Low => Severity::Low,
        SeverityArg::Medium => Severity::Medium,
        SeverityArg::High => Severity::High,
        SeverityArg::Critical => Severity::Critical,
    }
}

const fn confidence(arg: ConfidenceArg) -> Confidence {
    match arg {
        ConfidenceArg::Low => Confidence::Low,
        ConfidenceArg::Medium => Confidence::Medium,
        ConfidenceArg::High => Confidence::High,
    }
}

const fn persona(arg: PersonaArg) -> Persona {
    match arg {
        PersonaArg::Regular => Persona::Regular,
        PersonaArg::Pedantic => Persona::Pedantic,
        PersonaArg::Auditor => Persona::Auditor,
    }
}

/// Whether an argument stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
