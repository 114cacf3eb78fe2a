use std::collections::BTreeMap;
use std::sync::Arc;

use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Direction, Known, Part, Truth, namespace_id, namespace_span};
use crate::reach::{NamespaceScope, REACH_KINDS, Rule, covers_namespace};

check! {
    /// Flags namespaces in use without a policy that isolates all of their pods.
    ///
    /// ## Why it matters
    /// A policy protects the pods that it selects and no other. The next pod that somebody deploys
    /// into the namespace is open, and so is one whose labels change.
    ///
    /// ## Fix
    /// Add a NetworkPolicy with `podSelector: {}` and `policyTypes: [Ingress, Egress]`.
    ///
    /// ## Known gaps
    /// A namespace is in use where it has workloads, or policies or Services for them. Each
    /// direction counts; the union of all policies of any kind decides. Not assessed where a policy
    /// may be missing from the input or is of a kind that is not evaluated.
    "namespace-without-default-deny" {
        run: find,
        title: "namespace has no default deny",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "add a NetworkPolicy with `podSelector: {}` and both `policyTypes`",
        aliases: &[("kubescape", "C-0054"), ("kyverno", "add-network-policy")],
    }
}

const KINDS: &[Kind] = &[Kind::Pod, Kind::Service, Kind::NetworkPolicy, Kind::CiliumNetworkPolicy];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let covers = Covers::of(cx.reach.rules());
    for (name, part) in cx.model.namespaces(KINDS) {
        if !in_use(part) {
            out.not_applicable();
            continue;
        }
        let id = namespace_id(name);
        let mut open = Vec::new();
        let mut proof = None;
        let mut doubt = None;
        for direction in Direction::ALL {
            let rules = covers.namespace(name);
            let rules = rules.into_iter().filter(|rule| rule.direction == direction);
            let covering = rules.map(|rule| (covers_namespace(rule, name, cx.model.model()), rule));
            match covering.max_by_key(|(truth, _)| *truth) {
                Some((Truth::Yes, rule)) => proof = Some(rule.origin.span),
                Some((Truth::Unknown, rule)) => {
                    doubt = Some(Arc::from(format!(
                        "{} may cover it: labels that decide are not in the input",
                        title(&rule.origin.object)
                    )));
                }
                _ => open.push(direction),
            }
        }
        if open.is_empty() && doubt.is_none() {
            if let Some(at) = proof {
                out.pass(&CHECK, &id, at);
            }
            continue;
        }
        let doubt = doubt.or_else(|| cx.reach.doubt(name));
        if let Some(reason) = doubt {
            out.not_assessed(&CHECK, &id, reason);
            continue;
        }
        let Some(at) = namespace_span(part) else { continue };
        let words: Vec<&str> = open.iter().map(|direction| direction.word()).collect();
        let words = words.join(" and ");
        let exposed = cx.reach.pods_in(name).filter(|pod| {
            let isolated =
                |d: &Direction| matches!(cx.reach.isolation(*pod, *d), Known(r) if !r.is_empty());
            !open.iter().all(isolated)
        });
        out.push(
            CHECK
                .finding(&id, format!("namespace `{name}` has no default deny for {words}"))
                .label(at, "pods that no policy selects are open here")
                .affects(exposed.map(|pod| Arc::clone(&pod.workload.id))),
        );
    }
}

/// The rules that may isolate whole namespaces, by the one namespace that they are for.
struct Covers<'a> {
    one: BTreeMap<&'a str, Vec<&'a Rule>>,
    several: Vec<&'a Rule>,
}

impl<'a> Covers<'a> {
    fn of(rules: &'a [Rule]) -> Self {
        let mut covers = Self { one: BTreeMap::new(), several: Vec::new() };
        let isolating =
            |rule: &&Rule| rule.in_force && rule.default_deny && rule.subject.pods.matches_all();
        for rule in rules.iter().filter(isolating) {
            match &rule.subject.namespaces {
                NamespaceScope::One(home) if !home.is_assumed() => {
                    covers.one.entry(&home.name).or_default().push(rule);
                }
                _ => covers.several.push(rule),
            }
        }
        covers
    }

    /// The rules that may isolate a namespace, in order.
    fn namespace(&self, name: &str) -> Vec<&'a Rule> {
        let own = self.one.get(name).into_iter().flatten();
        let mut rules: Vec<&Rule> = own.chain(&self.several).copied().collect();
        rules.sort_by_key(|rule| rule.index);
        rules
    }
}

/// Whether a namespace has workloads, or policies or Services for them.
fn in_use(part: &Part) -> bool {
    !part.workloads.is_empty()
        || !part.network_policies.is_empty()
        || !part.cilium_policies.is_empty()
        || part.services.iter().any(|service| service.selector.is_some())
}
