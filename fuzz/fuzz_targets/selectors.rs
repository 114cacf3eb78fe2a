//! Selectors: written into a policy, read back, and compared with a second judgement of each part.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use palisade::config::Profile;
use palisade::document::{FileId, Inventory, ReadOptions, Reading, RootKind, read};
use palisade::model::{Lookup, Model, Operator, Selector, Truth};
use regex::Regex;

/// Words that meet: keys, values and what the API server refuses as either.
const WORDS: [&str; 24] = [
    "app",
    "web",
    "db",
    "tier",
    "",
    "a.b/app",
    "k8s-app",
    "app.kubernetes.io/name",
    "Web",
    "1",
    "a/b/c",
    "-x",
    "x-",
    "/x",
    "x/",
    "a..b/x",
    "-a/x",
    "A.b/x",
    "${APP}",
    "$APP",
    "$(APP)",
    "{{ .app }}",
    "<app>",
    "__APP__",
];

#[derive(Arbitrary, Debug)]
enum Word {
    Known(u8),
    Long(u8, u8),
    Free(String),
}

impl Word {
    fn text(&self) -> String {
        match self {
            Self::Known(at) => WORDS[usize::from(*at) % WORDS.len()].to_owned(),
            Self::Long(prefix, name) => {
                let (prefix, name) =
                    ("a".repeat(usize::from(*prefix)), "b".repeat(usize::from(*name)));
                if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
            }
            // The reader of YAML takes keys of up to 1,024 characters, escapes counted as written.
            Self::Free(text) => text.chars().take(80).collect(),
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Comparison {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

#[derive(Arbitrary, Debug)]
enum Label {
    Is(Word),
    Missing,
    Unknown,
}

#[derive(Arbitrary, Debug)]
struct Case {
    match_labels: Vec<(Word, Word)>,
    match_expressions: Vec<(Word, Comparison, Vec<Word>)>,
    object: Vec<(Word, Label)>,
    otherwise_unknown: bool,
}

/// A requirement in the test's own words.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    key: String,
    comparison: Comparison,
    values: Vec<String>,
}

fuzz_target!(|case: Case| {
    let labels: BTreeMap<String, String> =
        case.match_labels.iter().map(|(key, value)| (key.text(), value.text())).collect();
    let of_labels = labels.iter().map(|(key, value)| Part {
        key: key.clone(),
        comparison: Comparison::In,
        values: vec![value.clone()],
    });
    let of_expressions = case.match_expressions.iter().map(|(key, comparison, values)| Part {
        key: key.text(),
        comparison: *comparison,
        values: values.iter().map(Word::text).collect(),
    });
    let parts: Vec<Part> = of_labels.chain(of_expressions).collect();
    let Some(selector) = written_and_read(&labels, &parts[labels.len()..]) else { return };
    // Cilium's prefixes for the source of a label are accepted by the one reader of all selectors.
    if parts.iter().all(|part| !part.key.contains(':')) {
        assert_eq!(selector.broken.is_none(), parts.iter().all(is_valid), "{parts:?}");
    }
    let object: BTreeMap<String, Option<String>> = case
        .object
        .iter()
        .filter_map(|(key, label)| match label {
            Label::Is(value) => Some((key.text(), Some(value.text()))),
            Label::Missing => Some((key.text(), None)),
            Label::Unknown => None,
        })
        .collect();
    let lookup = |key: &str| match object.get(key) {
        Some(Some(value)) => Lookup::Is(value),
        Some(None) => Lookup::Missing,
        None if case.otherwise_unknown => Lookup::Unknown,
        None => Lookup::Missing,
    };
    if selector.broken.is_none() {
        read_as_written(&selector, &parts);
        let expected = parts.iter().map(|part| judged(part, lookup(&part.key)));
        let expected = expected.fold(Truth::Yes, Truth::and);
        assert_eq!(selector.matches(lookup), expected, "{parts:?} on {object:?}");
    }
    holds_together(&selector, &lookup);
});

/// The selector of a policy that is written as JSON; nothing where a value looks like a credential.
fn written_and_read(labels: &BTreeMap<String, String>, expressions: &[Part]) -> Option<Selector> {
    let expression = |part: &Part| {
        let operator = format!("{:?}", part.comparison);
        serde_json::json!({"key": part.key, "operator": operator, "values": part.values})
    };
    let expressions: Vec<_> = expressions.iter().map(expression).collect();
    let text = serde_json::json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"podSelector": {"matchLabels": labels, "matchExpressions": expressions}},
    });
    let text = text.to_string();
    let Reading { documents, problems, defects, .. } =
        read(FileId(0), &text, &ReadOptions::default());
    assert!(problems.is_empty() && documents.len() == 1, "{text} gave {problems:?}");
    if documents.iter().any(|document| !document.secrets.is_empty()) {
        return None;
    }
    let name = "one".to_owned();
    let inventory = Inventory::new(name, RootKind::Directory, documents, defects, Vec::new());
    let model = Model::build(&inventory, &Profile::default());
    let policies = model.part("n").map(|part| part.network_policies.as_slice()).unwrap_or_default();
    let [policy] = policies else { panic!("{} policies", policies.len()) };
    Some(policy.subject.clone())
}

