//! AuthorizationPolicy as written.

use std::sync::Arc;

use super::super::fields::{Presence, Sourced, field, items, text, texts};
use super::super::namespace::Home;
use super::super::selector::Selector;
use super::{match_labels, refusal};
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

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

/// A field and its negation: one of `any`, and none of `none`.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The values of the field.
    pub any: Vec<Sourced<String>>,
    /// The values of its `not` form.
    pub none: Vec<Sourced<String>>,
}

impl Wanted {
    fn read(node: Node<'_>, field: &str, negated: &str) -> Self {
        Self { any: texts(node, field), none: texts(node, negated) }
    }

    /// Whether neither is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.none.is_empty()
    }

    /// The block of the whole address space among blocks from which none is taken away.
    fn every_address(&self) -> Option<&Sourced<String>> {
        let whole = |block: &&Sourced<String>| block.value.ends_with("/0");
        self.any.iter().find(whole).filter(|_| self.none.is_empty())
    }

    /// All values, negated ones included.
    pub fn iter(&self) -> impl Iterator<Item = &Sourced<String>> {
        self.any.iter().chain(&self.none)
    }
}

/// A `from` entry: all of its fields have to hold.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// `principals`.
    pub principals: Wanted,
    /// `requestPrincipals`.
    pub request_principals: Wanted,
    /// `namespaces`.
    pub namespaces: Wanted,
    /// `serviceAccounts`.
    pub service_accounts: Wanted,
    /// `ipBlocks`.
    pub ip_blocks: Wanted,
    /// `remoteIpBlocks`.
    pub remote_ip_blocks: Wanted,
    /// `trustDomains`.
    pub trust_domains: Wanted,
}

impl Source {
    fn read(node: Node<'_>) -> Self {
        Self {
            principals: Wanted::read(node, "principals", "notPrincipals"),
            request_principals: Wanted::read(node, "requestPrincipals", "notRequestPrincipals"),
            namespaces: Wanted::read(node, "namespaces", "notNamespaces"),
            service_accounts: Wanted::read(node, "serviceAccounts", "notServiceAccounts"),
            ip_blocks: Wanted::read(node, "ipBlocks", "notIpBlocks"),
            remote_ip_blocks: Wanted::read(node, "remoteIpBlocks", "notRemoteIpBlocks"),
            trust_domains: Wanted::read(node, "trustDomains", "notTrustDomains"),
        }
    }

    /// The fields that a client's certificate answers (M14).
    #[must_use]
    pub const fn identities(&self) -> [&Wanted; 4] {
        [&self.principals, &self.namespaces, &self.service_accounts, &self.trust_domains]
    }

    /// The block that makes it everybody: the whole address space, and nothing else is asked.
    #[must_use]
    pub fn everybody(&self) -> Option<&Sourced<String>> {
        let mut others = self.identities().into_iter().chain([&self.request_principals]);
        let blocks = [&self.ip_blocks, &self.remote_ip_blocks];
        let asked = blocks.into_iter().filter(|blocks| !blocks.is_empty());
        let whole: Option<Vec<_>> = asked.map(Wanted::every_address).collect();
        whole?.first().copied().filter(|_| others.all(Wanted::is_empty))
    }
}

/// A `to` entry: all of its fields have to hold.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// `hosts`.
    pub hosts: Wanted,
    /// `ports`.
    pub ports: Wanted,
    /// `methods`.
    pub methods: Wanted,
    /// `paths`.
    pub paths: Wanted,
}

impl Operation {
    fn read(node: Node<'_>) -> Self {
        Self {
            hosts: Wanted::read(node, "hosts", "notHosts"),
            ports: Wanted::read(node, "ports", "notPorts"),
            methods: Wanted::read(node, "methods", "notMethods"),
            paths: Wanted::read(node, "paths", "notPaths"),
        }
    }
}

/// A `when` condition.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Key.
    pub key: Sourced<String>,
    /// `values` and `notValues`.
    pub values: Wanted,
}

impl Condition {
    /// Whether Istio knows the key (M16). Its webhook refuses a policy with another one.
    #[must_use]
    pub fn is_known(&self) -> bool {
        const INDEXED: [&str; 3] =
            ["request.headers", "request.auth.claims", "experimental.envoy.filters."];
        let key = self.key.value.as_str();
        let index = key.find('[').map(|at| key.get(at + 1..).unwrap_or_default());
        let inside = index.and_then(|rest| rest.strip_suffix(']'));
        let indexed = inside.is_some_and(|inside| !inside.is_empty());
        CONDITION_KEYS.contains(&key)
            || indexed && INDEXED.iter().any(|prefix| key.starts_with(prefix))
    }

