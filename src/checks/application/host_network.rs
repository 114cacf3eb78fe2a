use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::ContainerList;

check! {
    /// Flags pods that share their node's network.
    ///
    /// ## Why it matters
    /// Such a pod sees the node's traffic and its local services, no NetworkPolicy applies to it,
    /// and no mesh gives it an identity. Every port it declares becomes a port of the node.
    ///
    /// ## Fix
    /// Remove `hostNetwork: true`.
    ///
    /// ## Known gaps
    /// The API server fills in `hostPort` for each declared port of such a pod; only written ones
    /// are reported by `host-port`.
    "host-network" {
        run: find,
        title: "pod shares the node's network",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "remove `hostNetwork: true`",
        aliases: &[
            ("kube-linter", "host-network"),
            ("polaris", "hostNetworkSet"),
            ("kubescape", "C-0041"),
            ("trivy", "KSV-0009"),
            ("checkov", "CKV_K8S_19"),
            ("kyverno", "disallow-host-namespaces"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["hostNamespaces"],
        at_baseline: &["hostNamespaces"],
        sandbox_helps: false,
    };
    view.judge(cx, out, |case| {
        let headline = format!("{} shares its node's network", case.who());
        let label = "no network policy and no mesh applies to the pod because of this";
        if case.violation.found != "hostNetwork=true" {
            return None;
        }
        let wording = Wording::new(headline, label);
        let containers = case.workload.pod.containers.iter();
        let usual = containers.filter(|c| c.list != ContainerList::Ephemeral);
        let mut bound = usual.flat_map(|container| &container.ports);
        Some(match bound.find_map(|port| Some((port.span, port.number?))) {
            Some((at, number)) => {
                wording.and(at, format!("and port {number} becomes a port of the node"))
            }
            None => wording,
        })
    });
}
