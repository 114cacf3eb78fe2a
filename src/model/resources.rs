//! Effective requests and limits: LimitRange and API defaults applied once, here.

use std::sync::Arc;

use super::certain::Certain::{self, Known, Unknown};
use super::container::Container;
use super::fields::{Sourced, field, items, scalar_text, text};
use super::namespace::Home;
use super::selector::Truth;
use super::workload::Workload;
use super::{Model, Part};
use crate::document::{Document, NamespaceSource, Node, ObjectId, Span};

/// Amounts by resource.
pub(super) type Amounts = Vec<(String, Sourced<String>)>;

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

    /// Its namespace, for joins.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home::new(&self.id.namespace, self.namespace)
    }
}

/// The amounts of a map by resource. The API reads null as the amount zero, not as absent.
///
/// Source: apimachinery pkg/api/resource/quantity.go `UnmarshalJSON`.
pub(super) fn amounts(parent: Node<'_>, key: &str) -> Amounts {
    let amount = |child: Node<'_>| {
        let value = if child.is_null() { "0".to_owned() } else { scalar_text(child)? };
        Some((child.key().to_owned(), Sourced::new(value, child.span())))
    };
    field(parent, key).into_iter().flat_map(Node::children).filter_map(amount).collect()
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

/// The digits of a quantity, without sign and suffix; none where the API would refuse it.
fn digits(quantity: &str) -> Option<&str> {
    const SUFFIXES: [&str; 16] =
        ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let unsigned = quantity.strip_prefix(['+', '-']).unwrap_or(quantity);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (digits, suffix) = unsigned.split_at_checked(end)?;
    let number = digits.bytes().any(|b| b.is_ascii_digit()) && digits.matches('.').count() <= 1;
    let exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|rest| {
        let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())
    });
    let known = SUFFIXES.contains(&suffix) || exponent;
    (number && known).then_some(digits)
}

/// Whether a quantity is zero, in whatever form: `0`, `0Mi`, `0.0`, `0e3`.
fn is_zero(quantity: &str) -> bool {
    digits(quantity).is_some_and(|digits| digits.bytes().all(|b| matches!(b, b'0' | b'.')))
}

/// What a container is to have: a request or a limit.
#[derive(Clone, Copy)]
enum Side {
    Request,
    Limit,
}

/// What a namespace fills in where a container says nothing.
fn filled_in(ranges: &[&LimitRange], side: Side, resource: &str) -> Option<Amount> {
    let default = |range: &&LimitRange| {
        let defaults = match side {
            Side::Request => &range.default_requests,
            Side::Limit => &range.default_limits,
        };
        let origin = AmountOrigin::LimitRange(Arc::clone(&range.id));
        Some(Amount::of(find(defaults, resource)?, origin))
    };
    ranges.iter().find_map(default)
}

impl Amount {
    fn of(amount: &Sourced<String>, origin: AmountOrigin) -> Self {
        Self { value: amount.value.clone(), span: amount.span, origin }
    }

    fn is_zero(&self) -> bool {
        is_zero(&self.value)
    }
}

impl Model {
    /// The effective request of a container: its own, else its limit, else a LimitRange's default,
    /// else what the pod asks for as a whole. An amount of zero is none, and nothing replaces it
    /// but the pod's.
    ///
    /// Unknown where a LimitRange would fill it in and may lie in the same namespace.
    #[must_use]
    pub fn request(
        &self,
        of: &Workload,
        container: &Container,
        resource: &str,
    ) -> Certain<Option<Amount>> {
        let written = find(&container.requests, resource)
            .map(|own| (own, AmountOrigin::Container))
            .or_else(|| Some((find(&container.limits, resource)?, AmountOrigin::Limit)));
        let of_pod = [&of.pod.requests, &of.pod.limits];
        self.effective(of, written, &of_pod, Side::Request, resource)
    }

    /// The effective limit of a container: its own, else a LimitRange's default, else the pod's.
    /// A limit of zero limits nothing.
    ///
    /// Unknown where a LimitRange would fill it in and may lie in the same namespace.
    #[must_use]
    pub fn limit(
        &self,
        of: &Workload,
        container: &Container,
        resource: &str,
    ) -> Certain<Option<Amount>> {
        let written = find(&container.limits, resource).map(|own| (own, AmountOrigin::Container));
        self.effective(of, written, &[&of.pod.limits], Side::Limit, resource)
    }

    fn effective(
        &self,
        of: &Workload,
        written: Option<(&Sourced<String>, AmountOrigin)>,
        of_pod: &[&Amounts],
        side: Side,
        resource: &str,
    ) -> Certain<Option<Amount>> {
        let of_pod = of_pod.iter().find_map(|amounts| find(amounts, resource));
        let of_pod = of_pod.filter(|amount| !is_zero(&amount.value));
        let of_pod = of_pod.map(|amount| Amount::of(amount, AmountOrigin::Pod));
        if let Some((amount, origin)) = written {
            let own = (!is_zero(&amount.value)).then(|| Amount::of(amount, origin));
            return Known(own.or(of_pod));
        }
        let (here, perhaps) = self.limit_ranges_of(of);
        let default = filled_in(&here, side, resource).filter(|amount| !amount.is_zero());
        if let Some(amount) = default.or(of_pod) {
            return Known(Some(amount));
        }
        match filled_in(&perhaps, side, resource).map(|amount| amount.origin) {
            Some(AmountOrigin::LimitRange(id)) => Unknown(
                format!(
                    "LimitRange `{}` would fill it in, if it lies in the same namespace; write \
                     the namespace of both",
                    id.name
                )
                .into(),
            ),
            _ => Known(None),
        }
    }

    /// The LimitRanges of a workload's namespace, and those that may be.
    fn limit_ranges_of(&self, of: &Workload) -> (Vec<&LimitRange>, Vec<&LimitRange>) {
        let own = [of.id.namespace.as_str(), "default"].into_iter();
        let own = own.filter_map(|name| self.part(name));
        let parts: Vec<&Part> = match of.namespace {
            NamespaceSource::Assumed => self.parts.values().map(AsRef::as_ref).collect(),
            _ => own.collect(),
        };
        let ranges = || parts.iter().flat_map(|part| &part.limit_ranges);
        let that = |truth: Truth| {
            ranges().filter(|range| range.home().is(&of.home()) == truth).collect::<Vec<_>>()
        };
        (that(Truth::Yes), that(Truth::Unknown))
    }
}
