use std::sync::Arc;

use super::is_left_out;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Known, Unknown};

check! {
    /// Flags workloads that the mesh of this platform does not capture.
    ///
    /// ## Why it matters
    /// Their traffic is plaintext, nobody can tell who sends it, and no AuthorizationPolicy guards
    /// them. Where the mesh demands mTLS they are cut off.
    ///
    /// ## Fix
    /// Label the Namespace `istio.io/dataplane-mode: ambient` (or for sidecars
    /// `istio-injection: enabled`), or remove what keeps the workload out.
    ///
    /// ## Known gaps
    /// Applies where the root has a mesh: declared under `platform.mesh`, or shown by an enrolled
    /// namespace or a mesh policy. Not assessed where the Namespace is not in the input. The mesh's
    /// root namespace, kube-system and pods in the host's network are left out.
    "workload-outside-mesh" {
        run: find,
        title: "workload is outside the mesh",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::Namespace, Kind::PeerAuthentication, Kind::AuthorizationPolicy],
        fix: "label the Namespace for the mesh, or remove what keeps the workload out",
        aliases: &[("istioctl", "IST0102"), ("kyverno", "enforce-ambient-mode-namespace")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    if cx.model.mesh().is_none() {
        out.not_applicable();
        return;
    }
    for workload in cx.model.workloads() {
        if is_left_out(cx, workload) {
            out.not_applicable();
            continue;
        }
        let enrolment = match cx.model.enrolment(workload) {
            Known(enrolment) => enrolment,
            Unknown(reason) => {
                out.not_assessed(&CHECK, &workload.id, reason);
                continue;
            }
        };
        let by = enrolment.decided_by.unwrap_or(workload.span);
        if enrolment.mesh != Mesh::None {
            out.pass(&CHECK, &workload.id, by);
            continue;
        }
        let namespace = &workload.id.namespace;
        let part = cx.model.part(namespace, &[Kind::Namespace]);
        let object = part.and_then(|part| part.namespace.as_ref()).map(|object| object.span);
        let label = if object == Some(by) {
            "no label of this Namespace enrols its pods"
        } else {
            "this keeps the pods out"
        };
        out.push(
            CHECK
                .finding(&workload.id, format!("{} is outside the mesh", workload.title()))
                .label(by, label)
                .label(workload.span, "for this workload")
                .affects([Arc::clone(&workload.id)])
                .absence(),
        );
    }
}
