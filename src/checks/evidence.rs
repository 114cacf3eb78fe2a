//! Cheap evidence that a selector which matches nothing is a mistake (void controls, E1 to E6).
//!
//! A naive "matches nothing" is wrong for most of its hits: what is selected often comes from a
//! chart or an operator. With one of these proofs the answer is certain all the same.

use crate::document::{ObjectId, Span};
use crate::model::{NAME_LABEL, Namespace, Operator, Requirement, Selector, Service, Workload};

/// Why a selector is a mistake, and what was meant.
pub(super) struct Evidence<'a> {
    /// Where the proof stands.
    pub(super) at: Span,
    /// What is to be seen there.
    pub(super) text: String,
    /// What to write instead.
    pub(super) help: String,
    /// The workload that was meant, where one is known.
    pub(super) meant: Option<&'a Workload>,
}

/// Evidence among the workloads and Services of the namespace that was meant.
pub(super) fn in_namespace<'a>(
    selector: &Selector,
    workloads: impl Iterator<Item = &'a Workload> + Clone,
    mut services: impl Iterator<Item = &'a Service>,
) -> Option<Evidence<'a>> {
    let wanted: Vec<(&Requirement, &str)> =
        selector.requirements.iter().filter_map(equals).collect();
    let missing = |workload: &Workload, requirement: &Requirement, value: &str| {
        workload.labels.value(&requirement.key) != Some(value)
    };
    for workload in workloads.clone() {
        for (requirement, value) in &wanted {
            if !missing(workload, requirement, value) {
                continue;
            }
            // E2: the same value under another key.
            let other =
                workload.labels.iter().find(|l| l.value == *value && l.key != requirement.key);
            if let Some(label) = other.filter(|label| related(&label.key, &requirement.key)) {
                return Some(Evidence {
                    at: label.span,
                    text: "the pods carry the value under this key".to_owned(),
                    help: format!("select `{}: {}`", label.key, label.value),
                    meant: Some(workload),
                });
            }
        }
        // E4: the labels are on the controller, not on its pods.
        let on_controller = !wanted.is_empty()
            && wanted.iter().all(|(r, value)| workload.own_labels.value(&r.key) == Some(value));
        let first = wanted.first().and_then(|(r, _)| workload.own_labels.get(&r.key));
        if let Some(label) = first.filter(|_| on_controller && workload.id.kind != "Pod") {
            return Some(Evidence {
                at: label.span,
                text: format!("this label is on the {}, not on its pods", workload.id.kind),
                help: format!(
                    "select labels of the pod template, or add `{}: {}` to it",
                    label.key, label.value
                ),
                meant: Some(workload),
            });
        }
    }
    // A value one edit away under the same key is a typo.
    for workload in workloads {
        for (requirement, value) in &wanted {
            let label = workload.labels.get(&requirement.key);
            if let Some(label) = label.filter(|label| is_typo(&label.value, value)) {
                return Some(Evidence {
                    at: label.span,
                    text: "the pods carry this value".to_owned(),
                    help: format!("select `{}: {}`", label.key, label.value),
                    meant: Some(workload),
                });
            }
        }
    }
    // E6: the labels of a Service, which no pod has.
    let service = services.find(|service| {
        service.selector.is_none() && wanted.iter().any(|(_, value)| *value == service.id.name)
    });
    service.map(|service| Evidence {
        at: service.span,
        text: "a Service has this name, no pod has the label".to_owned(),
        help: "select labels of the pods behind the Service".to_owned(),
        meant: None,
    })
}

/// E3: a key that is one edit or one casing away from a reserved one. No object can carry it.
pub(super) fn misspelt_key(selector: &Selector) -> Option<(&Requirement, &'static str)> {
    const RESERVED: [&str; 4] = [
        NAME_LABEL,
        "io.kubernetes.pod.namespace",
        "io.cilium.k8s.policy.serviceaccount",
        "io.cilium.k8s.policy.cluster",
    ];
    selector.requirements.iter().find_map(|requirement| {
        let key = requirement.key.rsplit_once(':').map_or(requirement.key.as_str(), |(_, key)| key);
        let near = RESERVED.into_iter().find(|reserved| key != *reserved && is_typo(key, reserved));
        near.map(|near| (requirement, near))
    })
}

