use super::evidence::title;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags Gateway listeners to which every namespace may attach routes.
    ///
    /// ## Why it matters
    /// Any tenant may publish a host name on this listener, also one that belongs to somebody else,
    /// and receive its traffic.
    ///
    /// ## Fix
    /// Set `allowedRoutes.namespaces.from: Selector` with labels that tenants cannot set, or `Same`.
    ///
    /// ## Known gaps
    /// A selector that every namespace matches counts as open, too. A listener for one exact host
    /// name is reported as medium: other hosts cannot be claimed. Waypoints of the mesh serve no
    /// hosts and are left out.
    "listener-open-to-all-namespaces" {
        run: find,
        title: "listener is open to all namespaces",
        layer: Layer::Gateway,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Gateway],
        fix: "set `allowedRoutes.namespaces.from` to `Selector` or `Same`",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for gateway in cx.model.gateways() {
        if gateway.is_waypoint() {
            out.not_applicable();
            continue;
        }
        for listener in &gateway.listeners {
            let Some(at) = listener.namespaces.everyone() else {
                out.pass(&CHECK, &gateway.id, listener.span);
                continue;
            };
            let name = &listener.name;
            let headline = format!("{} lets every namespace use `{name}`", title(&gateway.id));
            let finding = CHECK
                .finding(&gateway.id, headline)
                .label(at, "routes of every namespace are accepted");
            let exact = listener.hostname.as_ref().filter(|host| !host.value.starts_with('*'));
            out.push(match exact {
                Some(host) => finding.at_most(Severity::Medium).label(host.span, "for this host"),
                None => finding,
            });
        }
    }
}
