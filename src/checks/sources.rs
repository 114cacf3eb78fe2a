//! Where the pods of a selector would come from, and whether all of them are in the input (void
//! controls, section 3).

use std::sync::Arc;

use super::evidence::{self, Evidence};
use crate::catalog::Context;
use crate::document::{Kind, NamespaceSource};
use crate::model::{
    Certain, Known, NAME_LABEL, Operator, Part, Selector, Service, Truth, Unknown, Workload,
};
use crate::reach::{NamespaceScope, PeerSet, Peers, namespace_matches};

/// The workloads that a selector is tried on, and the namespaces that it means.
pub(super) struct Sources<'a> {
    scope: NamespaceScope,
    /// Parts of the model with workloads that may lie in the scope.
    parts: Vec<&'a Part>,
    /// Namespaces that the scope names; none where it means an open set of them.
    named: Vec<String>,
}

/// What a selector matches.
pub(super) enum Found<'a> {
    /// This pod, among others.
    Pod(&'a Workload),
    /// Only pods in the host's network, which no selector of a policy reaches, such as this one.
    OnHost(&'a Workload),
    /// Perhaps something; the reason says what is missing.
    Maybe(Arc<str>),
    /// No pod of the input.
    Nothing,
}

impl<'a> Sources<'a> {
    /// The sources of a scope.
    pub(super) fn of(cx: &Context<'a>, scope: &NamespaceScope) -> Self {
        let model = cx.model.model();
        let named = match scope {
            NamespaceScope::One(place) => vec![place.name.to_string()],
            NamespaceScope::Matching(selector) => names(selector),
            NamespaceScope::All => Vec::new(),
        };
        let fits = |name: &str, part: &Part| match scope {
            NamespaceScope::All => true,
            NamespaceScope::One(place) if place.is_assumed() => true,
            NamespaceScope::One(place) if place.name == name => true,
            NamespaceScope::Matching(selector)
                if model.selects_namespace(selector, name) != Truth::No =>
            {
                true
            }
            _ => part.workloads.iter().any(|w| w.namespace == NamespaceSource::Assumed),
        };
        let parts = cx.model.namespaces(&[Kind::Pod, Kind::Service, Kind::Namespace]);
        let parts = parts.filter(|(name, part)| fits(name, part)).map(|(_, part)| part).collect();
        Self { scope: scope.clone(), parts, named }
    }

    /// The workloads that may lie in the scope.
    pub(super) fn workloads(
        &self,
        cx: &Context<'a>,
    ) -> impl Iterator<Item = (&'a Workload, Truth)> {
        let model = cx.model.model();
        let all = self.parts.iter().flat_map(|part| &part.workloads);
        let placed = all.map(move |w| (w, namespace_matches(&self.scope, w, model)));
        placed.filter(|(_, place)| *place != Truth::No)
    }

    /// Whether a selector by itself may match one of the workloads.
    pub(super) fn any(&self, cx: &Context<'a>, labels: impl Fn(&Workload) -> Truth) -> bool {
        self.workloads(cx).any(|(workload, _)| labels(workload) != Truth::No)
    }

    /// What matches by its labels, tried on the workloads of the scope.
    pub(super) fn matching(
        &self,
        cx: &Context<'a>,
        labels: impl Fn(&Workload) -> Truth,
    ) -> Found<'a> {
        let (mut maybe, mut on_host) = (None, None);
        for (workload, place) in self.workloads(cx) {
            match (place.and(labels(workload)), workload.pod.uses_host_network()) {
                (Truth::No, _) => {}
                (Truth::Yes, true) => on_host = on_host.or(Some(workload)),
                (Truth::Yes, false) => return Found::Pod(workload),
                (Truth::Unknown, _) => maybe = maybe.or(Some((workload, place))),
            }
        }
        match (on_host, maybe) {
            (Some(workload), _) => Found::OnHost(workload),
            (None, Some((workload, place))) => Found::Maybe(self.why_maybe(workload, place)),
            (None, None) => Found::Nothing,
        }
    }

    /// Why it is not known whether a workload is meant.
    fn why_maybe(&self, workload: &Workload, place: Truth) -> Arc<str> {
        let unplaced = matches!(&self.scope, NamespaceScope::One(place) if place.is_assumed());
        if place == Truth::Yes {
            let title = workload.title();
            return format!("a controller or a variable decides on labels of {title}").into();
        }
        let title = workload.title();
        let assumed = workload.namespace == NamespaceSource::Assumed;
        match (unplaced, assumed) {
            (true, false) => {
                format!("the policy names no namespace, {title} does; write it").into()
            }
            (false, true) => format!("{title} names no namespace; write it").into(),
            _ => {
                format!("labels of the namespace of {title} are not in the input; add them").into()
            }
        }
    }

    /// Evidence in the namespaces that are named that a selector of pods is a mistake.
    pub(super) fn evidence(&self, cx: &Context<'a>, pods: &Selector) -> Option<Evidence<'a>> {
        if self.named.is_empty() {
            return None;
        }
        let here = self.workloads(cx).filter(|(_, place)| *place == Truth::Yes);
        let workloads: Vec<&Workload> = here.map(|(workload, _)| workload).collect();
        let services: Vec<&Service> = self.parts.iter().flat_map(|part| &part.services).collect();
        evidence::in_namespace(pods, &workloads, &services)
    }

    /// Whether everything that could match is in the input.
    pub(super) fn closed(&self, cx: &Context<'_>) -> Certain<()> {
        if self.named.is_empty() {
            return Unknown("pods of namespaces outside the input may match; add them".into());
        }
        let open = self.named.iter().find_map(|name| match cx.model.closed(name) {
            Unknown(reason) => Some(reason),
            Known(()) => None,
        });
        open.map_or(Known(()), Unknown)
    }

    /// How a message names the scope.
    pub(super) fn words(&self) -> String {
        match self.named.as_slice() {
            [] => "any namespace".to_owned(),
            [one] => format!("namespace `{one}`"),
            several => format!("namespaces `{}`", several.join("`, `")),
        }
    }
}

/// The namespaces that a selector of namespaces names.
fn names(selector: &Selector) -> Vec<String> {
    let asks = |r: &&crate::model::Requirement| r.key == NAME_LABEL && r.operator == Operator::In;
    selector.requirements.iter().filter(asks).flat_map(|r| r.values.clone()).collect()
}

/// The namespaces in which the pods of peers lie, beside those of which it is only assumed; none where
/// they may lie in any. Addresses and host names are no pods.
pub(super) fn namespaces_of(peers: &Peers) -> Option<Vec<String>> {
    let set: &[PeerSet] = match peers {
        Peers::Any => return None,
        Peers::Nobody => &[],
        Peers::Set(set) => set,
    };
    let mut found = Vec::new();
    for peer in set {
        match peer {
            PeerSet::Cidr { .. } | PeerSet::Fqdn { .. } => {}
            PeerSet::Pods { namespaces: NamespaceScope::One(place), .. } if !place.is_assumed() => {
                found.push(place.name.to_string());
            }
            PeerSet::Pods { namespaces: NamespaceScope::Matching(selector), .. } => {
                let named = names(selector);
                if named.is_empty() {
                    return None;
                }
                found.extend(named);
            }
            _ => return None,
        }
    }
    Some(found)
}
