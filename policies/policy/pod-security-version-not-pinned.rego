# METADATA
# title: version of the Pod Security level is not pinned
# description: |-
#   Flags namespaces that enforce a Pod Security level of whatever version.
#
#   ## Why it matters
#   With the next upgrade of the cluster the level may forbid more. Pods that ran yesterday do not start
#   any more, in the middle of the upgrade.
#
#   ## Fix
#   Add `pod-security.kubernetes.io/enforce-version` with the version of the cluster.
#
#   ## Known gaps
#   A version that is older than the cluster by far is not reported.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Namespace]
#   fix: add `pod-security.kubernetes.io/enforce-version` with the version of the cluster
#   aliases:
#     kubescape:
#       [C-0192, C-0193, C-0194, C-0195, C-0196, C-0197, C-0198,
#       C-0199, C-0200, C-0201, C-0202, C-0203, C-0204]
#   parameters: {}
#   instead_of: []
package palisade.policy.pod_security_version_not_pinned

import rego.v1

import data.palisade.lib.values

level := values.text(input, ["metadata", "labels", "pod-security.kubernetes.io/enforce"])

key := "pod-security.kubernetes.io/enforce-version"

violation contains {"msg": msg, "path": ["metadata", "labels", key]} if {
	level in {"baseline", "restricted"}
	values.text(input, ["metadata", "labels", key]) in {"", "latest"}
	msg := sprintf("%s enforces a level of whatever version", [input.palisade.title])
}
