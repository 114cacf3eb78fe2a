//! Cheap evidence that a selector which matches nothing is a mistake (void controls, E1 to E6).
//!
//! A naive "matches nothing" is wrong for most of its hits: what is selected often comes from a
//! chart or an operator. With one of these proofs the answer is certain all the same.

use crate::document::{ObjectId, Span};
use crate::model::{
    NAME_LABEL, Namespace, Operator, Requirement, Selector, Service, Truth, Workload,
};
use crate::reach::{Dialect, is_left_out, split_source};

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
    /// Whether it proves the mistake, or only helps to mend one that is certain anyway.
    pub(super) proves: bool,
}

/// Evidence among the workloads and Services of the namespace that was meant.
pub(super) fn in_namespace<'a>(
    selector: &Selector,
    workloads: &[&'a Workload],
    services: &[&'a Service],
) -> Option<Evidence<'a>> {
    let wanted: Vec<Wanted<'_>> = selector.requirements.iter().filter_map(equals).collect();
    let of_pods = workloads.iter().find_map(|w| other_key(w, &wanted));
    of_pods
        .or_else(|| workloads.iter().find_map(|w| on_controller(w, &wanted)))
        .or_else(|| services.iter().find_map(|s| of_service(s, workloads, &wanted)))
        .or_else(|| workloads.iter().find_map(|w| other_value(w, &wanted)))
}

/// E2: the pods carry the value under another key.
fn other_key<'a>(workload: &'a Workload, wanted: &[Wanted<'_>]) -> Option<Evidence<'a>> {
    wanted.iter().filter(|w| !w.holds(workload)).find_map(|wanted| {
        let mut labels = workload.labels.iter().filter(|label| label.value == wanted.value);
        let label = labels.find(|label| related(&label.key, wanted.key))?;
        Some(Evidence {
            at: label.span,
            text: "the pods carry the value under this key".to_owned(),
            help: format!("select `{}: {}`", label.key, label.value),
            meant: Some(workload),
            proves: true,
        })
    })
}

/// E4: the labels are on the controller, not on its pods.
fn on_controller<'a>(workload: &'a Workload, wanted: &[Wanted<'_>]) -> Option<Evidence<'a>> {
    let own = |w: &Wanted<'_>| workload.own_labels.value(w.key) == Some(w.value);
    if workload.id.kind == "Pod" || !wanted.iter().all(own) {
        return None;
    }
    let missing = wanted.iter().find(|wanted| !wanted.holds(workload))?;
    let label = workload.own_labels.get(missing.key)?;
    Some(Evidence {
        at: label.span,
        text: format!("this label is on the {}, not on its pods", workload.id.kind),
        help: format!(
            "select labels of the pod template, or add `{}: {}` to it",
            label.key, label.value
        ),
        meant: Some(workload),
        proves: true,
    })
}

/// E6: a Service carries the labels, and the pods behind it do not.
fn of_service<'a>(
    service: &'a Service,
    workloads: &[&'a Workload],
    wanted: &[Wanted<'_>],
) -> Option<Evidence<'a>> {
    let own = |w: &Wanted<'_>| service.labels.value(w.key) == Some(w.value);
    let selector = service.selector.as_ref().filter(|_| wanted.iter().all(own))?;
    let behind = |w: &&&Workload| selector.matches(|key| w.label(key)) == Truth::Yes;
    let meant = workloads.iter().find(behind).copied()?;
    let missing = wanted.iter().find(|wanted| !wanted.holds(meant))?;
    let label = service.labels.get(missing.key)?;
    Some(Evidence {
        at: label.span,
        text: "this label is on the Service, not on the pods behind it".to_owned(),
        help: "select labels of the pods behind the Service".to_owned(),
        meant: Some(meant),
        proves: true,
    })
}

/// The pods carry a value that is one edit away under the same key. Two names may be that close, so
/// it proves nothing.
fn other_value<'a>(workload: &'a Workload, wanted: &[Wanted<'_>]) -> Option<Evidence<'a>> {
    wanted.iter().find_map(|wanted| {
        let label = workload.labels.get(wanted.key)?;
        is_typo(&label.value, wanted.value).then(|| Evidence {
            at: label.span,
            text: "the pods carry this value".to_owned(),
            help: format!("select `{}: {}`", label.key, label.value),
            meant: Some(workload),
            proves: false,
        })
    })
}

/// E3: a key that is one edit or one casing away from a reserved one, or that Cilium leaves out of
/// its identities. No object can carry it.
pub(super) fn impossible_key(selector: &Selector, dialect: Dialect) -> Option<Evidence<'static>> {
    selector.requirements.iter().find_map(|requirement| {
        let key = split_source(&requirement.key).1;
        let (text, help) = if let Some(reserved) = near_reserved(key) {
            let text = format!("no object carries this key; `{reserved}` exists");
            (text, format!("write `{reserved}`"))
        } else if dialect == Dialect::Cilium && is_left_out(key) && !key.starts_with("io.kube") {
            let text = "Cilium leaves this label out of what identifies a pod".to_owned();
            (text, "select a label that Cilium counts, such as `app`".to_owned())
        } else {
            return None;
        };
        let at = requirement.key_span;
        Some(Evidence { at, text, help, meant: None, proves: true })
    })
}

fn near_reserved(key: &str) -> Option<&'static str> {
    const RESERVED: [&str; 4] = [
        NAME_LABEL,
        "io.kubernetes.pod.namespace",
        "io.cilium.k8s.policy.serviceaccount",
        "io.cilium.k8s.policy.cluster",
    ];
    let near = || RESERVED.into_iter().find(|reserved| is_typo(key, reserved));
    if RESERVED.contains(&key) { None } else { near() }
}

/// E1: the value is the name of a Namespace that is present and lacks the label.
pub(super) fn unlabelled_namespace<'a>(
    selector: &Selector,
    namespace: impl Fn(&str) -> Option<&'a Namespace>,
) -> Option<Evidence<'static>> {
    let wanted = selector.requirements.iter().filter_map(equals);
    wanted.filter(|wanted| wanted.key != NAME_LABEL).find_map(|wanted| {
        let namespace = namespace(wanted.value).filter(|n| n.labels.get(wanted.key).is_none())?;
        Some(Evidence {
            at: namespace.span,
            text: format!("this Namespace exists but carries no label `{}`", wanted.key),
            help: format!("select `{NAME_LABEL}: {}`, which every namespace carries", wanted.value),
            meant: None,
            proves: true,
        })
    })
}

