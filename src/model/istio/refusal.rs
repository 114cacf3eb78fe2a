//! Why the API server or Istio's webhook refuses a policy.
//!
//! A refused policy is an absent layer (semantics S5). Fields that nobody knows are no reason: a
//! lenient client drops them, and the rest is judged.
//!
//! Source: the schemas of istio.io/api, and istio/istio pkg/config/validation and
//! pkg/config/security; semantics M5, M6, M10 to M16.

use std::net::IpAddr;
use std::str::FromStr;

use super::super::fields::{Sourced, field, items, key_span, text, texts};
use super::MtlsMode;
use super::authorization::{Action, Condition, Wanted, boolean, targets_of};
use crate::document::{Node, Span};

type Refusal = Option<Sourced<String>>;

fn refuse(at: Span, why: impl Into<String>) -> Refusal {
    Some(Sourced::new(why.into(), at))
}

/// Why a PeerAuthentication is refused.
pub(super) fn of_peer_authentication(spec: Node<'_>) -> Refusal {
    let own = field(spec, "mtls").and_then(mode);
    own.or_else(|| selector(spec)).or_else(|| ports(spec))
}

fn mode(mtls: Node<'_>) -> Refusal {
    let word = field(mtls, "mode")?;
    let known = word.as_str().is_some_and(|word| {
        word == "UNSET" || word.contains('$') || MtlsMode::from_word(word).is_some()
    });
    if known { None } else { refuse(word.span(), "this is no mTLS mode") }
}

fn ports(spec: Node<'_>) -> Refusal {
    let levels = field(spec, "portLevelMtls")?;
    let labels = field(spec, "selector").and_then(|selector| field(selector, "matchLabels"));
    if labels.is_none_or(|labels| labels.children().next().is_none()) {
        return refuse(key_span(levels), "`portLevelMtls` needs a selector");
    }
    if levels.children().next().is_none() {
        return refuse(levels.span(), "`portLevelMtls` needs a port");
    }
    levels.children().find_map(|level| {
        if level.key().parse::<u16>().is_ok_and(|port| port > 0) {
            mode(level)
        } else {
            refuse(key_span(level), "this is no port number")
        }
    })
}

fn selector(spec: Node<'_>) -> Refusal {
    let labels = field(field(spec, "selector")?, "matchLabels")?;
    labels.children().find_map(|label| match label.as_str() {
        None => refuse(label.span(), "a label must be a string"),
        Some(value) if value.contains('*') => {
            refuse(label.span(), "a label must not hold a wildcard")
        }
        Some(_) if label.key().is_empty() || label.key().contains('*') => {
            refuse(key_span(label), "a label key must be plain and not empty")
        }
        Some(_) => None,
    })
}

/// Why an AuthorizationPolicy is refused. `dry_run` is its annotation.
pub(super) fn of_authorization_policy(
    spec: Option<Node<'_>>,
    dry_run: Option<&Sourced<String>>,
) -> Refusal {
    let (action, at) = match spec.and_then(|spec| field(spec, "action")) {
        None => (Action::Allow, None),
        Some(word) => match word.as_str() {
            Some("ALLOW") => (Action::Allow, Some(word.span())),
            Some("DENY") => (Action::Deny, Some(word.span())),
            Some("AUDIT") => (Action::Audit, Some(word.span())),
            Some("CUSTOM") => (Action::Custom, Some(word.span())),
            _ => return refuse(word.span(), "this is no action"),
        },
    };
    if let Some(run) = dry_run {
        if boolean(&run.value).is_none() {
            return refuse(run.span, "the annotation must be true or false");
        }
        if matches!(action, Action::Custom | Action::Audit) {
            return refuse(run.span, "only ALLOW and DENY know a dry run");
        }
    }
    let spec = spec?;
    selector(spec)
        .or_else(|| attachment(spec))
        .or_else(|| provider(spec, action))
        .or_else(|| rules(spec, action, at))
}

