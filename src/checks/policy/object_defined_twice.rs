use super::layer_of;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{DefectKind, Kind};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags objects that are defined twice under one name.
    ///
    /// ## Why it matters
    /// The one that is applied last replaces the other. If it is a policy, one of the two protects
    /// nothing, and which one depends on the order of files.
    ///
    /// ## Fix
    /// Remove one of them, or give it another name.
    ///
    /// ## Known gaps
    /// Two definitions that are equal are reported as low. Directories that hold the same object
    /// side by side (`dev/`, `prod/`) are taken for environments, not for one cluster.
    "object-defined-twice" {
        run: find,
        title: "object is defined twice",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        voices: &[DefectKind::ObjectDefinedTwice],
        fix: "remove one of them, or give it another name",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for defect in cx.facts() {
        let (kind, name) = (&defect.object.kind, &defect.object.name);
        let equal = !defect.detail.is_empty();
        let finding = CHECK
            .finding(&defect.object, format!("{kind} `{name}` is defined twice"))
            .layer(layer_of(&defect.object))
            .label(defect.at, "this definition replaces the other one");
        let finding = defect.related.iter().fold(finding, |finding, first| {
            finding
                .label(*first, if equal { "which is equal" } else { "which says something else" })
        });
        out.push(if equal { finding.at_most(Severity::Low) } else { finding });
    }
}
