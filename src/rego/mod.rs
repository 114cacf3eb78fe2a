//! Checks that are written in Rego: the bundled ones of `policies/`, and the user's own. `regorus`
//! evaluates them; an object goes in as the API server reads it, and what comes back becomes findings.

mod engines;
mod input;
mod metadata;
mod outcome;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};

pub use engines::{Engine, Runtime};
pub(crate) use engines::{Request, evaluate};

use crate::catalog::{CellRole, Check, Run};
use crate::document::{Document, FileId, Kind, KindSet, Span, narrow};
use crate::finding::{Layer, Persona, Severity};
use metadata::{Meta, leak};

/// Longest name of a check: that of an annotation has room for it.
const LONGEST_SLUG: usize = 56;

/// The policies of this build.
static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// A text with a policy, or a part of one.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// Its id among the texts of the run.
    pub file: FileId,
    /// Its name in outputs.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The file.
    pub file: FileId,
    /// Where.
    pub at: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// A policy: a check, and the package that says what violates it.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) check: &'static Check,
    /// Its package: `palisade.network.some_slug`.
    package: String,
    /// What it is written in.
    parts: Vec<Module>,
    /// Kinds beside those of the check, as (group, kind).
    others: Vec<(String, String)>,
    /// The rules that say what violates it.
    rules: Vec<String>,
    /// Whether it is a policy for conftest: it is asked about every object, and names no places.
    foreign: bool,
    /// Whether it tells where it does not apply.
    skips: bool,
}

/// One file of a policy.
#[derive(Clone, Debug)]
struct Module {
    file: FileId,
    name: String,
    text: String,
}

impl Module {
    /// Adds it to an engine, in the old language where it is written in that. Gives whether it is.
    fn add(&self, engine: &mut regorus::Engine) -> Result<bool, Failure> {
        let add = |engine: &mut regorus::Engine| {
            engine.add_policy(self.name.clone(), self.text.clone()).map(drop)
        };
        let Err(error) = add(engine) else { return Ok(false) };
        engine.set_rego_v0(true);
        let old = add(engine);
        engine.set_rego_v0(false);
        old.map(|()| true).map_err(|_| Failure::of(&error))
    }
}

/// Why a policy cannot be run.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In the words of the engine.
    pub message: String,
    /// Line and column, from 1, where the engine tells them.
    pub at: Option<(u32, u32)>,
}

impl Failure {
    /// An error of regorus without the excerpt of the text.
    fn of(error: &impl std::fmt::Display) -> Self {
        let text = error.to_string();
        let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
        let mut numbers = place.into_iter().flat_map(|place| place.rsplit(':')).map(str::parse);
        let at = match (numbers.next(), numbers.next()) {
            (Some(Ok(column)), Some(Ok(line))) => Some((line, column)),
            _ => None,
        };
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let excerpt = |line: &str| {
            line.starts_with(['|', '-']) || line.contains(" | ") || line.ends_with('|')
        };
        let said = lines.rfind(|line| !excerpt(line));
        let message = said.unwrap_or("it gave no reason").trim_start_matches("error: ").to_owned();
        Self { message, at }
    }
}

impl Policy {
    /// Whether it is asked about an object of these kinds.
    fn is_for(&self, document: &Document, kinds: KindSet) -> bool {
        let any = KindSet::of(&[Kind::Any]);
        let reads = self.check.reads;
        let of_model = reads.iter().any(|kind| !any.contains(kind) && kinds.contains(kind));
        let named = |(group, kind): &(String, String)| {
            *group == document.id.group && *kind == document.id.kind
        };
        self.foreign || of_model || self.others.iter().any(named)
    }

    /// Whether its text holds a word.
    fn mentions(&self, word: &str) -> bool {
        self.parts.iter().any(|part| part.text.contains(word))
    }
}

/// Policies, and the libraries that they import.
#[derive(Debug, Default)]
pub struct Policies {
    pub(crate) list: Vec<Policy>,
    libraries: Vec<Module>,
}

