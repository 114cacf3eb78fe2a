use crate::catalog::{CellRole, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags waivers past their last day.
    ///
    /// ## Why it matters
    /// The risk was accepted until a day that is over. The waiver hides nothing any more, and nobody has
    /// looked at the risk again.
    ///
    /// ## Fix
    /// Mend the defect, or renew the waiver with a new date and a reason that still holds.
    ///
    /// ## Known gaps
    /// The day is that of `--now`, by default today (UTC).
    "waiver-expired" {
        // The engine raises it, once all findings are known.
        run: |_, _| {},
        title: "waiver has expired",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        fix: "mend the defect, or renew the waiver",
        aliases: &[],
    }
}
