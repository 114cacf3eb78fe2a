//! What a policy says about itself: the block of comments before its package.

use super::PolicyError;
use crate::catalog::{Param, ParamKind};
use crate::config::{ConfigError, Section, nearest};
use crate::document::{FileId, Kind, KindSet, Node, Problem, Span, excerpt, read_settings};
use crate::finding::{Persona, Severity};

/// The line that begins the block.
const BEGIN: &str = "# METADATA";

/// What a policy says about itself.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) title: String,
    pub(super) docs: String,
    pub(super) severity: Severity,
    pub(super) persona: Persona,
    pub(super) reads: KindSet,
    /// Kinds that the model does not know, as (group, kind).
    pub(super) others: Vec<(String, String)>,
    pub(super) fix: String,
    pub(super) params: Vec<Param>,
    pub(super) aliases: Vec<(String, String)>,
    pub(super) instead_of: Vec<String>,
}

/// The block of a text with blanks for everything else, so that places stay; none where there is
/// none before the package.
fn block(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut any) = (false, false);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if any && !inside || !any && bare.starts_with("package ") {
            break;
        }
        if !inside {
            inside = bare == BEGIN;
            any |= inside;
            out.extend(line.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            continue;
        }
        match line.strip_prefix('#') {
            // `#` becomes a blank: every line moves by the same width.
            Some(rest) => out.extend([" ", rest]),
            None => inside = false,
        }
    }
    any.then_some(out)
}

/// Reads the block; none where the policy has none.
///
/// # Errors
/// Gives every mistake at its place.
pub(super) fn read(file: FileId, text: &str) -> Result<Option<Meta>, Vec<PolicyError>> {
    let Some(block) = block(text) else { return Ok(None) };
    let problem = |problem: Problem| {
        let help = problem.help.map(str::to_owned);
        vec![PolicyError { file, at: problem.at, message: problem.message, help }]
    };
    let (tree, repeated) = read_settings(file, &block).map_err(problem)?;
    if let Some(twice) = repeated.into_iter().next() {
        return Err(problem(twice));
    }
    let Some(tree) = tree else { return Ok(None) };
    let mut errors = Vec::new();
    let keys = [
        "title",
        "description",
        "related_resources",
        "custom",
        "scope",
        "entrypoint",
        "authors",
        "organizations",
        "schemas",
    ];
    let meta = Section::open(tree.root(), "METADATA", &keys, &mut errors).and_then(|mut top| {
        let title = top.required("title");
        let docs = top.required("description");
        let custom = match top.get("custom") {
            Some(node) => Some(node),
            None => {
                top.missing("custom");
                None
            }
        };
        custom_part(custom?, (title, docs), top.errors())
    });
    if errors.is_empty() {
        return Ok(meta);
    }
    let error = |e: ConfigError| PolicyError { file, at: e.at, message: e.message, help: e.help };
    Err(errors.into_iter().map(error).collect())
}

fn custom_part(
    node: Node<'_>,
    (title, docs): (Option<String>, Option<String>),
    errors: &mut Vec<ConfigError>,
) -> Option<Meta> {
    let keys = ["severity", "persona", "reads", "fix", "aliases", "parameters", "instead_of"];
    let mut custom = Section::open(node, "`custom`", &keys, errors)?;
    let severities = Severity::ALL.map(|severity| (severity.word(), severity));
    let personas = Persona::ALL.map(|persona| (persona.word(), persona));
    let severity = custom.required_choice("severity", &severities);
    let persona = custom.choice("persona", &personas).unwrap_or(Persona::Regular);
    let fix = custom.required("fix");
    let written = custom.texts("reads");
    if written.is_empty() && !custom.has_wrong("reads") {
        custom.missing("reads");
    }
    let (mut reads, mut others) = (KindSet::default(), Vec::new());
    for (name, at) in written {
        match (name.split_once('/'), Kind::ALL.iter().find(|kind| kind.word() == name)) {
            (Some((group, kind)), _) if !kind.is_empty() && !kind.contains('/') => {
                reads.insert(Kind::Any);
                others.push((group.to_owned(), kind.to_owned()));
            }
            (None, Some(kind)) => reads.insert(*kind),
            _ => {
                let words = Kind::ALL.iter().map(|kind| kind.word());
                let message = format!("no kind is called `{}`", excerpt(&name));
                let error = ConfigError::new(at, message);
                custom.error(match nearest(&name, words) {
                    Some(near) => error.help(format!("write `{near}`")),
                    None => error.help("write `group/Kind` for kinds that palisade does not model"),
                });
            }
        }
    }
    let aliases = tools(custom.get("aliases"));
    let instead_of = custom.texts("instead_of").into_iter().map(|(slug, _)| slug).collect();
    let params = parameters(&mut custom);
    Some(Meta {
        title: title?,
        docs: docs?,
        severity: severity?,
        persona,
        reads,
        others,
        fix: fix?,
        params,
        aliases,
        instead_of,
    })
}

/// Ids of other tools: a list or one name by the name of the tool.
fn tools(node: Option<Node<'_>>) -> Vec<(String, String)> {
    let tools = node.into_iter().flat_map(Node::children);
    let mut found = Vec::new();
    for tool in tools {
        let one = tool.as_str().into_iter();
        let ids = one.chain(tool.children().filter_map(Node::as_str));
        found.extend(ids.map(|id| (tool.key().to_owned(), id.to_owned())));
    }
    found
}

fn parameters(custom: &mut Section<'_, '_>) -> Vec<Param> {
    let kinds =
        [("texts", ParamKind::Texts), ("pairs", ParamKind::Pairs), ("number", ParamKind::Number)];
    let nodes: Vec<Node<'_>> =
        custom.get("parameters").into_iter().flat_map(Node::children).collect();
    let mut params = Vec::new();
    for node in nodes {
        let Some(mut entry) = Section::open(node, "a parameter", &["type", "doc"], custom.errors())
        else {
            continue;
        };
        let (kind, doc) = (entry.required_choice("type", &kinds), entry.required("doc"));
        if let (Some(kind), Some(doc)) = (kind, doc) {
            params.push(Param { name: leak(node.key()), kind, doc: leak(&doc) });
        }
    }
    params
}

/// A text that lives as long as the program: checks do.
pub(super) fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// The place of the package of a policy, and its name.
pub(super) fn package(file: FileId, text: &str) -> Option<(String, Span)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.trim_end().strip_prefix("package ") {
            let name = name.split('#').next().unwrap_or_default().trim();
            let from = u32::try_from(start).unwrap_or(u32::MAX);
            let end = u32::try_from(start + line.trim_end().len()).unwrap_or(u32::MAX);
            return Some((name.to_owned(), Span { file, start: from, end }));
        }
        start += line.len();
    }
    None
}
