use super::layer_of;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{DefectKind, Kind};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags keys that are written twice in one map.
    ///
    /// ## Why it matters
    /// Clients take the last one and drop the first without a word; strict ones refuse the file. A
    /// reviewer reads the first.
    ///
    /// ## Fix
    /// Keep one of them.
    ///
    /// ## Known gaps
    /// Every other check judges the last value, as clients do.
    "duplicate-key" {
        run: find,
        title: "key is written twice",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        voices: &[DefectKind::DuplicateKey],
        fix: "keep one of them",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for defect in cx.facts() {
        let key = crate::document::excerpt(&defect.detail);
        let headline =
            format!("{} `{}` has the key `{key}` twice", defect.object.kind, defect.object.name);
        let finding = CHECK
            .finding(&defect.object, headline)
            .layer(layer_of(&defect.object))
            .label(defect.at, "clients take this one");
        out.push(defect.related.iter().fold(finding, |finding, first| {
            finding.label(*first, "and drop this one without a word")
        }));
    }
}
