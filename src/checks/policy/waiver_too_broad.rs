use crate::catalog::{CellRole, Param, ParamKind, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags waivers that cover more than one knows.
    ///
    /// ## Why it matters
    /// A waiver without a name or a file covers every object that ever matches, also those that nobody
    /// has thought of yet.
    ///
    /// ## Fix
    /// Name the objects or the file that it is for.
    ///
    /// ## Known gaps
    /// A waiver of the configuration is too broad if its `match` has neither `name` nor `file`, and
    /// any waiver is if it hides more subjects than `params.max` (20).
    "waiver-too-broad" {
        // The engine raises it, once all findings are known.
        run: |_, _| {},
        title: "waiver covers too much",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        params: &[Param {
            name: "max",
            kind: ParamKind::Number,
            doc: "most subjects that one waiver may hide; 20 unless set",
        }],
        fix: "name the objects or the file that it is for",
        aliases: &[],
    }
}