fn read_as_written(selector: &Selector, parts: &[Part]) {
    let read = selector.requirements.iter().map(|requirement| Part {
        key: requirement.key.clone(),
        comparison: match requirement.operator {
            Operator::In => Comparison::In,
            Operator::NotIn => Comparison::NotIn,
            Operator::Exists => Comparison::Exists,
            Operator::DoesNotExist => Comparison::DoesNotExist,
        },
        values: requirement.values.clone(),
    });
    assert_eq!(read.collect::<Vec<_>>(), parts);
}

/// What the API server takes; a text that somebody has yet to fill in may become valid.
///
/// Source: kubernetes/apimachinery pkg/apis/meta/v1/validation (ValidateLabelSelectorRequirement)
/// and pkg/util/validation (IsQualifiedName, IsValidLabelValue).
fn is_valid(part: &Part) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$").expect("a constant")
    });
    static SUBDOMAIN: LazyLock<Regex> = LazyLock::new(|| {
        let label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
        Regex::new(&format!(r"^{label}(\.{label})*$")).expect("a constant")
    });
    let name = |text: &str| text.len() <= 63 && NAME.is_match(text);
    let key = match part.key.split_once('/') {
        _ if is_open(&part.key) => true,
        None => name(&part.key),
        Some((prefix, rest)) => prefix.len() <= 253 && SUBDOMAIN.is_match(prefix) && name(rest),
    };
    let wants = matches!(part.comparison, Comparison::In | Comparison::NotIn);
    let value = |value: &String| value.is_empty() || is_open(value) || name(value);
    key && wants != part.values.is_empty() && part.values.iter().all(value)
}

/// Whether a text has a variable that nobody has filled in.
fn is_open(text: &str) -> bool {
    static OPEN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)\$[{(A-Z_]|\{\{|^<.+>$|^__.+__$").expect("a constant"));
    OPEN.is_match(text)
}

fn judged(part: &Part, label: Lookup<'_>) -> Truth {
    let negative = matches!(part.comparison, Comparison::NotIn | Comparison::DoesNotExist);
    let sets = matches!(part.comparison, Comparison::In | Comparison::NotIn);
    let positive = match label {
        Lookup::Unknown => return Truth::Unknown,
        Lookup::Missing => false,
        Lookup::Is(_) if !sets => true,
        Lookup::Is(value) if part.values.iter().any(|wanted| wanted == value) => true,
        Lookup::Is(value) if is_open(value) => return Truth::Unknown,
        Lookup::Is(_) if part.values.iter().any(|wanted| is_open(wanted)) => return Truth::Unknown,
        Lookup::Is(_) => false,
    };
    Truth::certain(positive != negative)
}

/// What holds of every selector, a refused one included.
fn holds_together<'l>(selector: &Selector, lookup: &dyn Fn(&str) -> Lookup<'l>) {
    let truth = selector.matches(lookup);
    assert!(selector.broken.is_none() || truth != Truth::Yes, "a refused selector matches");
    for (at, requirement) in selector.requirements.iter().enumerate() {
        let alone = |operator: Operator| {
            let requirement = palisade::model::Requirement { operator, ..requirement.clone() };
            let selector = Selector { requirements: vec![requirement], broken: None, ..*selector };
            selector.matches(lookup)
        };
        assert!(truth <= alone(requirement.operator), "the whole holds and requirement {at} not");
        let negated = |truth| match truth {
            Truth::Yes => Truth::No,
            Truth::Unknown => Truth::Unknown,
            Truth::No => Truth::Yes,
        };
        assert_eq!(alone(Operator::In), negated(alone(Operator::NotIn)), "{requirement:?}");
        let (exists, missing) = (alone(Operator::Exists), alone(Operator::DoesNotExist));
        assert_eq!(exists, negated(missing), "{requirement:?}");
        // Knowing less never makes another answer certain.
        let hidden = |key: &str| if key == requirement.key { Lookup::Unknown } else { lookup(key) };
        let less = selector.matches(hidden);
        assert!(less == truth || less == Truth::Unknown, "{requirement:?}");
    }
}
