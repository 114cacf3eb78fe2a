use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::{Kind, ObjectId, Span};
use crate::finding::{Confidence, Finding, Layer, Persona, Severity};
use crate::model::{Certain, Enrolment, Known, Mtls, MtlsMode, Uncaptured, Unknown, Workload};

check! {
    /// Flags workloads that accept plaintext inside the mesh.
    ///
    /// ## Why it matters
    /// Without mTLS a caller has no identity, so no AuthorizationPolicy can tell callers apart, and
    /// whoever sits on the network reads along.
    ///
    /// ## Fix
    /// Set `spec.mtls.mode: STRICT` in the namespace, or once for the mesh in its root namespace, as
    /// soon as all callers are in the mesh.
    ///
    /// ## Known gaps
    /// The mode is the effective one: the most specific PeerAuthentication wins. Ports with a mode
    /// of their own, or that an annotation keeps from the proxy, are reported for the port.
    /// Workloads that are known to be outside the mesh are reported by `workload-outside-mesh`, and
    /// a gateway of Istio has TLS settings of its own.
    /// Where the Namespace is not in the input, STRICT proves nothing, as nobody may enforce it.
    "mtls-not-strict" {
        run: find,
        title: "workload accepts plaintext",
        layer: Layer::Mesh,
        cell: CellRole::Decides,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::Namespace, Kind::PeerAuthentication, Kind::AuthorizationPolicy],
        fix: "set `spec.mtls.mode: STRICT` once every caller is in the mesh",
        aliases: &[("kyverno", "enforce-strict-mtls")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    if cx.model.mesh().is_none() {
        out.not_applicable();
        return;
    }
    for workload in cx.model.workloads() {
        let enrolment = cx.model.enrolment(workload);
        let outside = matches!(&enrolment, Known(e) if e.mesh == Mesh::None);
        if outside || workload.is_gateway_proxy() {
            out.not_applicable();
            continue;
        }
        let mtls = match cx.model.mtls(workload) {
            Known(mtls) => mtls,
            Unknown(reason) => {
                out.not_assessed(&CHECK, &workload.id, reason);
                continue;
            }
        };
        // A policy of its own namespace shows that it is meant to be in the mesh.
        let meant = |(by, _): &(Arc<ObjectId>, _)| by.namespace == workload.id.namespace;
        match &enrolment {
            Unknown(reason) if !mtls.set_by.as_ref().is_some_and(meant) => {
                out.not_assessed(&CHECK, &workload.id, Arc::clone(reason));
            }
            _ if mtls.mode == MtlsMode::Strict => strict(cx, out, workload, &mtls, &enrolment),
            _ => out.push(plaintext(cx, workload, &mtls)),
        }
    }
}

/// A workload whose mode is STRICT may have ports that are not.
fn strict(
    cx: &Context<'_>,
    out: &mut Outcomes,
    workload: &Workload,
    mtls: &Mtls,
    enrolment: &Certain<Enrolment>,
) {
    let before = out.findings.len();
    for (port, mode) in mtls.ports.iter().filter(|(_, mode)| mode.value != MtlsMode::Strict) {
        let label = format!("mode is {} for this port", mode.value.word());
        out.push(hole(workload, &format!("on port {port}"), mode.span, label));
    }
    let seen = match enrolment {
        Known(enrolment) => cx.model.uncaptured(workload, enrolment.mesh),
        Unknown(_) => None,
    };
    if let Some(Uncaptured { ports, span }) = seen {
        let which = ports.map_or_else(|| "on every port".to_owned(), |p| format!("on port {p}"));
        out.push(hole(workload, &which, span, "the mesh does not see this traffic".to_owned()));
    }
    if out.findings.len() > before {
        return;
    }
    match (enrolment, &mtls.set_by) {
        (Unknown(reason), _) => out.not_assessed(&CHECK, &workload.id, Arc::clone(reason)),
        (Known(_), Some((_, at))) => out.pass(&CHECK, &workload.id, *at),
        (Known(_), None) => {}
    }
}

fn hole(workload: &Workload, which: &str, at: Span, label: String) -> Finding {
    CHECK
        .finding(&workload.id, format!("{} accepts plaintext {which}", workload.title()))
        .label(at, label)
        .label(workload.span, "for this workload")
        .affects([Arc::clone(&workload.id)])
}

fn plaintext(cx: &Context<'_>, workload: &Workload, mtls: &Mtls) -> Finding {
    let finding = CHECK
        .finding(&workload.id, format!("{} accepts plaintext", workload.title()))
        .affects([Arc::clone(&workload.id)]);
    match &mtls.set_by {
        Some((_, at)) => finding
            .label(*at, format!("mode is {} here", mtls.mode.word()))
            .label(workload.span, "for this workload"),
        None => {
            // The mesh's own namespace may be kept elsewhere, with a policy for the whole mesh.
            let root = cx.model.part(cx.profile.root_namespace(), &[Kind::PeerAuthentication]);
            let sure = if root.is_some() { Confidence::High } else { Confidence::Medium };
            finding.label(workload.span, "no PeerAuthentication applies here").confidence(sure)
        }
    }
}
