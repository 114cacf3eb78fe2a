use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Condition;

check! {
    /// Flags headers that a backend trusts and that a client can send first.
    ///
    /// ## Why it matters
    /// `requestHeaderModifier.add` appends to what the client sent. A backend that reads the header
    /// as proof of where a request comes from, or for whom, reads the client's value.
    ///
    /// ## Fix
    /// Use `set`, which replaces whatever the client sent.
    ///
    /// ## Known gaps
    /// A header is taken for one that is trusted where an AuthorizationPolicy of the input decides
    /// by it, or by its name: forwarded addresses, users, roles, tenants, sources and the like.
    "appendable-trust-header" {
        run: find,
        title: "trust header is appended",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::HTTPRoute, Kind::OtherRoute, Kind::AuthorizationPolicy],
        fix: "use `set` instead of `add`",
        aliases: &[],
    }
}

/// Words of header names that tell where a request comes from, or for whom.
const TRUSTED_WORDS: [&str; 31] = [
    "account",
    "admin",
    "auth",
    "authenticated",
    "authorization",
    "claim",
    "claims",
    "client",
    "email",
    "forwarded",
    "group",
    "groups",
    "identity",
    "internal",
    "jwt",
    "origin",
    "permissions",
    "principal",
    "real",
    "remote",
    "role",
    "roles",
    "scope",
    "source",
    "subject",
    "tenant",
    "trusted",
    "user",
    "userid",
    "username",
    "verified",
];

/// Pairs of words that tell about the program that calls, not about who does.
const TECHNICAL: [(&str, &str); 5] = [
    ("user", "agent"),
    ("client", "version"),
    ("client", "platform"),
    ("client", "build"),
    ("client", "type"),
];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let policies = cx.model.authorization_policies().filter(|policy| policy.refused.is_none());
    let conditions: Vec<&Condition> =
        policies.flat_map(|policy| policy.rules()).flat_map(|rule| &rule.when).collect();
    for route in cx.model.routes() {
        let added = route.rules.iter().flat_map(|rule| &rule.added_headers);
        let mut applies = false;
        let before = out.findings.len();
        for header in added {
            applies = true;
            let name = &header.name.value;
            let decides =
                |c: &&&Condition| c.header().is_some_and(|h| h.eq_ignore_ascii_case(name));
            let used = conditions.iter().find(decides);
            if used.is_none() && !is_trusted(name) {
                continue;
            }
            let headline = format!("{} appends to header `{name}`", title(&route.id));
            let finding = CHECK
                .finding(&route.id, headline)
                .label(header.name.span, "a client that sends this header is believed first")
                .label(header.add, "`add` keeps what the client sent");
            out.push(match used {
                Some(condition) => finding.label(condition.key.span, "access depends on it here"),
                None => finding,
            });
        }
        match (applies, out.findings.len() == before) {
            (false, _) => out.not_applicable(),
            (true, true) => out.pass(&CHECK, &route.id, route.span),
            _ => {}
        }
    }
}

fn is_trusted(header: &str) -> bool {
    let lower = header.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['-', '_']).collect();
    let next = words.iter().skip(1).copied().chain([""]);
    words
        .iter()
        .zip(next)
        .any(|(word, next)| TRUSTED_WORDS.contains(word) && !TECHNICAL.contains(&(word, next)))
}