fn attachment(spec: Node<'_>) -> Refusal {
    const KINDS: [(&str, &str); 5] = [
        ("", "Service"),
        ("core", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    ];
    let ways = ["selector", "targetRef", "targetRefs"].into_iter();
    let mut ways = ways.filter_map(|key| field(spec, key));
    if let (Some(_), Some(second)) = (ways.next(), ways.next()) {
        return refuse(key_span(second), "it has a selector or `targetRefs`, not both");
    }
    targets_of(spec).find_map(|target| {
        let part = |key: &str| text(target, key).map(|part| part.value).unwrap_or_default();
        if let Some(namespace) = field(target, "namespace") {
            return refuse(namespace.span(), "a target has no namespace of its own");
        }
        if part("name").is_empty() {
            return refuse(target.span(), "a target needs a name");
        }
        let (group, kind) = (part("group"), part("kind"));
        let known = KINDS.contains(&(group.as_str(), kind.as_str()));
        if known { None } else { refuse(target.span(), "no policy attaches to this kind") }
    })
}

fn provider(spec: Node<'_>, action: Action) -> Refusal {
    let provider = field(spec, "provider");
    match (action == Action::Custom, provider) {
        (false, Some(provider)) => refuse(key_span(provider), "only CUSTOM has a provider"),
        (true, provider) => {
            let named = provider.and_then(|p| text(p, "name")).is_some_and(|n| !n.value.is_empty());
            let at = provider.or_else(|| field(spec, "action"));
            let at = at.map_or(spec.span(), |node| node.span());
            if named { None } else { refuse(at, "CUSTOM needs the name of a provider") }
        }
        (false, None) => None,
    }
}

fn rules(spec: Node<'_>, action: Action, at: Option<Span>) -> Refusal {
    if let Some(list) = field(spec, "rules").filter(|list| !list.is_list()) {
        return refuse(list.span(), "`rules` must be a list");
    }
    let needs_rules = matches!(action, Action::Deny | Action::Custom);
    if needs_rules && items(spec, "rules").next().is_none() {
        return refuse(at.unwrap_or(spec.span()), "without rules this action does nothing");
    }
    items(spec, "rules").find_map(|rule| of_rule(rule, action))
}

fn of_rule(rule: Node<'_>, action: Action) -> Refusal {
    if !rule.is_map() {
        return refuse(rule.span(), "a rule must be a map");
    }
    let mut lists = ["from", "to", "when"].into_iter().filter_map(|key| field(rule, key));
    if let Some(wrong) = lists.find(|list| !list.is_list()) {
        return refuse(wrong.span(), "this must be a list");
    }
    items(rule, "from")
        .find_map(|from| match field(from, "source") {
            None => refuse(from.span(), "a source must not be empty"),
            Some(source) => of_source(source, action),
        })
        .or_else(|| {
            items(rule, "to").find_map(|to| match field(to, "operation") {
                None => refuse(to.span(), "an operation must not be empty"),
                Some(operation) => of_operation(operation),
            })
        })
        .or_else(|| items(rule, "when").find_map(|condition| of_condition(condition, action)))
}

/// The name of a field, and of its negation.
type Pair = (&'static str, &'static str);

const ACCOUNTS: Pair = ("serviceAccounts", "notServiceAccounts");
const PRINCIPALS: Pair = ("principals", "notPrincipals");
const NAMESPACES: Pair = ("namespaces", "notNamespaces");
const REQUEST_PRINCIPALS: Pair = ("requestPrincipals", "notRequestPrincipals");
const BLOCKS: Pair = ("ipBlocks", "notIpBlocks");
const REMOTE_BLOCKS: Pair = ("remoteIpBlocks", "notRemoteIpBlocks");
const TRUST_DOMAINS: Pair = ("trustDomains", "notTrustDomains");
const SOURCE: [Pair; 7] =
    [ACCOUNTS, PRINCIPALS, NAMESPACES, REQUEST_PRINCIPALS, BLOCKS, REMOTE_BLOCKS, TRUST_DOMAINS];

const PORTS: Pair = ("ports", "notPorts");
const PATHS: Pair = ("paths", "notPaths");
const OPERATION: [Pair; 4] = [("hosts", "notHosts"), PORTS, ("methods", "notMethods"), PATHS];

fn of_source(source: Node<'_>, action: Action) -> Refusal {
    let empty = |pairs: &[Pair]| pairs.iter().all(|pair| values(source, *pair).next().is_none());
    if empty(&SOURCE) {
        return refuse(source.span(), "a source must not be empty");
    }
    if !empty(&[ACCOUNTS]) && !empty(&[PRINCIPALS, NAMESPACES]) {
        return refuse(source.span(), "service accounts stand alone in a source");
    }
    let unfit = [NAMESPACES, ACCOUNTS, PRINCIPALS, REQUEST_PRINCIPALS];
    if action == Action::Custom && !empty(&unfit) {
        return refuse(source.span(), "CUSTOM asks for no identity");
    }
    let fits = |pair: Pair, value: &str| match pair {
        ACCOUNTS => is_account(value),
        BLOCKS | REMOTE_BLOCKS => is_block(value),
        _ => true,
    };
    SOURCE.into_iter().find_map(|pair| wrong_value(source, pair, |value| fits(pair, value)))
}

fn of_operation(operation: Node<'_>) -> Refusal {
    let any = OPERATION.iter().any(|pair| values(operation, *pair).next().is_some());
    if !any {
        return refuse(operation.span(), "an operation must not be empty");
    }
    let fits = |pair: Pair, value: &str| match pair {
        PORTS => value.parse::<u16>().is_ok(),
        PATHS => is_path(value),
        _ => true,
    };
    OPERATION.into_iter().find_map(|pair| wrong_value(operation, pair, |value| fits(pair, value)))
}

fn of_condition(node: Node<'_>, action: Action) -> Refusal {
    const LISTS: Pair = ("values", "notValues");
    let Some(key) = text(node, "key").filter(|key| !key.value.is_empty()) else {
        return refuse(node.span(), "a condition needs a key");
    };
    let values = Wanted { any: texts(node, LISTS.0), none: texts(node, LISTS.1) };
    if values.is_empty() {
        return refuse(key.span, "a condition needs values");
    }
    let condition = Condition { key, values };
    let key = &condition.key;
    if !condition.is_known() {
        return refuse(key.span, "no condition has this key");
    }
    let of_caller = condition.is_identity() && key.value != "source.trustDomain"
        || key.value.starts_with("request.auth.");
    if action == Action::Custom && of_caller {
        return refuse(key.span, "CUSTOM asks for no identity");
    }
    wrong_value(node, LISTS, |value| match key.value.as_str() {
        "source.ip" | "remote.ip" | "destination.ip" => is_block(value),
        "destination.port" => value.parse::<u16>().is_ok(),
        _ => true,
    })
}

/// The items of a field and of its negation.
fn values<'n>(node: Node<'n>, pair: Pair) -> impl Iterator<Item = Node<'n>> + use<'n> {
    items(node, pair.0).chain(items(node, pair.1))
}

