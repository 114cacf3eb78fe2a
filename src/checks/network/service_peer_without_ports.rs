use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::Direction;

check! {
    /// Flags egress to a Service that names no ports.
    ///
    /// ## Why it matters
    /// Cilium turns the Service into its pods, not into its ports: every port of those pods is
    /// admitted, whatever the Service publishes.
    ///
    /// ## Fix
    /// Add `toPorts` with the ports of the pods behind the Service.
    ///
    /// ## Known gaps
    /// None known.
    "service-peer-without-ports" {
        run: find,
        title: "egress to every port of a Service's pods",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::CiliumNetworkPolicy, Kind::CiliumClusterwideNetworkPolicy],
        fix: "add `toPorts` with the ports of the pods behind the Service",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for policy in cx.model.cilium_policies() {
        let clauses = policy.rules.iter().flat_map(|rule| rule.allows(Direction::Egress));
        let mut applies = false;
        for clause in clauses {
            let Some(service) = clause.services.given().and_then(|list| list.first()) else {
                continue;
            };
            applies = true;
            if !clause.to_ports().is_empty() {
                out.pass(&CHECK, &policy.id, clause.head);
                continue;
            }
            let name = match &service.named {
                Some((_, name)) => format!("Service `{name}`"),
                None => "the selected Services".to_owned(),
            };
            let headline = format!("{} opens every port behind {name}", title(&policy.id));
            let label = "every port of the pods behind it is admitted";
            out.push(CHECK.finding(&policy.id, headline).label(service.span, label));
        }
        if !applies {
            out.not_applicable();
        }
    }
}
