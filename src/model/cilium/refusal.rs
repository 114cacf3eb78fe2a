//! What makes the API server or the agent refuse a whole Cilium policy, which then enforces nothing
//! (semantics S5, C1, C6, C9, C11).
//!
//! Sources: the CRD of Cilium, cilium/cilium pkg/policy/api/rule_validation.go. A text with a
//! variable in it is not judged.

use std::net::IpAddr;

use ipnet::IpNet;

use super::SELECTORS;
use crate::document::{Node, Span};
use crate::model::fields::{Sourced, field, integer, items, key_span, text};
use crate::model::selector::{Selector, is_open};

/// Why a Cilium policy is not enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No selector that Cilium knows; the place of the one that was meant, if any.
    NoSelector(Option<Sourced<String>>),
    /// No clause at all.
    NoClauses(Span),
    /// Two L3 members in one clause.
    TwoPeers(Span),
    /// Another mistake for which the API server or the agent refuses.
    Invalid(Span),
}

/// Lists of clauses: key, prefix of the peer members, whether it denies.
const LISTS: [(&str, &str, bool); 4] = [
    ("ingress", "from", false),
    ("ingressDeny", "from", true),
    ("egress", "to", false),
    ("egressDeny", "to", true),
];

const ENTITIES: [&str; 12] = [
    "all",
    "world",
    "cluster",
    "cluster-mesh",
    "host",
    "init",
    "ingress",
    "unmanaged",
    "remote-node",
    "health",
    "none",
    "kube-apiserver",
];

