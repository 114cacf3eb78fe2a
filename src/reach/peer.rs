//! The other end of a connection, and whether a rule is about it.

use ipnet::IpNet;

use super::rule::{Dialect, Entity, NamespaceScope, PeerSet, Peers, ServiceTarget, Subject};
use crate::model::{
    Direction, Lookup, Model, Operator, Places, Requirement, Selector, Truth, Workload,
};

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint<'a> {
    /// A pod of the input.
    Pod(&'a Workload),
    /// Any pod, in whatever namespace and with whatever labels: what holds for it holds for every
    /// pod that somebody may deploy.
    Stranger,
    /// Every address of a range outside the cluster. Answers are exact for the ranges of
    /// [`super::Reach::ranges`], which no rule divides.
    Range(IpNet),
    /// An address outside the cluster that the DNS proxy has learned for a name.
    Name(&'a str),
    /// Something without labels that belongs to the cluster, such as a node.
    Entity(Entity),
}

impl<'a> Endpoint<'a> {
    /// The pod at which a named port is looked up: the subject for ingress, the peer for egress.
    #[must_use]
    pub fn destination(&self, direction: Direction, subject: &'a Workload) -> Option<&'a Workload> {
        match (direction, self) {
            (Direction::Ingress, _) => Some(subject),
            (Direction::Egress, Self::Pod(pod)) => Some(pod),
            (Direction::Egress, _) => None,
        }
    }

    /// Whether peers include this endpoint.
    pub(super) fn matches(&self, peers: &Peers, model: &Model) -> Truth {
        match peers {
            Peers::Any => Truth::Yes,
            Peers::Nobody => Truth::No,
            Peers::Set(set) => {
                set.iter().map(|peer| self.is_in(peer, model)).fold(Truth::No, Truth::or)
            }
        }
    }

    fn is_in(&self, peer: &PeerSet, model: &Model) -> Truth {
        match (self, peer) {
            (
                _,
                PeerSet::Unknown { .. } | PeerSet::Service { target: ServiceTarget::Unknown, .. },
            ) => Truth::Unknown,
            (_, PeerSet::Entity { entity, .. }) => self.is_entity(*entity),
            (Self::Pod(pod), PeerSet::Cidr { .. }) if pod.pod.uses_host_network() => {
                Truth::Unknown // whether a range matches its node's address (N9)
            }
            (Self::Pod(pod), _) if pod.pod.uses_host_network() => Truth::No, // N12
            (Self::Pod(pod), PeerSet::Service { target: ServiceTarget::Pods(services), .. }) => {
                let behind = services.iter().map(|(place, selector)| {
                    let labels = selects_labels(selector, pod, Dialect::Cilium, model);
                    place.is(&pod.home()).and(labels)
                });
                behind.fold(Truth::No, Truth::or)
            }
            (Self::Pod(pod), PeerSet::Pods { namespaces, pods, dialect, .. }) => {
                let place = namespace_matches(namespaces, pod, model);
                let labels = pods
                    .as_ref()
                    .map_or(Truth::Yes, |selector| selects_labels(selector, pod, *dialect, model));
                place.and(labels)
            }
            (Self::Stranger, PeerSet::Pods { namespaces, pods, .. }) => {
                let everyone = pods.as_ref().is_none_or(Selector::matches_all);
                if namespaces.is_everywhere() && everyone { Truth::Yes } else { Truth::Unknown }
            }
            (Self::Stranger, PeerSet::Service { .. }) => Truth::Unknown,
            (Self::Range(range), PeerSet::Cidr { net, except, .. }) => {
                is_in_range(range, net, except)
            }
            (Self::Name(name), PeerSet::Fqdn { pattern, .. }) => {
                Truth::certain(name_matches(name, pattern))
            }
            (Self::Name(_), PeerSet::Cidr { net, except, .. }) => {
                let any = net.prefix_len() == 0 && except.is_empty();
                if any { Truth::Yes } else { Truth::Unknown }
            }
            // CIDR rules never match pods, pod selectors never match addresses (N9, C13); addresses
            // learned for a name are not a range.
            _ => Truth::No,
        }
    }

    fn is_entity(&self, entity: Entity) -> Truth {
        let own = match self {
            Self::Entity(own) => Some(*own),
            _ => None,
        };
        let on_a_node = matches!(self, Self::Pod(pod) if pod.pod.uses_host_network());
        match entity {
            Entity::All => Truth::Yes,
            Entity::World => Truth::certain(matches!(self, Self::Range(_) | Self::Name(_))),
            Entity::Cluster => {
                let pod = matches!(self, Self::Pod(_) | Self::Stranger);
                Truth::certain(pod || own.is_some())
            }
            // Its own node or another one: that depends on where the two pods run.
            Entity::Host | Entity::RemoteNode if on_a_node => Truth::Unknown,
            other => Truth::certain(own == Some(other) && other != Entity::None),
        }
    }
}

impl NamespaceScope {
    /// Whether every namespace is meant, those of tomorrow included.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        match self {
            Self::All => true,
            Self::One(_) => false,
            // Every namespace has its name as a label.
            Self::Matching(selector) => {
                let always = |r: &Requirement| {
                    r.key == crate::model::NAME_LABEL && r.operator == Operator::Exists
                };
                selector.broken.is_none() && selector.requirements.iter().all(always)
            }
        }
    }
}

