use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Mark};
use crate::finding::{Layer, Persona, Severity};
use crate::model::SecretEntry;

check! {
    /// Flags Secret manifests that hold real values in plain text or base64.
    ///
    /// ## Why it matters
    /// base64 is no encryption. Whoever may read the repository, its history or a copy of it has
    /// the value.
    ///
    /// ## Fix
    /// Keep the Secret out of the repository: encrypt it (SOPS, Sealed Secrets) or let an operator
    /// fetch it from a store. Then change the value, which is in the history by now.
    ///
    /// ## Known gaps
    /// Placeholders, references to a store, encrypted values, certificates and public keys are no
    /// leak. A real value that looks like a placeholder is not seen. Values are never kept.
    "plain-secret-in-repository" {
        run: find,
        title: "Secret with real values among the files",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Secret],
        fix: "encrypt the Secret or fetch it from a store, and change its values",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for secret in cx.model.secrets() {
        let is_real =
            |entry: &&SecretEntry| matches!(entry.mark, Mark::Opaque | Mark::Credential(_));
        let real: Vec<&SecretEntry> = secret.entries.iter().filter(is_real).collect();
        if real.is_empty() {
            match secret.entries.is_empty() {
                true => out.not_applicable(),
                false => out.pass(&CHECK, &secret.id, secret.span),
            }
            continue;
        }
        let name = &secret.id.name;
        let count = match real.len() {
            1 => "a real value".to_owned(),
            many => format!("{many} real values"),
        };
        let mut finding =
            CHECK.finding(&secret.id, format!("Secret `{name}` holds {count} for all to read"));
        for entry in real {
            let text =
                format!("the value of `{}` is neither encrypted nor a placeholder", entry.key);
            finding = finding.label(entry.span, text);
        }
        out.push(finding);
    }
}
