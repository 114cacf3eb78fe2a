# METADATA
# title: Pod Security only warns
# description: |-
#   Flags namespaces with labels for warnings or audit and none that enforces.
#
#   ## Why it matters
#   A warning appears in the terminal of whoever applies the manifest, and nowhere for a pipeline. The pod
#   is started all the same.
#
#   ## Fix
#   Add `pod-security.kubernetes.io/enforce` with the level that the warnings have.
#
#   ## Known gaps
#   A level that the configuration of the API server enforces for all namespaces is not known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces
# custom:
#   severity: medium
#   persona: regular
#   reads: [Namespace]
#   fix: add `pod-security.kubernetes.io/enforce` with the level that the warnings have
#   aliases:
#     kubescape:
#       [C-0192, C-0193, C-0194, C-0195, C-0196, C-0197, C-0198,
#       C-0199, C-0200, C-0201, C-0202, C-0203, C-0204]
#   parameters: {}
#   instead_of: []
package palisade.policy.pod_security_warn_only

import rego.v1

import data.palisade.lib.values

label(mode) := values.text(input, ["metadata", "labels", concat("/", ["pod-security.kubernetes.io", mode])])

# The stricter use of the label is the one to name.
mode := "audit" if {
	not label("audit") in {"", "privileged"}
	label("warn") in {"", "privileged"}
}

mode := "warn" if not label("warn") in {"", "privileged"}

violation contains {"msg": msg, "path": path} if {
	label("enforce") == ""
	path := ["metadata", "labels", concat("/", ["pod-security.kubernetes.io", mode])]
	msg := sprintf("%s refuses no pod, it has the level for `%s` alone", [input.palisade.title, mode])
}
