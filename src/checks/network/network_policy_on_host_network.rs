use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{CiliumPolicy, Direction, Truth, Workload};
use crate::reach::{Dialect, NamespaceScope, Subject, cilium_subjects, claims, selects_labels};

check! {
    /// Flags policies that claim pods in their node's network, which no policy reaches.
    ///
    /// ## Why it matters
    /// Traffic of such a pod carries the node's address. Network policies and mesh rules are not
    /// applied to it, whatever they select.
    ///
    /// ## Fix
    /// Take the pod off the host's network, or guard the node itself (a host policy, a firewall).
    ///
    /// ## Known gaps
    /// Policies for every pod of the namespace count as claims, too; those for every pod of the cluster
    /// or the mesh do not.
    "network-policy-on-host-network" {
        run: find,
        title: "policy claims a pod in the host's network",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::Namespace, Kind::NetworkPolicy, Kind::CiliumNetworkPolicy, Kind::CiliumClusterwideNetworkPolicy, Kind::AuthorizationPolicy, Kind::Service, Kind::OtherNetworkPolicy, Kind::Gateway],
        fix: "remove `hostNetwork: true`, or guard the node itself",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for pod in cx.reach.pods() {
        let mut rules = Direction::ALL.into_iter().flat_map(|d| cx.reach.selecting(pod, d));
        match rules.next() {
            Some(rule) => out.pass(&CHECK, &pod.workload.id, rule.origin.name),
            None => out.not_applicable(),
        }
    }
    for workload in cx.model.workloads() {
        let Some(host) = workload.pod.host_network.as_ref().filter(|host| host.value) else {
            continue;
        };
        let mut claims = claiming(cx, workload).peekable();
        let Some((first, _)) = claims.peek() else {
            out.not_applicable();
            continue;
        };
        let headline =
            format!("{} claims {}, which no policy reaches", title(first), workload.title());
        let mut finding = CHECK
            .finding(&workload.id, headline)
            .label(host.span, "policies are not applied to pods in the host's network")
            .affects([Arc::clone(&workload.id)])
            .voids();
        for (policy, at) in claims {
            finding = finding.label(at, format!("{} claims it", title(&policy)));
        }
        out.push(finding);
    }
}

/// The policies whose selector fits a pod, as if it were an ordinary one.
fn claiming<'a>(
    cx: &Context<'a>,
    workload: &'a Workload,
) -> impl Iterator<Item = (Arc<ObjectId>, Span)> + use<'a> {
    const KINDS: &[Kind] = &[
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::CiliumNetworkPolicy,
        Kind::CiliumClusterwideNetworkPolicy,
        Kind::AuthorizationPolicy,
    ];
    let view = cx.model;
    let model = view.model();
    let own = view.part(&workload.id.namespace, KINDS);
    let plain = own.into_iter().flat_map(|part| &part.network_policies);
    let plain = plain.filter(move |policy| {
        let fits = selects_labels(&policy.subject, workload, Dialect::Kubernetes, model);
        policy.refused.is_none() && fits == Truth::Yes
    });
    let cilium = own.into_iter().chain(view.part("", KINDS)).flat_map(|part| &part.cilium_policies);
    let cilium = cilium.filter(move |policy| {
        let mut subjects = cilium_subjects(policy).filter(|subject| is_specific(policy, subject));
        let fits = |subject: Subject| claims(&subject, workload, model) == Truth::Yes;
        policy.refused.is_none() && subjects.any(fits)
    });
    let mesh = own.into_iter().flat_map(|part| &part.authorization_policies);
    let mesh = mesh.filter(move |policy| {
        policy.refused.is_none() && model.is_for(policy, workload) == Truth::Yes
    });
    let plain = plain.map(|policy| (Arc::clone(&policy.id), policy.span));
    let cilium = cilium.map(|policy| (Arc::clone(&policy.id), policy.span));
    plain.chain(cilium).chain(mesh.map(|policy| (Arc::clone(&policy.id), policy.span)))
}

/// Whether a policy means some pods, and not just whatever runs in the cluster.
fn is_specific(policy: &CiliumPolicy, subject: &Subject) -> bool {
    let everywhere = subject.namespaces == NamespaceScope::All && subject.pods.matches_all();
    !(policy.clusterwide && everywhere)
}
