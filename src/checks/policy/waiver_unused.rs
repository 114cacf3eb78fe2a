use crate::catalog::{CellRole, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags waivers that cover no finding.
    ///
    /// ## Why it matters
    /// The defect is gone, or the waiver never fitted. It stays behind and will hide the next defect of
    /// its kind.
    ///
    /// ## Fix
    /// Remove the waiver, or correct what it matches.
    ///
    /// ## Known gaps
    /// A waiver counts as unused only if its check ran and, for a comment or annotation, its object was
    /// read.
    "waiver-unused" {
        // The engine raises it, once all findings are known.
        run: |_, _| {},
        title: "waiver matches nothing",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::Low,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        fix: "remove the waiver, or correct what it matches",
        aliases: &[],
    }
}
