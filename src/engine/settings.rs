//! What a run is asked to do: which checks, how loud, with which parameters.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::catalog::{Catalog, Check, Param, ParamKind, Params, PodSecurity};
use crate::checks;
use crate::config::{self, CheckConfig, Config, ConfigError, ParamValue, nearest};
use crate::document::{Files, Inventory, Span, excerpt};
use crate::finding::{Assessment, Confidence, Finding, Layer, Persona, Severity};
use crate::rego::{Policies, Runtime};

/// All checks of this build.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog::new(checks::all().into_iter().chain(Policies::bundled().checks()).collect())
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

/// A name on the command line that is no check, and no layer either where one may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// As written.
    pub name: String,
    /// What was probably meant.
    pub near: Option<String>,
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
    /// Policies in Rego.
    pub rego: Runtime,
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
    /// Whether the run reads all that the configuration is written for, so that a waiver of it
    /// without a counterpart is left over, not meant for another part.
    pub whole: bool,
}

impl Settings {
    /// Settings of a run without a command line, for a configuration.
    ///
    /// # Errors
    /// Gives every name in the configuration that is no check, and every parameter that the check
    /// does not have.
    pub fn new(config: Config, today: Date) -> Result<Self, Vec<ConfigError>> {
        Self::with_policies(config, today, Runtime::default())
    }

    /// The same with policies of the user.
    ///
    /// # Errors
    /// As [`Settings::new`].
    pub fn with_policies(
        config: Config,
        today: Date,
        rego: Runtime,
    ) -> Result<Self, Vec<ConfigError>> {
        let own = rego.own.checks();
        let catalog = Catalog::new(catalog().checks().iter().copied().chain(own).collect());
        let mut errors = Vec::new();
        let mut params = BTreeMap::new();
        for (slug, at) in &config.named {
            if catalog.get(slug).is_none() {
                errors.push(unknown(&catalog, slug, *at));
            }
        }
        for (slug, entry) in &config.checks {
            if let Some(check) = catalog.get(slug) {
                params.insert(check.slug, params_of(check, entry, &mut errors));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            catalog,
            config,
            params,
            include: Vec::new(),
            exclude: Vec::new(),
            rego,
            persona: Persona::Regular,
            min_severity: Severity::Low,
            min_confidence: Confidence::Low,
            pod_security: PodSecurity::default(),
            today,
            waivers: true,
            whole: true,
        })
    }

    /// Checks that a name of the command line is a check, or a layer where one may stand.
    ///
    /// # Errors
    /// Gives the name, and what was probably meant.
    pub fn known(&self, name: &str, or_layer: bool) -> Result<(), UnknownName> {
        let layers = || Layer::ALL.iter().map(|layer| layer.word()).filter(|_| or_layer);
        if self.catalog.get(name).is_some() || layers().any(|layer| layer == name) {
            return Ok(());
        }
        let slugs = self.catalog.checks().iter().map(|check| check.slug);
        let near = nearest(name, slugs.chain(layers())).map(str::to_owned);
        Err(UnknownName { name: name.to_owned(), near })
    }

    /// The checks that run. One that is disabled for some paths runs: its findings are dropped. One
    /// that the command line includes by its name runs whatever the persona and the configuration.
    #[must_use]
    pub fn enabled(&self) -> Vec<&'static Check> {
        let named = |list: &[String], word: &str| list.iter().any(|name| name == word);
        let runs = |check: &&&'static Check| {
            if named(&self.exclude, check.slug) || named(&self.exclude, check.layer.word()) {
                return false;
            }
            let disabled = self.config.checks.get(check.slug).and_then(|entry| entry.disable);
            let asked = self.include.is_empty() || named(&self.include, check.layer.word());
            named(&self.include, check.slug)
                || asked && disabled != Some(true) && check.persona <= self.persona
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

    /// Applies the overrides for the path of a finding; later ones win. Gives whether it stays.
    pub(super) fn keep(&self, finding: &mut Finding, files: &Files) -> bool {
        let Some(at) = finding.primary().filter(|_| !self.config.overrides.is_empty()) else {
            return true;
        };
        let check = self.catalog.get(finding.check);
        // What the check, or the configuration for all paths, would give the ordinary case.
        let ordinary = check.map(|check| self.severity(check, check.severity));
        let lowered = ordinary.is_some_and(|ordinary| finding.severity < ordinary);
        let mut kept = true;
        for entry in self.overriding(finding.check, files.get(at.file).name()) {
            if let Some(severity) = entry.severity {
                let found = finding.severity;
                finding.severity = if lowered { severity.min(found) } else { severity };
            }
            kept = entry.disable.map_or(kept, |disable| !disable);
        }
        kept
    }

    /// Drops open questions of checks that are disabled for the path of their object.
    pub(super) fn drop_disabled(
        &self,
        assessment: &mut Assessment,
        inventory: &Inventory,
        files: &Files,
    ) {
        if self.config.overrides.is_empty() {
            return;
        }
        assessment.not_assessed.retain(|open| {
            let place = open.subject.as_ref().and_then(|subject| inventory.named(subject));
            let Some(document) = place.filter(|_| !open.error) else { return true };
            let name = files.get(document.head.file).name();
            let disabled = self.overriding(open.check, name).filter_map(|entry| entry.disable);
            disabled.last() != Some(true)
        });
    }

    fn overriding<'s>(
        &'s self,
        check: &'s str,
        file: &'s str,
    ) -> impl Iterator<Item = &'s CheckConfig> {
        let here = self.config.overrides.iter();
        here.filter(move |part| part.paths.iter().any(|glob| glob.is_match(file)))
            .filter_map(move |part| part.checks.get(check))
    }

    /// Hides what is below the thresholds, and sets apart what does not count.
    pub(super) fn hide(&self, assessment: &mut Assessment, counts: impl Fn(&Finding) -> bool) {
        let (mut hidden, mut outside) = (0, 0);
        assessment.findings.retain(|finding| {
            let shown =
                finding.severity >= self.min_severity && finding.confidence >= self.min_confidence;
            let counts = counts(finding);
            hidden += usize::from(counts && !shown);
            outside += usize::from(shown && !counts);
            shown && counts
        });
        (assessment.hidden, assessment.outside) = (hidden, outside);
    }
}

fn near(catalog: &Catalog, name: &str) -> Option<String> {
    let slugs = catalog.checks().iter().map(|check| check.slug);
    nearest(name, slugs).map(str::to_owned)
}

fn unknown(catalog: &Catalog, slug: &str, at: Span) -> ConfigError {
    let error = ConfigError::new(at, format!("no check is called `{}`", excerpt(slug)));
    match near(catalog, slug) {
        Some(near) => error.help(format!("write `{near}`")),
        None => error.help("`palisade checks` lists them all"),
    }
}

fn params_of(check: &Check, entry: &CheckConfig, errors: &mut Vec<ConfigError>) -> Params {
    let mut params = Params::default();
    for (name, (at, value)) in &entry.params {
        let Some(param) = check.params.iter().find(|param| param.name == name) else {
            let message = format!("`{}` has no parameter `{}`", check.slug, excerpt(name));
            let known = || check.params.iter().map(|param| param.name);
            let help = match (nearest(name, known()), known().next()) {
                (Some(near), _) => format!("write `{near}`"),
                (None, Some(_)) => {
                    format!("use one of: {}", known().collect::<Vec<_>>().join(", "))
                }
                (None, None) => "remove it: this check has no parameters".to_owned(),
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
                    let message = format!("`{}` is no pair", excerpt(text));
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