/// The bundled policies. A test holds that every one of them can be read.
static OWN: LazyLock<Policies> = LazyLock::new(|| {
    let mut files = Vec::new();
    collect(&BUNDLED, &mut files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Policies::read(&files, &|_| false).unwrap_or_else(|(policies, _)| policies)
});

fn collect(directory: &Dir<'_>, files: &mut Vec<PolicyFile>) {
    for file in directory.files() {
        let name = file.path().to_string_lossy().into_owned();
        if let Some(text) = file.contents_utf8().filter(|_| is_policy_name(&name)) {
            files.push(PolicyFile { file: FileId(0), name, text: text.to_owned() });
        }
    }
    directory.dirs().for_each(|directory| collect(directory, files));
}

/// Whether a file holds a policy, and not a test of one.
#[must_use]
pub fn is_policy_name(name: &str) -> bool {
    name.ends_with(".rego") && !name.ends_with("_test.rego")
}

impl Policies {
    /// The bundled policies.
    #[must_use]
    pub fn bundled() -> &'static Self {
        &OWN
    }

    /// Reads policies. A file whose package is `palisade.<layer>.*` is a check; files of any other
    /// package with rules called `deny`, `warn` or `violation` are one check, as conftest runs them;
    /// all others are libraries. `known` tells the slugs that are taken.
    ///
    /// # Errors
    /// Gives what could be read, and every mistake.
    pub fn read(
        files: &[PolicyFile],
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Self, (Self, Vec<PolicyError>)> {
        let mut policies = Self::default();
        let mut errors = Vec::new();
        for file in files {
            let module =
                Module { file: file.file, name: file.name.clone(), text: file.text.clone() };
            let Some((package, at)) = metadata::package(file.file, &file.text) else {
                let message = format!("{} has no package", file.name);
                let help = Some("begin it with `package palisade.<layer>.<slug>`".to_owned());
                let at = Span::start_of(file.file);
                errors.push(PolicyError { file: file.file, at, message, help });
                continue;
            };
            if let Some(error) = forbidden(&module) {
                errors.push(error);
                continue;
            }
            match package.strip_prefix("palisade.") {
                Some(rest) if rest.starts_with("lib.") => policies.libraries.push(module),
                Some(_) => match own(module, &package, at) {
                    Ok(policy) => policies.list.push(policy),
                    Err(more) => errors.extend(more),
                },
                None => policies.foreign(module, package),
            }
        }
        let mut slugs = BTreeSet::new();
        for policy in &policies.list {
            let (slug, Some(part)) = (policy.check.slug, policy.parts.first()) else { continue };
            if known(slug) || !slugs.insert(slug) {
                let message = format!("another check is called `{slug}`");
                let help = Some("rename the file".to_owned());
                let at = Span::start_of(part.file);
                errors.push(PolicyError { file: part.file, at, message, help });
            }
        }
        if errors.is_empty() { Ok(policies) } else { Err((policies, errors)) }
    }

    /// Adds a file that was written for conftest to the check of its package.
    fn foreign(&mut self, module: Module, package: String) {
        let rules = foreign_rules(&module.text);
        let known = self.list.iter_mut().find(|policy| policy.foreign && policy.package == package);
        match known {
            Some(policy) => {
                policy.rules.extend(rules);
                policy.rules.sort();
                policy.rules.dedup();
                policy.parts.push(module);
            }
            None if rules.is_empty() => self.libraries.push(module),
            None => self.list.push(conftest(module, package, rules)),
        }
    }

    /// The checks.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        self.list.iter().map(|policy| policy.check)
    }
}

fn layer_of(word: &str) -> Option<Layer> {
    Layer::ALL.into_iter().find(|layer| layer.word() == word)
}

/// The slug of a file: its name.
fn slug_of(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_suffix(".rego").unwrap_or(file)
}

