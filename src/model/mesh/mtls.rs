//! The effective mTLS mode (semantics M4 to M8).

use std::sync::Arc;

use crate::document::{NamespaceSource, ObjectId, Span};
use crate::model::Certain::{self, Known, Unknown};
use crate::model::{Model, MtlsMode, Part, PeerAuthentication, Sourced, Truth, Workload};

/// The mTLS mode of a workload.
#[derive(Clone, Debug)]
pub struct Mtls {
    /// Mode.
    pub mode: MtlsMode,
    /// The policy that set it; none where Istio's default holds.
    pub set_by: Option<(Arc<ObjectId>, Span)>,
    /// Container ports with a mode of their own.
    pub ports: Vec<(u16, Sourced<MtlsMode>)>,
}

impl Mtls {
    /// The mode of a container port.
    #[must_use]
    pub fn at(&self, port: u16) -> MtlsMode {
        let own = self.ports.iter().find(|(number, _)| *number == port);
        own.map_or(self.mode, |(_, mode)| mode.value)
    }

    /// A mode other than STRICT on one of some ports, or on any, and where it is set.
    #[must_use]
    pub fn leak(&self, ports: Option<&[u16]>) -> Option<(MtlsMode, Option<Span>)> {
        let strict = |port: &u16| self.at(*port) == MtlsMode::Strict;
        let covered = ports.is_some_and(|ports| ports.iter().all(strict));
        if self.mode != MtlsMode::Strict && !covered {
            return Some((self.mode, self.set_by.as_ref().map(|(_, at)| *at)));
        }
        let about = |port: u16| ports.is_none_or(|ports| ports.contains(&port));
        let mut own = self.ports.iter().filter(|(port, _)| about(*port)).map(|(_, mode)| mode);
        let open = own.find(|mode| mode.value != MtlsMode::Strict);
        open.map(|mode| (mode.value, Some(mode.span)))
    }
}

/// What a PeerAuthentication is for, the most specific first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Workload,
    Namespace,
    Mesh,
}

impl Model {
    /// The mTLS mode that applies to a workload, and the object that set it.
    ///
    /// The most specific PeerAuthentication wins: one that selects the workload, then the
    /// namespace's, then the mesh root namespace's; a mode of UNSET falls through. With none,
    /// Istio accepts plaintext, so the mode is [`MtlsMode::Permissive`] and `set_by` is `None`.
    ///
    /// Unknown while a PeerAuthentication of this root could not be read or rendered and none in
    /// the input decides, where one that may hold for the workload would change the answer, and
    /// where two of one scope disagree and their age is not known.
    ///
    /// Source: istio/istio authn/policy_applier.go; semantics M4 to M6.
    #[must_use]
    pub fn mtls(&self, workload: &Workload) -> Certain<Mtls> {
        let all = self.parts_for(workload).flat_map(|part| part.authentications_for(workload));
        let placed = all.filter(|policy| policy.refused.is_none()).filter_map(|policy| {
            let (level, fits) = self.level(policy, workload)?;
            Some((level, fits, policy))
        });
        let (certain, possible): (Vec<_>, Vec<_>) =
            placed.filter(|(_, fits, _)| *fits != Truth::No).partition(|p| p.1 == Truth::Yes);
        let mut found = Mtls { mode: MtlsMode::Permissive, set_by: None, ports: Vec::new() };
        for level in [Level::Workload, Level::Namespace, Level::Mesh] {
            let here: Vec<&PeerAuthentication> =
                certain.iter().filter(|p| p.0 == level).map(|p| p.2).collect();
            let policy = match oldest(&here) {
                Ok(Some(policy)) => policy,
                Ok(None) => continue,
                Err(reason) => return Unknown(reason),
            };
            if level == Level::Workload {
                let ports = policy.ports.iter();
                let own = ports.filter_map(|(port, mode)| Some((*port, mode.clone()?)));
                found.ports = own.collect();
            }
            if let Some(mode) = &policy.mode {
                found.mode = mode.value;
                found.set_by = Some((Arc::clone(&policy.id), mode.span));
                break;
            }
        }
        let differs = |policy: &PeerAuthentication| {
            policy.mode.as_ref().is_some_and(|mode| mode.value != found.mode)
                || policy.ports.iter().any(|(port, mode)| {
                    mode.as_ref().is_some_and(|mode| mode.value != found.at(*port))
                })
        };
        if let Some((_, _, policy)) = possible.iter().find(|p| differs(p.2)) {
            return Unknown(format!("{} may hold for it: {}", policy.id, DOUBT).into());
        }
        let gap = || {
            let root = self.profile.root_namespace();
            self.gap_for(&workload.id.namespace).or_else(|| self.gap_for(root))
        };
        match gap().filter(|_| found.set_by.is_none()) {
            Some(reason) => Unknown(reason),
            None => Known(found),
        }
    }

    /// The parts with policies that may be for a workload: its namespace, the mesh's root
    /// namespace, and policies that name no namespace; all where the workload names none.
    fn parts_for(&self, workload: &Workload) -> impl Iterator<Item = &Part> {
        let anywhere = workload.namespace == NamespaceSource::Assumed;
        let (own, root) = (workload.id.namespace.clone(), self.profile.root_namespace().to_owned());
        let mut names = vec![own, root, "default".to_owned()];
        names.sort();
        names.dedup();
        let some = names.into_iter().filter(move |_| !anywhere).filter_map(|n| self.part(&n));
        let all = self.parts.values().filter(move |_| anywhere).map(AsRef::as_ref);
        some.chain(all)
    }

    /// At which level a policy is for a workload, and whether it is. A selector in the root
    /// namespace is ignored (M5).
    fn level(&self, policy: &PeerAuthentication, workload: &Workload) -> Option<(Level, Truth)> {
        if policy.id.namespace == self.profile.root_namespace() {
            return policy.selector.is_none().then_some((Level::Mesh, Truth::Yes));
        }
        let here = policy.home().is(&workload.home());
        Some(match &policy.selector {
            None => (Level::Namespace, here),
            Some(selector) => {
                (Level::Workload, here.and(selector.matches(|key| workload.label(key))))
            }
        })
    }
}

const DOUBT: &str = "labels or a namespace that decide are not written; write them";

/// Of several policies at one scope the oldest wins, and of one age the first by name. Manifests
/// seldom say how old they are.
fn oldest<'p>(
    policies: &[&'p PeerAuthentication],
) -> Result<Option<&'p PeerAuthentication>, Arc<str>> {
    let [first, rest @ ..] = policies else { return Ok(None) };
    let agree = |other: &&&PeerAuthentication| {
        let mode = |p: &PeerAuthentication| p.mode.as_ref().map(|mode| mode.value);
        let ports = |p: &PeerAuthentication| -> Vec<_> {
            p.ports.iter().map(|(port, mode)| (*port, mode.as_ref().map(|m| m.value))).collect()
        };
        mode(first) == mode(other) && ports(first) == ports(other)
    };
    if rest.iter().all(|other| agree(&other)) {
        return Ok(Some(first));
    }
    if policies.iter().any(|policy| policy.created.is_none()) {
        let names: Vec<String> = policies.iter().map(|p| format!("`{}`", p.id.name)).collect();
        let reason = format!(
            "PeerAuthentications {} disagree at one scope and the oldest wins; keep one of them",
            names.join(" and ")
        );
        return Err(reason.into());
    }
    let age = |policy: &&&PeerAuthentication| (policy.created.clone(), policy.id.name.clone());
    Ok(policies.iter().min_by_key(age).copied())
}
