//! The other end of a connection, and whether a rule is about it.

use ipnet::IpNet;

use super::rule::{Dialect, Entity, NamespaceScope, PeerSet, Peers, ServiceTarget, Subject};
use crate::model::{Direction, Lookup, Model, Operator, Places, Selector, Truth, Workload};

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint<'a> {
    /// A pod of the input.
    Pod(&'a Workload),
    /// Any pod that may lie in any namespace, with labels that nobody knows.
    Stranger,
    /// Every address of a range outside the cluster.
    Range(IpNet),
    /// Any address outside the cluster.
    World,
}

impl<'a> Endpoint<'a> {
    /// The pod at which a named port is looked up: the subject for ingress, the peer for egress.
    pub(super) fn destination(
        &self,
        direction: Direction,
        subject: &'a Workload,
    ) -> Option<&'a Workload> {
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
            (Self::Pod(pod), PeerSet::Service { target, .. }) => match target {
                ServiceTarget::Pods { namespace, selector } if *namespace == pod.id.namespace => {
                    selects_labels(selector, pod, Dialect::Kubernetes, model)
                }
                _ => Truth::No,
            },
            (_, PeerSet::Entity { entity, .. }) => self.is_entity(*entity),
            (Self::Pod(pod), PeerSet::Pods { namespaces, pods, dialect, .. }) => {
                if pod.pod.uses_host_network() {
                    return Truth::No; // its address is the node's (N12)
                }
                let place = namespace_matches(namespaces, &pod.id.namespace, model);
                let labels = pods
                    .as_ref()
                    .map_or(Truth::Yes, |selector| selects_labels(selector, pod, *dialect, model));
                place.and(labels)
            }
            (Self::Stranger, PeerSet::Pods { namespaces, pods, .. }) => {
                let everywhere = match namespaces {
                    NamespaceScope::All => true,
                    NamespaceScope::Matching(selector) => selector.matches_all(),
                    NamespaceScope::One(_) => false,
                };
                let everyone = pods.as_ref().is_none_or(Selector::matches_all);
                Truth::certain(everywhere && everyone)
            }
            (Self::Range(range), PeerSet::Cidr { net, except, .. }) => {
                let inside = net.contains(range);
                let cut = except.iter().any(|cut| cut.contains(range) || range.contains(cut));
                Truth::certain(inside && !cut)
            }
            (Self::World, PeerSet::Cidr { net, .. }) => Truth::certain(net.prefix_len() == 0),
            // CIDR rules never match pods, pod selectors never match addresses (N9, C13); addresses
            // learned for a name are not a range.
            _ => Truth::No,
        }
    }

    fn is_entity(&self, entity: Entity) -> Truth {
        Truth::certain(matches!(
            (entity, self),
            (Entity::All, _)
                | (Entity::World, Self::Range(_) | Self::World)
                | (Entity::Cluster, Self::Pod(_) | Self::Stranger)
        ))
    }
}

pub(crate) fn namespace_matches(scope: &NamespaceScope, namespace: &str, model: &Model) -> Truth {
    match scope {
        NamespaceScope::All => Truth::Yes,
        NamespaceScope::One(name) => Truth::certain(name == namespace),
        NamespaceScope::Matching(selector) => model.selects_namespace(selector, namespace),
    }
}

/// Whether a subject includes a pod. Pods in the host's network are in no subject.
pub(crate) fn selects(subject: &Subject, pod: &Workload, model: &Model) -> Truth {
    if pod.pod.uses_host_network() {
        return Truth::No;
    }
    let place = namespace_matches(&subject.namespaces, &pod.id.namespace, model);
    if place == Truth::No {
        return Truth::No;
    }
    place.and(selects_labels(&subject.pods, pod, subject.dialect, model))
}

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

/// Numbers of the workloads that `pods` may match at some places, in the order of the model, replaced
/// ones last. Some that it does not match may be among them; no other one can be meant.
pub(super) fn candidates(
    places: &Places<'_>,
    pods: Option<&Selector>,
    dialect: Dialect,
    model: &Model,
) -> Vec<u32> {
    model.may_match(places, pods, |key| match dialect {
        Dialect::Kubernetes => Some(key),
        Dialect::Cilium => pod_label(key),
    })
}

/// Like [`candidates`], the workloads themselves.
pub(crate) fn may_match<'m>(
    places: &Places<'_>,
    pods: Option<&Selector>,
    dialect: Dialect,
    model: &'m Model,
) -> impl Iterator<Item = &'m Workload> + use<'m> {
    let numbers = candidates(places, pods, dialect, model);
    numbers.into_iter().filter_map(|number| model.workload(number))
}

