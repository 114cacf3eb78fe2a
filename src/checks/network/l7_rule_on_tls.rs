use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{CiliumPort, Direction, ToPorts};

check! {
    /// Flags HTTP rules on ports that carry TLS.
    ///
    /// ## Why it matters
    /// The proxy cannot read a request inside TLS. The rule for method and path limits nothing that
    /// anyone can rely on: what happens to the bytes depends on how parsing fails.
    ///
    /// ## Fix
    /// Limit the hosts by `toFQDNs` or `serverNames` without HTTP rules, or let Cilium terminate and
    /// originate TLS for these hosts.
    ///
    /// ## Known gaps
    /// A port is taken for TLS by its number (443, 8443, 6443) or by a name with `https` or `tls`.
    "l7-rule-on-tls" {
        run: find,
        title: "HTTP rule on a TLS port",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::CiliumNetworkPolicy, Kind::CiliumClusterwideNetworkPolicy],
        fix: "limit the hosts by `toFQDNs` or `serverNames` instead, or terminate TLS",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for policy in cx.model.cilium_policies() {
        let rules = policy.rules.iter();
        let clauses =
            rules.flat_map(|rule| Direction::ALL.into_iter().flat_map(|d| rule.allows(d)));
        let with_http: Vec<(&ToPorts, Span)> = clauses
            .flat_map(|clause| clause.to_ports())
            .filter_map(|entry| Some((entry, entry.http?)))
            .collect();
        if with_http.is_empty() {
            out.not_applicable();
            continue;
        }
        let before = out.findings.len();
        for (entry, http) in with_http.iter().filter(|(entry, _)| !entry.terminates_tls) {
            let ports = entry.ports.given().into_iter().flatten();
            for port in ports.filter(|port| carries_tls(port)) {
                let policy_title = title(&policy.id);
                out.push(
                    CHECK
                        .finding(
                            &policy.id,
                            format!("{policy_title} has an HTTP rule on a TLS port"),
                        )
                        .label(*http, "requests inside TLS cannot be matched by this")
                        .label(port.port.span, "this port carries TLS"),
                );
            }
        }
        if out.findings.len() == before
            && let Some((_, http)) = with_http.first()
        {
            out.pass(&CHECK, &policy.id, *http);
        }
    }
}

const TLS_PORTS: [u16; 3] = [443, 6443, 8443];

fn carries_tls(port: &CiliumPort) -> bool {
    let name = port.port.value.to_ascii_lowercase();
    let numbers = port.number().map(|start| start..=port.end_port.unwrap_or(start).max(start));
    numbers.is_some_and(|numbers| TLS_PORTS.iter().any(|tls| numbers.contains(tls)))
        || name.contains("https")
        || name.contains("tls")
}
