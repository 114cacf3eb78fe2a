//! VirtualServices, as far as they may lead in from outside. Their rules are not evaluated.

use std::sync::Arc;

use super::super::fields::{field, items, text, texts};
use crate::document::{Document, Node, ObjectId, Span};

/// A VirtualService.
#[derive(Clone, Debug)]
pub struct VirtualService {
    /// Identity.
    pub id: Arc<ObjectId>,
    /// Place of the name.
    pub span: Span,
    /// Namespaces and names of the Services that it leads to.
    pub destinations: Vec<(String, String)>,
    /// Whether it may be for a gateway, and not for callers in the mesh alone.
    pub from_gateway: bool,
}

impl VirtualService {
    pub(in crate::model) fn read(document: &Document) -> Self {
        let spec = field(document.root(), "spec");
        let mut hosts = Vec::new();
        spec.into_iter().for_each(|spec| collect(spec, &mut hosts));
        let own = document.id.namespace.as_str();
        Self {
            id: Arc::clone(&document.id),
            span: document.head,
            destinations: hosts.iter().map(|host| service(host, own)).collect(),
            from_gateway: spec.is_some_and(from_gateway),
        }
    }
}

/// The hosts of every `destination` at or below a node.
fn collect(node: Node<'_>, hosts: &mut Vec<String>) {
    for child in node.children() {
        match text(child, "host").filter(|_| child.key() == "destination") {
            Some(host) => hosts.push(host.value),
            None => collect(child, hosts),
        }
    }
}

/// A short name is one of the VirtualService's own namespace.
fn service(host: &str, own: &str) -> (String, String) {
    let mut labels = host.split('.');
    let name = labels.next().unwrap_or_default().to_owned();
    (labels.next().unwrap_or(own).to_owned(), name)
}

/// Without gateways it is for the mesh. One without hosts is a part of another one.
fn from_gateway(spec: Node<'_>) -> bool {
    let rules = ["http", "tcp", "tls"].into_iter().flat_map(|key| items(spec, key));
    let matches = rules.flat_map(|rule| items(rule, "match"));
    let named = matches.flat_map(|each| texts(each, "gateways"));
    let mut all = texts(spec, "gateways").into_iter().chain(named);
    texts(spec, "hosts").is_empty() || all.any(|gateway| gateway.value != "mesh")
}
