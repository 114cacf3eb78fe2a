use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

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
    /// A header is taken for one that backends trust by its name: forwarded addresses, users, roles,
    /// tenants, sources and the like.
    "appendable-trust-header" {
        run: find,
        title: "trust header is appended",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::HTTPRoute, Kind::OtherRoute],
        fix: "use `set` instead of `add`",
        aliases: &[],
    }
}

const TRUSTED_WORDS: [&str; 26] = [
    "admin",
    "auth",
    "authenticated",
    "authorization",
    "claim",
    "claims",
    "client",
    "email",
    "forwarded",
    "groups",
    "identity",
    "internal",
    "origin",
    "permissions",
    "principal",
    "real",
    "role",
    "roles",
    "scope",
    "source",
    "subject",
    "tenant",
    "trusted",
    "user",
    "userid",
    "verified",
];

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for route in cx.model.routes() {
        let added = route.rules.iter().flat_map(|rule| &rule.added_headers);
        let mut applies = false;
        let before = out.findings.len();
        for header in added {
            applies = true;
            let name = &header.name.value;
            if !is_trusted(name) {
                continue;
            }
            let headline = format!("{} appends to header `{name}`", title(&route.id));
            out.push(
                CHECK
                    .finding(&route.id, headline)
                    .label(header.name.span, "a client that sends this header is believed first")
                    .label(header.add, "`add` keeps what the client sent"),
            );
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
    lower.split(['-', '_']).any(|word| TRUSTED_WORDS.contains(&word))
}
