use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::Kind;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Known, Mtls, MtlsMode, Unknown, Workload};

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
    /// of their own are reported for the port. Workloads that are known to be outside the mesh are
    /// reported by `workload-outside-mesh`.
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
        let outside = matches!(cx.model.enrolment(workload), Known(e) if e.mesh == Mesh::None);
        if outside {
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
        let before = out.findings.len();
        if mtls.mode != MtlsMode::Strict {
            out.push(plaintext(workload, &mtls));
        }
        for (port, mode) in &mtls.ports {
            if mtls.mode == MtlsMode::Strict && mode.value != MtlsMode::Strict {
                let headline = format!("{} accepts plaintext on port {port}", workload.title());
                let label = format!("mode is {} for this port", mode.value.word());
                out.push(
                    CHECK
                        .finding(&workload.id, headline)
                        .label(mode.span, label)
                        .label(workload.span, "for this workload")
                        .affects([Arc::clone(&workload.id)]),
                );
            }
        }
        if out.findings.len() == before
            && let Some((_, at)) = &mtls.set_by
        {
            out.pass(&CHECK, &workload.id, *at);
        }
    }
}

fn plaintext(workload: &Workload, mtls: &Mtls) -> Finding {
    let finding = CHECK
        .finding(&workload.id, format!("{} accepts plaintext", workload.title()))
        .affects([Arc::clone(&workload.id)]);
    match &mtls.set_by {
        Some((_, at)) => finding
            .label(*at, format!("mode is {} here", mtls.mode.word()))
            .label(workload.span, "for this workload"),
        None => finding.label(workload.span, "no PeerAuthentication applies here"),
    }
}
