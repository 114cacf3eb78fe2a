//! PeerAuthentication, AuthorizationPolicy and VirtualService as written.

mod authorization;
mod identity;
mod refusal;
mod virtual_service;
mod ztunnel;

use std::sync::Arc;

pub(super) use authorization::boolean;
pub use authorization::{
    Action, AuthRule, AuthorizationPolicy, CONDITION_KEYS, Condition, Operation, Source, TargetRef,
    Wanted,
};
pub use identity::Anonymous;
pub use virtual_service::VirtualService;
pub use ztunnel::Fate;

use super::fields::{Sourced, field, text};
use super::namespace::Home;
use super::selector::Selector;
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

/// An mTLS mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtlsMode {
    /// Only mTLS is accepted.
    Strict,
    /// Plaintext is accepted, too.
    Permissive,
    /// mTLS is switched off; ztunnel takes it for PERMISSIVE (M7).
    Disable,
}

impl MtlsMode {
    const ALL: [Self; 3] = [Self::Strict, Self::Permissive, Self::Disable];

    /// The word of the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Strict => "STRICT",
            Self::Permissive => "PERMISSIVE",
            Self::Disable => "DISABLE",
        }
    }

    /// The mode of a word; none for UNSET, which falls through to the next wider policy (M4).
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// A PeerAuthentication.
#[derive(Clone, Debug)]
pub struct PeerAuthentication {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// The workloads it is for; none where it is for the namespace or the mesh (M5).
    pub selector: Option<Selector>,
    /// `mtls.mode`; none where it is UNSET.
    pub mode: Option<Sourced<MtlsMode>>,
    /// `portLevelMtls` by container port.
    pub ports: Vec<(u16, Option<Sourced<MtlsMode>>)>,
    /// `creationTimestamp`: of several at one scope the oldest wins.
    pub created: Option<String>,
    /// Why the API server refuses it: it is then an absent layer (S5).
    pub refused: Option<Sourced<String>>,
}

impl PeerAuthentication {
    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        let spec = field(root, "spec");
        let mode = |node: Node<'_>| {
            let word = text(node, "mode")?;
            Some(Sourced::new(MtlsMode::from_word(&word.value)?, word.span))
        };
        let ports = spec.and_then(|spec| field(spec, "portLevelMtls"));
        let port = |child: Node<'_>| Some((child.key().parse().ok()?, mode(child)));
        let created = field(root, "metadata").and_then(|m| text(m, "creationTimestamp"));
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            namespace: document.namespace,
            selector: spec.and_then(match_labels),
            mode: spec.and_then(|spec| field(spec, "mtls")).and_then(mode),
            ports: ports.into_iter().flat_map(Node::children).filter_map(port).collect(),
            created: created.map(|time| time.value),
            refused: spec.and_then(refusal::of_peer_authentication),
        }
    }

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }
}

/// `selector.matchLabels`, the only part that Istio knows; an empty one selects everything (M5).
fn match_labels(spec: Node<'_>) -> Option<Selector> {
    let labels = field(field(spec, "selector")?, "matchLabels")?;
    let selector = Selector::of_labels(labels);
    (!selector.matches_all()).then_some(selector)
}
