use std::sync::Arc;

use ipnet::{IpNet, Ipv6Net};

use super::evidence::title;
use super::policy_allows_everything::{every_address, opener, opens_alone};
use crate::catalog::{CellRole, Context, Outcomes, Param, ParamKind, check};
use crate::document::Span;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Direction, Protocol};
use crate::reach::{Action, Endpoint, Entity, PeerSet, Peers, PodRef, PortSet, REACH_KINDS, Rule};

check! {
    /// Flags egress to any address outside the cluster.
    ///
    /// ## Why it matters
    /// Whoever takes the pod over sends what it finds to a server of its own and fetches tools from
    /// there. `world` and `0.0.0.0/0` also hold private ranges and the metadata service of the
    /// cloud.
    ///
    /// ## Fix
    /// Name the hosts (`toFQDNs` with a DNS rule, under Cilium) or the address ranges that are
    /// needed, or send the traffic through an egress gateway.
    ///
    /// ## Known gaps
    /// A rule that opens port 53 alone is reported as medium. With `params.hosts` an FQDN rule for a
    /// host that is not on the list is reported, too. Where the pods admit everything,
    /// `policy-allows-everything` speaks instead. Ranges that are every address only together with
    /// those of another rule are not seen.
    "egress-to-world" {
        run: find,
        title: "egress to any address",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        params: &[Param {
            name: "hosts",
            kind: ParamKind::Texts,
            doc: "hosts that may be reached, `*.` for one label; FQDN rules for others are reported",
        }],
        fix: "name the hosts or the address ranges that are needed",
        aliases: &[("kubescape", "C-0301")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let hosts = cx.params.texts("hosts");
    let egress = |rule: &&Rule| rule.direction == Direction::Egress && rule.action == Action::Allow;
    let mut last: Option<Span> = None;
    for rule in cx.reach.rules().iter().filter(egress) {
        let ports = rule.ports.resolve(None);
        let open = world_place(rule).filter(|_| !ports.is_empty());
        let stranger = hosts.and_then(|hosts| unlisted(rule, hosts));
        let Some((at, finding)) = open
            .map(|at| (at, to_world(rule, at, &ports)))
            .or_else(|| stranger.map(|(at, host)| (at, to_host(rule, at, host))))
        else {
            out.pass(&CHECK, &rule.origin.object, rule.origin.span);
            continue;
        };
        let selected: Vec<_> = cx.reach.selected(rule).collect();
        let void = |pod: &_| opener(cx, *pod, Direction::Egress).is_some();
        let all_void = !selected.is_empty() && selected.iter().all(void);
        if !selected.is_empty() && !selected.iter().any(|pod| has_effect(cx, *pod, rule)) {
            out.pass(&CHECK, &rule.origin.object, rule.origin.span);
            continue;
        }
        if last == Some(at) || all_void || opens_alone(cx, rule) {
            continue; // one entry of `toPorts` after another, or the more exact check speaks
        }
        last = Some(at);
        out.push(finding.affects(selected.iter().map(|pod| Arc::clone(&pod.workload.id))));
    }
}

/// Whether a rule admits any address to a pod after what other rules deny.
fn has_effect(cx: &Context<'_>, pod: PodRef<'_>, rule: &Rule) -> bool {
    let of_names = matches!(&rule.peers, Peers::Set(set)
        if set.iter().any(|peer| matches!(peer, PeerSet::Fqdn { .. })));
    let families = [every_address(), IpNet::from(Ipv6Net::default())];
    let parts = families.into_iter().flat_map(|all| cx.reach.ranges(pod, Direction::Egress, all));
    let mut ends = parts.map(Endpoint::Range);
    let isolated = cx.reach.selecting(pod, Direction::Egress).iter().any(|r| r.default_deny);
    !isolated
        || of_names
        || ends.any(|end| {
            let verdict = cx.reach.possibly_admitted(pod, Direction::Egress, &end);
            verdict.by.contains(&rule.index)
        })
}

fn to_world(rule: &Rule, at: Span, ports: &PortSet) -> Finding {
    let policy = title(&rule.origin.object);
    let headline = format!("{policy} lets pods reach any address on {ports}");
    let finding = CHECK
        .finding(&rule.origin.object, headline)
        .label(at, "every address outside the cluster is admitted here");
    let dns = Protocol::ALL.into_iter().all(|protocol| {
        let ports = ports.ports(protocol);
        ports.is_empty() || ports.to_string() == "53"
    });
    if dns && !rule.ports.is_all() { finding.at_most(Severity::Medium) } else { finding }
}

fn to_host(rule: &Rule, at: Span, host: &str) -> Finding {
    let policy = title(&rule.origin.object);
    CHECK
        .finding(&rule.origin.object, format!("{policy} lets pods reach `{host}`"))
        .label(at, "this host is not among the allowed ones")
        .help("remove the host, or add it to `checks.egress-to-world.params.hosts`")
}

/// The place at which a rule names every address.
pub(super) fn world_place(rule: &Rule) -> Option<Span> {
    match &rule.peers {
        Peers::Any => Some(rule.origin.span),
        Peers::Nobody => None,
        Peers::Set(set) => set
            .iter()
            .find_map(|peer| match peer {
                PeerSet::Entity { entity: Entity::World | Entity::All, span } => Some(*span),
                PeerSet::Cidr { net, span, .. } if net.prefix_len() == 0 => Some(*span),
                PeerSet::Fqdn { pattern, span }
                    if pattern.chars().all(|c| matches!(c, '*' | '.')) =>
                {
                    Some(*span)
                }
                _ => None,
            })
            .or_else(|| halves(set)),
    }
}

/// The place at which ranges begin that are every address together, such as `0.0.0.0/1` and
/// `128.0.0.0/1`.
fn halves(set: &[PeerSet]) -> Option<Span> {
    let ranges = set.iter().filter_map(|peer| match peer {
        PeerSet::Cidr { net, except, span } if except.is_empty() => Some((*net, *span)),
        _ => None,
    });
    let (nets, spans): (Vec<IpNet>, Vec<Span>) = ranges.unzip();
    let whole = |net: &IpNet| net.prefix_len() == 0;
    let all = nets.len() > 1 && IpNet::aggregate(&nets).iter().any(whole);
    spans.first().copied().filter(|_| all)
}

/// A host of the rule that is not on the list.
fn unlisted<'r>(rule: &'r Rule, hosts: &[String]) -> Option<(Span, &'r str)> {
    let Peers::Set(set) = &rule.peers else { return None };
    let listed = |name: &str| {
        hosts.iter().any(|host| match host.strip_prefix("*.") {
            Some(suffix) => {
                name == host || name.strip_suffix(suffix).is_some_and(|l| l.ends_with('.'))
            }
            None => name == host,
        })
    };
    set.iter().find_map(|peer| match peer {
        PeerSet::Fqdn { pattern, span } if !listed(pattern) => Some((*span, pattern.as_str())),
        _ => None,
    })
}