/// E1: the value is the name of a Namespace that is present and lacks the label.
pub(super) fn unlabelled_namespace<'a>(
    selector: &Selector,
    named: impl Fn(&str) -> Option<&'a Namespace>,
) -> Option<Evidence<'a>> {
    let (requirement, value) = selector.requirements.iter().find_map(equals)?;
    let namespace = named(value).filter(|n| n.labels.get(&requirement.key).is_none())?;
    Some(Evidence {
        at: namespace.span,
        text: format!("this Namespace exists but carries no label `{}`", requirement.key),
        help: format!("select `{NAME_LABEL}: {value}`, which every namespace carries"),
        meant: None,
    })
}

/// The key and the one value that a requirement asks for.
fn equals(requirement: &Requirement) -> Option<(&Requirement, &str)> {
    let [value] = requirement.values.as_slice() else { return None };
    (requirement.operator == Operator::In).then_some((requirement, value.as_str()))
}

/// Whether two label keys are spellings of one thing: `app` and `app.kubernetes.io/name`.
fn related(a: &str, b: &str) -> bool {
    const NAMES: [&str; 6] = [
        "app",
        "name",
        "k8s-app",
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "component",
    ];
    let plain = |key: &str| key.rsplit_once(':').map_or(key, |(_, key)| key).to_owned();
    let (a, b) = (plain(a), plain(b));
    let last = |key: &str| key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    (NAMES.contains(&a.as_str()) && NAMES.contains(&b.as_str()))
        || last(&a) == last(&b)
        || is_typo(&a, &b)
}

/// One edit or another casing apart. Short words are too alike to tell.
pub(super) fn is_typo(a: &str, b: &str) -> bool {
    a != b
        && (a.eq_ignore_ascii_case(b)
            || a.len().min(b.len()) >= 5 && is_one_edit(a, b) && !differ_in_digits(a, b))
}

/// Whether one character was inserted, left out, replaced, or swapped with its neighbour.
fn is_one_edit(a: &str, b: &str) -> bool {
    if a.len().abs_diff(b.len()) > 4 {
        return false; // no character is longer
    }
    let start = a.chars().zip(b.chars()).take_while(|(x, y)| x == y);
    let start: usize = start.map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y);
    let end: usize = end.map(|(x, _)| x.len_utf8()).sum();
    let middle = |text: &str| text.get(..text.len() - end).unwrap_or_default().chars().collect();
    let (a, b): (Vec<char>, Vec<char>) = (middle(a), middle(b));
    match (a.as_slice(), b.as_slice()) {
        ([_], [] | [_]) | ([], [_]) => true,
        ([x, y], [v, w]) => (x, y) == (w, v),
        _ => false,
    }
}

/// `web-1` and `web-2` are two names, not a typo.
fn differ_in_digits(a: &str, b: &str) -> bool {
    let letters = |s: &str| s.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(a) == letters(b)
}

/// How a message names a policy: `NetworkPolicy `allow-web``.
pub(super) fn title(id: &ObjectId) -> String {
    format!("{} `{}`", id.kind, id.name)
}

#[cfg(test)]
mod tests {
    use super::is_one_edit;

    #[test]
    fn one_edit_is_what_the_distance_of_one_is() {
        let words =
            ["", "a", "ab", "ba", "aba", "aab", "aabb", "abab", "h\u{e9}", "he", "eh\u{e9}"];
        for a in words {
            for b in words {
                assert_eq!(is_one_edit(a, b), strsim::osa_distance(a, b) == 1, "{a:?} {b:?}");
            }
        }
    }
}