    /// The header that it looks at, where it looks at one.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        self.key.value.strip_prefix("request.headers[")?.strip_suffix(']')
    }

    /// The block by which it holds for every request: it asks for any address.
    fn everybody(&self) -> Option<&Sourced<String>> {
        let address = matches!(self.key.value.as_str(), "source.ip" | "remote.ip");
        self.values.every_address().filter(|_| address)
    }

    /// Whether a client's certificate answers it (M14).
    #[must_use]
    pub fn is_identity(&self) -> bool {
        const KEYS: [&str; 4] =
            ["source.namespace", "source.principal", "source.serviceAccount", "source.trustDomain"];
        KEYS.contains(&self.key.value.as_str())
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

/// A rule of an AuthorizationPolicy: any of `from`, any of `to` and all of `when` (M12).
#[derive(Clone, Debug)]
pub struct AuthRule {
    /// Sources; any caller where there are none.
    pub from: Vec<Source>,
    /// Operations; any where there are none.
    pub to: Vec<Operation>,
    /// Conditions.
    pub when: Vec<Condition>,
    /// Place.
    pub span: Span,
}

impl AuthRule {
    fn read(node: Node<'_>) -> Self {
        // An entry without its inner map is refused; here it must not look like an absent clause.
        let source = |item: Node<'_>| field(item, "source").map(Source::read).unwrap_or_default();
        let operation =
            |item: Node<'_>| field(item, "operation").map(Operation::read).unwrap_or_default();
        let condition = |node: Node<'_>| {
            let values = Wanted::read(node, "values", "notValues");
            Some(Condition { key: text(node, "key")?, values })
        };
        Self {
            from: items(node, "from").map(source).collect(),
            to: items(node, "to").map(operation).collect(),
            when: items(node, "when").filter_map(condition).collect(),
            span: node.span(),
        }
    }

    /// Where it matches every request: a rule without any clause (M11), or one that asks for
    /// nothing but an address of the whole address space.
    #[must_use]
    pub fn everybody(&self) -> Option<Span> {
        let when: Option<Vec<_>> = self.when.iter().map(Condition::everybody).collect();
        let block = match (self.from.as_slice(), when?.first()) {
            _ if !self.to.is_empty() => return None,
            ([], None) => return Some(self.span),
            ([], Some(block)) => block.span,
            (from, _) => from.iter().find_map(Source::everybody)?.span,
        };
        Some(block)
    }
}

/// What a policy is attached to instead of workloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRef {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// An AuthorizationPolicy.
#[derive(Clone, Debug)]
pub struct AuthorizationPolicy {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
    /// The workloads it is for; none where it is for the namespace or the mesh.
    pub selector: Option<Selector>,
    /// Whether it is attached to a Gateway or Service by `targetRefs`.
    pub targeted: bool,
    /// What it is attached to.
    pub targets: Vec<TargetRef>,
    /// Action, ALLOW where none is written.
    pub action: Action,
    /// Rules.
    pub rules: Presence<Vec<AuthRule>>,
    /// Whether it only logs what it would do.
    pub dry_run: bool,
    /// Why the API server or Istio's webhook refuses it: it is then an absent layer (S5).
    pub refused: Option<Sourced<String>>,
}

impl AuthorizationPolicy {
    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }

    pub(in crate::model) fn read(document: &Document) -> Self {
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
        let dry_run = annotations.and_then(|a| text(a, DRY_RUN));
        let rules = |list: Node<'_>| list.children().map(AuthRule::read).collect();
        let part = |node: Node<'_>, key: &str| text(node, key).map(|part| part.value);
        let target = |node: Node<'_>| TargetRef {
            group: part(node, "group").unwrap_or_default(),
            kind: part(node, "kind").unwrap_or_default(),
            name: part(node, "name").unwrap_or_default(),
        };
        let targets: Vec<TargetRef> = spec.into_iter().flat_map(targets_of).map(target).collect();
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            namespace: document.namespace,
            selector: spec.and_then(match_labels),
            targeted: !targets.is_empty(),
            targets,
            action,
            rules: spec.map_or(Presence::Missing, |spec| Presence::read(spec, "rules", rules)),
            dry_run: dry_run.as_ref().and_then(|run| boolean(&run.value)) == Some(true),
            refused: refusal::of_authorization_policy(spec, dry_run.as_ref()),
        }
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

/// The annotation that makes a policy log only.
const DRY_RUN: &str = "istio.io/dry-run";

/// `targetRef` and the entries of `targetRefs`.
pub(super) fn targets_of<'n>(spec: Node<'n>) -> impl Iterator<Item = Node<'n>> + use<'n> {
    field(spec, "targetRef").into_iter().chain(items(spec, "targetRefs"))
}

/// A boolean as Go's `strconv.ParseBool` reads it.
pub(in crate::model) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
