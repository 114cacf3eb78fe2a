use super::layer_of;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{DefectKind, Kind};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags policies in files that no kustomization includes.
    ///
    /// ## Why it matters
    /// The file lies beside the others and everybody believes that it is applied. Nothing applies
    /// it: the kustomization, or the directory that Flux or Argo CD applies, leaves it out.
    ///
    /// ## Fix
    /// List the file under `resources`, or remove it.
    ///
    /// ## Known gaps
    /// A policy of a component that no kustomization uses is reported as low: it may be an offer.
    /// Scripts that apply the file by hand are not seen. Nothing is said of files near a
    /// kustomization that could not be rendered.
    "orphan-policy-file" {
        run: find,
        title: "policy in a file that nothing includes",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        voices: &[DefectKind::OrphanPolicyFile],
        fix: "list the file under `resources`, or remove it",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for defect in cx.facts() {
        let finding = CHECK
            .finding(&defect.object, format!("{} is never applied", defect.object.title()))
            .layer(layer_of(&defect.object))
            .label(defect.at, "no root includes this file");
        let of_component = !defect.detail.is_empty();
        let text = if of_component {
            "no kustomization uses this component"
        } else {
            "this kustomization does not list it"
        };
        let finding = defect.related.iter().fold(finding, |finding, at| finding.label(*at, text));
        let finding = finding.voids();
        out.push(match of_component {
            true => finding.at_most(Severity::Low).help("use the component, or remove it"),
            false => finding,
        });
    }
}
