//! Effective requests and limits: LimitRange and API defaults applied once, here.

use std::sync::Arc;

use super::container::{Container, Pod};
use super::fields::{Sourced, field, items, scalar_text, text};
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

/// Amounts by resource.
type Amounts = Vec<(String, Sourced<String>)>;

/// A LimitRange: what it fills in for containers.
#[derive(Clone, Debug)]
pub struct LimitRange {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Limits of containers that name none.
    pub default_limits: Amounts,
    /// Requests of containers that name none.
    pub default_requests: Amounts,
    /// How the namespace was found.
    pub namespace: NamespaceSource,
}

/// Who set an effective amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountOrigin {
    /// The container.
    Container,
    /// The container's limit, which is the request where only it is written.
    Limit,
    /// The pod as a whole.
    Pod,
    /// A LimitRange of the namespace.
    LimitRange(Arc<ObjectId>),
}

/// An effective amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// As written.
    pub value: String,
    /// Where.
    pub span: Span,
    /// By whom.
    pub origin: AmountOrigin,
}

impl LimitRange {
    /// Reads a LimitRange with the defaults that the API gives its `Container` items: limits come
    /// from `max`, requests from limits and `min`.
    ///
    /// Source: kubernetes pkg/apis/core/v1/defaults.go `SetDefaults_LimitRangeItem`.
    pub(super) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let limits = spec.into_iter().flat_map(|spec| items(spec, "limits"));
        let of_containers =
            limits.filter(|item| text(*item, "type").is_some_and(|kind| kind.value == "Container"));
        let mut range = Self {
            id: Arc::clone(&document.id),
            span: document.head,
            default_limits: Vec::new(),
            default_requests: Vec::new(),
            namespace: document.namespace,
        };
        for item in of_containers {
            let limits = &mut range.default_limits;
            add(limits, amounts(item, "default"));
            add(limits, amounts(item, "max"));
            let requests = &mut range.default_requests;
            add(requests, amounts(item, "defaultRequest"));
            add(requests, limits.clone());
            add(requests, amounts(item, "min"));
        }
        range
    }
}

fn amounts(item: Node<'_>, key: &str) -> Amounts {
    let map = field(item, key);
    let amount = |child: Node<'_>| {
        Some((child.key().to_owned(), Sourced::new(scalar_text(child)?, child.span())))
    };
    map.into_iter().flat_map(Node::children).filter_map(amount).collect()
}

/// Adds what is not there yet.
fn add(to: &mut Amounts, from: Amounts) {
    for (resource, amount) in from {
        if find(to, &resource).is_none() {
            to.push((resource, amount));
        }
    }
}

fn find<'a>(amounts: &'a Amounts, resource: &str) -> Option<&'a Sourced<String>> {
    amounts.iter().find(|(name, _)| name == resource).map(|(_, amount)| amount)
}

fn is_zero(amount: &Sourced<String>) -> bool {
    let digits = amount.value.trim_end_matches(|c: char| !c.is_ascii_digit());
    digits.is_empty() || digits.bytes().all(|b| matches!(b, b'0' | b'.'))
}

/// The effective request of a container: its own, else its limit, else a LimitRange's default.
#[must_use]
pub(super) fn request(
    container: &Container,
    resource: &str,
    ranges: &[LimitRange],
) -> Option<Amount> {
    let amount = |amount: &Sourced<String>, origin| Amount {
        value: amount.value.clone(),
        span: amount.span,
        origin,
    };
    let own = find(&container.requests, resource).filter(|a| !is_zero(a));
    let own = own.map(|own| amount(own, AmountOrigin::Container));
    let limit = || find(&container.limits, resource).map(|l| amount(l, AmountOrigin::Limit));
    let written = find(&container.requests, resource).is_some();
    own.or_else(|| if written { None } else { limit() }).or_else(|| {
        let mut defaults = ranges.iter().filter(|_| !written);
        defaults.find_map(|range| {
            let default = find(&range.default_requests, resource)?;
            Some(amount(default, AmountOrigin::LimitRange(Arc::clone(&range.id))))
        })
    })
}

/// The effective limit of a container: its own, else a LimitRange's default, else the pod's.
#[must_use]
pub(super) fn limit(
    pod: &Pod,
    container: &Container,
    resource: &str,
    ranges: &[LimitRange],
) -> Option<Amount> {
    let amount = |amount: &Sourced<String>, origin| Amount {
        value: amount.value.clone(),
        span: amount.span,
        origin,
    };
    if let Some(own) = find(&container.limits, resource) {
        return (!is_zero(own)).then(|| amount(own, AmountOrigin::Container));
    }
    let default = ranges.iter().find_map(|range| {
        let default = find(&range.default_limits, resource)?;
        Some(amount(default, AmountOrigin::LimitRange(Arc::clone(&range.id))))
    });
    default.or_else(|| Some(amount(find(&pod.limits, resource)?, AmountOrigin::Pod)))
}
