use super::credentials::describe;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Mark};
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags ConfigMaps that carry a credential.
    ///
    /// ## Why it matters
    /// ConfigMaps are readable by many more accounts than Secrets, are not encrypted at rest, and
    /// appear in logs and tools that would mask a Secret.
    ///
    /// ## Fix
    /// Move the value into a Secret, and change it: it is known by now.
    ///
    /// ## Known gaps
    /// Values are judged by their shape, by their key, and in multi-line values by `name: value`
    /// and `name=value` lines. Only the first credential of a value is reported; the whole value is
    /// withheld from every output.
    "secret-in-configmap" {
        run: find,
        title: "ConfigMap carries a secret",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::ConfigMap],
        fix: "move the value into a Secret, and change it",
        aliases: &[
            ("polaris", "sensitiveConfigmapContent"),
            ("trivy", "KSV-0109"),
            ("kubescape", "C-0012"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for map in cx.model.config_maps() {
        for (key, hit) in &map.hits {
            let Mark::Credential(credential) = hit.mark else { continue };
            let headline = format!("ConfigMap `{}` carries a secret under `{key}`", map.id.name);
            let label = format!("{} stands here", describe(credential));
            out.push(CHECK.finding(&map.id, headline).label(hit.at, label));
        }
        match (map.hits.is_empty(), map.has_data) {
            (true, true) => out.pass(&CHECK, &map.id, map.span),
            (true, false) => out.not_applicable(),
            _ => {}
        }
    }
}
