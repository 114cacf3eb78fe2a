use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Truth, Workload};
use crate::reach::{Dialect, selects_labels};

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
    /// Policies for every pod of the namespace count as claims, too.
    "network-policy-on-host-network" {
        run: find,
        title: "policy claims a pod in the host's network",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::NetworkPolicy,
            Kind::CiliumNetworkPolicy,
            Kind::AuthorizationPolicy,
        ],
        fix: "remove `hostNetwork: true`, or guard the node itself",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for workload in cx.model.workloads() {
        let Some(host) = workload.pod.host_network.as_ref().filter(|host| host.value) else {
            out.not_applicable();
            continue;
        };
        let claims = claims(cx, workload);
        let Some((first, _)) = claims.first() else {
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
fn claims(cx: &Context<'_>, workload: &Workload) -> Vec<(Arc<ObjectId>, Span)> {
    const KINDS: &[Kind] =
        &[Kind::NetworkPolicy, Kind::CiliumNetworkPolicy, Kind::AuthorizationPolicy];
    let model = cx.model.model();
    let Some(part) = cx.model.part(&workload.id.namespace, KINDS) else { return Vec::new() };
    let fits = |selector, dialect| selects_labels(selector, workload, dialect, model) == Truth::Yes;
    let plain = part.network_policies.iter().filter(|policy| policy.refused.is_none());
    let plain = plain.filter(|policy| fits(&policy.subject, Dialect::Kubernetes));
    let cilium = part.cilium_policies.iter().filter(|policy| policy.refused.is_none());
    let cilium = cilium.filter(|policy| {
        let mut selectors = policy.rules.iter().filter_map(|rule| rule.endpoints.as_ref());
        selectors.any(|selector| fits(selector, Dialect::Cilium))
    });
    let mesh = part.authorization_policies.iter().filter(|policy| {
        policy.selector.as_ref().is_some_and(|selector| fits(selector, Dialect::Kubernetes))
    });
    let plain = plain.map(|policy| (Arc::clone(&policy.id), policy.span));
    let cilium = cilium.map(|policy| (Arc::clone(&policy.id), policy.span));
    plain.chain(cilium).chain(mesh.map(|policy| (Arc::clone(&policy.id), policy.span))).collect()
}
