//! From what a policy says to findings: the path becomes the place to change.

use std::sync::Arc;

use regorus::Value;

use super::Policy;
use super::input::Input;
use crate::catalog::{Check, Outcomes};
use crate::document::{Document, Kind, KindSet, Node, Span, clean};
use crate::finding::{Layer, NotAssessed, Severity};

/// Longest message that is taken as it is.
const LONGEST: usize = 1_000;

/// Takes what the rules of a policy say about an object. None of them is a pass.
pub(super) fn take(
    policy: &Policy,
    document: &Document,
    input: &Input,
    said: &Value,
    out: &mut Outcomes,
) {
    let check = policy.check;
    let mut silent = true;
    for (rule, said) in said.as_object().into_iter().flat_map(|rules| rules.iter_sorted()) {
        let violations: Vec<&Value> = match said {
            Value::Set(set) => set.iter().collect(),
            Value::Array(list) if policy.foreign => list.iter().collect(),
            _ => {
                let what = format!("`{rule}` is no set").replace('"', "");
                out.not_assessed.push(misshapen(check, document, &what));
                silent = false;
                continue;
            }
        };
        let warning = policy.foreign && rule.as_string().is_ok_and(|rule| rule.starts_with("warn"));
        silent &= violations.is_empty();
        for violation in violations {
            match Violation::read(violation, policy.foreign) {
                Ok(violation) => violation.report(check, document, input, warning, out),
                Err(what) => out.not_assessed.push(misshapen(check, document, what)),
            }
        }
    }
    if silent {
        out.pass(check, &document.id, document.head);
    }
}

fn misshapen(check: &Check, document: &Document, what: &str) -> NotAssessed {
    let reason = format!("the policy failed: {what}");
    let subject = Some(Arc::clone(&document.id));
    NotAssessed { check: check.slug, subject, reason: reason.into(), error: true }
}

/// One member of `violation`.
struct Violation<'v> {
    message: &'v str,
    path: &'v [Value],
    related: Vec<(&'v [Value], &'v str)>,
    severity: Option<Severity>,
}

impl<'v> Violation<'v> {
    /// A policy that was written for conftest may give a text alone, and need not name a place.
    fn read(value: &'v Value, foreign: bool) -> Result<Self, &'static str> {
        if let (true, Ok(message)) = (foreign, value.as_string()) {
            return Ok(Self { message, path: &[], related: Vec::new(), severity: None });
        }
        let fields = value.as_object().map_err(|_| "a violation is no object")?;
        let field = |name: &str| fields.get(&Value::from(name));
        let text = |value: &'v Value| value.as_string().ok().map(AsRef::as_ref);
        let list = |value: &'v Value| value.as_array().ok().map(|array| array.as_slice());
        let message = field("msg").and_then(text).filter(|text: &&str| !text.trim().is_empty());
        let message = message.ok_or("a violation has no `msg`")?;
        let path = field("path").and_then(list).or(foreign.then_some(&[]));
        let path = path.ok_or("a violation has no list `path`")?;
        let mut related = Vec::new();
        for value in field("related").and_then(list).unwrap_or_default() {
            let fields = value.as_object().map_err(|_| "an entry of `related` is no object")?;
            let path = fields.get(&Value::from("path")).and_then(list);
            let message = fields.get(&Value::from("msg")).and_then(text);
            related.push(path.zip(message).ok_or("an entry of `related` lacks `path` or `msg`")?);
        }
        let severity = match field("severity") {
            None => None,
            Some(word) => Some(
                text(word)
                    .and_then(Severity::from_word)
                    .ok_or("`severity` is none of the words")?,
            ),
        };
        Ok(Self { message, path, related, severity })
    }

    fn report(
        &self,
        check: &'static Check,
        document: &Document,
        input: &Input,
        warning: bool,
        out: &mut Outcomes,
    ) {
        let message: String = clean(self.message).chars().take(LONGEST).collect();
        let mut finding = check.finding(&document.id, message);
        let (at, missing) = match self.path {
            [] => (document.head, None),
            path => place(document, path),
        };
        finding = match missing {
            None => finding.label(at, check.title),
            Some(missing) => finding.label(at, format!("`{}` is not set here", clean(&missing))),
        };
        for (path, text) in &self.related {
            finding = finding.label(place(document, path).0, clean(text));
        }
        let of_pod =
            check.reads.overlaps(KindSet::of(&[Kind::Pod])) && !input.containers.is_empty();
        let holds = |(path, _): &&(Vec<Value>, String)| self.path.starts_with(path);
        if let Some((_, name)) = input.containers.iter().find(holds) {
            finding = finding.container(name);
        }
        if of_pod {
            finding = finding.affects([Arc::clone(&document.id)]);
            finding.hardening = check.layer == Layer::Application;
        }
        if warning {
            finding = finding.at_most(Severity::Low);
        }
        if let Some(severity) = self.severity {
            finding = finding.at_most(severity);
        }
        out.push(finding);
    }
}

/// The place of a path: that of the value, else of the nearest part above it, with what is missing
/// there.
fn place(document: &Document, path: &[Value]) -> (Span, Option<String>) {
    let mut node = document.root();
    for (nth, step) in path.iter().enumerate() {
        let next = match step {
            Value::String(key) => node.get(key),
            index => index.as_u64().ok().and_then(|index| {
                let index = usize::try_from(index).ok()?;
                node.children().nth(index).filter(|_| node.is_list())
            }),
        };
        let Some(next) = next else {
            let rest = path.get(nth..).unwrap_or_default().iter().map(|step| match step {
                Value::String(key) => key.to_string(),
                other => other.to_string(),
            });
            return (head(document, node), Some(rest.collect::<Vec<_>>().join(".")));
        };
        node = next;
    }
    (if node.is_map() || node.is_list() { head(document, node) } else { node.span() }, None)
}

/// Where a map or list is shown: by its name, else by its key.
fn head(document: &Document, node: Node<'_>) -> Span {
    let name = node.get("name").filter(|name| name.as_str().is_some());
    let metadata = node.path(&["metadata", "name"]).map(|_| document.head);
    name.map(Node::span).or(node.key_span()).or(metadata).unwrap_or_else(|| node.span())
}
