//! The other end of a connection, and whether a rule is about it.

use ipnet::IpNet;

use super::rule::{Dialect, Entity, NamespaceScope, PeerSet, Peers, ServiceTarget, Subject};
use crate::model::{Direction, Lookup, Model, Selector, Truth, Workload};

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

/// A label as Cilium sees it: with its source, and with what Cilium derives (C7).
fn cilium_label<'l>(key: &str, pod: &'l Workload, model: &'l Model) -> Lookup<'l> {
    let (source, name) = split_source(key);
    if !matches!(source, "" | "k8s" | "any") {
        return Lookup::Missing;
    }
    match name {
        "io.kubernetes.pod.namespace" => Lookup::Is(&pod.id.namespace),
        "io.cilium.k8s.policy.serviceaccount" => Lookup::Is(pod.pod.account()),
        "io.cilium.k8s.policy.cluster" => Lookup::Unknown,
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
            (Dialect::Cilium, None) if name == "io.kubernetes.pod.namespace" => {
                model.namespace_label(namespace, crate::model::NAME_LABEL)
            }
            _ => Lookup::Is(""),
        }
    });
    let by_pod_labels = subject.pods.requirements.iter().any(|requirement| {
        let (_, name) = split_source(&requirement.key);
        subject.dialect == Dialect::Kubernetes
            || !(name.starts_with(NAMESPACE_LABELS) || name == "io.kubernetes.pod.namespace")
    });
    if by_pod_labels { Truth::No } else { place.and(labels) }
}