/// Whether all of a range is in a CIDR with exceptions; unknown where it is divided.
fn is_in_range(range: &IpNet, net: &IpNet, except: &[IpNet]) -> Truth {
    if !net.contains(range) {
        return if range.contains(net) { Truth::Unknown } else { Truth::No };
    }
    if except.iter().any(|cut| cut.contains(range)) {
        return Truth::No;
    }
    let divided = except.iter().any(|cut| range.contains(cut));
    if divided { Truth::Unknown } else { Truth::Yes }
}

/// Whether a name fits a pattern of Cilium: `*` stands for any part of one label, `**.` in front for
/// one label or more, and `*` alone for every name (C12).
fn name_matches(name: &str, pattern: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    let (name, pattern) = (plain(name), plain(pattern));
    if pattern == "*" {
        return true;
    }
    let Some(rest) = pattern.strip_prefix("**.") else { return labels_match(&name, &pattern) };
    let mut tails = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
    tails.any(|tail| labels_match(tail, rest))
}

fn labels_match(name: &str, pattern: &str) -> bool {
    let (names, patterns) = (name.split('.'), pattern.split('.'));
    names.clone().count() == patterns.clone().count()
        && names.zip(patterns).all(|(label, pattern)| glob(label, pattern))
}

/// Whether a text fits a pattern in which `*` stands for any part.
fn glob(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).any(|skip| tail.get(skip..).is_some_and(|tail| glob(tail, rest)))
        }),
    }
}

/// Whether the namespace of a workload is in a scope.
pub(crate) fn namespace_matches(scope: &NamespaceScope, pod: &Workload, model: &Model) -> Truth {
    match scope {
        NamespaceScope::All => Truth::Yes,
        NamespaceScope::One(place) => place.is(&pod.home()),
        NamespaceScope::Matching(selector) => model.selects_namespace_of(selector, pod),
    }
}

/// Whether a subject names a pod, be it out of reach in the host's network.
pub(crate) fn claims(subject: &Subject, pod: &Workload, model: &Model) -> Truth {
    let place = namespace_matches(&subject.namespaces, pod, model);
    if place == Truth::No {
        return Truth::No;
    }
    place.and(selects_labels(&subject.pods, pod, subject.dialect, model))
}

/// Whether a selector matches the labels of a pod.
pub(crate) fn selects_labels(
    selector: &Selector,
    pod: &Workload,
    dialect: Dialect,
    model: &Model,
) -> Truth {
    match dialect {
        Dialect::Kubernetes => selector.matches(|key| pod.label(key)),
        Dialect::Cilium => selector.matches(|key| cilium_label(key, pod, model)),
    }
}

