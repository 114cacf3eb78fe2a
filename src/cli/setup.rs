//! From arguments, environment and palisade.yaml to the settings of a run.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{CheckArgs, CliError, ConfidenceArg, PersonaArg, SeverityArg};
use crate::catalog::PodSecurity;
use crate::config::{Config, kubernetes_minor};
use crate::document::{File, FileId, clean};
use crate::engine::{Settings, SettingsError};
use crate::finding::{Confidence, Persona, Severity};
use crate::model::pod_security::{Level, Version};
use crate::source::Base;

/// The text of the configuration always has this id.
const CONFIG: FileId = FileId(0);

/// A configuration as found: its name in outputs, and its text.
pub(super) type ConfigText = Option<(String, String)>;

/// Finds and reads the configuration, and makes the settings.
pub(super) fn settings(args: &CheckArgs) -> Result<(Settings, ConfigText), CliError> {
    let text = config_text(args)?;
    let as_file = || {
        let (name, text) = text.clone().unwrap_or_default();
        Box::new(File::new(name, text))
    };
    let config = match &text {
        Some((_, text)) => Config::read(CONFIG, text)
            .map_err(|errors| CliError::Config { file: as_file(), errors })?,
        None => Config::default(),
    };
    let minor = config.profile.kubernetes_minor;
    let mut settings = Settings::new(config, today(args)?).map_err(|errors| {
        let config = |error| match error {
            SettingsError::Config(error) => Some(error),
            SettingsError::UnknownCheck { .. } => None,
        };
        CliError::Config {
            file: as_file(),
            errors: errors.into_iter().filter_map(config).collect(),
        }
    })?;
    settings.include.clone_from(&args.include);
    settings.exclude.clone_from(&args.exclude);
    settings.persona = persona(args.persona);
    settings.min_severity = severity(args.min_severity);
    settings.min_confidence = confidence(args.min_confidence);
    settings.waivers = !args.no_ignores;
    settings.pod_security = pod_security(args, minor)?;
    settings.check_names().map_err(unknown)?;
    for name in args.fail_on_check.iter().chain(&args.warn_on_check) {
        if settings.catalog.get(name).is_none() {
            return Err(unknown(SettingsError::UnknownCheck { name: name.clone(), near: None }));
        }
    }
    Ok((settings, text))
}

fn unknown(error: SettingsError) -> CliError {
    match error {
        SettingsError::UnknownCheck { name, near } => CliError::BadValue {
            value: clean(&name),
            what: "check or layer",
            help: match near {
                Some(near) => format!("write `{near}`"),
                None => "`palisade checks` lists them all".to_owned(),
            },
        },
        SettingsError::Config(error) => CliError::BadOutputs(error.message),
    }
}

/// The configuration that is named, or the one that is found from the first path up to the
/// repository's root.
fn config_text(args: &CheckArgs) -> Result<ConfigText, CliError> {
    if args.no_config {
        return Ok(None);
    }
    let named = args.config.clone().or_else(|| {
        std::env::var_os("PALISADE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
    });
    let Some(path) = named.or_else(|| find(args)) else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| CliError::NoConfig {
        path: clean(&path.to_string_lossy()),
        reason: clean(&error.to_string()),
    })?;
    let base = Base::of(std::slice::from_ref(&path));
    let real = path.canonicalize().unwrap_or(path);
    let name = base.map_or_else(|_| "palisade.yaml".to_owned(), |base| base.name(&real));
    Ok(Some((name, text)))
}

fn find(args: &CheckArgs) -> Option<PathBuf> {
    let first = args.paths.iter().find(|path| path.as_os_str() != "-");
    let start = first.cloned().unwrap_or_else(|| PathBuf::from("."));
    let real = start.canonicalize().ok()?;
    let directory = if real.is_dir() { real } else { real.parent()?.to_owned() };
    for parent in directory.ancestors() {
        let here = [parent.join("palisade.yaml"), parent.join(".github/palisade.yaml")];
        if let Some(found) = here.into_iter().find(|path| path.is_file()) {
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