/// Where the pods lie that `namespaces` and `pods` mean together.
pub(crate) fn places<'s>(
    namespaces: &'s NamespaceScope,
    pods: Option<&'s Selector>,
    dialect: Dialect,
) -> Places<'s> {
    match namespaces {
        NamespaceScope::One(name) => Places::Named(vec![name]),
        NamespaceScope::Matching(selector) => Places::Matching(selector),
        NamespaceScope::All => {
            let named = pods.filter(|_| dialect == Dialect::Cilium).and_then(named_namespaces);
            named.map_or(Places::Anywhere, Places::Named)
        }
    }
}

/// The namespaces to which a Cilium selector limits itself.
fn named_namespaces(selector: &Selector) -> Option<Vec<&str>> {
    let named = selector.requirements.iter().find(|requirement| {
        let (source, key) = split_source(&requirement.key);
        requirement.operator == Operator::In
            && KUBERNETES.contains(&source)
            && key == NAMESPACE_KEY
            && !requirement.values.iter().any(|value| value.contains('$'))
    });
    named.map(|requirement| requirement.values.iter().map(String::as_str).collect())
}

/// The label of the pod for which a key of a Cilium selector stands, unless it stands for something
/// that Cilium derives.
fn pod_label(key: &str) -> Option<&str> {
    let (source, name) = split_source(key);
    let derived = [NAMESPACE_KEY, ACCOUNT_KEY, CLUSTER_KEY].contains(&name)
        || name.starts_with(NAMESPACE_LABELS);
    (KUBERNETES.contains(&source) && !derived).then_some(name)
}

/// Sources of labels that stand for Kubernetes'; the empty one is none written.
const KUBERNETES: [&str; 3] = ["", "k8s", "any"];
const NAMESPACE_KEY: &str = "io.kubernetes.pod.namespace";
const ACCOUNT_KEY: &str = "io.cilium.k8s.policy.serviceaccount";
const CLUSTER_KEY: &str = "io.cilium.k8s.policy.cluster";

/// A label as Cilium sees it: with its source, and with what Cilium derives (C7).
fn cilium_label<'l>(key: &str, pod: &'l Workload, model: &'l Model) -> Lookup<'l> {
    let (source, name) = split_source(key);
    if !KUBERNETES.contains(&source) {
        return Lookup::Missing;
    }
    match name {
        NAMESPACE_KEY => Lookup::Is(&pod.id.namespace),
        ACCOUNT_KEY => Lookup::Is(pod.pod.account()),
        CLUSTER_KEY => Lookup::Unknown,
        _ => match name.strip_prefix(NAMESPACE_LABELS) {
            Some(label) => model.namespace_label(&pod.id.namespace, label),
            None => pod.label(name),
        },
    }
}

/// Prefix of the labels that Cilium copies from a pod's namespace.
pub(crate) const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";

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

/// Whether a rule protects every pod of a namespace, those of tomorrow included.
pub(crate) fn covers_namespace(rule: &super::rule::Rule, namespace: &str, model: &Model) -> Truth {
    let subject = &rule.subject;
    let place = namespace_matches(&subject.namespaces, namespace, model);
    if place == Truth::No {
        return Truth::No;
    }
    // Labels of the namespace hold for all of its pods, labels of pods for some.
    let labels = subject.pods.matches(|key| {
        let (_, name) = split_source(key);
        match (subject.dialect, name.strip_prefix(NAMESPACE_LABELS)) {
            (Dialect::Cilium, Some(label)) => model.namespace_label(namespace, label),
            (Dialect::Cilium, None) if name == NAMESPACE_KEY => {
                model.namespace_label(namespace, crate::model::NAME_LABEL)
            }
            _ => Lookup::Is(""),
        }
    });
    if is_for_all_pods(rule) { place.and(labels) } else { Truth::No }
}

/// Whether no label of a pod decides whether a rule selects it.
pub(crate) fn is_for_all_pods(rule: &super::rule::Rule) -> bool {
    rule.subject.pods.requirements.iter().all(|requirement| {
        let (_, name) = split_source(&requirement.key);
        rule.subject.dialect == Dialect::Cilium
            && (name.starts_with(NAMESPACE_LABELS) || name == NAMESPACE_KEY)
    })
}