/// Numbers of the workloads in force that `pods` may match in a scope, in the order of the model.
/// Some that it does not match may be among them; no other one can be meant.
pub(crate) fn candidates(
    scope: &NamespaceScope,
    pods: Option<&Selector>,
    dialect: Dialect,
    model: &Model,
) -> Vec<u32> {
    let places = match scope {
        NamespaceScope::One(home) if !home.is_assumed() => Places::Named(&home.name),
        NamespaceScope::Matching(selector) => Places::Matching(selector),
        NamespaceScope::One(_) | NamespaceScope::All => Places::Anywhere,
    };
    model.may_match(&places, pods, |key| match dialect {
        Dialect::Kubernetes => Some(key),
        Dialect::Cilium => pod_label(key),
    })
}

/// The label of the pod for which a key of a Cilium selector stands, unless it stands for something
/// that Cilium derives.
fn pod_label(key: &str) -> Option<&str> {
    let (source, name) = split_source(key);
    let derived = name.starts_with("io.cilium.") || name == NAMESPACE_KEY;
    (KUBERNETES.contains(&source) && !derived).then_some(name)
}

/// Sources of labels that stand for those of Kubernetes; the empty one is none written.
const KUBERNETES: [&str; 3] = ["", "k8s", "any"];

/// A label as Cilium sees it: with its source, and with what Cilium derives (C7, C21).
fn cilium_label<'l>(key: &str, pod: &'l Workload, model: &'l Model) -> Lookup<'l> {
    let (source, name) = split_source(key);
    if !KUBERNETES.contains(&source) {
        return Lookup::Missing;
    }
    let assumed = pod.namespace == crate::document::NamespaceSource::Assumed;
    match name {
        NAMESPACE_KEY if assumed => Lookup::Unknown,
        NAMESPACE_KEY => Lookup::Is(&pod.id.namespace),
        "io.cilium.k8s.policy.serviceaccount" => Lookup::Is(pod.pod.account()),
        "io.cilium.k8s.policy.cluster" => Lookup::Unknown,
        _ => match name.strip_prefix(NAMESPACE_LABELS) {
            Some(_) if assumed => Lookup::Unknown,
            Some(label) => model.namespace_label(&pod.id.namespace, label),
            None if is_left_out(name) => Lookup::Missing,
            None => pod.label(name),
        },
    }
}

/// The label of a pod's namespace.
pub(crate) const NAMESPACE_KEY: &str = "io.kubernetes.pod.namespace";

/// Prefix of the labels that Cilium copies from a pod's namespace.
pub(crate) const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";

/// Whether Cilium leaves a label of the pod out of its identity, unless its agent is told otherwise.
///
/// Source: cilium/cilium pkg/labelsfilter/filter.go.
pub(crate) fn is_left_out(key: &str) -> bool {
    const PREFIXES: [&str; 13] = [
        "io.kubernetes",
        "kubernetes.io",
        "k8s.io",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/controller-uid",
        "pod-template-generation",
        "pod-template-hash",
        "controller-revision-hash",
        "annotation",
        "controller-uid",
        "etcd_node",
    ];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || key.contains("beta.kubernetes.io")
}

/// Splits `k8s:app` into source and key; the source is empty where none is written.
pub(crate) fn split_source(key: &str) -> (&str, &str) {
    match key.split_once(':') {
        Some((source, name))
            if source.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) =>
        {
            (source, name)
        }
        _ => ("", key),
    }
}

/// Parts a selector of Cilium into what it asks of the namespace, as a selector of Namespace labels,
/// and what it asks of the pod.
pub(super) fn part_by_namespace(selector: &Selector) -> (Option<Selector>, Selector) {
    let mut namespace = Selector { requirements: Vec::new(), ..selector.clone() };
    let mut pods = namespace.clone();
    for requirement in &selector.requirements {
        match namespace_requirement(requirement) {
            Some(requirement) => namespace.requirements.push(requirement),
            None => pods.requirements.push(requirement.clone()),
        }
    }
    let named = !namespace.requirements.is_empty();
    (named.then_some(namespace), pods)
}