/// The key, without its source, and the one value that a requirement asks for.
struct Wanted<'s> {
    key: &'s str,
    value: &'s str,
}

impl Wanted<'_> {
    fn holds(&self, workload: &Workload) -> bool {
        workload.labels.value(self.key) == Some(self.value)
    }
}

fn equals(requirement: &Requirement) -> Option<Wanted<'_>> {
    let [value] = requirement.values.as_slice() else { return None };
    let key = split_source(&requirement.key).1;
    (requirement.operator == Operator::In).then_some(Wanted { key, value })
}

/// Where a selector fails: the first condition that nothing meets by itself, else the whole, and the
/// words for it.
pub(super) fn blame(
    selector: &Selector,
    meets: impl Fn(&Selector) -> bool,
) -> (Span, &'static str) {
    let alone = |requirement: &Requirement| Selector {
        requirements: vec![requirement.clone()],
        span: requirement.span,
        broken: None,
    };
    let failing = selector.requirements.iter().find(|r| !meets(&alone(r)));
    match failing {
        Some(failing) if failing.operator == Operator::In => (failing.span, "has this label"),
        Some(failing) => (failing.span, "meets this condition"),
        None => (selector.span, "has all of these labels"),
    }
}

/// Whether two different label keys are spellings of one thing: `app` and `app.kubernetes.io/name`.
fn related(a: &str, b: &str) -> bool {
    const NAMES: [&str; 6] = [
        "app",
        "name",
        "k8s-app",
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "component",
    ];
    let last = |key: &str| key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    a != b && ((NAMES.contains(&a) && NAMES.contains(&b)) || last(a) == last(b) || is_typo(a, b))
}

/// One edit or another casing apart. Short words are too alike to tell, and so are names that differ
/// in a number or in a short part: `web-1` and `web-2`, `team-a` and `team-b`.
pub(super) fn is_typo(a: &str, b: &str) -> bool {
    a != b
        && (a.eq_ignore_ascii_case(b)
            || a.len().min(b.len()) >= 5
                && a.len().abs_diff(b.len()) <= char::MAX.len_utf8()
                && strsim::osa_distance(a, b) == 1
                && !differ_in_digits(a, b)
                && !differ_in_short_part(a, b))
}

fn differ_in_digits(a: &str, b: &str) -> bool {
    let letters = |s: &str| s.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(a) == letters(b)
}

fn differ_in_short_part(a: &str, b: &str) -> bool {
    let parts = |s: &str| -> Vec<String> {
        s.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect()
    };
    let (a, b) = (parts(a), parts(b));
    let mut differing = a.iter().zip(&b).filter(|(x, y)| x != y);
    a.len() == b.len() && differing.all(|(x, y)| x.len().min(y.len()) < 4)
}

/// How a message names a policy: `NetworkPolicy `allow-web``.
pub(super) fn title(id: &ObjectId) -> String {
    id.title()
}

#[cfg(test)]
mod tests {
    use super::{is_typo, related};

    #[test]
    fn a_typo_is_one_edit_in_a_word_long_enough_to_tell() {
        let cases = [
            ("payment-api", "payments-api", true),
            ("io.kubernetes.pod.namespace", "io.kubernetes.pod.namespaces", true),
            ("Kubernetes.io/metadata.name", "kubernetes.io/metadata.name", true),
            ("app", "App", true),
            ("web", "wep", false),
            ("team-a", "team-b", false),
            ("shard-1", "shard-2", false),
            ("frontend", "backend", false),
            ("same-name", "same-name", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(is_typo(a, b), expected, "{a} and {b}");
        }
    }

    #[test]
    fn keys_are_related_where_they_mean_the_same() {
        let cases = [
            ("app", "app.kubernetes.io/name", true),
            ("k8s-app", "app", true),
            ("example.com/tier", "tier", true),
            ("app", "app", false),
            ("app", "tier", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(related(a, b), expected, "{a} and {b}");
        }
    }
}