const PROTOCOLS: [&str; 11] =
    ["TCP", "UDP", "SCTP", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH", "ANY"];

/// Longest list of ports.
const MAX_PORTS: usize = 40;

/// Why the policy with this root is refused; `head` is the place of its name.
pub(super) fn of(root: Node<'_>, head: Span, clusterwide: bool) -> Option<Refusal> {
    let (spec, specs) = (field(root, "spec"), field(root, "specs"));
    if spec.is_none() && specs.is_none() {
        return Some(Refusal::NoSelector(None));
    }
    let odd = spec.filter(|spec| !spec.is_map()).or(specs.filter(|specs| !specs.is_list()));
    if odd.is_some() {
        return Some(Refusal::Invalid(head));
    }
    let rules = spec.into_iter().chain(items(root, "specs"));
    rules.into_iter().find_map(|rule| of_rule(rule, clusterwide))
}

/// The selector key that was meant where it is none of Cilium's, such as `podSelector`.
pub(super) fn foreign_selector(rule: Node<'_>) -> Option<Sourced<String>> {
    let foreign = |c: &Node<'_>| c.key().ends_with("elector") && !SELECTORS.contains(&c.key());
    let found = rule.children().find(foreign)?;
    Some(Sourced::new(found.key().to_owned(), key_span(found)))
}

fn of_rule(rule: Node<'_>, clusterwide: bool) -> Option<Refusal> {
    let invalid = |node: Node<'_>| Some(Refusal::Invalid(node.span()));
    match (field(rule, "endpointSelector"), field(rule, "nodeSelector")) {
        (None, None) => return Some(Refusal::NoSelector(foreign_selector(rule))),
        (Some(_), Some(nodes)) => return invalid(nodes),
        // Host policies are cluster-wide.
        (None, Some(nodes)) if !clusterwide => return invalid(nodes),
        (Some(selector), None) | (None, Some(selector)) => {
            if let Some(broken) = Selector::read_custom(selector).broken {
                return Some(Refusal::Invalid(broken));
            }
        }
    }
    if let Some(deny) = field(rule, "enableDefaultDeny") {
        let switches = deny.children().filter(|child| matches!(child.key(), "ingress" | "egress"));
        if let Some(odd) = switches.into_iter().find(|s| !s.is_null() && s.as_bool().is_none()) {
            return invalid(odd);
        }
    }
    let lists = LISTS.iter().filter_map(|(key, ..)| field(rule, key));
    if let Some(odd) = lists.into_iter().find(|list| !list.is_list()) {
        return invalid(odd);
    }
    if LISTS.iter().all(|(key, ..)| items(rule, key).next().is_none()) {
        return Some(Refusal::NoClauses(rule.span()));
    }
    LISTS.iter().find_map(|(key, prefix, deny)| {
        items(rule, key).find_map(|clause| of_clause(clause, prefix, *deny))
    })
}

fn of_clause(clause: Node<'_>, prefix: &str, deny: bool) -> Option<Refusal> {
    if !clause.is_map() {
        return Some(Refusal::Invalid(clause.span()));
    }
    let list = |name: &str| field(clause, &format!("{prefix}{name}"));
    let members =
        ["Endpoints", "CIDR", "CIDRSet", "Entities", "Services", "Groups", "Nodes", "FQDNs"];
    let read = members.into_iter().filter(|name| !(deny && *name == "FQDNs"));
    let filled = |name: &&str| list(name).is_some_and(|l| l.children().next().is_some());
    if read.clone().filter(filled).count() > 1 {
        let head = clause.children().next().map_or(clause.span(), key_span);
        return Some(Refusal::TwoPeers(head));
    }
    let written = read.chain(["Requires"]).filter_map(list).chain(field(clause, "toPorts"));
    if let Some(odd) = written.into_iter().find(|list| !list.is_list()) {
        return Some(Refusal::Invalid(odd.span()));
    }
    let of = |name: &str| list(name).into_iter().flat_map(Node::children);
    let bad = of("Requires")
        .next()
        .or_else(|| of("Endpoints").find(|s| Selector::read_custom(*s).broken.is_some()))
        .or_else(|| of("Entities").find(|e| !is_word(*e, &ENTITIES)))
        .or_else(|| of("CIDR").find(|cidr| !is_cidr(*cidr)))
        .or_else(|| of("CIDRSet").find(|entry| !is_cidr_set(*entry)))
        .or_else(|| of("FQDNs").find(|name| !deny && !is_name(*name)))
        .or_else(|| authentication(clause).filter(|_| !deny))
        .or_else(|| both(field(clause, "icmps"), field(clause, "toPorts")))
        .or_else(|| items(clause, "toPorts").find_map(|entry| of_entry(entry, prefix, deny)));
    bad.map(|node| Refusal::Invalid(node.span()))
}

/// ICMP and ports in one clause.
fn both<'n>(icmps: Option<Node<'n>>, ports: Option<Node<'n>>) -> Option<Node<'n>> {
    let filled = |list: &Node<'_>| list.children().next().is_some();
    icmps.filter(filled).and(ports.filter(filled))
}

fn authentication(clause: Node<'_>) -> Option<Node<'_>> {
    let authentication = field(clause, "authentication")?;
    let mode = field(authentication, "mode");
    let known = mode.is_some_and(|m| is_word(m, &["required", "disabled", "test-always-fail"]));
    (!known).then_some(authentication)
}

/// What is wrong with an entry of `toPorts`.
fn of_entry<'n>(entry: Node<'n>, prefix: &str, deny: bool) -> Option<Node<'n>> {
    if !entry.is_map() {
        return Some(entry);
    }
    let ports: Vec<Node<'_>> = items(entry, "ports").collect();
    let bad = ports.iter().copied().find(|port| !is_port(*port));
    if bad.is_some() || ports.len() > MAX_PORTS {
        return bad.or(Some(entry));
    }
    if deny {
        return None;
    }
    let rules = field(entry, "rules");
    let filled = |key: &str| {
        let list = rules.and_then(|rules| field(rules, key));
        list.filter(|list| !list.is_list() || list.children().next().is_some())
    };
    let (http, dns) = (filled("http"), filled("dns"));
    let foreign = filled("kafka").or_else(|| http.and(dns));
    let names = field(entry, "serverNames");
    let nameless = |name: &Node<'_>| name.as_str().is_none_or(str::is_empty);
    let in_clear = field(entry, "terminatingTLS").is_none();
    let unread = names.filter(|n| n.children().next().is_some() && in_clear);
    foreign
        .or_else(|| unread.and(http.or(dns)))
        .or_else(|| items(entry, "serverNames").find(nameless))
        .or_else(|| http.and_then(|_| ports.iter().copied().find(|port| !carries_http(*port))))
        .or_else(|| dns.filter(|_| prefix == "from" || ports.is_empty()))
        .or_else(|| dns.and_then(|_| ports.iter().copied().find(|port| is_range(*port))))
        .or_else(|| dns.and_then(|list| list.children().find(|name| !is_name(*name))))
}

