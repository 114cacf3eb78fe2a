//! What a run is asked to do: which checks, how loud, with which parameters.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::catalog::{Catalog, Check, Param, ParamKind, Params, PodSecurity};
use crate::checks;
use crate::config::{self, CheckConfig, Config, ConfigError, ParamValue, nearest};
use crate::document::{Files, Span};
use crate::finding::{Assessment, Confidence, Finding, Layer, Persona, Severity};

/// All checks of this build.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog::new(checks::all())
}

/// The JSON Schema of palisade.yaml with the checks of this build.
#[must_use]
pub fn config_schema() -> serde_json::Value {
    let catalog = catalog();
    let of_check = |check: &&'static Check| {
        let properties: serde_json::Map<String, serde_json::Value> =
            check.params.iter().map(|param| (param.name.to_owned(), schema_of(param))).collect();
        let schema = serde_json::json!({
            "type": "object", "additionalProperties": false, "properties": properties,
        });
        (check.slug, schema)
    };
    let checks: Vec<_> = catalog.checks().iter().map(of_check).collect();
    config::json_schema(&checks)
}

fn schema_of(param: &Param) -> serde_json::Value {
    match param.kind {
        ParamKind::Texts => serde_json::json!({
            "description": param.doc, "type": "array", "items": {"type": "string"},
        }),
        ParamKind::Pairs => serde_json::json!({
            "description": param.doc, "type": "array",
            "items": {"type": "string", "pattern": r"^\s*\S+\s*->\s*\S+\s*$"},
        }),
        ParamKind::Number => serde_json::json!({
            "description": param.doc, "type": "integer", "minimum": 1,
        }),
    }
}

/// Why a run cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// A mistake in palisade.yaml.
    Config(ConfigError),
    /// A check or layer on the command line that does not exist.
    UnknownCheck {
        /// As written.
        name: String,
        /// What was probably meant.
        near: Option<String>,
    },
}

/// Settings of a run.
#[derive(Debug)]
pub struct Settings {
    /// Checks of this build.
    pub catalog: Catalog,
    /// palisade.yaml.
    pub config: Config,
    /// Parameters by check.
    pub params: BTreeMap<&'static str, Params>,
    /// Checks and layers to run; all where it is empty.
    pub include: Vec<String>,
    /// Checks and layers to leave out.
    pub exclude: Vec<String>,
    /// Audience.
    pub persona: Persona,
    /// Findings below are hidden.
    pub min_severity: Severity,
    /// Findings below are hidden.
    pub min_confidence: Confidence,
    /// Pod Security as asked for.
    pub pod_security: PodSecurity,
    /// Today, for waivers.
    pub today: Date,
    /// Whether waivers count.
    pub waivers: bool,
}

impl Settings {
    /// Settings of a run without a command line, for a configuration.
    ///
    /// # Errors
    /// Gives every name in the configuration that is no check, and every parameter that the check
    /// does not have.
    pub fn new(config: Config, today: Date) -> Result<Self, Vec<SettingsError>> {
        let catalog = catalog();
        let mut errors = Vec::new();
        let mut params = BTreeMap::new();
        for (slug, entry) in &config.checks {
            match catalog.get(slug) {
                Some(check) => {
                    params.insert(check.slug, params_of(check, entry, &mut errors));
                }
                None => errors.push(unknown(&catalog, slug, entry)),
            }
        }
        let named = config.overrides.iter().flat_map(|part| &part.checks);
        let unknown_overrides = named.filter(|(slug, _)| catalog.get(slug).is_none());
        errors.extend(unknown_overrides.map(|(slug, entry)| unknown(&catalog, slug, entry)));
        for waiver in config.waivers.iter().filter(|waiver| catalog.get(&waiver.check).is_none()) {
            let message = format!("no check is called `{}`", waiver.check);
            let mut error = ConfigError::new(waiver.check_span, message);
            error.help = near(&catalog, &waiver.check).map(|near| format!("write `{near}`"));
            errors.push(error);
        }
        if !errors.is_empty() {
            return Err(errors.into_iter().map(SettingsError::Config).collect());
        }
        Ok(Self {
            catalog,
            config,
            params,
            include: Vec::new(),
            exclude: Vec::new(),
            persona: Persona::Regular,
            min_severity: Severity::Low,
            min_confidence: Confidence::Low,
            pod_security: PodSecurity::default(),
            today,
            waivers: true,
        })
    }

    /// Checks that every name of `--include` and `--exclude` is a check or a layer.
    ///
    /// # Errors
    /// Gives the first that is neither.
    pub fn check_names(&self) -> Result<(), SettingsError> {
        let known = |name: &str| {
            self.catalog.get(name).is_some() || Layer::ALL.iter().any(|layer| layer.word() == name)
        };
        let unknown = self.include.iter().chain(&self.exclude).find(|name| !known(name));
        match unknown {
            None => Ok(()),
            Some(name) => {
                let near = near(&self.catalog, name);
                Err(SettingsError::UnknownCheck { name: name.clone(), near })
            }
        }
    }