/// A policy of the form of the bundled ones.
fn own(module: Module, package: &str, at: Span) -> Result<Policy, Vec<PolicyError>> {
    let file = module.file;
    let error =
        |at, message, help: String| vec![PolicyError { file, at, message, help: Some(help) }];
    let Some(meta) = metadata::read(file, &module.text)? else {
        let help = "say title, description and `custom` in comments above the package".to_owned();
        return Err(error(at, "the policy has no METADATA".to_owned(), help));
    };
    let slug = slug_of(&module.name);
    let layer = package.split('.').nth(1).and_then(layer_of);
    let Some(layer) = layer else {
        let layers = Layer::ALL.map(Layer::word).join(", ");
        let name = slug.replace('-', "_");
        let help = format!("write `palisade.<layer>.{name}`; layers: {layers}");
        return Err(error(at, format!("the package `{package}` names no layer"), help));
    };
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || slug.len() > LONGEST_SLUG || !slug.chars().all(is_name) {
        let help = format!("name it in lower case with `-`, at most {LONGEST_SLUG} characters");
        return Err(error(at, format!("`{slug}.rego` is no name for a check"), help));
    }
    Ok(policy(slug.to_owned(), layer, package, meta, module))
}

fn policy(slug: String, layer: Layer, package: &str, meta: Meta, module: Module) -> Policy {
    let aliases: Vec<_> = meta.aliases.iter().map(|(tool, id)| (leak(tool), leak(id))).collect();
    let instead_of: Vec<_> = meta.instead_of.iter().map(|slug| leak(slug)).collect();
    let check = Check {
        slug: leak(&slug),
        title: leak(&meta.title),
        docs: leak(&meta.docs),
        layer,
        cell: CellRole::Judges,
        severity: meta.severity,
        persona: meta.persona,
        reads: meta.reads,
        voices: &[],
        params: Vec::leak(meta.params),
        fix: leak(&meta.fix),
        aliases: Vec::leak(aliases),
        instead_of: Vec::leak(instead_of),
        run: Run::Rego,
    };
    Policy {
        check: Box::leak(Box::new(check)),
        package: package.to_owned(),
        others: meta.others,
        rules: vec!["violation".to_owned()],
        foreign: false,
        skips: module.text.lines().any(|line| line.starts_with("not_applicable")),
        parts: vec![module],
    }
}

/// The check of a package that was written for conftest.
fn conftest(module: Module, package: String, rules: Vec<String>) -> Policy {
    let slug = format!("conftest-{}", package.replace(['.', '_'], "-").to_ascii_lowercase());
    let check = Check {
        slug: leak(&slug),
        title: "the user's own policy",
        docs: leak(&format!("Findings of the package `{package}`, as conftest would run it.")),
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: KindSet::of(&[Kind::Any]),
        voices: &[],
        params: &[],
        fix: "see the policy",
        aliases: &[],
        instead_of: &[],
        run: Run::Rego,
    };
    let (check, parts) = (Box::leak(Box::new(check)), vec![module]);
    Policy { check, package, parts, others: Vec::new(), rules, foreign: true, skips: false }
}

/// Built-ins that no policy may call: they ask others, or say something else each time.
const FORBIDDEN: [&str; 6] =
    ["http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122"];

/// The first call of a forbidden built-in.
fn forbidden(module: &Module) -> Option<PolicyError> {
    let mut start = 0;
    for line in module.text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or_default();
        let found = FORBIDDEN.iter().find_map(|name| Some((name, code.find(&format!("{name}("))?)));
        if let Some((name, at)) = found {
            let from = narrow(start + at);
            let at = Span { file: module.file, start: from, end: from + narrow(name.len()) };
            let message = format!("a policy must not call `{name}`");
            let help = Some("the same input must give the same answer; remove the call".to_owned());
            return Some(PolicyError { file: module.file, at, message, help });
        }
        start += line.len();
    }
    None
}

/// The rules that conftest asks: `deny`, `warn`, `violation`, and such with a suffix.
fn foreign_rules(text: &str) -> Vec<String> {
    let word = |line: &str| -> Option<String> {
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let name = line.get(..end)?;
        let first = name.split('_').next()?;
        matches!(first, "deny" | "warn" | "violation").then(|| name.to_owned())
    };
    let rules: BTreeSet<String> = text.lines().filter_map(word).collect();
    rules.into_iter().collect()
}
