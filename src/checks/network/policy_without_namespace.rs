use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource, ObjectId, Span};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags policies that land in the namespace `default` because they name none.
    ///
    /// ## Why it matters
    /// A policy protects its own namespace only. Without `metadata.namespace` it goes wherever the
    /// command that applies it happens to point, as a rule to `default`, where the workloads are
    /// not.
    ///
    /// ## Fix
    /// Write `metadata.namespace`.
    ///
    /// ## Known gaps
    /// Reported only where other objects of the input name a namespace and no workload lacks one:
    /// else the whole input is meant for the namespace of the command.
    "policy-without-namespace" {
        run: find,
        title: "policy names no namespace",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::Pod,
            Kind::Service,
            Kind::NetworkPolicy,
            Kind::CiliumNetworkPolicy,
            Kind::CiliumClusterwideNetworkPolicy,
            Kind::ResourceQuota,
            Kind::LimitRange,
            Kind::Role,
            Kind::ClusterRole,
            Kind::RoleBinding,
            Kind::ClusterRoleBinding,
        ],
        fix: "write `metadata.namespace`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    type Placed = (Arc<ObjectId>, Span, NamespaceSource, Layer);
    let network = Layer::Network;
    let application = Layer::Application;
    let mut policies: Vec<Placed> = Vec::new();
    let plain = cx.model.network_policies();
    policies.extend(plain.map(|p| (Arc::clone(&p.id), p.span, p.namespace, network)));
    let cilium = cx.model.cilium_policies();
    policies.extend(cilium.map(|p| (Arc::clone(&p.id), p.span, p.namespace, network)));
    let quotas = cx.model.quotas();
    policies.extend(quotas.map(|q| (Arc::clone(&q.id), q.span, q.namespace, application)));
    let ranges = cx.model.limit_ranges();
    policies.extend(ranges.map(|r| (Arc::clone(&r.id), r.span, r.namespace, application)));
    let roles = cx.model.roles();
    policies.extend(roles.map(|r| (Arc::clone(&r.id), r.span, r.namespace, application)));
    let bindings = cx.model.bindings();
    policies.extend(bindings.map(|b| (Arc::clone(&b.id), b.span, b.namespace, application)));

    let mut workloads = cx.model.workloads();
    let unplaced = workloads.any(|workload| workload.namespace == NamespaceSource::Assumed);
    let named = cx.model.namespaces(&[Kind::Pod, Kind::Service]);
    let elsewhere = named.filter(|(name, _)| *name != "default").count() > 0;
    for (id, span, source, layer) in policies {
        match source {
            NamespaceSource::Assumed if elsewhere && !unplaced => {
                let headline = format!("{} names no namespace", title(&id));
                let label = "lands in `default`, unless the command that applies it says otherwise";
                out.push(CHECK.finding(&id, headline).layer(layer).label(span, label));
            }
            NamespaceSource::Written => out.pass(&CHECK, &id, span),
            _ => out.not_applicable(),
        }
    }
}