    /// The checks that run. One that is disabled for some paths runs: its findings are dropped.
    #[must_use]
    pub fn enabled(&self) -> Vec<&'static Check> {
        let named = |list: &[String], check: &Check| {
            list.iter().any(|name| name == check.slug || name == check.layer.word())
        };
        let runs = |check: &&&'static Check| {
            let disabled = self.config.checks.get(check.slug).is_some_and(|entry| entry.disable);
            let asked = self.include.is_empty() || named(&self.include, check);
            asked && !named(&self.exclude, check) && !disabled && check.persona <= self.persona
        };
        self.catalog.checks().iter().filter(runs).copied().collect()
    }

    /// Severity of a finding: the configured one, but no higher than the check lowered it.
    pub(super) fn severity(&self, check: &Check, found: Severity) -> Severity {
        let configured = self.config.checks.get(check.slug).and_then(|entry| entry.severity);
        match configured {
            Some(configured) if found == check.severity => configured,
            Some(configured) => configured.min(found),
            None => found,
        }
    }

    /// Applies overrides by path, then hides what is below the thresholds.
    pub(super) fn shape(&self, assessment: &mut Assessment, files: &Files) {
        for over in &self.config.overrides {
            assessment.findings.retain_mut(|finding| {
                let Some(at) = finding.primary() else { return true };
                let name = files.get(at.file).name();
                let here = over.paths.iter().any(|glob| glob.is_match(name));
                match over.checks.get(finding.check).filter(|_| here) {
                    Some(entry) => {
                        finding.severity = entry.severity.unwrap_or(finding.severity);
                        !entry.disable
                    }
                    None => true,
                }
            });
        }
        let before = assessment.findings.len();
        let shown = |finding: &Finding| {
            finding.severity >= self.min_severity && finding.confidence >= self.min_confidence
        };
        assessment.findings.retain(shown);
        assessment.hidden = before - assessment.findings.len();
    }
}

fn near(catalog: &Catalog, name: &str) -> Option<String> {
    let slugs = catalog.checks().iter().map(|check| check.slug);
    nearest(name, slugs).map(str::to_owned)
}

fn unknown(catalog: &Catalog, slug: &str, entry: &CheckConfig) -> ConfigError {
    let error = ConfigError::new(entry.at, format!("no check is called `{slug}`"));
    match near(catalog, slug) {
        Some(near) => error.help(format!("write `{near}`")),
        None => error.help("`palisade checks` lists them all"),
    }
}

fn params_of(check: &Check, entry: &CheckConfig, errors: &mut Vec<ConfigError>) -> Params {
    let mut params = Params::default();
    for (name, (at, value)) in &entry.params {
        let Some(param) = check.params.iter().find(|param| param.name == name) else {
            let message = format!("`{}` has no parameter `{name}`", check.slug);
            let known: Vec<&str> = check.params.iter().map(|param| param.name).collect();
            let help = if known.is_empty() {
                "remove it: this check has no parameters".to_owned()
            } else {
                format!("use one of: {}", known.join(", "))
            };
            errors.push(ConfigError::new(*at, message).help(help));
            continue;
        };
        let ParamValue { at, texts, number } = value;
        match (param.kind, texts, number) {
            (ParamKind::Texts | ParamKind::Pairs, Some(texts), _) => {
                let wrong =
                    |text: &&(String, Span)| param.kind == ParamKind::Pairs && !is_pair(&text.0);
                for (text, at) in texts.iter().filter(wrong) {
                    let message = format!("`{text}` is no pair");
                    errors
                        .push(ConfigError::new(*at, message).help("write `source -> destination`"));
                }
                params.set_texts(name, texts.iter().map(|(text, _)| text.clone()).collect());
            }
            (ParamKind::Number, _, Some(number)) if *number > 0 => {
                params.set_number(name, *number);
            }
            (kind, ..) => {
                let wanted = match kind {
                    ParamKind::Texts => "a list of strings",
                    ParamKind::Pairs => "a list of `source -> destination`",
                    ParamKind::Number => "a number of at least 1",
                };
                errors.push(ConfigError::new(*at, format!("`{name}` must be {wanted}")));
            }
        }
    }
    params
}

/// Whether a text has the form `source -> destination`.
fn is_pair(text: &str) -> bool {
    let word = |side: &str| side.split_whitespace().count() == 1;
    text.split_once("->").is_some_and(|(from, to)| word(from) && word(to))
}
