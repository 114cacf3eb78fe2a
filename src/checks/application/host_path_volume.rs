use super::hardening::{HardeningView, Wording};
use crate::catalog::{CellRole, Context, Outcomes, Param, ParamKind, check};
use crate::document::Kind;
use crate::finding::{Layer, Persona, Severity};

check! {
    /// Flags volumes that mount a directory of the node.
    ///
    /// ## Why it matters
    /// The node's files are no part of the pod: reading them leaks what belongs to other pods, and
    /// writing them is a way to the node.
    ///
    /// ## Fix
    /// Use a volume of another type: `emptyDir`, `configMap`, `projected`, a volume claim.
    ///
    /// ## Known gaps
    /// What the path holds on the node is not known.
    "host-path-volume" {
        run: find,
        title: "volume mounts a directory of the node",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        params: &[Param {
            name: "allow",
            kind: ParamKind::Texts,
            doc: "directories of the node that may be mounted, with what lies below them",
        }],
        fix: "use a volume that is not part of the node",
        aliases: &[
            ("polaris", "hostPathSet"),
            ("kubescape", "C-0048"),
            ("trivy", "KSV-0023"),
            ("kyverno", "disallow-host-path"),
            ("gatekeeper", "host-filesystem"),
        ],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    let view = HardeningView {
        check: &CHECK,
        controls: &["hostPathVolumes"],
        at_baseline: &["hostPathVolumes"],
        sandbox_helps: false,
    };
    let allowed = cx.params.texts("allow").unwrap_or_default();
    view.judge(cx, out, |case| {
        let path = case.violation.found.as_str();
        if allowed.iter().any(|directory| lies_in(path, directory)) {
            return None;
        }
        let headline = match path {
            "" => format!("{} mounts a directory of its node", case.who()),
            path => format!("{} mounts `{path}` of its node", case.who()),
        };
        Some(Wording::new(headline, "this volume is the node's"))
    });
}

/// Whether a path is a directory or lies below it. `..` leads anywhere.
fn lies_in(path: &str, directory: &str) -> bool {
    let parts = |path: &str| -> Option<Vec<String>> {
        let absolute = path.strip_prefix('/')?;
        let parts = absolute.split('/').filter(|part| !matches!(*part, "" | "."));
        let parts: Vec<String> = parts.map(str::to_owned).collect();
        (!parts.iter().any(|part| part == "..")).then_some(parts)
    };
    match (parts(path), parts(directory)) {
        (Some(path), Some(directory)) => path.starts_with(&directory),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::lies_in;

    #[test]
    fn an_allowed_directory_covers_what_lies_below_it_and_nothing_beside_it() {
        let cases = [
            ("itself", "/var/log", "/var/log", true),
            ("below", "/var/log/pods", "/var/log/", true),
            ("other spelling", "/var//log/./pods", "/var/log", true),
            ("beside, with the same beginning", "/var/logs", "/var/log", false),
            ("above", "/var", "/var/log", false),
            ("a way out", "/var/log/../run", "/var/log", false),
            ("everything", "/etc", "/", true),
            ("an empty entry allows nothing", "/etc", "", false),
            ("a path that is missing", "", "/var/log", false),
        ];
        for (name, path, directory, covered) in cases {
            assert_eq!(lies_in(path, directory), covered, "{name}");
        }
    }
}
