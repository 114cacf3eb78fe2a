//! From policy kinds to rules in normal form. What lowers to nothing leaves a record.

mod cilium;
mod netpol;

use std::sync::Arc;

pub(crate) use self::cilium::proxies_dns;
use super::rule::{Dialect, NamespaceScope, Origin, Rule, Subject};
use crate::config::Cni;
use crate::document::{Defect, DefectKind, ObjectId, Span};
use crate::model::{CiliumPolicy, Direction, Model, NetworkPolicy};

/// Whom the rules of a Cilium policy protect, one subject per selector of endpoints.
pub(crate) fn cilium_subjects(policy: &CiliumPolicy) -> impl Iterator<Item = Subject> {
    let selectors = policy.rules.iter().filter_map(|rule| rule.endpoints.as_ref());
    selectors.map(|selector| cilium::subject(policy, selector))
}

/// Whom a NetworkPolicy protects.
pub(crate) fn netpol_subject(policy: &NetworkPolicy, cni: Cni) -> Subject {
    let namespaces = NamespaceScope::One(policy.home().into_owned());
    Subject { namespaces, pods: policy.subject.clone(), dialect: dialect(cni) }
}

/// How the plugin looks labels up: Cilium matches every policy against its own identities (C21).
const fn dialect(cni: Cni) -> Dialect {
    match cni {
        Cni::Cilium => Dialect::Cilium,
        _ => Dialect::Kubernetes,
    }
}

/// Rules of a root, and what was found on the way.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    pub(super) rules: Vec<Rule>,
    pub(super) defects: Vec<Defect>,
    /// Policies that Kubernetes or the agent refuses, with the place of the reason.
    pub(super) refused: Vec<(Arc<ObjectId>, Span)>,
}

impl Lowered {
    fn push(&mut self, mut rule: Rule) {
        rule.index = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        self.rules.push(rule);
    }

    fn defect(&mut self, kind: DefectKind, object: &Arc<ObjectId>, at: Span, detail: &str) {
        self.defects.push(Defect {
            kind,
            object: Arc::clone(object),
            at,
            related: Vec::new(),
            detail: detail.to_owned(),
        });
    }
}

/// What every rule of one policy shares.
struct Base {
    subject: Arc<Subject>,
    object: Arc<ObjectId>,
    name: Span,
    in_force: bool,
}

impl Base {
    fn rule(&self, direction: Direction, span: Span) -> Rule {
        Rule {
            index: 0,
            direction,
            tier: super::rule::Tier::Normal,
            priority: 0,
            action: super::rule::Action::Allow,
            subject: Arc::clone(&self.subject),
            peers: super::rule::Peers::Nobody,
            ports: super::rule::PortSpec::All,
            default_deny: true,
            guard: None,
            handshake: None,
            reads_dns: false,
            synthetic: false,
            in_force: self.in_force,
            origin: Origin { object: Arc::clone(&self.object), name: self.name, span },
        }
    }
}

/// Lowers every policy that the network plugin implements.
pub(super) fn lower(model: &Model, cni: Cni) -> Lowered {
    let mut lowered = Lowered::default();
    if cni == Cni::None {
        return lowered;
    }
    for (_, part) in model.namespaces() {
        for policy in &part.network_policies {
            netpol::lower(policy, cni, &mut lowered);
        }
    }
    let cluster = model.part("").into_iter().map(|part| ("", part));
    for (_, part) in model.namespaces().chain(cluster) {
        for policy in &part.cilium_policies {
            cilium::lower(policy, model, cni == Cni::Cilium, &mut lowered);
        }
    }
    lowered
}