fn namespace_requirement(requirement: &Requirement) -> Option<Requirement> {
    let (source, name) = split_source(&requirement.key);
    let key = match name.strip_prefix(NAMESPACE_LABELS) {
        _ if !KUBERNETES.contains(&source) => return None,
        Some(label) => label,
        None if name == NAMESPACE_KEY => crate::model::NAME_LABEL,
        None => return None,
    };
    Some(Requirement { key: key.to_owned(), ..requirement.clone() })
}

/// Whether a rule protects every pod of a namespace, those of tomorrow included.
pub(crate) fn covers_namespace(rule: &super::rule::Rule, place: &str, model: &Model) -> Truth {
    let subject = &rule.subject;
    if !subject.pods.matches_all() {
        return Truth::No;
    }
    match &subject.namespaces {
        NamespaceScope::All => Truth::Yes,
        NamespaceScope::Matching(selector) => model.selects_namespace(selector, place),
        NamespaceScope::One(own) if own.is_assumed() => {
            let named = |workload: &Workload| {
                workload.namespace != crate::document::NamespaceSource::Assumed
            };
            let part = model.part(place);
            let alone = part.is_some_and(|part| !part.workloads.iter().any(named));
            if own.name == place && alone { Truth::Yes } else { Truth::Unknown }
        }
        NamespaceScope::One(own) => Truth::certain(own.name == place),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_in_range, is_left_out, name_matches, split_source};
    use crate::model::Truth;

    #[test]
    fn a_pattern_matches_names_as_the_dns_proxy_does() {
        let cases = [
            ("api.example.com", "api.example.com", true),
            ("API.example.com.", "api.Example.com", true),
            ("api.example.com", "*.example.com", true),
            ("a.b.example.com", "*.example.com", false),
            ("example.com", "*.example.com", false),
            ("a.b.example.com", "**.example.com", true),
            ("example.com", "**.example.com", false),
            ("cdn-7.example.com", "cdn-*.example.com", true),
            ("cdn-7.example.org", "cdn-*.example.com", false),
            ("anything.at.all", "*", true),
        ];
        for (name, pattern, expected) in cases {
            assert_eq!(name_matches(name, pattern), expected, "{name} against {pattern}");
        }
    }

    #[test]
    fn a_range_that_a_rule_divides_is_neither_in_nor_out() {
        let net = |text: &str| text.parse().expect("a range");
        let cases = [
            ("10.1.0.0/16", "10.0.0.0/8", "", Truth::Yes),
            ("10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/9", Truth::No),
            ("10.1.0.0/16", "10.0.0.0/8", "10.1.2.0/24", Truth::Unknown),
            ("10.0.0.0/8", "10.1.0.0/16", "", Truth::Unknown),
            ("192.0.2.0/24", "10.0.0.0/8", "", Truth::No),
            ("2001:db8::/32", "0.0.0.0/0", "", Truth::No),
        ];
        for (range, cidr, except, expected) in cases {
            let cuts: Vec<_> = except.split_terminator(',').map(net).collect();
            assert_eq!(is_in_range(&net(range), &net(cidr), &cuts), expected, "{range} in {cidr}");
        }
    }

    #[test]
    fn a_source_is_split_off_only_where_one_is_written() {
        assert_eq!(split_source("k8s:app"), ("k8s", "app"));
        assert_eq!(
            split_source("any:io.kubernetes.pod.namespace"),
            ("any", "io.kubernetes.pod.namespace")
        );
        assert_eq!(split_source("app.kubernetes.io/name"), ("", "app.kubernetes.io/name"));
    }

    #[test]
    fn labels_of_controllers_are_no_part_of_an_identity() {
        for key in ["pod-template-hash", "statefulset.kubernetes.io/pod-name", "k8s.io/x"] {
            assert!(is_left_out(key), "{key}");
        }
        for key in ["app", "app.kubernetes.io/name", "topology.kubernetes.io/zone", "k8s-app"] {
            assert!(!is_left_out(key), "{key}");
        }
    }
}
