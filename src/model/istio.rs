//! PeerAuthentication and AuthorizationPolicy as written.

use std::sync::Arc;

use super::fields::{Presence, Sourced, field, items, text, texts};
use super::selector::Selector;
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

/// An mTLS mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtlsMode {
    /// Only mTLS is accepted.
    Strict,
    /// Plaintext is accepted, too.
    Permissive,
    /// mTLS is switched off.
    Disable,
}

impl MtlsMode {
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
        [Self::Strict, Self::Permissive, Self::Disable].into_iter().find(|mode| mode.word() == word)
    }
}

/// A PeerAuthentication.
#[derive(Clone, Debug)]
pub struct PeerAuthentication {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// The workloads it is for; none where it is for the namespace or the mesh (M5).
    pub selector: Option<Selector>,
    /// `mtls.mode`; none where it is UNSET.
    pub mode: Option<Sourced<MtlsMode>>,
    /// `portLevelMtls` by container port.
    pub ports: Vec<(u16, Option<Sourced<MtlsMode>>)>,
    /// `creationTimestamp`: of several at one scope the oldest wins.
    pub created: Option<String>,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
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
            selector: spec.and_then(match_labels),
            mode: spec.and_then(|spec| field(spec, "mtls")).and_then(mode),
            ports: ports.into_iter().flat_map(Node::children).filter_map(port).collect(),
            created: created.map(|time| time.value),
            namespace: document.namespace,
        }
    }
}

/// `selector.matchLabels`, the only part that Istio knows; an empty one selects everything (M5).
fn match_labels(spec: Node<'_>) -> Option<Selector> {
    let labels = field(field(spec, "selector")?, "matchLabels")?;
    let selector = Selector::of_labels(labels);
    (!selector.matches_all()).then_some(selector)
}

/// What an AuthorizationPolicy does with the requests that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Admits them, and denies the rest.
    Allow,
    /// Denies them.
    Deny,
    /// Logs them.
    Audit,
    /// Asks an external authorizer.
    Custom,
}

/// A `when` condition.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Key.
    pub key: Sourced<String>,
}

impl Condition {
    /// Whether Istio knows the key (M16). Its webhook refuses a policy with another one.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let key = self.key.value.as_str();
        let indexed = |prefix: &str| {
            let inner = key.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(']'));
            inner.is_some_and(|inner| !inner.is_empty())
        };
        CONDITION_KEYS.contains(&key)
            || indexed("request.headers[")
            || indexed("request.auth.claims[")
            || key.starts_with("experimental.envoy.filters.")
    }
}

/// Condition keys without an index.
pub const CONDITION_KEYS: [&str; 12] = [
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.serviceAccount",
    "source.principal",
    "source.trustDomain",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "destination.ip",
    "destination.port",
    "connection.sni",
];

/// A rule of an AuthorizationPolicy.
#[derive(Clone, Debug)]
pub struct AuthRule {
    /// `principals` of all sources.
    pub principals: Vec<Sourced<String>>,
    /// `serviceAccounts` of all sources.
    pub service_accounts: Vec<Sourced<String>>,
    /// `namespaces` of all sources.
    pub namespaces: Vec<Sourced<String>>,
    /// Number of sources; none where `from` is absent.
    pub sources: Presence<usize>,
    /// Number of operations; none where `to` is absent.
    pub operations: Presence<usize>,
    /// `when`.
    pub conditions: Vec<Condition>,
    /// Place.
    pub span: Span,
}

impl AuthRule {
    /// Whether it matches every request: no clause at all (M11).
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        let none = |count: &Presence<usize>| count.given().is_none_or(|count| *count == 0);
        none(&self.sources) && none(&self.operations) && self.conditions.is_empty()
    }
}

/// An AuthorizationPolicy.
#[derive(Clone, Debug)]
pub struct AuthorizationPolicy {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// The workloads it is for; none where it is for the namespace or the mesh.
    pub selector: Option<Selector>,
    /// Whether it is attached to a Gateway or Service by `targetRefs`.
    pub targeted: bool,
    /// Action, ALLOW where none is written.
    pub action: Action,
    /// Rules.
    pub rules: Presence<Vec<AuthRule>>,
    /// Whether it only logs what it would do.
    pub dry_run: bool,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

impl AuthorizationPolicy {
    pub(super) fn read(document: &Document) -> Self {
        let root = document.root();
        let spec = field(root, "spec");
        let action = spec.and_then(|spec| text(spec, "action"));
        let action = match action.as_ref().map(|action| action.value.as_str()) {
            Some("DENY") => Action::Deny,
            Some("AUDIT") => Action::Audit,
            Some("CUSTOM") => Action::Custom,
            _ => Action::Allow,
        };
        let annotations = field(root, "metadata").and_then(|m| field(m, "annotations"));
        let dry_run = annotations.and_then(|a| text(a, "istio.io/dry-run"));
        let targets = |key: &str| spec.is_some_and(|spec| field(spec, key).is_some());
        let rules = |list: Node<'_>| list.children().map(AuthRule::read).collect();
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            selector: spec.and_then(match_labels),
            targeted: targets("targetRef") || targets("targetRefs"),
            action,
            rules: spec.map_or(Presence::Missing, |spec| Presence::read(spec, "rules", rules)),
            dry_run: dry_run.is_some_and(|run| run.value == "true"),
            namespace: document.namespace,
        }
    }

    /// Whether Istio's webhook refuses it, so that it is an absent layer (S5).
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.rules().iter().flat_map(|rule| &rule.conditions).any(|condition| !condition.is_known())
    }

    /// Whether it holds for every workload of its namespace, or in the root namespace of the mesh.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.selector.is_none() && !self.targeted
    }

    /// The rules, where any are written.
    #[must_use]
    pub fn rules(&self) -> &[AuthRule] {
        self.rules.given().map_or(&[], Vec::as_slice)
    }
}

impl AuthRule {
    fn read(node: Node<'_>) -> Self {
        let of_sources = |key: &str| {
            let sources = items(node, "from").filter_map(|from| field(from, "source"));
            sources.flat_map(|source| texts(source, key)).collect()
        };
        let count = |list: Node<'_>| list.children().count();
        let condition = |node: Node<'_>| Some(Condition { key: text(node, "key")? });
        Self {
            principals: of_sources("principals"),
            service_accounts: of_sources("serviceAccounts"),
            namespaces: of_sources("namespaces"),
            sources: Presence::read(node, "from", count),
            operations: Presence::read(node, "to", count),
            conditions: items(node, "when").filter_map(condition).collect(),
            span: node.span(),
        }
    }
}
