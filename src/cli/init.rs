//! `palisade init`: a configuration to start with.

use std::io::Write;
use std::path::Path;

use super::CliError;
use super::output::{self, Content};
use crate::document::clean;

/// What is written: every section, commented out, with what it does.
const TEMPLATE: &str = "\
# Configuration of palisade. Everything here is optional; unknown keys are errors.
# yaml-language-server: $schema=https://palisade.dev/schemas/palisade.schema.json

# Globs of files to leave out, beside .gitignore and .palisadeignore: names as reports print them.
# exclude:
#   - \"examples/**\"

# Facts about the platform. What is not declared is assumed, and every report says so.
# platform:
#   cni: cilium              # cilium, calico, antrea, ovn, generic, none
#   cniVersion: \"1.17\"
#   mesh: ambient            # ambient, sidecar, none
#   rootNamespace: istio-system
#   trustDomain: cluster.local
#   kubernetesVersion: \"1.34\"

# Roots that are named; nothing is discovered inside them. `palisade check . --explain-roots` shows
# which ones there are.
# roots:
#   - path: clusters/prod
#     name: prod
#     variables: {DOMAIN: example.org}

# Environments for which charts are rendered: each chart is judged once for each of them.
# environments:
#   prod:
#     values: [values-prod.yaml]   # relative to the repository or to the chart
#     set: [\"replicas=3\"]

# Checks by name: `palisade checks` lists them, `palisade explain CHECK` tells more.
# checks:
#   container-without-cpu-request:
#     disable: true
#   exposed-to-internet:
#     severity: low
#   cross-namespace-flow-not-allowed:
#     params:
#       allow: [\"web -> api\", \"monitoring -> *\"]

# Other settings for some paths.
# overrides:
#   - paths: [\"legacy/**\"]
#     checks:
#       container-may-run-as-root: {severity: medium}

# Permission to live with a finding: what, where, why, who, until when.
# waivers:
#   - check: host-network
#     match: {namespace: monitoring, kind: DaemonSet, name: node-exporter}
#     reason: reads the node's own metrics
#     owner: platform-team
#     until: 2027-06-30
";

/// Writes the file.
pub(super) fn run(directory: &Path, force: bool) -> Result<u8, CliError> {
    let path = directory.join("palisade.yaml");
    let name = clean(&path.to_string_lossy());
    if path.exists() && !force {
        return Err(CliError::CannotWrite {
            path: name,
            reason: "it exists already".to_owned(),
            help: "use `--force` to replace it",
        });
    }
    let template = |out: &mut dyn Write| out.write_all(TEMPLATE.as_bytes());
    output::replace(&path, template).map_err(|error| CliError::CannotWrite {
        path: name.clone(),
        reason: clean(&error.to_string()),
        help: "name a directory that exists and may be written",
    })?;
    output::write(None, Content::Text, |out| writeln!(out, "wrote {name}"))?;
    Ok(0)
}
