use super::layer_of;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{DefectKind, Kind};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags manifests in a heredoc that the shell changes before they are applied.
    ///
    /// ## Why it matters
    /// Behind an unquoted delimiter the shell expands `$name`, `$(command)` and backticks on the
    /// machine of whoever runs the script. A variable that is not set there becomes empty without a
    /// word: the script in the manifest, the password, the regular expression is another one.
    ///
    /// ## Fix
    /// Quote the delimiter (`<<'EOF'`), or escape what is meant for the container (`\$`).
    ///
    /// ## Known gaps
    /// An expansion that is meant to happen on the operator's machine is reported, too: nothing in
    /// the text tells it apart.
    "unquoted-heredoc-expansion" {
        run: find,
        title: "shell expands part of a manifest",
        layer: Layer::Policy,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Any],
        voices: &[DefectKind::HeredocExpansion],
        fix: "quote the delimiter of the heredoc",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for defect in cx.facts() {
        let (kind, name) = (&defect.object.kind, &defect.object.name);
        let more = match defect.related.len().saturating_sub(1) {
            0 => String::new(),
            many => format!(", and {many} more"),
        };
        let text = crate::document::excerpt(&defect.detail);
        let label = format!("`{text}` is expanded before `kubectl` sees it{more}");
        let finding = CHECK
            .finding(&defect.object, format!("{kind} `{name}` is changed by the shell"))
            .layer(layer_of(&defect.object))
            .label(defect.at, label);
        let delimiter = defect.related.first();
        out.push(delimiter.into_iter().fold(finding, |finding, at| {
            finding.label(*at, "because this delimiter is not quoted")
        }));
    }
}