fn is_port(port: Node<'_>) -> bool {
    let protocol = field(port, "protocol").is_none_or(|word| is_word(word, &PROTOCOLS));
    let end = field(port, "endPort")
        .is_none_or(|end| end.as_int().is_some_and(|end| (0..=i64::from(u16::MAX)).contains(&end)));
    let number = field(port, "port")
        .and_then(Node::as_str)
        .is_some_and(|text| is_open(text) || text.parse::<u16>().is_ok() || is_service_name(text));
    protocol && end && number
}

/// HTTP needs `protocol: TCP` written, and a port.
fn carries_http(port: Node<'_>) -> bool {
    let tcp = text(port, "protocol").is_some_and(|word| word.value == "TCP");
    tcp && text(port, "port").is_some_and(|port| port.value.parse() != Ok(0_u16))
}

fn is_range(port: Node<'_>) -> bool {
    let start = text(port, "port").and_then(|port| port.value.parse::<i64>().ok());
    let end = integer(port, "endPort").map(|end| end.value);
    end.zip(start).is_some_and(|(end, start)| end > start)
}

/// Whether a text is a service name of RFC 6335: at most 15 letters, digits and single hyphens, one
/// letter at least.
pub(in crate::model) fn is_service_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=15).contains(&text.len())
        && text.bytes().all(inner)
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

fn is_word(node: Node<'_>, words: &[&str]) -> bool {
    node.as_str().is_some_and(|word| is_open(word) || words.contains(&word))
}

fn is_cidr(node: Node<'_>) -> bool {
    node.as_str().is_some_and(|text| is_open(text) || text.parse::<IpNet>().is_ok())
}

/// One of a range, a group and a selector of groups; exceptions lie inside the range.
fn is_cidr_set(entry: Node<'_>) -> bool {
    let keys = ["cidr", "cidrGroupRef", "cidrGroupSelector"];
    if keys.into_iter().filter_map(|key| field(entry, key)).count() != 1 {
        return false;
    }
    if !items(entry, "except").all(is_cidr) {
        return false;
    }
    let Some(cidr) = field(entry, "cidr") else { return true };
    let Some(range) = cidr.as_str().and_then(|text| text.parse::<IpNet>().ok()) else {
        return is_cidr(cidr);
    };
    let inside = |address: IpAddr| range.contains(&address);
    items(entry, "except").all(|cut| {
        let cut = cut.as_str().and_then(|text| text.parse::<IpNet>().ok());
        cut.is_none_or(|cut| inside(cut.addr()))
    })
}

/// One of `matchName` and `matchPattern`, of the characters that the CRD admits.
fn is_name(entry: Node<'_>) -> bool {
    let fits = |node: Node<'_>, star: bool| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        node.as_str().is_some_and(|text| {
            is_open(text)
                || !text.is_empty()
                    && !text.starts_with('.')
                    && !text.contains("..")
                    && text.bytes().all(|b| inner(b) || star && b == b'*')
        })
    };
    match (field(entry, "matchName"), field(entry, "matchPattern")) {
        (Some(name), None) => fits(name, false),
        (None, Some(pattern)) => fits(pattern, true),
        _ => false,
    }
}
