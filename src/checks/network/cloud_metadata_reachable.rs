use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::IpNet;

use super::evidence::title;
use super::policy_allows_everything::opener;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::ObjectId;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Direction, Protocol};
use crate::reach::{Endpoint, REACH_KINDS};

check! {
    /// Flags pods whose egress rules admit the metadata service of the cloud.
    ///
    /// ## Why it matters
    /// 169.254.169.254 hands out credentials of the node to whoever asks. A pod that fetches URLs
    /// for others, or one that was taken over, becomes the node in the eyes of the cloud.
    ///
    /// ## Fix
    /// Add `except: [169.254.0.0/16]` to the range, or name the destinations instead of `world`.
    ///
    /// ## Known gaps
    /// The union of all rules of the pod counts, on TCP port 80, where the service answers. Its IPv6
    /// addresses, which have to be turned on in each cloud, are not asked. Pods that no policy
    /// isolates for egress are reported by other checks.
    "cloud-metadata-reachable" {
        run: find,
        title: "cloud metadata service is reachable",
        layer: Layer::Network,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: REACH_KINDS,
        fix: "add `except: [169.254.0.0/16]` to the range, or name the destinations",
        aliases: &[("kubescape", "C-0052")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let metadata = IpNet::from(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)));
    let mut open: BTreeMap<u32, Vec<Arc<ObjectId>>> = BTreeMap::new();
    for pod in cx.reach.pods() {
        let rules = cx.reach.selecting(pod, Direction::Egress);
        let Some(isolating) = rules.iter().find(|rule| rule.default_deny) else {
            out.not_applicable();
            continue;
        };
        let endpoint = Endpoint::Range(metadata);
        let verdict = cx.reach.certainly_admitted(pod, Direction::Egress, &endpoint);
        let admitted = verdict.allowed.contains(Protocol::Tcp, 80);
        let admits = |index: &&u32| {
            let rule = cx.reach.rule(**index);
            rule.is_some_and(|rule| rule.ports.resolve(None).contains(Protocol::Tcp, 80))
        };
        match verdict.by.iter().find(admits) {
            Some(index) if admitted => {
                if opener(cx, pod, Direction::Egress).is_none() {
                    open.entry(*index).or_default().push(Arc::clone(&pod.workload.id));
                }
            }
            _ => out.pass(&CHECK, &pod.workload.id, isolating.origin.span),
        }
    }
    for (index, workloads) in open {
        let Some(rule) = cx.reach.rule(index) else { continue };
        let at = super::egress_to_world::world_place(rule).unwrap_or(rule.origin.span);
        let policy = title(&rule.origin.object);
        out.push(
            CHECK
                .finding(&rule.origin.object, format!("{policy} lets pods reach cloud metadata"))
                .label(at, "169.254.169.254 is among these addresses, on TCP port 80")
                .affects(workloads),
        );
    }
}
