use std::collections::HashMap;
use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, ObjectId, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Places, Selector, Truth, Workload};
use crate::reach::{Dialect, may_match, selects_labels};

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
    let in_host = |workload: &&Workload| workload.pod.uses_host_network();
    let any = cx.model.workloads().any(|workload| in_host(&workload));
    let claims = if any { claims(cx) } else { Claims::new() };
    for workload in cx.model.workloads() {
        let Some(host) = workload.pod.host_network.as_ref().filter(|host| host.value) else {
            out.not_applicable();
            continue;
        };
        let claims = claims.get(&std::ptr::from_ref(workload)).map_or(&[][..], Vec::as_slice);
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
            finding = finding.label(*at, format!("{} claims it", title(policy)));
        }
        out.push(finding);
    }
}

/// The policies whose selector fits a pod in the host's network, as if it were an ordinary one.
type Claims<'a> = HashMap<*const Workload, Vec<(&'a Arc<ObjectId>, Span)>>;

fn claims<'a>(cx: &Context<'a>) -> Claims<'a> {
    const KINDS: &[Kind] =
        &[Kind::NetworkPolicy, Kind::CiliumNetworkPolicy, Kind::AuthorizationPolicy];
    let model = cx.model.model();
    let mut claims = Claims::new();
    let cluster = cx.model.part("", KINDS).map(|part| ("", part));
    for (name, part) in cx.model.namespaces(KINDS).chain(cluster) {
        let here = Places::Named(vec![name]);
        let mut claim = |id: &'a Arc<ObjectId>, at: Span, selector: &Selector, dialect: Dialect| {
            let fits = |workload: &&Workload| {
                workload.pod.uses_host_network()
                    && selects_labels(selector, workload, dialect, model) == Truth::Yes
            };
            for workload in may_match(&here, Some(selector), dialect, model).filter(fits) {
                let list = claims.entry(std::ptr::from_ref(workload)).or_default();
                if list.last() != Some(&(id, at)) {
                    list.push((id, at));
                }
            }
        };
        for policy in part.network_policies.iter().filter(|policy| policy.refused.is_none()) {
            claim(&policy.id, policy.span, &policy.subject, Dialect::Kubernetes);
        }
        for policy in part.cilium_policies.iter().filter(|policy| policy.refused.is_none()) {
            for selector in policy.rules.iter().filter_map(|rule| rule.endpoints.as_ref()) {
                claim(&policy.id, policy.span, selector, Dialect::Cilium);
            }
        }
        for policy in &part.authorization_policies {
            if let Some(selector) = &policy.selector {
                claim(&policy.id, policy.span, selector, Dialect::Kubernetes);
            }
        }
    }
    claims
}