fn wrong_value(node: Node<'_>, pair: Pair, fits: impl Fn(&str) -> bool) -> Refusal {
    let mut lists = [pair.0, pair.1].into_iter().filter_map(|key| field(node, key));
    if let Some(wrong) = lists.find(|list| !list.is_list()) {
        return refuse(wrong.span(), "this must be a list of strings");
    }
    values(node, pair).find_map(|item| match item.as_str() {
        None => refuse(item.span(), "this must be a string"),
        Some("") => refuse(item.span(), "an empty value is not allowed"),
        // A variable that nobody has filled in yet may become anything.
        Some(value) if value.contains('$') => None,
        Some(value) if !fits(value) => refuse(item.span(), "Istio does not take this value"),
        Some(_) => None,
    })
}

/// An account, with or without its namespace; wildcards are not allowed (M13).
fn is_account(value: &str) -> bool {
    let parts: Vec<&str> = value.split('/').collect();
    parts.len() <= 2 && !value.contains('*') && parts.iter().all(|part| !part.is_empty())
}

/// An address, or a range; bits behind the prefix are allowed.
fn is_block(value: &str) -> bool {
    let Some((address, length)) = value.split_once('/') else {
        return IpAddr::from_str(value).is_ok();
    };
    let longest = match IpAddr::from_str(address) {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    digits && length.parse::<u8>().is_ok_and(|length| length <= longest)
}

/// A path with `{*}` or `{**}` has nothing else than plain segments beside them, and `{**}` is the
/// last of them.
fn is_path(value: &str) -> bool {
    if !value.contains("{*}") && !value.contains("{**}") {
        return true;
    }
    let plain = |segment: &str| !segment.contains(['*', '{', '}']);
    let fits = |segment: &str| matches!(segment, "{*}" | "{**}") || plain(segment);
    let mut behind = value.split('/').skip_while(|segment| *segment != "{**}").skip(1);
    value.split('/').all(fits) && behind.all(plain)
}
